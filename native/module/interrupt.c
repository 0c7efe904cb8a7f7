#include "interrupt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "screen.h"

/*
 * What the handler and all threads share, in one word so that it changes at once: how many Ctrl-C
 * came (16 bits), whether a function heeded the last (1), functions under way (20), and how many of
 * them were so when it came (20).
 */
struct state {
  uint32_t came;
  bool heeded;
  uint32_t under_way, interrupted;
};

#define COUNT_BITS 20
#define COUNT_MASK ((1u << COUNT_BITS) - 1)
#define CAME_MASK 0xffffu

static _Atomic uint64_t shared;
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a signal handler takes no lock");

/* Guards the disposition, and what it was before ours. */
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;
static atomic_bool installed;
/* The process whose functions are counted. One made by vfork or clone has the same memory or a copy. */
static _Atomic pid_t owner;

static struct state unpacked(uint64_t word) {
  return (struct state){
      .came = word >> (2 * COUNT_BITS + 1) & CAME_MASK,
      .heeded = word >> 2 * COUNT_BITS & 1,
      .under_way = word >> COUNT_BITS & COUNT_MASK,
      .interrupted = word & COUNT_MASK,
  };
}

static uint64_t packed(struct state state) {
  return (uint64_t)(state.came & CAME_MASK) << (2 * COUNT_BITS + 1) |
         (uint64_t)state.heeded << 2 * COUNT_BITS | (uint64_t)state.under_way << COUNT_BITS |
         state.interrupted;
}

/* Replaces what was found; false, with what is there now, where another was faster. */
static bool replace(uint64_t *found, struct state state) {
  return atomic_compare_exchange_weak(&shared, found, packed(state));
}

/* True where this one is to end the program. */
static bool count_interrupt(void) {
  uint64_t found = atomic_load(&shared);
  struct state state;
  do {
    state = unpacked(found);
    if (state.under_way == 0 || state.interrupted > 0) return true;
    state.came++;
    state.heeded = false;
    state.interrupted = state.under_way;
  } while (!replace(&found, state));
  return false;
}

/* In whichever thread the system chose, at any moment. */
static void on_interrupt(int number) {
  int errno_before = errno;
  if (atomic_load(&owner) != getpid() || count_interrupt()) {
    screen_abandon();
    signal(number, SIG_DFL);
    raise(number);
  }
  errno = errno_before;
}

/* Of waiting system calls, those go on that can. */
static const struct sigaction ours = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART | SA_ONSTACK};

static bool is_default(const struct sigaction *action) {
  return (action->sa_flags & SA_SIGINFO) == 0 && action->sa_handler == SIG_DFL;
}

/* A handler that another thread sets just now stays. A child of fork finds `installed` set in time. */
static void install(void) {
  struct sigaction replaced;
  if (sigaction(SIGINT, NULL, &before) != 0 || !is_default(&before)) return;
  atomic_store(&owner, getpid());
  atomic_store(&installed, true);
  sigaction(SIGINT, &ours, &replaced);
  if (is_default(&replaced)) return;
  atomic_store(&installed, false);
  sigaction(SIGINT, &replaced, NULL);
}

/* What the application has put in our place meanwhile stays. */
static void restore(void) {
  struct sigaction now;
  if (!atomic_exchange(&installed, false)) return;
  if (sigaction(SIGINT, NULL, &now) != 0) return;
  if ((now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == on_interrupt)
    sigaction(SIGINT, &before, NULL);
}

static uint32_t enter(void) {
  uint64_t found = atomic_load(&shared);
  struct state state;
  do {
    state = unpacked(found);
    state.under_way++;
  } while (!replace(&found, state));
  return state.came;
}

void interruptible_enter(struct interruptible *function) {
  if (function->entered) return;
  pthread_mutex_lock(&installing);
  if (unpacked(atomic_load(&shared)).under_way == 0) install();
  function->before = enter();
  function->entered = true;
  pthread_mutex_unlock(&installing);
}

static bool is_interrupted(const struct interruptible *function, struct state state) {
  return function->before != state.came;
}

/* True for the last of those that were interrupted, where none of them heeded it. */
static bool leave(const struct interruptible *function) {
  uint64_t found = atomic_load(&shared);
  struct state state;
  bool last;
  do {
    state = unpacked(found);
    state.under_way--;
    bool interrupted = is_interrupted(function, state) && state.interrupted > 0;
    if (interrupted) state.interrupted--;
    last = interrupted && state.interrupted == 0;
  } while (!replace(&found, state));
  return last && !state.heeded;
}

void interruptible_leave(struct interruptible *function) {
  pthread_mutex_lock(&installing);
  bool unheeded = leave(function);
  function->entered = false;
  if (unpacked(atomic_load(&shared)).under_way == 0) restore();
  pthread_mutex_unlock(&installing);
  if (unheeded) kill(getpid(), SIGINT);
}

bool interrupt_came(const struct interruptible *function) {
  uint64_t found = atomic_load(&shared);
  struct state state;
  if (!function->entered) return false;
  do {
    state = unpacked(found);
    if (!is_interrupted(function, state)) return false;
    state.heeded = true;
  } while (!replace(&found, state));
  return true;
}

bool interrupt_is_ours(void) {
  return atomic_load(&installed);
}

void interrupts_forget(void) {
  restore();
  atomic_store(&shared, 0);
  pthread_mutex_init(&installing, NULL);
}
