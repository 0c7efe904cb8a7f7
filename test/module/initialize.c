/* C_Initialize, C_Finalize and what works without them. */
#include "check.h"

#include <pthread.h>

static CK_FUNCTION_LIST *p11;
static unsigned long created, destroyed, locked, unlocked;

static CK_RV create(void **mutex) {
  pthread_mutex_t *made = malloc(sizeof *made);
  pthread_mutex_init(made, NULL);
  *mutex = made;
  created++;
  return CKR_OK;
}

static CK_RV destroy(void *mutex) {
  pthread_mutex_destroy(mutex);
  free(mutex);
  destroyed++;
  return CKR_OK;
}

static CK_RV lock(void *mutex) {
  __atomic_add_fetch(&locked, 1, __ATOMIC_RELAXED);
  return pthread_mutex_lock(mutex) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV unlock(void *mutex) {
  __atomic_add_fetch(&unlocked, 1, __ATOMIC_RELAXED);
  return pthread_mutex_unlock(mutex) == 0 ? CKR_OK : CKR_MUTEX_NOT_LOCKED;
}

static CK_RV create_fails(void **mutex) {
  (void)mutex;
  return CKR_HOST_MEMORY;
}

static CK_C_INITIALIZE_ARGS all(CK_FLAGS flags) {
  return (CK_C_INITIALIZE_ARGS){create, destroy, lock, unlock, flags, NULL};
}

static void refused(CK_C_INITIALIZE_ARGS arguments, CK_RV rv) {
  ANSWERS(p11->C_Initialize(&arguments), rv);
  ANSWERS(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void *calls(void *unused) {
  CK_ULONG count;
  for (int i = 0; i < 50; i++) ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
  return unused;
}

static void call_from_threads(void) {
  pthread_t threads[8];
  for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, calls, NULL);
  for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
}

static void arguments_are_checked(void) {
  CK_C_INITIALIZE_ARGS arguments = all(0);
  arguments.CreateMutex = NULL;
  refused(arguments, CKR_ARGUMENTS_BAD);
  arguments = all(CKF_OS_LOCKING_OK);
  arguments.UnlockMutex = NULL;
  refused(arguments, CKR_ARGUMENTS_BAD);
  arguments = all(0);
  arguments.pReserved = &arguments;
  refused(arguments, CKR_ARGUMENTS_BAD);
  arguments = all(0);
  arguments.CreateMutex = create_fails;
  refused(arguments, CKR_HOST_MEMORY);
  CHECK(created == destroyed);
}

static void initializing_twice(void) {
  ANSWERS(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  ANSWERS(p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
  ANSWERS(p11->C_Finalize(p11), CKR_ARGUMENTS_BAD);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  ANSWERS(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void own_mutexes_are_used(void) {
  CK_C_INITIALIZE_ARGS arguments = all(CKF_LIBRARY_CANT_CREATE_OS_THREADS);
  ANSWERS(p11->C_Initialize(&arguments), CKR_OK);
  CHECK(created > 0);
  unsigned long before = locked;
  call_from_threads();
  CHECK(locked > before);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  CHECK(locked == unlocked && created == destroyed);
}

static void own_mutexes_are_not_used_where_the_systems_may_be(void) {
  CK_C_INITIALIZE_ARGS arguments = all(CKF_OS_LOCKING_OK);
  unsigned long made = created, taken = locked;
  ANSWERS(p11->C_Initialize(&arguments), CKR_OK);
  call_from_threads();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  CHECK(created == made && locked == taken);
}

static void parallel_functions(void) {
  ANSWERS(p11->C_GetFunctionStatus(1), CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(p11->C_CancelFunction(1), CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  ANSWERS(p11->C_GetFunctionStatus(1), CKR_FUNCTION_NOT_PARALLEL);
  ANSWERS(p11->C_CancelFunction(CK_INVALID_HANDLE), CKR_FUNCTION_NOT_PARALLEL);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

static void lists_are_there_before(void *library) {
  CK_C_GetInterfaceList list = NULL;
  CK_C_GetInterface get = NULL;
  *(void **)&list = dlsym(library, "C_GetInterfaceList");
  *(void **)&get = dlsym(library, "C_GetInterface");
  CK_ULONG count = 0;
  CK_INTERFACE entries[4], *found = NULL;
  ANSWERS(list(NULL, NULL), CKR_ARGUMENTS_BAD);
  ANSWERS(list(NULL, &count), CKR_OK);
  CHECK(count >= 1 && count <= 4);
  CK_ULONG none = 0;
  ANSWERS(list(entries, &none), CKR_BUFFER_TOO_SMALL);
  CHECK(none == count);
  ANSWERS(list(entries, &count), CKR_OK);
  CHECK(strcmp((char *)entries[count - 1].pInterfaceName, "Vendor Softoki") == 0);
  CHECK(strcmp((char *)entries[count - 2].pInterfaceName, "PKCS 11") == 0);
  CHECK(entries[count - 2].pFunctionList == p11 && entries[count - 2].flags == 0);

  CK_VERSION version = {2, 40}, other = {9, 9};
  ANSWERS(get(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
  ANSWERS(get(NULL, NULL, &found, 0), CKR_OK);
  ANSWERS(get((CK_UTF8CHAR *)"PKCS 11", &version, &found, 0), CKR_OK);
  CHECK(found->pFunctionList == p11);
  ANSWERS(get((CK_UTF8CHAR *)"PKCS 11", &other, &found, 0), CKR_FUNCTION_FAILED);
  CK_VERSION *ours = entries[count - 1].pFunctionList;
  ANSWERS(get(NULL, ours, &found, 0), CKR_FUNCTION_FAILED);
  ANSWERS(get((CK_UTF8CHAR *)"Vendor", NULL, &found, 0), CKR_FUNCTION_FAILED);
  ANSWERS(get(NULL, NULL, &found, CKF_INTERFACE_FORK_SAFE), CKR_FUNCTION_FAILED);
  CHECK(p11->version.major == 2 && p11->version.minor == 40);
  ANSWERS(p11->C_GetFunctionList(NULL), CKR_ARGUMENTS_BAD);
}

int main(int count, char **arguments) {
  CHECK(count == 2);
  void *library = load(arguments[1]);
  p11 = functions_of(library);
  lists_are_there_before(library);
  parallel_functions();
  arguments_are_checked();
  initializing_twice();
  own_mutexes_are_used();
  own_mutexes_are_not_used_where_the_systems_may_be();
  dlclose(library);
  return 0;
}
