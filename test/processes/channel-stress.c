/*
 * Threads that send and get data of random lengths, and cancel amid, for some seconds: each has its own
 * bytes back, and no slot of the shared memory stays claimed.
 * usage: channel-stress MODULE PIN MILLISECONDS
 */
#include <pthread.h>
#include <stdatomic.h>

#include "../foreign/program.h"

#define THREADS 6
#define LONGEST (3u << 20)

/* Where docs/WIRE.md has the words of the slots: two each way, in lines of 64 bytes. */
#define CLAIMS_AT 512
#define CLAIMS 4
#define LINE 64

/* A slot is given back once its function is over, which may be a moment after the answer. */
#define PATIENCE 5000

struct worker {
  pthread_t thread;
  unsigned seed;
  double until;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key;
  /* Callbacks until one cancels; 0: none does. */
  int cancels_in;
  int rounds, cancelled;
};

static struct worker workers[THREADS];

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  struct worker *worker = application;
  CHECK(session == worker->session && event == CKN_SURRENDER);
  return worker->cancels_in > 0 && --worker->cancels_in == 0 ? CKR_CANCEL : CKR_OK;
}

static CK_ULONG any(struct worker *worker, CK_ULONG most) {
  return (CK_ULONG)rand_r(&worker->seed) % (most + 1);
}

/* Short ones, those about as long as a ring, and long ones. */
static CK_ULONG any_length(struct worker *worker) {
  static const CK_ULONG most[] = {100, 20000, 270000, LONGEST};
  return 1 + any(worker, most[any(worker, COUNT(most) - 1)] - 1);
}

static void make_key(struct worker *worker) {
  CK_MECHANISM generation = {CKM_AES_KEY_GEN, NULL, 0};
  CK_ULONG bytes = 16;
  CK_BBOOL yes = CK_TRUE;
  CK_ATTRIBUTE template[] = {{CKA_VALUE_LEN, &bytes, sizeof bytes},
                             {CKA_ENCRYPT, &yes, sizeof yes},
                             {CKA_DECRYPT, &yes, sizeof yes}};
  ANSWERS(p11->C_GenerateKey(worker->session, &generation, template, COUNT(template), &worker->key),
          CKR_OK);
}

/* False where it was cancelled. */
static bool passes(struct worker *worker, CK_C_EncryptInit begin, CK_C_Encrypt pass, CK_BYTE *from,
                   CK_ULONG length, CK_BYTE *to) {
  CK_AES_CTR_PARAMS counter = {128, {1}};
  CK_MECHANISM ctr = {CKM_AES_CTR, &counter, sizeof counter};
  CK_ULONG got = length;
  CK_RV rv = begin(worker->session, &ctr, worker->key);
  if (rv == CKR_OK) rv = pass(worker->session, from, length, to, &got);
  if (rv == CKR_FUNCTION_CANCELED) return false;
  ANSWERS(rv, CKR_OK);
  CHECK(got == length);
  return true;
}

/* There and back again; false where it was cancelled on the way. */
static bool comes_and_goes(struct worker *worker, CK_BYTE *plain, CK_BYTE *bytes) {
  CK_ULONG length = any_length(worker);
  plain[any(worker, length - 1)] ^= 1;
  if (!passes(worker, p11->C_EncryptInit, p11->C_Encrypt, plain, length, bytes)) return false;
  CHECK(length < 16 || memcmp(plain, bytes, length) != 0);
  if (!passes(worker, p11->C_DecryptInit, p11->C_Decrypt, bytes, length, bytes)) return false;
  CHECK(memcmp(plain, bytes, length) == 0);
  return true;
}

/* Bytes that were not made stay as they were. */
static bool gets_random(struct worker *worker, CK_BYTE *bytes) {
  CK_ULONG length = 32 + any_length(worker) % (LONGEST - 32);
  bytes[length] = 0x5a;
  CK_RV rv = p11->C_GenerateRandom(worker->session, bytes, length);
  CHECK((rv == CKR_OK || rv == CKR_FUNCTION_CANCELED) && bytes[length] == 0x5a);
  return rv == CKR_OK;
}

static void *works(void *argument) {
  struct worker *worker = argument;
  CK_BYTE *plain = malloc(LONGEST + 1), *bytes = malloc(LONGEST + 1);
  CHECK(plain != NULL && bytes != NULL);
  memset(plain, (int)worker->seed, LONGEST);
  worker->session = open_session(notify, worker);
  make_key(worker);
  for (; now() < worker->until; worker->rounds++) {
    worker->cancels_in = (int)any(worker, 3);
    bool whole = any(worker, 2) == 0 ? gets_random(worker, bytes)
                                     : comes_and_goes(worker, plain, bytes);
    if (!whole) worker->cancelled++;
  }
  free(plain);
  free(bytes);
  return NULL;
}

/* The memory that is shared with the service; NULL where there is none. */
static const unsigned char *shared_memory(void) {
  char line[512];
  unsigned long at = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  CHECK(maps != NULL);
  while (at == 0 && fgets(line, sizeof line, maps) != NULL)
    if (strstr(line, "memfd:softoki") != NULL) at = strtoul(line, NULL, 16);
  fclose(maps);
  return (const unsigned char *)at;
}

static int claimed(const unsigned char *memory) {
  int count = 0;
  for (int slot = 0; slot < CLAIMS && memory != NULL; slot++)
    count += atomic_load((_Atomic uint32_t *)(uintptr_t)(memory + CLAIMS_AT + slot * LINE)) != 0;
  return count;
}

static int claimed_at_last(void) {
  const unsigned char *memory = shared_memory();
  for (double until = now() + PATIENCE; claimed(memory) > 0 && now() < until;) sched_yield();
  return claimed(memory);
}

int main(int argc, char **argv) {
  CK_C_INITIALIZE_ARGS threaded = {.flags = CKF_OS_LOCKING_OK};
  int rounds = 0, cancelled = 0;
  CHECK(argc == 4);
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(&threaded), CKR_OK);
  login(open_session(NULL, NULL), argv[2]);
  puts("begun");
  fflush(stdout);
  for (unsigned i = 0; i < THREADS; i++) {
    workers[i].seed = i + 1;
    workers[i].until = now() + atof(argv[3]);
    CHECK(pthread_create(&workers[i].thread, NULL, works, &workers[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_join(workers[i].thread, NULL) == 0);
    rounds += workers[i].rounds;
    cancelled += workers[i].cancelled;
  }
  printf("{\"shared\":%d,\"claimed\":%d,", shared_memory() != NULL, claimed_at_last());
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  printf("\"rounds\":%d,\"cancelled\":%d}\n", rounds, cancelled);
  return 0;
}
