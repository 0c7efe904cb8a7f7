/*
 * C_Finalize while other threads make calls.
 * usage: finalizing MODULE PIN (generate | generate-watched | digest | digest-watched | queue | calls)
 * Prints the return values of the calls that were stopped.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "program.h"

#define THREADS 16
#define DATA_LENGTH (512ul << 20)

static CK_SESSION_HANDLE session;
static CK_BYTE *data;
static atomic_int callbacks, begun;

static CK_RV notify(CK_SESSION_HANDLE given, CK_NOTIFICATION event, CK_VOID_PTR application) {
  (void)event;
  CHECK(given == session && application == &callbacks);
  if (++callbacks == 2) ANSWERS(p11->C_Finalize(NULL), CKR_FUNCTION_FAILED);
  return CKR_OK;
}

static void *generate(void *rv) {
  CK_OBJECT_HANDLE pair[2] = {77, 77};
  begun++;
  *(CK_RV *)rv = generate_rsa(session, 16384, "never made", pair);
  CHECK(pair[0] == 77 && pair[1] == 77);
  return NULL;
}

static void *digest(void *rv) {
  CK_MECHANISM sha512 = {CKM_SHA512, NULL, 0};
  CK_BYTE hash[64];
  CK_ULONG length = sizeof hash;
  ANSWERS(p11->C_DigestInit(session, &sha512), CKR_OK);
  begun++;
  *(CK_RV *)rv = p11->C_Digest(session, data, DATA_LENGTH, hash, &length);
  return NULL;
}

/* Waits for its turn in a session where a long function runs. */
static void *queue(void *rv) {
  CK_BYTE random[16];
  begun++;
  *(CK_RV *)rv = p11->C_GenerateRandom(session, random, sizeof random);
  return NULL;
}

/* One short call after the other, until one is refused. */
static void *calls(void *rv) {
  CK_SESSION_INFO info;
  CK_BYTE random[16];
  CK_ULONG count;
  begun++;
  do {
    *(CK_RV *)rv = p11->C_GenerateRandom(session, random, sizeof random);
    if (*(CK_RV *)rv == CKR_OK) *(CK_RV *)rv = p11->C_GetSessionInfo(session, &info);
    if (*(CK_RV *)rv == CKR_OK) *(CK_RV *)rv = p11->C_GetSlotList(CK_TRUE, NULL, &count);
  } while (*(CK_RV *)rv == CKR_OK);
  return NULL;
}

static void wait_for(atomic_int *number, int least) {
  while (atomic_load(number) < least) usleep(1000);
}

/* Once around: threads begin, C_Finalize stops them. The return values to `rvs`. */
static void finalize_amidst(const char *pin, void *(*first)(void *), void *(*others)(void *),
                            bool watched, CK_RV rvs[THREADS]) {
  pthread_t threads[THREADS];
  int count = others == NULL ? 1 : THREADS;
  callbacks = begun = 0;
  session = begin(pin, watched ? notify : NULL, watched ? &callbacks : NULL);
  for (int i = 0; i < count; i++) {
    CHECK(pthread_create(&threads[i], NULL, i == 0 ? first : others, &rvs[i]) == 0);
    if (i == 0) wait_for(&begun, 1);
  }
  wait_for(&begun, count);
  if (watched) wait_for(&callbacks, 3);
  usleep(first == calls ? 10000 : 150000);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  for (int i = 0; i < count; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void print_values(const CK_RV *rvs, int count) {
  printf("{\"rvs\":[");
  for (int i = 0; i < count; i++) printf("%s%lu", i == 0 ? "" : ",", rvs[i]);
  printf("],");
}

int main(int argc, char **argv) {
  CK_RV rvs[THREADS];
  CHECK(argc == 4);
  const char *pin = argv[2], *what = argv[3];
  bool watched = strstr(what, "watched") != NULL, many = false;
  p11 = functions_of(load(argv[1]));
  data = mmap(NULL, DATA_LENGTH, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(data != MAP_FAILED);
  if (strncmp(what, "generate", 8) == 0) finalize_amidst(pin, generate, NULL, watched, rvs);
  if (strncmp(what, "digest", 6) == 0) finalize_amidst(pin, digest, NULL, watched, rvs);
  if ((many = strcmp(what, "queue") == 0)) finalize_amidst(pin, generate, queue, false, rvs);
  if (strcmp(what, "calls") == 0) {
    many = true;
    for (int i = 0; i < 8; i++) finalize_amidst(pin, calls, calls, false, rvs);
  }
  print_values(rvs, many ? THREADS : 1);
  session = begin(pin, NULL, NULL);
  printf("\"left\":%lu}\n", find(session, NULL, NULL, NULL));
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  works_afresh(pin);
  print_line("ended");
  getchar();
  return 0;
}
