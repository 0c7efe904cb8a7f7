/*
 * Works under SOFTOKI_PROGRESS on sessions without a callback.
 * usage: drawing MODULE (once | threads | unread | nobody)
 */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

static CK_FUNCTION_LIST *p11;

static void *generate(void *unused) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key;
  ANSWERS(p11->C_OpenSession(7, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
  ANSWERS(p11->C_GenerateKey(session, &mechanism, NULL, 0, &key), CKR_OK);
  CHECK(key == 77);
  return unused;
}

static void in_threads(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, generate, NULL);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

/* Standard error becomes a pipe; answers what reads it. */
static int become_pipe(void) {
  int ends[2];
  CHECK(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
  close(ends[1]);
  return ends[0];
}

static void fill(int fd) {
  char bytes[4096] = "";
  int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  while (write(fd, bytes, sizeof bytes) > 0) continue;
  while (write(fd, bytes, 1) > 0) continue;
  fcntl(fd, F_SETFL, flags);
}

static void without_sigpipe(void) {
  sigset_t pending;
  close(become_pipe());
  generate(NULL);
  CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
}

int main(int count, char **arguments) {
  CHECK(count == 3);
  const char *what = arguments[2];
  p11 = functions_of(load(arguments[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  if (strcmp(what, "once") == 0) generate(NULL);
  if (strcmp(what, "threads") == 0) in_threads();
  if (strcmp(what, "nobody") == 0) without_sigpipe();
  if (strcmp(what, "unread") == 0) {
    become_pipe();
    fill(STDERR_FILENO);
    generate(NULL);
  }
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  printf("done\n");
  return 0;
}
