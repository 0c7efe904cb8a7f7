#include "module.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "interrupt.h"
#include "keeper.h"
#include "log.h"
#include "marshal.h"
#include "pace.h"
#include "progress.h"
#include "start.h"
#include "wait.h"

#define NAME_MAX_BYTES 255

enum phase { OUTSIDE = 0, STARTING = 1, READY = 2, STOPPING = 3 };

struct module module = {.connection.fd = -1};

/* Process ids have 22 bits at most on Linux. */
static uint32_t life_in(enum phase phase) {
  return (uint32_t)getpid() << 2 | phase;
}

bool module_is_initialized(void) {
  return atomic_load(&module.life) == life_in(READY);
}

bool module_is_stopping(void) {
  return atomic_load(&module.life) == life_in(STOPPING);
}

bool module_is_still(uint32_t generation) {
  uint32_t life = atomic_load(&module.life);
  return life != OUTSIDE && life >> 2 == life_in(OUTSIDE) >> 2 &&
         atomic_load(&module.generation) == generation;
}

static void leave(void) {
  if (atomic_fetch_sub(&module.users, 1) == 1 && module_is_stopping()) wake_all(&module.users);
}

/*
 * Counts itself first and looks again then, so that C_Finalize either finds it counted or turns it
 * away. The generation is read last: until the call leaves, there is no other.
 */
static bool enter_in(enum phase phase, uint32_t *generation) {
  uint32_t life = life_in(phase);
  if (atomic_load(&module.life) != life) return false;
  atomic_fetch_add(&module.users, 1);
  if (atomic_load(&module.life) != life) {
    leave();
    return false;
  }
  *generation = atomic_load(&module.generation);
  return true;
}

bool module_enter(uint32_t *generation) {
  return enter_in(READY, generation);
}

bool module_enter_starting(uint32_t *generation) {
  return enter_in(STARTING, generation);
}

void module_leave(uint32_t generation) {
  if (module_is_still(generation)) leave();
}

/* The phase is over: whoever waits for it looks again. */
static void enter_phase(enum phase phase) {
  atomic_store(&module.life, phase == OUTSIDE ? 0 : life_in(phase));
  wake_all(&module.life);
}

/*
 * Lets go of what an initialization left behind, be it one of the process this one was forked from.
 * The descriptor is closed without a word to the service; locks, which may be held by threads that do
 * not exist here, are left.
 */
static void forget(void) {
  connection_close(&module.connection);
  keepers_forget();
  sessions_free(module.sessions);
  module.sessions = NULL;
  layouts_free(&module.layouts);
}

/* No thread of the parent's is in a call here, and nothing is drawn. */
static void forget_parent(void) {
  interrupts_forget();
  progress_forget();
  atomic_store(&module.users, 0);
}

/*
 * In the child after fork(): the connection stays its parent's alone, so that the service learns of
 * the parent's end while the child lives.
 */
static void begin_childhood(void) {
  forget();
  forget_parent();
  atomic_store(&module.life, OUTSIDE);
}

__attribute__((constructor)) static void loaded(void) {
  pthread_atfork(NULL, NULL, begin_childhood);
}

/*
 * dlclose, or the end of the process, without C_Finalize. Keepers end before their code goes. The
 * application's mutexes are left, since its functions may be gone already; and everything is, where
 * threads that still run are in calls.
 */
__attribute__((destructor)) static void unloaded(void) {
  uint32_t ready = life_in(READY);
  if (!atomic_compare_exchange_strong(&module.life, &ready, life_in(STOPPING))) return;
  bool idle = atomic_load(&module.users) == 0;
  if (idle) {
    keepers_end();
    forget();
  }
  enter_phase(idle ? OUTSIDE : READY);
}

/* True for the one thread that is to initialize; false once another has. */
static bool begin_starting(void) {
  for (;;) {
    uint32_t life = atomic_load(&module.life), starting = life_in(STARTING);
    if (life == life_in(READY)) return false;
    if (life == starting || life == life_in(STOPPING)) {
      wait_while(&module.life, life);
      continue;
    }
    if (!atomic_compare_exchange_strong(&module.life, &life, starting)) continue;
    /* A child made without fork(), by clone: the calls counted are its parent's. */
    if (life != OUTSIDE) forget_parent();
    break;
  }
  forget();
  atomic_fetch_add(&module.generation, 1);
  return true;
}

static CK_RV make_locks(const struct locking *locking) {
  CK_RV rv = lock_make(&module.connection.sending, locking);
  if (rv != CKR_OK) return rv;
  rv = lock_make(&module.connection.table, locking);
  if (rv != CKR_OK) lock_destroy(&module.connection.sending);
  return rv;
}

static void destroy_locks(void) {
  lock_destroy(&module.connection.table);
  lock_destroy(&module.connection.sending);
}

/* The program's name. What is not ASCII may not be UTF-8 either. */
static void put_program(struct call *call) {
  char name[NAME_MAX_BYTES + 1] = "";
  strncat(name, program_invocation_short_name, NAME_MAX_BYTES);
  for (char *at = name; *at != 0; at++)
    if (*at < ' ' || *at > '~') *at = '?';
  put_text(call, "program", (const CK_UTF8CHAR *)name);
}

/*
 * C_Initialize for the service: who the application is, whether it wants its calls told, its pace, and
 * whether what it gave can be reached after CKR_PENDING.
 * The answer tells how to flatten parameters.
 */
static CK_RV introduce(uint64_t pace) {
  static const struct function row = {
      .name = "C_Initialize", .index = 0, .request = "zuyuy", .answer = "L", .gone = CKR_FUNCTION_FAILED};
  struct call call;
  if (!call_begin_starting(&call, &row)) return CKR_GENERAL_ERROR;
  put_program(&call);
  put_ulong(&call, (CK_ULONG)getpid());
  put_bool(&call, log_wanted());
  put_ulong(&call, pace);
  put_bool(&call, module.keeps);
  call_transact(&call);
  get_layouts(&call, &module.layouts);
  return call_end(&call);
}

static CK_RV start(const struct locking *locking) {
  int fd;
  CK_RV rv = make_locks(locking);
  if (rv != CKR_OK) return rv;
  rv = start_connect(&fd);
  if (rv != CKR_OK) {
    destroy_locks();
    return rv;
  }
  if (connection_open(&module.connection, fd)) return CKR_OK;
  complain("the service is gone: try again");
  destroy_locks();
  return CKR_FUNCTION_FAILED;
}

static CK_RV initialize(const struct locking *locking) {
  uint64_t pace;
  bool sensible = pace_of_application(&pace) && progress_of_user(&module.draws);
  CK_RV rv = sensible ? start(locking) : CKR_FUNCTION_FAILED;
  if (rv != CKR_OK) return say("C_Initialize", rv, NULL);
  rv = introduce(pace);
  if (rv != CKR_OK) destroy_locks();
  return rv;
}

static bool may_have_threads(const CK_C_INITIALIZE_ARGS *arguments) {
  return arguments == NULL || (arguments->flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS) == 0;
}

EXPORTED
CK_RV C_Initialize(CK_VOID_PTR pInitArgs) {
  struct locking locking;
  int cancel_state;
  const char *why;
  CK_RV rv = locking_choose(pInitArgs, &locking, &why);
  if (rv != CKR_OK) return say("C_Initialize", rv, why);
  if (!begin_starting()) return say("C_Initialize", CKR_CRYPTOKI_ALREADY_INITIALIZED, NULL);

  /* A thread that is cancelled in here would leave all others waiting. */
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
  module.keeps = may_have_threads(pInitArgs);
  rv = initialize(&locking);
  if (rv != CKR_OK) forget();
  enter_phase(rv == CKR_OK ? READY : OUTSIDE);
  pthread_setcancelstate(cancel_state, NULL);
  return rv;
}

static bool any_session(CK_SESSION_HANDLE session, CK_ULONG unused) {
  (void)session, (void)unused;
  return true;
}

/* From here on no call enters; false where another thread was first. */
static bool begin_stopping(void) {
  uint32_t ready = life_in(READY);
  return atomic_compare_exchange_strong(&module.life, &ready, life_in(STOPPING));
}

/* Tells the service, which releases the calls that wait in it, and waits until they have left. */
static void finalize(struct call *call) {
  int cancel_state;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
  call_transact(call);
  connection_break(&module.connection);
  call_end(call);
  for (uint32_t users; (users = atomic_load(&module.users)) != 0;) wait_while(&module.users, users);
  keepers_end();
  forget();
  destroy_locks();
  enter_phase(OUTSIDE);
  pthread_setcancelstate(cancel_state, NULL);
}

EXPORTED
CK_RV C_Finalize(CK_VOID_PTR pReserved) {
  static const struct function row = {
      .name = "C_Finalize", .index = 1, .request = "", .answer = "", .gone = CKR_FUNCTION_FAILED};
  struct call call;
  if (!call_begin(&call, &row)) return CKR_CRYPTOKI_NOT_INITIALIZED;
  want_null(&call, "pReserved", pReserved);
  if (call_is_well(&call) && exchange_within(&module.connection, any_session, 0))
    call_fail(&call, CKR_FUNCTION_FAILED, "called inside a callback");
  if (call_is_well(&call) && !begin_stopping())
    call_fail(&call, CKR_CRYPTOKI_NOT_INITIALIZED, "another thread called C_Finalize");
  if (!call_is_well(&call)) return call_end(&call);
  finalize(&call);
  return CKR_OK;
}
