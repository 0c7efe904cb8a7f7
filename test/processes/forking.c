/*
 * fork, vfork and posix_spawn in a program whose threads make calls.
 * usage: forking MODULE PIN (amidst | at-once | spawn | outlive)
 */
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/wait.h>

#include "program.h"

#define FORKERS 8
#define FORKS 4
#define DATA_LENGTH (8u << 20)

static const char *pin;
static atomic_bool stop;
static atomic_int callbacks;

static void await_child(pid_t child) {
  int status;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Runs the body in a child; its checks end it with 1. */
static void in_child(void (*body)(void)) {
  pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  await_child(child);
}

/* Every function of the list but C_Initialize and C_GetFunctionList, with nothing but zeros. */
static void nothing_is_initialized(void) {
  typedef CK_RV (*any)(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG,
                       CK_ULONG);
  any functions[(sizeof *p11 - offsetof(CK_FUNCTION_LIST, C_Initialize)) / sizeof(any)];
  memcpy(functions, (char *)p11 + offsetof(CK_FUNCTION_LIST, C_Initialize), sizeof functions);
  CHECK(COUNT(functions) == 68);
  for (size_t i = 0; i < COUNT(functions); i++)
    if (i != 0 && i != 3)
      ANSWERS(functions[i](0, 0, 0, 0, 0, 0, 0, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void starts_afresh(void) {
  nothing_is_initialized();
  works_afresh(pin);
  nothing_is_initialized();
}

static void forks_again(void) {
  in_child(starts_afresh);
  CK_SESSION_HANDLE session = begin(pin, NULL, NULL);
  in_child(starts_afresh);
  CK_BYTE random[16];
  ANSWERS(p11->C_GenerateRandom(session, random, sizeof random), CKR_OK);
  /* Without C_Finalize, by exit: what runs then must not touch the parent. */
  exit(0);
}

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  (void)session, (void)event, (void)application;
  callbacks++;
  return stop ? CKR_CANCEL : CKR_OK;
}

static void *generate(void *unused) {
  CK_OBJECT_HANDLE pair[2];
  CK_SESSION_HANDLE session = open_session(notify, NULL);
  ANSWERS(generate_rsa(session, 16384, "never made", pair), CKR_FUNCTION_CANCELED);
  return unused;
}

static void *digest(void *unused) {
  CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
  CK_BYTE first[32], hash[32], *data = calloc(1, DATA_LENGTH);
  CK_ULONG length = sizeof hash;
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  CHECK(data != NULL);
  for (int i = 0; !stop || i < 2; i++) {
    ANSWERS(p11->C_DigestInit(session, &sha256), CKR_OK);
    ANSWERS(p11->C_Digest(session, data, DATA_LENGTH, hash, &length), CKR_OK);
    if (i == 0) memcpy(first, hash, sizeof hash);
    CHECK(memcmp(first, hash, sizeof hash) == 0);
  }
  free(data);
  return unused;
}

/* One thread generates, one sends data, and both go on whatever the children do. */
static void with_callers(void (*body)(void)) {
  pthread_t generating, digesting;
  CK_SESSION_HANDLE session = begin(pin, NULL, NULL);
  CHECK(pthread_create(&generating, NULL, generate, NULL) == 0);
  CHECK(pthread_create(&digesting, NULL, digest, NULL) == 0);
  while (callbacks < 2) usleep(1000);
  body();
  int before = callbacks;
  while (callbacks < before + 2) usleep(1000);
  stop = true;
  CHECK(pthread_join(generating, NULL) == 0 && pthread_join(digesting, NULL) == 0);
  CK_SESSION_INFO info;
  ANSWERS(p11->C_GetSessionInfo(session, &info), CKR_OK);
  CHECK(info.state == CKS_RW_USER_FUNCTIONS);
  CHECK(find(session, NULL, NULL, NULL) == 0);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

static void fork_amidst(void) {
  for (int i = 0; i < FORKS; i++) in_child(nothing_is_initialized);
  in_child(starts_afresh);
  in_child(forks_again);
}

static void *forks(void *unused) {
  for (int i = 0; i < FORKS; i++) {
    in_child(nothing_is_initialized);
    pid_t child = fork();
    if (child == 0) {
      initialize();
      open_session(NULL, NULL);
      if (i % 2 == 0) exit(0);
      _exit(0);
    }
    await_child(child);
  }
  return unused;
}

static void fork_at_once(void) {
  pthread_t threads[FORKERS];
  for (int i = 0; i < FORKERS; i++) CHECK(pthread_create(&threads[i], NULL, forks, NULL) == 0);
  for (int i = 0; i < FORKERS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

extern char **environ;

static void spawn_both_ways(void) {
  char *const arguments[] = {"true", NULL};
  pid_t child;
  CHECK(posix_spawnp(&child, "true", NULL, NULL, arguments, environ) == 0);
  await_child(child);
  child = vfork();
  if (child == 0) {
    execvp("true", arguments);
    _exit(1);
  }
  await_child(child);
}

static void spawn(void) {
  for (int i = 0; i < 20; i++) spawn_both_ways();
}

/* A child that never uses the module lives on until it is killed, holding what it was forked with. */
static void outlive(void) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    for (;;) pause();
  }
  printf("child=%d\n", child);
  print_line("forked");
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*body)(void);
  } cases[] = {
      {"amidst", fork_amidst}, {"at-once", fork_at_once}, {"spawn", spawn}, {"outlive", outlive}};
  CHECK(argc == 4);
  pin = argv[2];
  p11 = functions_of(load(argv[1]));
  in_child(nothing_is_initialized);
  for (size_t i = 0; i < COUNT(cases); i++)
    if (strcmp(argv[3], cases[i].name) == 0) with_callers(cases[i].body);
  in_child(starts_afresh);
  return 0;
}
