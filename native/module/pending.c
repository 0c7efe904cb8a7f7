#include "pending.h"

#include "marshal.h"
#include "sessions.h"
#include "wire.h"

void pending_begun(struct call *call) {
  if (call->rv == CKR_PENDING)
    session_keep_room(call->exchange.session, call->exchange.room, call->exchange.room_length);
}

void put_async_data(struct call *call, const char *name, const CK_ASYNC_DATA *result) {
  if (result != NULL && result->ulVersion != 0)
    call_refuse(call, CKR_ARGUMENTS_BAD, name, "has another version than 0");
  if (!call_is_well(call)) return;
  message_u8(&call->message, result != NULL);
  call->exchange.room = session_room(call->exchange.session, &call->exchange.room_length);
}

/* Output for the buffer that the function was called with. */
static void get_value(struct call *call, CK_ASYNC_DATA *result) {
  struct exchange *exchange = &call->exchange;
  size_t filled = 0;
  uint8_t form = read_u8(&call->reader);
  if (form == 0) filled = read_u64(&call->reader);
  bool fits = form == 0 ? !call->reader.failed
                        : exchange->room != NULL && get_filled(call, form, exchange->room,
                                                               exchange->room_length, &filled);
  if (result == NULL || !fits) {
    call_malformed(call);
    return;
  }
  result->ulValue = filled;
  if (form == 0) call_fail(call, CKR_BUFFER_TOO_SMALL, NULL);
}

void get_async_data(struct call *call, CK_ASYNC_DATA *result) {
  if (result != NULL && call->rv != CKR_PENDING) result->pValue = call->exchange.room;
  if (!call_is_well(call)) return;
  if (result != NULL) result->ulValue = 0;
  if (read_u8(&call->reader) != 0) get_value(call, result);
  CK_OBJECT_HANDLE object = read_u64(&call->reader), additional = read_u64(&call->reader);
  if (call->reader.failed) call_malformed(call);
  if (result == NULL || !call_is_well(call)) return;
  result->hObject = object;
  result->hAdditionalObject = additional;
}

void put_async_room(struct call *call, const char *name, CK_BYTE_PTR room, CK_ULONG length) {
  (void)name;
  message_u8(&call->message, room != NULL);
  message_u64(&call->message, room == NULL ? 0 : length);
}

void pending_joined(struct call *call, CK_BYTE_PTR room, CK_ULONG length) {
  if (call_is_well(call)) session_keep_room(call->exchange.session, room, room == NULL ? 0 : length);
}
