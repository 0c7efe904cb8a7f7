/* What the test programs share: the module is the first argument, a failed check ends the program. */
#ifndef SOFTOKI_CHECK_H
#define SOFTOKI_CHECK_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11.h"

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
      _exit(1);                                                                 \
    }                                                                           \
  } while (0)

#define ANSWERS(call, expected)                                                            \
  do {                                                                                     \
    unsigned long answered = (call);                                                       \
    if (answered != (expected)) {                                                          \
      fprintf(stderr, "%s:%d: %s answered 0x%lx, not %s\n", __FILE__, __LINE__, #call,     \
              answered, #expected);                                                        \
      _exit(1);                                                                            \
    }                                                                                      \
  } while (0)

static inline void *load(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
  return library;
}

static inline CK_FUNCTION_LIST *functions_of(void *library) {
  CK_RV (*get)(CK_FUNCTION_LIST **) = NULL;
  CK_FUNCTION_LIST *list = NULL;
  *(void **)&get = dlsym(library, "C_GetFunctionList");
  CHECK(get != NULL && get(&list) == CKR_OK && list != NULL);
  return list;
}

#endif
