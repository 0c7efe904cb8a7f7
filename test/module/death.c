/* The service goes away in the middle of a call. */
#include "check.h"

#include <pthread.h>

static CK_FUNCTION_LIST *p11;

static void *waits(void *unused) {
  CK_SLOT_ID slot;
  ANSWERS(p11->C_WaitForSlotEvent(0, &slot, NULL), CKR_FUNCTION_FAILED);
  return unused;
}

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  (void)session, (void)event, (void)given;
  ANSWERS(p11->C_Logout(1), CKR_DEVICE_REMOVED);
  return CKR_OK;
}

static void calls_find_it_dead(void) {
  CK_ULONG count;
  CK_SLOT_INFO slot;
  for (int i = 0; i < 3; i++) {
    ANSWERS(p11->C_Login(1, CKU_USER, NULL, 0), CKR_DEVICE_REMOVED);
    ANSWERS(p11->C_GetSlotInfo(1, &slot), CKR_DEVICE_ERROR);
    ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_FUNCTION_FAILED);
  }
  ANSWERS(p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
}

int main(int count, char **arguments) {
  pthread_t threads[4];
  CK_SESSION_HANDLE session;
  CK_ULONG slots;
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_OBJECT_HANDLE key;
  CHECK(count == 2);
  p11 = functions_of(load(arguments[1]));

  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, waits, NULL);
  usleep(20000);
  ANSWERS(p11->C_Logout(1), CKR_DEVICE_REMOVED);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  calls_find_it_dead();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);

  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, &slots), CKR_OK);
  ANSWERS(p11->C_OpenSession(7, CKF_SERIAL_SESSION, NULL, notify, &session), CKR_OK);
  ANSWERS(p11->C_GenerateKey(session, &mechanism, NULL, 0, &key), CKR_DEVICE_REMOVED);
  calls_find_it_dead();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
