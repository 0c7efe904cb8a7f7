#include "surrender.h"

#include <limits.h>

#include "log.h"
#include "module.h"
#include "parameter.h"
#include "sessions.h"
#include "wire.h"

bool surrender_is_request(const struct frame *frame) {
  uint32_t call = big_endian_u32(frame->body);
  return call == WIRE_CALL_SURRENDER || call == WIRE_CALL_READ || call == WIRE_CALL_BACK ||
         call == WIRE_CALL_TRACE;
}

/* Calls the callback of the session that the call works in. Without one the work goes on. */
static CK_RV notify(struct call *call, CK_SESSION_HANDLE session, CK_NOTIFICATION event) {
  CK_VOID_PTR application;
  CK_NOTIFY callback = session_notify(session, &application);
  if (callback == NULL) return CKR_OK;

  exchange_calls_back(&module.connection, &call->exchange, true);
  CK_RV rv = callback(session, event, application);
  if (module_is_still(call->generation))
    exchange_calls_back(&module.connection, &call->exchange, false);
  return rv;
}

static void serve_surrender(struct call *call) {
  read_exactly(&call->reader, "uuuuu");
  CK_SESSION_HANDLE session = read_u64(&call->reader);
  CK_NOTIFICATION event = read_u64(&call->reader);
  /* The progress, which CK_NOTIFY has no place for. */
  for (int i = 0; i < 3; i++) read_u64(&call->reader);
  if (!read_to_end(&call->reader) || session != call->exchange.session) {
    call_malformed(call);
    return;
  }

  CK_RV rv = notify(call, session, event);
  if (!module_is_still(call->generation)) return;

  struct message message;
  message_begin(&message, WIRE_CALL_SURRENDER, "u");
  message_u64(&message, rv);
  message_seal(&message, call->exchange.code);
  connection_send(&module.connection, &message);
  message_end(&message);
}

bool surrender_read(const struct exchange *exchange, struct reader *reader, const uint8_t *data,
                    size_t data_length) {
  read_exactly(reader, "uu");
  uint64_t offset = read_u64(reader), length = read_u64(reader);
  if (!read_to_end(reader) || length > WIRE_DATA_MAX || offset > data_length ||
      length > data_length - offset)
    return false;

  struct message message;
  message_begin(&message, WIRE_CALL_READ, "a");
  message_u32(&message, (uint32_t)length);
  if (length > 0) message_splice(&message, data + offset, length);
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
