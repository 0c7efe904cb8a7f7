/* fork in every form: the child is not initialized, and starts afresh where it calls C_Initialize. */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static CK_FUNCTION_LIST *p11;

/* The child's main function; its checks end it with 1. */
static void in_child(void (*body)(void)) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    body();
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void works(void) {
  CK_ULONG count;
  ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
  CHECK(count == 3);
}

static void is_not_initialized(void) {
  CK_ULONG count;
  CK_SESSION_INFO info;
  ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(p11->C_GetSessionInfo(1, &info), CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(p11->C_GetFunctionStatus(1), CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void starts_afresh(void) {
  is_not_initialized();
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  works();
  in_child(is_not_initialized);
  works();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

static void forks_again(void) {
  in_child(starts_afresh);
  starts_afresh();
}

/* The child of a server closes what it inherited, and the numbers become something else. */
static void closes_all_first(void) {
  int pair[2];
  for (int fd = 3; fd < 64; fd++) close(fd);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  int file = open("/dev/null", O_RDONLY);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CHECK(write(pair[0], "x", 1) == 1 && fcntl(file, F_GETFD) >= 0);
  works();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

static _Atomic int stop;

static void *calls(void *unused) {
  while (!stop) works();
  return unused;
}

/* Other threads hold locks and read the socket at the moment of the fork. */
static void among_threads(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, calls, NULL);
  for (int i = 0; i < 25; i++) in_child(starts_afresh);
  stop = 1;
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

static CK_SESSION_HANDLE session;
static pid_t parent;
static int initializes;

static CK_RV forks_within(CK_SESSION_HANDLE given, CK_NOTIFICATION event, CK_VOID_PTR unused) {
  (void)given, (void)event, (void)unused;
  if (getpid() != parent) return CKR_OK;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0 && initializes) ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  if (child == 0) return CKR_OK;
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return CKR_OK;
}

/* The child returns from the callback, into a call of its parent. */
static void within_a_callback(void) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_OBJECT_HANDLE key;
  parent = getpid();
  CK_RV rv = p11->C_GenerateKey(session, &mechanism, NULL, 0, &key);
  if (getpid() == parent) {
    ANSWERS(rv, CKR_OK);
    return;
  }
  ANSWERS(rv, CKR_CRYPTOKI_NOT_INITIALIZED);
  if (initializes) {
    works();
    ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  }
  is_not_initialized();
  _exit(0);
}

/* A program that is run inherits no socket. */
static void inherits_nothing(void) {
  struct stat status;
  for (int fd = 3; fd < 64; fd++) {
    if (fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode)) continue;
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  }
}

int main(int count, char **arguments) {
  CHECK(count == 2);
  p11 = functions_of(load(arguments[1]));
  in_child(is_not_initialized);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  ANSWERS(p11->C_OpenSession(7, CKF_SERIAL_SESSION, NULL, forks_within, &session), CKR_OK);
  inherits_nothing();
  in_child(is_not_initialized);
  in_child(starts_afresh);
  in_child(forks_again);
  in_child(closes_all_first);
  works();
  for (initializes = 0; initializes < 2; initializes++) within_a_callback();
  among_threads();
  works();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  in_child(is_not_initialized);
  return 0;
}
