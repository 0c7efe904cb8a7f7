/* One C_ function under way: its request, the exchange with the service, its answer. */
#ifndef SOFTOKI_CALL_H
#define SOFTOKI_CALL_H

#include "connection.h"
#include "interrupt.h"
#include "layout.h"
#include "message.h"

struct session;

/* What a body tells of its function. */
struct function {
  const char *name;
  uint32_t index;
  /* The signatures of docs/WIRE.md. */
  const char *request, *answer;
  /* Answered where the service is gone. */
  CK_RV gone;
  /* Answered inside a callback of the same session; CKR_OK: it works there. */
  CK_RV within_callback;
};

/* The caller's structure whose values a request holds, and its layout; NULL and "" where none does. */
struct parameter {
  uint8_t *structure;
  char layout[LAYOUT_LENGTH_MAX + 1];
};

struct call {
  const struct function *function;
  /* The first error stands; the steps after it do nothing. */
  CK_RV rv;
  /* Why the module itself chose it, and which argument is at fault; NULL where the service did. */
  const char *why, *argument;
  /* The service has said what there is to say. */
  bool told;
  struct message message;
  struct exchange exchange;
  /* The caller's data, for READ. */
  const uint8_t *data;
  size_t data_length;
  /* The slot of the channel that it lies in and the service does not know of yet; -1: none. */
  int lent;
  /* The service reaches back for the data, or into the room: after CKR_PENDING too. */
  bool reached;
  /* How many elements the caller has room for. */
  CK_ULONG room_count;
  /* How many attributes the message holds. */
  CK_ULONG attributes;
  struct parameter parameter;
  struct interruptible interruptible;
  struct frame *reply;
  struct reader reader;
  /* Made by put_notify, kept by session_opened. */
  struct session *opening;
  /* The C_Initialize that it belongs to. */
  uint32_t generation;
  int cancel_state;
};

#define EXPORTED __attribute__((visibility("default")))

/* False where Cryptoki is not initialized; then call_end must not be called. */
bool call_begin(struct call *call, const struct function *function);
/* The same for the call that C_Initialize makes itself. */
bool call_begin_starting(struct call *call, const struct function *function);
/* Sends the request and waits for the answer; on CKR_OK the answer is ready to be read. */
void call_transact(struct call *call);
/* The return value; lets go of all that the call held. */
CK_RV call_end(struct call *call);

/* The service said what makes no sense: the connection is ended. */
void call_malformed(struct call *call);
/* The answer of a function that is the same once Cryptoki is initialized. */
CK_RV always(const char *name, CK_RV rv);
/* Says how a function without a call ended. Answers the return value. */
CK_RV say(const char *name, CK_RV rv, const char *why);
/* Whether steps that need the answer may go on. */
static inline bool call_is_well(const struct call *call) {
  return call->rv == CKR_OK;
}
/* Keeps the first error and why it is one; NULL: the service knows. */
void call_fail(struct call *call, CK_RV rv, const char *why);
/* The same for an argument. */
void call_refuse(struct call *call, CK_RV rv, const char *argument, const char *why);

#endif
