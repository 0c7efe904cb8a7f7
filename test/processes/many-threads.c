/*
 * 64 threads of one program, each in a session of its own or all in four.
 * usage: many-threads MODULE PIN (own | shared) (system | application)
 * The last word tells whose mutexes the module is to use.
 */
#include <pthread.h>

#include "../foreign/program.h"

#define THREADS 64
#define SHARED 4
#define ROUNDS 2
#define DATA_LENGTH (3u << 20)
#define MAGIC 0x6d757478u

/* A mutex of the application's that notices wrong use. */
struct mutex {
  unsigned magic;
  pthread_mutex_t mutex;
  pthread_t owner;
  bool held;
};

static int created, destroyed, locked;

static CK_RV make_mutex(void **made) {
  struct mutex *mutex = calloc(1, sizeof *mutex);
  CHECK(mutex != NULL && pthread_mutex_init(&mutex->mutex, NULL) == 0);
  mutex->magic = MAGIC;
  *made = mutex;
  __atomic_add_fetch(&created, 1, __ATOMIC_SEQ_CST);
  return CKR_OK;
}

static CK_RV destroy_mutex(void *given) {
  struct mutex *mutex = given;
  CHECK(mutex->magic == MAGIC && !mutex->held);
  CHECK(pthread_mutex_destroy(&mutex->mutex) == 0);
  mutex->magic = 0;
  free(mutex);
  __atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
  return CKR_OK;
}

static CK_RV lock_mutex(void *given) {
  struct mutex *mutex = given;
  CHECK(mutex->magic == MAGIC && pthread_mutex_lock(&mutex->mutex) == 0);
  CHECK(!mutex->held);
  mutex->held = true;
  mutex->owner = pthread_self();
  __atomic_add_fetch(&locked, 1, __ATOMIC_SEQ_CST);
  return CKR_OK;
}

static CK_RV unlock_mutex(void *given) {
  struct mutex *mutex = given;
  CHECK(mutex->magic == MAGIC && mutex->held && pthread_equal(mutex->owner, pthread_self()));
  mutex->held = false;
  CHECK(pthread_mutex_unlock(&mutex->mutex) == 0);
  return CKR_OK;
}

/* One thread, or one session of several threads. */
struct worker {
  CK_ULONG number;
  CK_SESSION_HANDLE session;
  /* The key pair of a shared session: public, private. */
  CK_OBJECT_HANDLE pair[2];
  int callbacks;
};

static struct worker workers[THREADS], sessions[SHARED];

/* The session that this thread makes a call in, and what was given with it. */
static _Thread_local CK_SESSION_HANDLE calling;
static _Thread_local void *calling_with;

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  struct worker *worker = application;
  CHECK(session == calling && application == calling_with && event == CKN_SURRENDER);
  worker->callbacks++;
  return CKR_OK;
}

static void enter(const struct worker *worker) {
  calling = worker->session;
  calling_with = (void *)(uintptr_t)worker;
}

static CK_RV generate_session_pair(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE pair[2]) {
  CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
  CK_BYTE prime256v1[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
  CK_BBOOL yes = CK_TRUE;
  CK_ATTRIBUTE public_key[] = {{CKA_VERIFY, &yes, sizeof yes},
                               {CKA_EC_PARAMS, prime256v1, sizeof prime256v1}};
  CK_ATTRIBUTE private_key[] = {{CKA_SIGN, &yes, sizeof yes}};
  return p11->C_GenerateKeyPair(session, &mechanism, public_key, COUNT(public_key), private_key,
                                COUNT(private_key), &pair[0], &pair[1]);
}

static CK_RV create_data(CK_SESSION_HANDLE session, char *label, bool token,
                         CK_OBJECT_HANDLE *made) {
  CK_OBJECT_CLASS class = CKO_DATA;
  CK_BBOOL lasts = token;
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_TOKEN, &lasts, sizeof lasts},
                             {CKA_VALUE, label, strlen(label)},
                             {CKA_LABEL, label, strlen(label)}};
  return p11->C_CreateObject(session, template, COUNT(template), made);
}

/* Long data travels piece by piece; it must be this thread's own on the way. */
static void digest(CK_SESSION_HANDLE session, CK_BYTE *data) {
  CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
  CK_BYTE whole[32], parts[32];
  CK_ULONG length = sizeof whole, piece = DATA_LENGTH / 8;
  ANSWERS(p11->C_DigestInit(session, &sha256), CKR_OK);
  ANSWERS(p11->C_Digest(session, data, DATA_LENGTH, whole, &length), CKR_OK);
  ANSWERS(p11->C_DigestInit(session, &sha256), CKR_OK);
  for (CK_ULONG at = 0; at < DATA_LENGTH; at += piece)
    ANSWERS(p11->C_DigestUpdate(session, data + at, piece), CKR_OK);
  ANSWERS(p11->C_DigestFinal(session, parts, &length), CKR_OK);
  CHECK(memcmp(whole, parts, sizeof whole) == 0);
}

static void sign_and_verify(CK_SESSION_HANDLE session, const CK_OBJECT_HANDLE pair[2],
                            CK_BYTE first) {
  CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
  CK_BYTE hash[32] = {first}, signature[64];
  CK_ULONG length = sizeof signature;
  ANSWERS(p11->C_SignInit(session, &ecdsa, pair[1]), CKR_OK);
  ANSWERS(p11->C_Sign(session, hash, sizeof hash, signature, &length), CKR_OK);
  ANSWERS(p11->C_VerifyInit(session, &ecdsa, pair[0]), CKR_OK);
  ANSWERS(p11->C_Verify(session, hash, sizeof hash, signature, length), CKR_OK);
  hash[1] = 1;
  ANSWERS(p11->C_VerifyInit(session, &ecdsa, pair[0]), CKR_OK);
  ANSWERS(p11->C_Verify(session, hash, sizeof hash, signature, length), CKR_SIGNATURE_INVALID);
}

static void come_and_go(CK_SESSION_HANDLE session, CK_ULONG number, int round) {
  char label[64];
  CK_OBJECT_HANDLE made, found = 0;
  snprintf(label, sizeof label, "passing %lu, %d", number, round);
  ANSWERS(create_data(session, label, false, &made), CKR_OK);
  CHECK(find(session, NULL, label, &found) == 1 && found == made);
  ANSWERS(p11->C_DestroyObject(session, made), CKR_OK);
  CHECK(find(session, NULL, label, NULL) == 0);
  ANSWERS(p11->C_DestroyObject(session, made), CKR_OBJECT_HANDLE_INVALID);
}

/* Leaves a key pair of the session's and a data object of the token's. */
static void *works_alone(void *argument) {
  struct worker *self = argument;
  char label[64];
  CK_OBJECT_HANDLE kept;
  CK_BYTE *data = malloc(DATA_LENGTH);
  CHECK(data != NULL);
  memset(data, (int)self->number + 1, DATA_LENGTH);
  self->session = open_session(notify, self);
  enter(self);
  ANSWERS(generate_session_pair(self->session, self->pair), CKR_OK);
  for (int round = 0; round < ROUNDS; round++) {
    sign_and_verify(self->session, self->pair, (CK_BYTE)self->number);
    come_and_go(self->session, self->number, round);
    digest(self->session, data);
  }
  snprintf(label, sizeof label, "kept %lu", self->number);
  ANSWERS(create_data(self->session, label, true, &kept), CKR_OK);
  free(data);
  return NULL;
}

#define ONE_OF(call, first, second)                     \
  do {                                                  \
    CK_RV one_of = (call);                              \
    if (one_of != (first)) ANSWERS(one_of, second);     \
  } while (0)

/* Others may have begun the operation, or ended it, between any two of these calls. */
static void digest_among_others(CK_SESSION_HANDLE session, CK_BYTE *data) {
  CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
  CK_BYTE hash[32];
  CK_ULONG length = sizeof hash;
  ONE_OF(p11->C_DigestInit(session, &sha256), CKR_OK, CKR_OPERATION_ACTIVE);
  ONE_OF(p11->C_DigestUpdate(session, data, DATA_LENGTH), CKR_OK, CKR_OPERATION_NOT_INITIALIZED);
  ONE_OF(p11->C_DigestFinal(session, hash, &length), CKR_OK, CKR_OPERATION_NOT_INITIALIZED);
  ONE_OF(p11->C_DigestInit(session, &sha256), CKR_OK, CKR_OPERATION_ACTIVE);
  length = sizeof hash;
  ONE_OF(p11->C_Digest(session, data, 100, hash, &length), CKR_OK, CKR_OPERATION_NOT_INITIALIZED);
}

static void sign_among_others(const struct worker *in) {
  CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
  CK_BYTE hash[32] = {5}, signature[64];
  CK_ULONG length = sizeof signature;
  ONE_OF(p11->C_SignInit(in->session, &ecdsa, in->pair[1]), CKR_OK, CKR_OPERATION_ACTIVE);
  CK_RV rv = p11->C_Sign(in->session, hash, sizeof hash, signature, &length);
  if (rv != CKR_OK) {
    ANSWERS(rv, CKR_OPERATION_NOT_INITIALIZED);
    return;
  }
  ONE_OF(p11->C_VerifyInit(in->session, &ecdsa, in->pair[0]), CKR_OK, CKR_OPERATION_ACTIVE);
  ONE_OF(p11->C_Verify(in->session, hash, sizeof hash, signature, length), CKR_OK,
         CKR_OPERATION_NOT_INITIALIZED);
}

static void find_among_others(CK_SESSION_HANDLE session) {
  CK_OBJECT_HANDLE found[16];
  CK_ULONG count;
  ONE_OF(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK, CKR_OPERATION_ACTIVE);
  ONE_OF(p11->C_FindObjects(session, found, COUNT(found), &count), CKR_OK,
         CKR_OPERATION_NOT_INITIALIZED);
  ONE_OF(p11->C_FindObjectsFinal(session), CKR_OK, CKR_OPERATION_NOT_INITIALIZED);
}

/* Leaves a key pair and a data object. */
static void *works_among_others(void *argument) {
  struct worker *self = argument, *in = &sessions[self->number % SHARED];
  char label[64];
  CK_OBJECT_HANDLE made, kept, pair[2];
  CK_BYTE *data = calloc(1, DATA_LENGTH);
  CHECK(data != NULL);
  enter(in);
  for (int round = 0; round < ROUNDS; round++) {
    digest_among_others(in->session, data);
    sign_among_others(in);
    find_among_others(in->session);
    snprintf(label, sizeof label, "passing %lu, %d", self->number, round);
    ANSWERS(create_data(in->session, label, false, &made), CKR_OK);
    ANSWERS(p11->C_DestroyObject(in->session, made), CKR_OK);
  }
  ANSWERS(generate_session_pair(in->session, pair), CKR_OK);
  snprintf(label, sizeof label, "kept %lu", self->number);
  ANSWERS(create_data(in->session, label, true, &kept), CKR_OK);
  free(data);
  return NULL;
}

static void open_shared_sessions(void) {
  for (int i = 0; i < SHARED; i++) {
    sessions[i].session = open_session(notify, &sessions[i]);
    enter(&sessions[i]);
    ANSWERS(generate_session_pair(sessions[i].session, sessions[i].pair), CKR_OK);
  }
}

static void run_threads(void *(*body)(void *)) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    workers[i].number = (CK_ULONG)i;
    CHECK(pthread_create(&threads[i], NULL, body, &workers[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static int callbacks(const struct worker *some, int count) {
  int sum = 0;
  for (int i = 0; i < count; i++) sum += some[i].callbacks;
  return sum;
}

int main(int argc, char **argv) {
  CK_C_INITIALIZE_ARGS system = {.flags = CKF_OS_LOCKING_OK};
  CK_C_INITIALIZE_ARGS application = {make_mutex, destroy_mutex, lock_mutex, unlock_mutex, 0, NULL};
  CHECK(argc == 5);
  bool shared = strcmp(argv[3], "shared") == 0, own_mutexes = strcmp(argv[4], "application") == 0;
  CK_OBJECT_CLASS class = CKO_DATA, private_key = CKO_PRIVATE_KEY;
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(own_mutexes ? &application : &system), CKR_OK);
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  login(session, argv[2]);
  if (shared) open_shared_sessions();
  run_threads(shared ? works_among_others : works_alone);
  printf("{\"data\":%lu,\"keys\":%lu,", find(session, &class, NULL, NULL),
         find(session, &private_key, NULL, NULL));
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  printf("\"callbacks\":%d,\"mutexes\":%d,\"left\":%d,\"used\":%d}\n",
         callbacks(workers, THREADS) + callbacks(sessions, SHARED), created, created - destroyed,
         locked > 0);
  return 0;
}
