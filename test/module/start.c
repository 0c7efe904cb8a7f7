/* Starts the service out of a program that has settings of its own, which must stay what they are. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static CK_FUNCTION_LIST *p11;
static volatile int children;

static void on_child(int number) {
  (void)number;
  children++;
}

static void own_settings(void) {
  sigset_t blocked;
  signal(SIGCHLD, on_child);
  signal(SIGUSR1, SIG_IGN);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  int file = open("/etc/passwd", O_RDONLY);
  CHECK(dup2(file, 40) == 40 && dup2(file, 5) == 5);
}

static void settings_are_kept(void) {
  sigset_t blocked;
  struct sigaction action;
  sigprocmask(SIG_BLOCK, NULL, &blocked);
  CHECK(sigismember(&blocked, SIGUSR2) && !sigismember(&blocked, SIGTERM));
  CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
  CHECK(sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == on_child);
  CHECK(children == 0);
  CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void works(void) {
  CK_ULONG count;
  ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
}

static void starts(void) {
  own_settings();
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  works();
  settings_are_kept();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

static void starts_another_when_it_is_killed(void) {
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  ANSWERS(p11->C_Logout(1), CKR_DEVICE_REMOVED);
  ANSWERS(p11->C_Logout(1), CKR_DEVICE_REMOVED);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  works();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

/* A daemon: 0 to 2 are closed, and what it writes to them must not reach the service. */
static void starts_without_standard_descriptors(void) {
  int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
  for (int fd = 0; fd < 3; fd++) close(fd);
  CK_RV rv = p11->C_Initialize(NULL);
  ssize_t out = write(STDOUT_FILENO, "x", 1), err = write(STDERR_FILENO, "x", 1);
  dup2(kept, STDERR_FILENO);
  ANSWERS(rv, CKR_OK);
  CHECK(out < 0 && err < 0);
  works();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

static void ignores_children(void) {
  signal(SIGCHLD, SIG_IGN);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

static void uses(void) {
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  works();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

static void fails(void) {
  ANSWERS(p11->C_Initialize(NULL), CKR_FUNCTION_FAILED);
  ANSWERS(p11->C_Initialize(NULL), CKR_FUNCTION_FAILED);
  ANSWERS(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    void (*body)(void);
  } bodies[] = {
      {"starts", starts},
      {"killed", starts_another_when_it_is_killed},
      {"daemon", starts_without_standard_descriptors},
      {"ignores", ignores_children},
      {"uses", uses},
      {"fails", fails},
  };
  CHECK(count == 3);
  p11 = functions_of(load(arguments[1]));
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
    if (strcmp(bodies[i].name, arguments[2]) == 0) bodies[i].body();
  return 0;
}
