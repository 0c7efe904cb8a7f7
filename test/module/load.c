/* Loads, uses and unloads the module a hundred times; nothing of it may be left. */
#include "check.h"

#include <dirent.h>

static int entries_of(const char *path) {
  int count = 0;
  DIR *folder = opendir(path);
  CHECK(folder != NULL);
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

/* The lines of /proc/self/maps, and how many of them name the module. */
static int mappings(int *of_module) {
  char line[4096];
  int count = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  CHECK(maps != NULL);
  *of_module = 0;
  while (fgets(line, sizeof line, maps) != NULL) {
    count++;
    if (strstr(line, "libsoftoki-pkcs11") != NULL) ++*of_module;
  }
  fclose(maps);
  return count;
}

static void use(const char *path) {
  CK_ULONG count;
  CK_SESSION_HANDLE session;
  void *library = load(path);
  CK_FUNCTION_LIST *p11 = functions_of(library);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
  ANSWERS(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  CHECK(dlclose(library) == 0);
}

int main(int count, char **arguments) {
  int left;
  CHECK(count == 2);
  for (int i = 0; i < 10; i++) use(arguments[1]);
  int descriptors = entries_of("/proc/self/fd"), mapped = mappings(&left);
  for (int i = 0; i < 90; i++) use(arguments[1]);
  int mapped_after = mappings(&left);
  CHECK(left == 0);
  CHECK(entries_of("/proc/self/fd") == descriptors);
#ifndef __SANITIZE_ADDRESS__
  CHECK(mapped_after == mapped);
#else
  /* AddressSanitizer keeps freed memory for a while. */
  (void)mapped, (void)mapped_after;
#endif
  return 0;
}
