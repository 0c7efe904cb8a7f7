#include "surrender.h"

#include <limits.h>

#include "interfaces.h"
#include "interrupt.h"
#include "log.h"
#include "module.h"
#include "parameter.h"
#include "progress.h"
#include "sessions.h"
#include "wire.h"

bool surrender_is_request(const struct frame *frame) {
  uint32_t call = big_endian_u32(frame->body);
  return call == WIRE_CALL_SURRENDER || call == WIRE_CALL_READ || call == WIRE_CALL_BACK ||
         call == WIRE_CALL_TRACE;
}

static CK_RV call_back(struct call *call, CK_NOTIFY callback, CK_NOTIFICATION event,
                       CK_VOID_PTR given) {
  exchange_calls_back(&module.connection, &call->exchange, true);
  CK_RV rv = callback(call->exchange.session, event, given);
  if (module_is_still(call->generation))
    exchange_calls_back(&module.connection, &call->exchange, false);
  return rv;
}

/* Calls the callback of the session that the call works in. Without one the work goes on. */
static CK_RV notify(struct call *call, CK_NOTIFICATION event, const struct progress *progress) {
  CK_VOID_PTR application;
  bool wants_progress;
  CK_RV rv = CKR_OK;
  CK_NOTIFY callback = session_notify(call->exchange.session, &application, &wants_progress);
  if (callback == NULL) return CKR_OK;

  if (wants_progress && event == CKN_SURRENDER) {
    CK_SOFTOKI_PROGRESS told = {0, progress->done, progress->elapsed, progress->usual, application};
    rv = call_back(call, callback, CKN_SOFTOKI_PROGRESS, &told);
  }
  if (rv == CKR_CANCEL || !module_is_still(call->generation)) return rv;
  return call_back(call, callback, event, application);
}

static void answer_surrender(struct call *call, CK_RV rv) {
  struct message message;
  message_begin(&message, WIRE_CALL_SURRENDER, "u");
  message_u64(&message, rv);
  message_seal(&message, call->exchange.code);
  connection_send(&module.connection, &message);
  message_end(&message);
}

static void serve_surrender(struct call *call) {
  struct progress progress;
  read_exactly(&call->reader, "uuuuu");
  CK_SESSION_HANDLE session = read_u64(&call->reader);
  CK_NOTIFICATION event = read_u64(&call->reader);
  progress.done = read_u64(&call->reader);
  progress.elapsed = read_u64(&call->reader);
  progress.usual = read_u64(&call->reader);
  bool possible = progress.done <= MILLION || progress.done == CK_UNAVAILABLE_INFORMATION;
  if (!read_to_end(&call->reader) || session != call->exchange.session || !possible) {
    call_malformed(call);
    return;
  }

  if (module.draws) progress_show(call, &progress);
  CK_RV rv = notify(call, event, &progress);
  if (!module_is_still(call->generation)) return;
  if (interrupt_came(&call->interruptible)) rv = CKR_CANCEL;
  answer_surrender(call, rv);
}

bool surrender_read(const struct exchange *exchange, struct reader *reader, const uint8_t *data,
                    size_t data_length) {
  read_exactly(reader, "uu");
  uint64_t offset = read_u64(reader), length = read_u64(reader);
  if (!read_to_end(reader) || length > WIRE_DATA_MAX || offset > data_length ||
      length > data_length - offset)
    return false;

  struct message message;
  int slot = channel_lend(&module.connection.channel, data + offset, length);
  if (slot >= 0) {
    message_begin(&message, WIRE_CALL_LENT, "yu");
    message_u8(&message, (uint8_t)slot);
    message_u64(&message, length);
  } else {
    message_begin(&message, WIRE_CALL_READ, "a");
    message_u32(&message, (uint32_t)length);
    if (length > 0) message_splice(&message, data + offset, length);
  }
  message_seal(&message, exchange->code);
  connection_send(&module.connection, &message);
  message_end(&message);
  return true;
}

static void serve_read(struct call *call) {
  if (!surrender_read(&call->exchange, &call->reader, call->data, call->data_length))
    call_malformed(call);
}

static void serve_trace(struct call *call) {
  size_t length;
  read_exactly(&call->reader, "a");
  const uint8_t *line = read_bytes(&call->reader, &length);
  if (line == NULL || !read_to_end(&call->reader) || length > INT_MAX) {
    call_malformed(call);
    return;
  }
  log_line("%.*s", (int)length, (const char *)line);
  call->told = true;
}

void surrender_serve(struct call *call) {
  switch (read_u32(&call->reader)) {
    case WIRE_CALL_SURRENDER: serve_surrender(call); break;
    case WIRE_CALL_READ: serve_read(call); break;
    case WIRE_CALL_BACK: take_back(call); break;
    default: serve_trace(call);
  }
}
