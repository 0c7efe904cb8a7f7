/*
 * Pending functions over data and buffers that stay in this program. usage: data MODULE PIN WHAT
 *   encrypt    64 MiB, whose output goes into the buffer as it is made
 *   random     80 MiB into a buffer
 *   cancel     C_SessionCancel in the middle, and the memory goes at once
 *   close      the same with C_CloseSession, C_CloseAllSessions and C_Logout
 *   finalize   the same with C_Finalize
 *   threads    other threads work in sessions of their own meanwhile
 *   many       more functions than the module has threads for
 *   alone      the library may make no threads
 *   fork       a child while a function is pending, and one that uses the module
 *   unload     dlclose in the middle, without C_Finalize
 *   leave      the program ends in the middle
 *   wait       says that a function is pending, and what it answers in the end
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "program.h"

#define MIB ((size_t)1 << 20)
#define MANY 200

static const char *pin, *module;

/* Memory that is gone once it is unmapped. */
static CK_BYTE *map(size_t length) {
  CK_BYTE *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED);
  return at;
}

static CK_OBJECT_HANDLE aes_key(CK_SESSION_HANDLE session) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  CK_ULONG length = 16;
  CK_OBJECT_HANDLE key;
  CK_ATTRIBUTE template[] = {{CKA_VALUE_LEN, &length, sizeof length},
                             {CKA_TOKEN, &no, sizeof no},
                             {CKA_ENCRYPT, &yes, sizeof yes}};
  ANSWERS(p11->C_GenerateKey(session, &mechanism, template, COUNT(template), &key), CKR_OK);
  return key;
}

static CK_RV encrypt(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_BYTE *data, size_t length,
                     CK_BYTE *output, CK_ULONG *room) {
  CK_BYTE iv[16] = {1, 2, 3};
  CK_MECHANISM mechanism = {CKM_AES_CBC, iv, sizeof iv};
  ANSWERS(p11->C_EncryptInit(session, &mechanism, key), CKR_OK);
  return p11->C_Encrypt(session, data, length, output, room);
}

static CK_RV digest(CK_SESSION_HANDLE session, CK_BYTE *data, size_t length, CK_BYTE told[32]) {
  CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
  CK_ULONG room = 32;
  ANSWERS(p11->C_DigestInit(session, &mechanism), CKR_OK);
  return p11->C_Digest(session, data, length, told, &room);
}

/* The digest as a session answers it that is not asynchronous. */
static void check_digest(CK_BYTE *data, size_t length, const CK_BYTE told[32]) {
  CK_BYTE again[32];
  CK_SESSION_HANDLE plain = open_session(NULL, NULL);
  ANSWERS(digest(plain, data, length, again), CKR_OK);
  CHECK(memcmp(told, again, sizeof again) == 0);
  ANSWERS(p11->C_CloseSession(plain), CKR_OK);
}

static void encrypt_all(CK_SESSION_HANDLE plain) {
  size_t length = 64 * MIB;
  CK_BYTE *data = map(length), *output = map(length), *again = map(length);
  CK_SESSION_HANDLE session = open_asynchronous();
  CK_OBJECT_HANDLE key = aes_key(plain);
  CK_ASYNC_DATA result = {0};
  CK_ULONG room = length;
  int polls;
  for (size_t i = 0; i < length; i += 4096) data[i] = (CK_BYTE)(i >> 12);
  ANSWERS(encrypt(session, key, data, length, output, &room), CKR_PENDING);
  ANSWERS(await(session, "C_Encrypt", &result, &polls), CKR_OK);
  CHECK(result.pValue == output && result.ulValue == length);
  ANSWERS(encrypt(plain, key, data, length, again, &room), CKR_OK);
  CHECK(memcmp(output, again, length) == 0);
  /* The operation is over, and the next may begin. A buffer that is too small is told at once. */
  room = length - 16;
  ANSWERS(encrypt(session, key, data, length, output, &room), CKR_BUFFER_TOO_SMALL);
  CHECK(room == length);
  ANSWERS(p11->C_Encrypt(session, data, length, output, &room), CKR_PENDING);
  ANSWERS(await(session, "C_Encrypt", &result, &polls), CKR_OK);
  CHECK(memcmp(output, again, length) == 0);
}

static void random_bytes(CK_SESSION_HANDLE plain) {
  size_t length = 80 * MIB, zeros = 0;
  CK_BYTE *bytes = map(length);
  CK_SESSION_HANDLE session = open_asynchronous();
  CK_ASYNC_DATA result = {0};
  int polls;
  (void)plain;
  ANSWERS(p11->C_GenerateRandom(session, bytes, length), CKR_PENDING);
  ANSWERS(await(session, "C_GenerateRandom", &result, &polls), CKR_OK);
  CHECK(result.pValue == bytes && result.ulValue == length);
  for (size_t i = 0; i < length; i += 4096) zeros += bytes[i] == 0;
  CHECK(zeros < length / 4096 / 64);
}

enum way { CANCEL, CLOSE, CLOSE_ALL, LOGOUT, FINALIZE, WAYS };

/* Ends a function in the middle. Once this returns nothing reads or writes what was given to it. */
static void end(CK_SESSION_HANDLE session, enum way way) {
  CK_ASYNC_DATA result = {0};
  switch (way) {
    case CANCEL:
      ANSWERS(p32->C_SessionCancel(session, CKF_ENCRYPT | CKF_DIGEST), CKR_OK);
      break;
    case CLOSE: ANSWERS(p11->C_CloseSession(session), CKR_OK); break;
    case CLOSE_ALL: ANSWERS(p11->C_CloseAllSessions(token_slot()), CKR_OK); break;
    case LOGOUT:
      ANSWERS(p11->C_Logout(open_session(NULL, NULL)), CKR_OK);
      ANSWERS(complete(session, "C_Encrypt", &result), CKR_OPERATION_NOT_INITIALIZED);
      break;
    default: ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  }
}

static CK_SESSION_HANDLE begin_encryption(CK_BYTE *data, CK_BYTE *output, CK_ULONG length) {
  CK_SESSION_HANDLE session = open_asynchronous();
  ANSWERS(encrypt(session, aes_key(session), data, length, output, &length), CKR_PENDING);
  return session;
}

static void end_amidst(enum way way, int times) {
  size_t length = 32 * MIB;
  for (int i = 0; i < times; i++) {
    CK_BYTE *data = map(length), *output = map(length), *freed = malloc(length), told[32];
    CK_SESSION_HANDLE session = begin_encryption(data, output, length);
    CK_SESSION_HANDLE other = open_asynchronous();
    CHECK(freed != NULL);
    memset(freed, i, length);
    ANSWERS(digest(other, freed, length, told), CKR_PENDING);
    usleep((useconds_t)(i % 5) * 3000);
    if (way == CANCEL || way == CLOSE) end(other, way);
    end(session, way);
    free(freed);
    munmap(data, length);
    munmap(output, length);
    if (way == CANCEL) {
      CK_ASYNC_DATA result = {0};
      ANSWERS(complete(session, "C_Encrypt", &result), CKR_OPERATION_NOT_INITIALIZED);
      CK_RV rv = digest(session, told, sizeof told, told);
      CHECK(rv == CKR_OK || rv == CKR_PENDING);
      end(session, CLOSE);
    }
    if (way == FINALIZE) ANSWERS(p11->C_Initialize(NULL), CKR_OK);
    if (way != CANCEL && way != CLOSE) login(open_session(NULL, NULL), pin);
  }
}

struct work {
  pthread_t thread;
  _Atomic int *going;
  int done;
};

static void *work_beside(void *argument) {
  struct work *work = argument;
  size_t length = 3 * MIB;
  CK_BYTE *data = map(length), *output = map(length);
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  CK_OBJECT_HANDLE key = aes_key(session);
  do {
    CK_ULONG room = length;
    ANSWERS(encrypt(session, key, data, length, output, &room), CKR_OK);
    work->done++;
  } while (*work->going);
  return NULL;
}

static void beside_threads(CK_SESSION_HANDLE plain) {
  size_t length = 96 * MIB;
  CK_BYTE *data = map(length), told[32];
  CK_SESSION_HANDLE session = open_asynchronous();
  CK_ASYNC_DATA result = {0};
  _Atomic int going = 1;
  struct work works[3];
  int polls, done = 0;
  (void)plain;
  ANSWERS(digest(session, data, length, told), CKR_PENDING);
  for (size_t i = 0; i < COUNT(works); i++) {
    works[i].going = &going;
    works[i].done = 0;
    CHECK(pthread_create(&works[i].thread, NULL, work_beside, &works[i]) == 0);
  }
  ANSWERS(await(session, "C_Digest", &result, &polls), CKR_OK);
  going = 0;
  for (size_t i = 0; i < COUNT(works); i++) {
    CHECK(pthread_join(works[i].thread, NULL) == 0);
    done += works[i].done;
  }
  check_digest(data, length, told);
  CHECK(done >= (int)COUNT(works));
}

static void many(CK_SESSION_HANDLE plain) {
  static CK_BYTE told[MANY][32];
  CK_SESSION_HANDLE sessions[MANY];
  size_t length = 2 * MIB;
  CK_BYTE *data = map(length);
  CK_ASYNC_DATA result = {0};
  int polls;
  (void)plain;
  for (int i = 0; i < MANY; i++) {
    sessions[i] = open_asynchronous();
    ANSWERS(digest(sessions[i], data, length, told[i]), CKR_PENDING);
  }
  for (int i = 0; i < MANY; i++) {
    ANSWERS(await(sessions[i], "C_Digest", &result, &polls), CKR_OK);
    CHECK(result.pValue == told[i]);
    if (i > 0) CHECK(memcmp(told[i], told[0], 32) == 0);
  }
  check_digest(data, length, told[0]);
}

static int threads_of(const char *task) {
  char path[64], *line = NULL;
  size_t size = 0;
  int threads = 0;
  snprintf(path, sizeof path, "/proc/%s/status", task);
  FILE *file = fopen(path, "r");
  CHECK(file != NULL);
  while (getline(&line, &size, file) > 0) sscanf(line, "Threads: %d", &threads);
  fclose(file);
  free(line);
  return threads;
}

static void alone(CK_SESSION_HANDLE plain) {
  size_t length = 16 * MIB;
  CK_BYTE *data = map(length), told[32];
  CK_C_INITIALIZE_ARGS none = {.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS};
  CK_ULONG room = length;
  int threads = threads_of("self");
  (void)plain;
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  ANSWERS(p11->C_Initialize(&none), CKR_OK);
  CK_SESSION_HANDLE session = open_asynchronous();
  login(session, pin);
  ANSWERS(digest(session, data, length, told), CKR_OK);
  check_digest(data, length, told);
  ANSWERS(encrypt(session, aes_key(open_session(NULL, NULL)), data, length, data, &room), CKR_OK);
  ANSWERS(p11->C_GenerateRandom(session, data, length), CKR_OK);
  CHECK(threads_of("self") == threads);
}

/* A child that only ends, and one that takes up the module. */
static void fork_amidst(CK_SESSION_HANDLE plain) {
  size_t length = 96 * MIB;
  CK_BYTE *data = map(length), told[32];
  CK_SESSION_HANDLE session = open_asynchronous();
  CK_ASYNC_DATA result = {0};
  int polls, status;
  (void)plain;
  ANSWERS(digest(session, data, length, told), CKR_PENDING);
  for (int i = 0; i < 6; i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      ANSWERS(complete(session, "C_Digest", &result), CKR_CRYPTOKI_NOT_INITIALIZED);
      if (i % 2 == 0) _exit(0);
      ANSWERS(p11->C_Initialize(NULL), CKR_OK);
      CK_SESSION_HANDLE own = open_asynchronous();
      ANSWERS(digest(own, data, 2 * MIB, told), CKR_PENDING);
      ANSWERS(await(own, "C_Digest", &result, &polls), CKR_OK);
      check_digest(data, 2 * MIB, told);
      ANSWERS(p11->C_Finalize(NULL), CKR_OK);
      _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  ANSWERS(await(session, "C_Digest", &result, &polls), CKR_OK);
  check_digest(data, length, told);
}

static void unload(CK_SESSION_HANDLE plain) {
  size_t length = 64 * MIB;
  (void)plain;
  for (int i = 0; i < 3; i++) {
    CK_BYTE *data = map(length), *output = map(length);
    begin_encryption(data, output, length);
    void *library = dlopen(module, RTLD_NOW | RTLD_NOLOAD);
    CHECK(library != NULL);
    CHECK(dlclose(library) == 0 && dlclose(library) == 0);
    CHECK(dlopen(module, RTLD_NOW | RTLD_NOLOAD) == NULL);
    munmap(data, length);
    munmap(output, length);
    take_lists(module);
    ANSWERS(p11->C_Initialize(NULL), CKR_OK);
    login(open_session(NULL, NULL), pin);
  }
}

static void wait_for_end(CK_SESSION_HANDLE plain) {
  size_t length = 512 * MIB;
  CK_BYTE *data = map(length), *output = map(length);
  CK_ASYNC_DATA result = {0};
  int polls;
  (void)plain;
  CK_SESSION_HANDLE session = begin_encryption(data, output, length);
  printf("pending\n");
  fflush(stdout);
  CK_RV rv = await(session, "C_Encrypt", &result, &polls);
  munmap(data, length);
  munmap(output, length);
  printf("{\"answered\":%lu}\n", rv);
}

static void end_in_any_way(CK_SESSION_HANDLE plain) {
  (void)plain;
  for (enum way way = CLOSE; way < FINALIZE; way++) end_amidst(way, 6);
}

static void cancel(CK_SESSION_HANDLE plain) {
  (void)plain;
  end_amidst(CANCEL, 15);
}

static void finalize(CK_SESSION_HANDLE plain) {
  (void)plain;
  end_amidst(FINALIZE, 6);
}

static void leave(CK_SESSION_HANDLE plain) {
  size_t length = 64 * MIB;
  (void)plain;
  begin_encryption(map(length), map(length), length);
  printf("{\"done\":true}\n");
  exit(0);
}

static const struct {
  const char *name;
  void (*run)(CK_SESSION_HANDLE plain);
} all[] = {{"encrypt", encrypt_all}, {"random", random_bytes},   {"cancel", cancel},
           {"close", end_in_any_way}, {"finalize", finalize},    {"threads", beside_threads},
           {"many", many},            {"alone", alone},          {"fork", fork_amidst},
           {"unload", unload},        {"leave", leave},          {"wait", wait_for_end}};

int main(int argc, char **argv) {
  CHECK(argc == 4);
  module = argv[1];
  pin = argv[2];
  take_lists(module);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CK_SESSION_HANDLE plain = open_session(NULL, NULL);
  login(plain, pin);
  for (size_t i = 0; i < COUNT(all); i++)
    if (strcmp(argv[3], all[i].name) == 0) all[i].run(plain);
  p11->C_Finalize(NULL);
  printf("{\"done\":true}\n");
  return 0;
}
