/* Sixteen threads call at once, one waits all the while; C_Finalize releases it. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#define THREADS 16
#define CALLS 150

static CK_FUNCTION_LIST *p11;

static CK_RV make(void **mutex) {
  *mutex = malloc(sizeof(pthread_mutex_t));
  return pthread_mutex_init(*mutex, NULL) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV destroy(void *mutex) {
  pthread_mutex_destroy(mutex);
  free(mutex);
  return CKR_OK;
}

static CK_RV lock(void *mutex) {
  return pthread_mutex_lock(mutex) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV unlock(void *mutex) {
  return pthread_mutex_unlock(mutex) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

static void *calls(void *argument) {
  CK_ULONG me = (CK_ULONG)argument;
  static CK_BYTE zeros[5000];
  for (CK_ULONG i = 0; i < CALLS; i++) {
    CK_MECHANISM_INFO info;
    CK_BYTE random[3000];
    CK_ULONG type = me * 1000 + i, length = 1 + type * 7 % sizeof random;
    ANSWERS(p11->C_GetMechanismInfo(1, type, &info), CKR_OK);
    CHECK(info.flags == type);
    ANSWERS(p11->C_GenerateRandom(me, random, length), CKR_OK);
    for (CK_ULONG at = 0; at < length; at++) CHECK(random[at] == (CK_BYTE)me);
    ANSWERS(p11->C_DigestUpdate(me, zeros, type % sizeof zeros), CKR_DATA_LEN_RANGE);
  }
  return NULL;
}

static void *waits(void *unused) {
  CK_SLOT_ID slot;
  ANSWERS(p11->C_WaitForSlotEvent(0, &slot, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
  return unused;
}

static void on_alarm(int number) {
  (void)number;
}

/* Signals that interrupt system calls, every two milliseconds. */
static void be_interrupted(void) {
  struct sigaction action = {.sa_handler = on_alarm};
  struct itimerval often = {{0, 2000}, {0, 2000}};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &often, NULL);
}

static void run(CK_C_INITIALIZE_ARGS *how) {
  pthread_t threads[THREADS], waiting;
  ANSWERS(p11->C_Initialize(how), CKR_OK);
  pthread_create(&waiting, NULL, waits, NULL);
  for (CK_ULONG i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, calls, (void *)(i + 1));
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  pthread_join(waiting, NULL);
}

/* Several threads initialize at once: one does, the others are told once it has. */
static void *initializes(void *ones) {
  CK_ULONG count;
  CK_RV rv = p11->C_Initialize(NULL);
  if (rv == CKR_OK) __atomic_add_fetch((int *)ones, 1, __ATOMIC_SEQ_CST);
  else ANSWERS(rv, CKR_CRYPTOKI_ALREADY_INITIALIZED);
  ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
  return NULL;
}

static void initialize_at_once(void) {
  pthread_t threads[THREADS];
  int ones = 0;
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, initializes, &ones);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  CHECK(ones == 1);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

int main(int count, char **arguments) {
  CK_C_INITIALIZE_ARGS system = {NULL, NULL, NULL, NULL, CKF_OS_LOCKING_OK, NULL};
  CK_C_INITIALIZE_ARGS own = {make, destroy, lock, unlock, 0, NULL};
  CHECK(count == 2);
  p11 = functions_of(load(arguments[1]));
  be_interrupted();
  run(&system);
  run(&own);
  initialize_at_once();
  return 0;
}
