#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

#if !defined SOFTOKI_NODE || !defined SOFTOKI_SERVICE || !defined SOFTOKI_COMPILED
#error "the build says which node runs which service: see build.mjs"
#endif

/* The descriptor on which the service tells that it listens. */
#define READY_FD 3
#define READY_VARIABLE "SOFTOKI_READY_FD=3"

/* Where Node keeps what it compiled, and how it is to use memory: as in src/service/start.ts. */
#define COMPILED_VARIABLE "NODE_COMPILE_CACHE=" SOFTOKI_COMPILED
#define SMALL_NURSERY "--max-semi-space-size=1"
#define ONE_SCAVENGER "--no-parallel-scavenge"

#define STACK_SIZE (64u << 10)

/* All that the processes on the way need; made before, since they may not allocate. */
struct launch {
  int ready, errors;
  char **environment;
  uint8_t *stack;
  /* Why node could not be run: they share our memory. 0 where it was. */
  volatile int error;
};

/* Variables of the application that the service gets; with `_` at the end: all that begin so. */
static const char *const PASSED[] = {"PATH", "HOME", "USER", "LANG", "TMPDIR", "XDG_", "SOFTOKI_"};

/*
 * Not passed for all that: what tools take PINs from, a descriptor meant for somebody else, and what is
 * for this application alone.
 */
static const char *const HELD_BACK[] = {"SOFTOKI_PIN=", "SOFTOKI_SO_PIN=", "SOFTOKI_READY_FD=",
                                        "SOFTOKI_LOG=", "SOFTOKI_SURRENDER_MS=",
                                        "SOFTOKI_PROGRESS="};

static bool is_passed(const char *entry) {
  for (size_t i = 0; i < sizeof HELD_BACK / sizeof *HELD_BACK; i++)
    if (strncmp(entry, HELD_BACK[i], strlen(HELD_BACK[i])) == 0) return false;
  for (size_t i = 0; i < sizeof PASSED / sizeof *PASSED; i++) {
    size_t length = strlen(PASSED[i]);
    if (strncmp(entry, PASSED[i], length) != 0) continue;
    if (PASSED[i][length - 1] == '_' || entry[length] == '=') return true;
  }
  return false;
}

static char **make_environment(void) {
  size_t count = 0, used = 0;
  while (environ != NULL && environ[count] != NULL) count++;
  char **made = calloc(count + 3, sizeof *made);
  if (made == NULL) return NULL;
  for (size_t i = 0; i < count; i++)
    if (is_passed(environ[i])) made[used++] = environ[i];
  made[used++] = (char *)(uintptr_t)READY_VARIABLE;
  made[used] = (char *)(uintptr_t)COMPILED_VARIABLE;
  return made;
}

/* The application's handlers are code that the service does not have. */
static void reset_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  sigset_t none;
  for (int number = 1; number < NSIG; number++) sigaction(number, &action, NULL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_from(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, first, UINT_MAX, 0) == 0) return;
#endif
  struct rlimit limit;
  int end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < INT_MAX ? (int)limit.rlim_cur
                                                                              : 65536;
  for (int fd = first; fd < end; fd++) close(fd);
}

/* Standard input and output lead nowhere; beside standard error there is the ready pipe alone. */
static bool arrange_descriptors(const struct launch *launch) {
  if (dup3(launch->ready, READY_FD, 0) < 0) return false;
  int nowhere = open("/dev/null", O_RDWR);
  if (nowhere < 0) return false;
  for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++)
    if (nowhere != fd && dup2(nowhere, fd) < 0) return false;
  if (dup2(launch->errors, STDERR_FILENO) < 0) return false;
  close_from(READY_FD + 1);
  return true;
}

/*
 * The service to be. Like what posix_spawn makes, it shares the application's memory until execve;
 * returning ends it.
 */
static int become_service(void *argument) {
  struct launch *launch = argument;
  char *const arguments[] = {SOFTOKI_NODE, SMALL_NURSERY, ONE_SCAVENGER, SOFTOKI_SERVICE, "--detached", NULL};
  reset_signals();
  if (arrange_descriptors(launch) && chdir("/") == 0)
    execve(arguments[0], arguments, launch->environment);
  launch->error = errno;
  return 127;
}

/* The process in between: it leaves the application's session and its child to init. */
static int leave_family(void *argument) {
  struct launch *launch = argument;
  setsid();
  if (clone(become_service, launch->stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, launch) < 0)
    launch->error = errno;
  return 0;
}

/*
 * Without a termination signal the process in between is invisible to the application: it causes no
 * SIGCHLD and no wait() but ours (__WCLONE) finds it. All signals are blocked meanwhile, because a
 * handler of the application's must not run in a process that shares its memory.
 */
static bool run(struct launch *launch) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t between = clone(leave_family, launch->stack + 2 * STACK_SIZE, CLONE_VM | CLONE_VFORK, launch);
  if (between < 0) launch->error = errno;
  while (between > 0 && waitpid(between, NULL, __WCLONE) < 0 && errno == EINTR) continue;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return launch->error == 0;
}

bool launch_service(int ready, int errors) {
  struct launch launch = {
      .ready = fcntl(ready, F_DUPFD_CLOEXEC, READY_FD + 1),
      .errors = fcntl(errors, F_DUPFD_CLOEXEC, READY_FD + 1),
      .environment = make_environment(),
      .stack = malloc(2 * STACK_SIZE),
  };
  bool can = launch.ready >= 0 && launch.errors >= 0 && launch.environment != NULL && launch.stack != NULL;
  if (!can) launch.error = errno;
  bool launched = can && run(&launch);
  if (!launched)
    complain("cannot run %s: %s: build Softoki again where Node is", SOFTOKI_NODE, strerror(launch.error));
  if (launch.ready >= 0) close(launch.ready);
  if (launch.errors >= 0) close(launch.errors);
  free(launch.environment);
  free(launch.stack);
  return launched;
}
