/*
 * Ctrl-C under SOFTOKI_PROGRESS=1, as signals that come while the callback runs or soon after it.
 * usage: interrupts MODULE WAY
 */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static CK_FUNCTION_LIST *p11;
static int called, interrupts, handled;
static atomic_int under_way;

static void handler(int number) {
  CHECK(number == SIGINT);
  handled++;
}

static void sleep_for(long milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static void interrupt(void) {
  kill(getpid(), SIGINT);
}

static void (*disposition(void))(int) {
  struct sigaction now;
  CHECK(sigaction(SIGINT, NULL, &now) == 0);
  return now.sa_handler;
}

static CK_RV generate(CK_NOTIFY callback) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key;
  ANSWERS(p11->C_OpenSession(7, CKF_SERIAL_SESSION, NULL, callback, &session), CKR_OK);
  return p11->C_GenerateKey(session, &mechanism, NULL, 0, &key);
}

/* As many Ctrl-C as are wanted, one a callback. */
static CK_RV interrupts_itself(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  CHECK(session != 0 && event == CKN_SURRENDER && given == NULL);
  if (called++ < interrupts) interrupt();
  return CKR_OK;
}

static CK_RV generate_interrupted(int times) {
  called = 0;
  interrupts = times;
  return generate(interrupts_itself);
}

static void cancels(void) {
  struct sigaction before = {.sa_handler = SIG_DFL, .sa_flags = SA_RESTART}, after;
  sigaddset(&before.sa_mask, SIGUSR1);
  sigaction(SIGINT, &before, NULL);
  for (int i = 0; i < 3; i++) {
    ANSWERS(generate_interrupted(1), CKR_FUNCTION_CANCELED);
    CHECK(called == 1);
    sigaction(SIGINT, NULL, &after);
    CHECK(after.sa_handler == SIG_DFL && (after.sa_flags & SA_RESTART) != 0);
    CHECK(sigismember(&after.sa_mask, SIGUSR1) == 1);
  }
  ANSWERS(generate_interrupted(0), CKR_OK);
  CHECK(disposition() == SIG_DFL);
}

/* The service goes on after CKR_CANCEL: the second Ctrl-C is within the same function. */
static void ends(void) {
  generate_interrupted(2);
}

static void keeps(void (*own)(int)) {
  signal(SIGINT, own);
  ANSWERS(generate_interrupted(2), CKR_OK);
  CHECK(called == 3 && disposition() == own);
  CHECK(handled == (own == handler ? 2 : 0));
}

/* What the callback sets stays, and what it had found was not meant to stay. */
static CK_RV takes_over(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  (void)session, (void)event, (void)given;
  signal(SIGINT, handler);
  interrupt();
  return CKR_OK;
}

static void changes(void) {
  ANSWERS(generate(takes_over), CKR_OK);
  CHECK(handled == 3 && disposition() == handler);
}

static void *interrupts_soon(void *unused) {
  sleep_for(50);
  interrupt();
  return unused;
}

/* Its last callback is over when it comes. */
static CK_RV comes_late(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  pthread_t thread;
  (void)session, (void)event, (void)given;
  if (++called == 3) pthread_create(&thread, NULL, interrupts_soon, NULL);
  return CKR_OK;
}

static void too_late(void) {
  generate(comes_late);
  sleep_for(10000);
}

static CK_RV waits_for_all(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  (void)session, (void)event, (void)given;
  atomic_fetch_add(&under_way, 1);
  while (atomic_load(&under_way) < 4) sleep_for(1);
  while (atomic_load(&under_way) < 5) sleep_for(1);
  return CKR_OK;
}

static void *generates(void *unused) {
  ANSWERS(generate(waits_for_all), CKR_FUNCTION_CANCELED);
  return unused;
}

static void cancels_all(void) {
  pthread_t threads[4];
  for (int round = 0; round < 2; round++) {
    atomic_store(&under_way, 0);
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, generates, NULL);
    while (atomic_load(&under_way) < 4) sleep_for(1);
    interrupt();
    atomic_store(&under_way, 5);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    CHECK(disposition() == SIG_DFL);
  }
}

/* A child is not within the function; one that leaves its callback is not either. */
static CK_RV forks(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  (void)session, (void)event, (void)given;
  CHECK(disposition() != SIG_DFL);
  if (called++ > 0) return CKR_OK;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK(disposition() == SIG_DFL);
    called = -1;
    return CKR_OK;
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
  return CKR_OK;
}

/* In a process that has a copy of everything and was not made by fork(). */
static CK_RV clones(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  (void)session, (void)event, (void)given;
  pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  CHECK(child >= 0);
  if (child == 0) {
    raise(SIGINT);
    _exit(7);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
  return CKR_OK;
}

static void with_children(void) {
  ANSWERS(generate(clones), CKR_OK);
  CK_RV rv = generate(forks);
  if (called == -1) {
    CHECK(rv == CKR_CRYPTOKI_NOT_INITIALIZED && disposition() == SIG_DFL);
    _exit(7);
  }
  ANSWERS(rv, CKR_OK);
  CHECK(disposition() == SIG_DFL);
}

/* Says when it begins and how it ends: what a terminal sends comes from the test. */
static void works(void) {
  printf("works\n");
  fflush(stdout);
  printf("0x%lx\n", generate(NULL));
}

int main(int count, char **arguments) {
  CHECK(count == 3);
  const char *way = arguments[2];
  void *library = load(arguments[1]);
  p11 = functions_of(library);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  if (strcmp(way, "cancels") == 0) cancels();
  if (strcmp(way, "ends") == 0) ends();
  if (strcmp(way, "own") == 0) keeps(handler);
  if (strcmp(way, "ignored") == 0) keeps(SIG_IGN);
  if (strcmp(way, "changes") == 0) changes();
  if (strcmp(way, "late") == 0) too_late();
  if (strcmp(way, "threads") == 0) cancels_all();
  if (strcmp(way, "forks") == 0) with_children();
  if (strcmp(way, "works") == 0) works();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  dlclose(library);
  return 0;
}
