/* More calls at once than a service takes, each with data of 1 MiB, and callbacks among them. */
#include "check.h"

#include <pthread.h>

#define THREADS 1300

static CK_FUNCTION_LIST *p11;
static CK_BYTE data[1 << 20];

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  CK_ULONG count;
  (void)session, (void)event, (void)given;
  ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
  return CKR_OK;
}

static void *calls(void *argument) {
  CK_ULONG me = (CK_ULONG)argument;
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key;
  CK_NOTIFY callback = me % 40 == 0 ? notify : NULL;
  ANSWERS(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, callback, &session), CKR_OK);
  if (callback != NULL) {
    ANSWERS(p11->C_GenerateKey(session, &mechanism, NULL, 0, &key), CKR_OK);
  }
  CK_ULONG length = me % 4 == 0 ? sizeof data : 1;
  ANSWERS(p11->C_DigestUpdate(session, data, length), CKR_OK);
  return NULL;
}

int main(int count, char **arguments) {
  static pthread_t threads[THREADS];
  pthread_attr_t small;
  CHECK(count == 2);
  p11 = functions_of(load(arguments[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 256 << 10);
  for (CK_ULONG i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], &small, calls, (void *)i) == 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
