#include "call.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "keeper.h"
#include "log.h"
#include "module.h"
#include "pending.h"
#include "progress.h"
#include "return-values.h"
#include "sessions.h"
#include "surrender.h"
#include "wire.h"

#define NOT_INITIALIZED "C_Initialize was not called, or not since fork or C_Finalize"

static void prepare(struct call *call, const struct function *function) {
  /* A thread that is cancelled in here would leave its exchange in the table. */
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &call->cancel_state);
  call->function = function;
  call->rv = CKR_OK;
  call->why = call->argument = NULL;
  call->told = false;
  call->exchange.session = CK_INVALID_HANDLE;
  call->exchange.in_callback = false;
  call->exchange.room = NULL;
  call->exchange.room_length = 0;
  call->data = NULL;
  call->data_length = 0;
  call->lent = -1;
  call->reached = false;
  call->room_count = 0;
  call->attributes = 0;
  call->parameter.structure = NULL;
  call->parameter.layout[0] = 0;
  call->reply = NULL;
  call->opening = NULL;
  call->interruptible.entered = false;
  message_begin(&call->message, WIRE_CALL_FIRST + function->index, function->request);
}

bool call_begin(struct call *call, const struct function *function) {
  if (!module_enter(&call->generation)) {
    say(function->name, CKR_CRYPTOKI_NOT_INITIALIZED, NOT_INITIALIZED);
    return false;
  }
  prepare(call, function);
  return true;
}

bool call_begin_starting(struct call *call, const struct function *function) {
  if (!module_enter_starting(&call->generation)) return false;
  prepare(call, function);
  return true;
}

void call_fail(struct call *call, CK_RV rv, const char *why) {
  call_refuse(call, rv, NULL, why);
}

void call_refuse(struct call *call, CK_RV rv, const char *argument, const char *why) {
  if (call->rv != CKR_OK) return;
  call->rv = rv;
  call->argument = argument;
  call->why = why;
}

/* An error that counts before any other. */
static void end_with(struct call *call, CK_RV rv, const char *why) {
  call->rv = CKR_OK;
  call_fail(call, rv, why);
}

void call_malformed(struct call *call) {
  connection_break(&module.connection);
  end_with(call, call->function->gone, "the service answered what makes no sense");
}

static bool same_session(CK_SESSION_HANDLE outer, CK_ULONG session) {
  return outer == session;
}

/* A call on the session whose callback this thread is inside of. */
static void refuse_within_callback(struct call *call) {
  CK_RV rv = call->function->within_callback;
  CK_SESSION_HANDLE session = call->exchange.session;
  if (rv != CKR_OK && session != CK_INVALID_HANDLE &&
      exchange_within(&module.connection, same_session, session))
    call_fail(call, rv, "called inside a callback of the same session");
}

/* Reads the head of the answer: an error, or the signature that the function's row tells. */
static void open_answer(struct call *call) {
  uint32_t answered = read_u32(&call->reader);
  if (answered == WIRE_CALL_FIRST + call->function->index) {
    read_exactly(&call->reader, call->function->answer);
    if (call->reader.failed) call_malformed(call);
    return;
  }
  read_exactly(&call->reader, "u");
  CK_RV rv = read_u64(&call->reader);
  if (answered != WIRE_CALL_ERROR || rv == CKR_OK || !read_to_end(&call->reader))
    call_malformed(call);
  else
    call_fail(call, rv, NULL);
}

/* Serves what the service asks for until the answer is there. */
static void converse(struct call *call) {
  for (;;) {
    struct frame *frame = exchange_receive(&module.connection, &call->exchange);
    if (frame == NULL) {
      if (module_is_stopping())
        end_with(call, CKR_CRYPTOKI_NOT_INITIALIZED, "C_Finalize was called meanwhile");
      else
        end_with(call, call->function->gone, "the service is gone");
      return;
    }
    call->reader = (struct reader){frame->body, frame->body + frame->length, false};
    if (!surrender_is_request(frame)) {
      call->reply = frame;
      open_answer(call);
      return;
    }
    surrender_serve(call);
    frame_free(frame);
    if (!module_is_still(call->generation)) {
      end_with(call, CKR_CRYPTOKI_NOT_INITIALIZED, "the callback returned in another process");
      return;
    }
    if (!call_is_well(call)) return;
  }
}

/* So long an answer is looked for before the thread sleeps, in nanoseconds. */
#define PATIENCE 50000

/*
 * Looking in vain costs more than finding saves, so that it must do so once for every so many finds. With
 * each so much doubt one answer in two is looked for, then one in four, up to one in 2^6.
 */
#define FINDS_PER_MISS 3
#define DOUBT_MAX (6 * FINDS_PER_MISS)

/*
 * How much the module doubts that a function's answer comes while it looks, and how often it was called:
 * whoever waits for a long one, or beside others on few processors, sleeps at once. A wrong count does
 * no harm.
 */
static struct {
  _Atomic uint8_t doubt;
  _Atomic uint8_t calls;
} looks[WIRE_FUNCTIONS_MAX];

static uint64_t patience_for(uint32_t function) {
  if (!connection_may_look(&module.connection)) return 0;
  unsigned doubt = atomic_load_explicit(&looks[function].doubt, memory_order_relaxed);
  unsigned calls = atomic_fetch_add_explicit(&looks[function].calls, 1, memory_order_relaxed);
  return (calls & ((1u << doubt / FINDS_PER_MISS) - 1)) == 0 ? PATIENCE : 0;
}

static void remember(uint32_t function, bool in_vain) {
  unsigned doubt = atomic_load_explicit(&looks[function].doubt, memory_order_relaxed);
  if (in_vain)
    doubt = doubt + FINDS_PER_MISS < DOUBT_MAX ? doubt + FINDS_PER_MISS : DOUBT_MAX;
  else if (doubt > 0)
    doubt--;
  atomic_store_explicit(&looks[function].doubt, (uint8_t)doubt, memory_order_relaxed);
}

void call_transact(struct call *call) {
  if (call->message.failed) call_fail(call, CKR_HOST_MEMORY, "no memory for the arguments");
  if (call_is_well(call)) refuse_within_callback(call);
  if (!call_is_well(call)) return;

  exchange_begin(&module.connection, &call->exchange, message_length(&call->message),
                 !module_is_stopping());
  message_seal(&call->message, call->exchange.code);
  uint64_t patience = call->exchange.patience = patience_for(call->function->index);
  connection_send(&module.connection, &call->message);
  call->lent = -1;
  message_end(&call->message);
  converse(call);
  if (patience > 0) remember(call->function->index, call->exchange.patience == 0);
  if (!module_is_still(call->generation)) return;
  if (call->interruptible.entered) progress_over(call);
  if (call->rv == CKR_PENDING && call->reached && module.keeps)
    keeper_begin(call);
  else
    exchange_end(&module.connection, &call->exchange);
  pending_begun(call);
  keepers_see_off();
}

static const char *nameable(CK_RV rv) {
  const char *name = name_of_return_value(rv);
  return name != NULL ? name : "a return value without a name";
}

CK_RV say(const char *name, CK_RV rv, const char *why) {
  log_line("%s() = %s%s%s", name, nameable(rv), why == NULL ? "" : ": ", why == NULL ? "" : why);
  return rv;
}

CK_RV always(const char *name, CK_RV rv) {
  bool ready = module_is_initialized();
  return say(name, ready ? rv : CKR_CRYPTOKI_NOT_INITIALIZED, ready ? NULL : NOT_INITIALIZED);
}

/* What only the module knows. */
static void say_how_it_ended(const struct call *call) {
  char where[40] = "", what[80] = "";
  if (call->rv == CKR_OK || (call->told && call->why == NULL) || !log_wanted()) return;
  if (call->exchange.session != CK_INVALID_HANDLE)
    snprintf(where, sizeof where, "session %lu", call->exchange.session);
  if (call->argument != NULL) snprintf(what, sizeof what, "%s ", call->argument);
  log_line("%s(%s) = %s%s%s%s", call->function->name, where, nameable(call->rv),
           call->why == NULL ? "" : ": ", what, call->why == NULL ? "" : call->why);
}

CK_RV call_end(struct call *call) {
  if (call_is_well(call) && call->reply != NULL && !read_to_end(&call->reader))
    call_malformed(call);
  CK_RV rv = call->rv;
  say_how_it_ended(call);
  if (call->lent >= 0) channel_take_back(&module.connection.channel, call->lent);
  frame_free(call->reply);
  message_end(&call->message);
  free(call->opening);
  module_leave(call->generation);
  pthread_setcancelstate(call->cancel_state, NULL);
  return rv;
}
