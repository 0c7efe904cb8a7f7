/*
 * Programs that use one token at the same time.
 * usage: side-by-side MODULE PIN (make | sign | generate CALLBACKS | threads CALLBACKS)
 * CALLBACKS: which one answers CKR_CANCEL.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "program.h"

#define LABEL "shared"

struct counts {
  int signatures;
  double longest_gap;
};

static atomic_bool generated;

static bool input_ended(void) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  return poll(&input, 1, 0) > 0 && getchar() == EOF;
}

static bool generation_ended(void) {
  return atomic_load(&generated);
}

static struct counts sign_until(bool (*ended)(void), CK_SESSION_HANDLE session) {
  CK_OBJECT_HANDLE key = key_named(session, CKO_PRIVATE_KEY, LABEL);
  struct counts counts = {0, 0};
  CK_BYTE hash[32] = {1};
  while (!ended()) {
    double before = now();
    ANSWERS(sign(session, key, CKM_ECDSA, hash, sizeof hash), CKR_OK);
    double gap = now() - before;
    if (gap > counts.longest_gap) counts.longest_gap = gap;
    counts.signatures++;
  }
  return counts;
}

static void print_counts(struct counts counts) {
  printf("{\"signatures\":%d,\"longestGap\":%.1f}\n", counts.signatures, counts.longest_gap);
}

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  int *left = application;
  (void)session;
  (void)event;
  return --*left <= 0 ? CKR_CANCEL : CKR_OK;
}

/* Generates in a session of its own until the callbacks given are used up. */
static void *generate(void *callbacks) {
  CK_OBJECT_HANDLE pair[2];
  CK_SESSION_HANDLE session = open_session(notify, callbacks);
  double began = now();
  CK_RV rv = generate_rsa(session, 16384, "never made", pair);
  printf("{\"rv\":%lu,\"generated\":%.1f}\n", rv, now() - began);
  ANSWERS(p11->C_CloseSession(session), CKR_OK);
  atomic_store(&generated, true);
  return NULL;
}

int main(int argc, char **argv) {
  CHECK(argc >= 4);
  int callbacks = argc > 4 ? atoi(argv[4]) : 0;
  CK_C_INITIALIZE_ARGS threaded = {.flags = CKF_OS_LOCKING_OK};
  pthread_t thread;
  CK_OBJECT_HANDLE pair[2];
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(&threaded), CKR_OK);
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  login(session, argv[2]);

  if (strcmp(argv[3], "make") == 0) generate_p256(session, LABEL, pair);
  if (strcmp(argv[3], "generate") == 0) generate(&callbacks);
  if (strcmp(argv[3], "sign") == 0) {
    puts("ready");
    fflush(stdout);
    CHECK(getchar() != EOF);
    print_counts(sign_until(input_ended, session));
  }
  if (strcmp(argv[3], "threads") == 0) {
    CHECK(pthread_create(&thread, NULL, generate, &callbacks) == 0);
    print_counts(sign_until(generation_ended, session));
    CHECK(pthread_join(thread, NULL) == 0);
  }
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
