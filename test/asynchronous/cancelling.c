/*
 * C_SessionCancel from a second thread, and from inside a callback. usage: cancelling MODULE PIN
 * Prints what each function answered and how long after C_SessionCancel, in milliseconds.
 */
#include <pthread.h>

#include "program.h"

static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE pair[2];
static CK_BYTE *gibibyte;
#define GIBIBYTE ((size_t)1 << 30)

static CK_RV generate(void) {
  CK_OBJECT_HANDLE made[2];
  return generate_rsa(session, 16384, "cancelled", made);
}

static CK_RV digest(void) {
  CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
  CK_BYTE told[32];
  CK_ULONG length = sizeof told;
  ANSWERS(p11->C_DigestInit(session, &mechanism), CKR_OK);
  return p11->C_Digest(session, gibibyte, GIBIBYTE, told, &length);
}

static CK_RV sign_slowly(void) {
  CK_MECHANISM mechanism = {CKM_SLH_DSA, NULL, 0};
  static CK_BYTE signature[49856];
  CK_ULONG length = sizeof signature;
  ANSWERS(p11->C_SignInit(session, &mechanism, pair[1]), CKR_OK);
  return p11->C_Sign(session, (CK_BYTE *)"message", 7, signature, &length);
}

struct work {
  const char *name;
  CK_RV (*run)(void);
  CK_FLAGS flags;
  CK_RV rv;
  double ended;
};

static void *run(void *data) {
  struct work *work = data;
  work->rv = work->run();
  work->ended = now();
  return NULL;
}

static void cancel(struct work *work) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, run, work) == 0);
  usleep(150000);
  ANSWERS(p32->C_SessionCancel(session, 0), CKR_OK);
  ANSWERS(p32->C_SessionCancel(session, CKF_WRAP), CKR_OK);
  double asked = now();
  ANSWERS(p32->C_SessionCancel(session, work->flags), CKR_OK);
  CHECK(pthread_join(thread, NULL) == 0);
  printf("{\"%s\":[%lu,%.1f]}\n", work->name, work->rv, work->ended - asked);
}

static int callbacks;

/* The operation that surrenders here goes on untouched. */
static CK_RV notify(CK_SESSION_HANDLE handle, CK_NOTIFICATION event, CK_VOID_PTR application) {
  (void)application;
  CHECK(event == CKN_SURRENDER);
  ANSWERS(p32->C_SessionCancel(handle, CKF_DIGEST), CKR_FUNCTION_FAILED);
  callbacks++;
  return CKR_OK;
}

static void cancel_inside(void) {
  session = open_session(notify, NULL);
  ANSWERS(digest(), CKR_OK);
  printf("{\"callbacks\":%d}\n", callbacks);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  CK_C_INITIALIZE_ARGS threaded = {.flags = CKF_OS_LOCKING_OK};
  take_lists(argv[1]);
  ANSWERS(p11->C_Initialize(&threaded), CKR_OK);
  gibibyte = calloc(GIBIBYTE, 1);
  CHECK(gibibyte != NULL);
  session = open_session(NULL, NULL);
  login(session, argv[2]);
  slh_dsa(session, pair);
  struct work works[] = {{"generate", generate, CKF_GENERATE_KEY_PAIR, 0, 0},
                         {"digest", digest, CKF_DIGEST, 0, 0},
                         {"sign", sign_slowly, CKF_SIGN, 0, 0}};
  for (size_t i = 0; i < COUNT(works); i++) cancel(&works[i]);
  CK_BYTE told[32];
  CK_ULONG length = sizeof told;
  ANSWERS(p11->C_DigestFinal(session, told, &length), CKR_OPERATION_NOT_INITIALIZED);
  printf("{\"found\":%lu}\n", find(session, NULL, "cancelled", NULL));
  cancel_inside();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
