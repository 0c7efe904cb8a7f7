/*
 * Watches how functions surrender.
 * usage: surrender MODULE PIN (legacy | rsa BITS CANCEL | digest CANCEL | nulls | latency TRIES)
 * CANCEL is the callback that answers CKR_CANCEL; 0: none does.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "program.h"

#define DATA_BYTES ((size_t)512 << 20)
#define BLOCK_BYTES ((size_t)64 << 10)
#define LABEL "watched"

/* What C_OpenSession takes as pApplication and hands back with each callback. */
struct watch {
  CK_SESSION_HANDLE session;
  pthread_t thread;
  int cancel_at;
  int callbacks, elsewhere, other_session, other_event;
  double last, longest_gap, cancelled;
};

static struct watch watch;
static int other_application;

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  double at = now();
  if (at - watch.last > watch.longest_gap) watch.longest_gap = at - watch.last;
  watch.last = at;
  watch.callbacks++;
  other_application += application != &watch;
  watch.elsewhere += !pthread_equal(pthread_self(), watch.thread);
  watch.other_session += session != watch.session;
  watch.other_event += event != CKN_SURRENDER;
  if (watch.callbacks != watch.cancel_at) return CKR_OK;
  watch.cancelled = now();
  return CKR_CANCEL;
}

/* To be opened with a pApplication of NULL. */
static CK_RV notify_of_nobody(CK_SESSION_HANDLE session, CK_NOTIFICATION event,
                              CK_VOID_PTR application) {
  CHECK(application == NULL && session == watch.session && event == CKN_SURRENDER);
  watch.callbacks++;
  return CKR_OK;
}

static void begin_watch(CK_SESSION_HANDLE session, int cancel_at) {
  watch = (struct watch){
      .session = session, .thread = pthread_self(), .cancel_at = cancel_at, .last = now()};
}

static void print_watch(CK_RV rv, double began) {
  double ended = now();
  if (ended - watch.last > watch.longest_gap) watch.longest_gap = ended - watch.last;
  printf("{\"rv\":%lu,\"callbacks\":%d,\"elsewhere\":%d,\"otherSession\":%d,\"otherEvent\":%d,"
         "\"otherApplication\":%d,\"longestGap\":%.1f,\"took\":%.1f}\n",
         rv, watch.callbacks, watch.elsewhere, watch.other_session, watch.other_event,
         other_application, watch.longest_gap, ended - began);
}

static void rsa(CK_SESSION_HANDLE session, CK_ULONG bits, int cancel_at) {
  CK_OBJECT_HANDLE pair[2];
  CK_ULONG before = find(session, NULL, NULL, NULL);
  double began = now();
  begin_watch(session, cancel_at);
  CK_RV rv = generate_rsa(session, bits, LABEL, pair);
  print_watch(rv, began);
  CK_ULONG made = find(session, NULL, NULL, NULL) - before;
  printf("{\"made\":%lu,\"labelled\":%lu}\n", made, find(session, NULL, LABEL, NULL));
}

/* Each block begins with its number. Pages between are never touched, so they cost no memory. */
static CK_BYTE *make_data(void) {
  CK_BYTE *data = mmap(NULL, DATA_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(data != MAP_FAILED);
  for (uint64_t i = 0; i < DATA_BYTES / BLOCK_BYTES; i++)
    memcpy(data + i * BLOCK_BYTES, &i, sizeof i);
  return data;
}

static void digest(CK_SESSION_HANDLE session, int cancel_at) {
  CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
  CK_BYTE hash[32] = {0}, *data = make_data();
  CK_ULONG length = sizeof hash;
  ANSWERS(p11->C_DigestInit(session, &mechanism), CKR_OK);
  double began = now();
  begin_watch(session, cancel_at);
  CK_RV rv = p11->C_Digest(session, data, DATA_BYTES, hash, &length);
  print_watch(rv, began);

  length = sizeof hash;
  printf("{\"hash\":\"");
  for (size_t i = 0; i < sizeof hash; i++) printf("%02x", hash[i]);
  printf("\"}\n{\"afterwards\":%lu}\n", p11->C_DigestFinal(session, hash, &length));
  ANSWERS(p11->C_DigestInit(session, &mechanism), CKR_OK);
}

/* A callback of NULL, and a pApplication of NULL. */
static void nulls(const char *pin) {
  CK_OBJECT_HANDLE pair[2];
  CK_SESSION_HANDLE silent = open_session(NULL, &watch);
  login(silent, pin);
  begin_watch(silent, 1);
  CK_RV rv = generate_rsa(silent, 2048, LABEL, pair);
  printf("{\"withoutNotify\":%lu,\"callbacksWithoutNotify\":%d}\n", rv, watch.callbacks);

  CK_SESSION_HANDLE anonymous = open_session(notify_of_nobody, NULL);
  begin_watch(anonymous, 0);
  rv = generate_rsa(anonymous, 8192, LABEL, pair);
  printf("{\"withoutApplication\":%lu,\"callbacksWithoutApplication\":%d}\n", rv, watch.callbacks);
}

/* The time from CKR_CANCEL to the return, in milliseconds. */
static void latency(CK_SESSION_HANDLE session, int tries) {
  CK_OBJECT_HANDLE pair[2];
  printf("{\"latencies\":[");
  for (int i = 0; i < tries; i++) {
    begin_watch(session, 1 + i % 3);
    ANSWERS(generate_rsa(session, 16384, LABEL, pair), CKR_FUNCTION_CANCELED);
    printf("%s%.2f", i == 0 ? "" : ",", now() - watch.cancelled);
  }
  printf("]}\n");
}

static void legacy(const char *when) {
  CK_RV status = p11->C_GetFunctionStatus(CK_INVALID_HANDLE);
  CK_RV cancel = p11->C_CancelFunction(CK_INVALID_HANDLE);
  printf("{\"%s\":[%lu,%lu]}\n", when, status, cancel);
}

int main(int argc, char **argv) {
  CHECK(argc >= 4);
  const char *pin = argv[2], *what = argv[3];
  int numbers[2] = {argc > 4 ? atoi(argv[4]) : 0, argc > 5 ? atoi(argv[5]) : 0};
  p11 = functions_of(load(argv[1]));
  if (strcmp(what, "legacy") == 0) legacy("before");
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  if (strcmp(what, "legacy") == 0) {
    legacy("after");
  } else if (strcmp(what, "nulls") == 0) {
    nulls(pin);
  } else {
    CK_SESSION_HANDLE session = open_session(notify, &watch);
    login(session, pin);
    if (strcmp(what, "rsa") == 0) rsa(session, (CK_ULONG)numbers[0], numbers[1]);
    if (strcmp(what, "digest") == 0) digest(session, numbers[0]);
    if (strcmp(what, "latency") == 0) latency(session, numbers[0]);
  }
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
