#include "marshal.h"

#include <string.h>

#include "module.h"
#include "wire.h"

#define LABEL_LENGTH 32

void want(struct call *call, const char *name, const void *pointer) {
  if (pointer == NULL) call_refuse(call, CKR_ARGUMENTS_BAD, name, "is NULL");
}

void want_null(struct call *call, const char *name, const void *pointer) {
  if (pointer != NULL) call_refuse(call, CKR_ARGUMENTS_BAD, name, "is not NULL");
}

/* Bytes with their length: a NULL pointer has none. */
static bool want_bytes(struct call *call, const char *name, const void *bytes, CK_ULONG length) {
  if (bytes == NULL && length > 0)
    call_refuse(call, CKR_ARGUMENTS_BAD, name, "is NULL and its length is not 0");
  return call_is_well(call);
}

void put_session(struct call *call, CK_SESSION_HANDLE session) {
  call->exchange.session = session;
  message_u64(&call->message, session);
}

void put_ulong(struct call *call, CK_ULONG value) {
  message_u64(&call->message, value);
}

void put_bool(struct call *call, CK_BBOOL value) {
  message_u8(&call->message, value != CK_FALSE);
}

void put_bytes(struct call *call, const char *name, const CK_BYTE *bytes, CK_ULONG length) {
  if (want_bytes(call, name, bytes, length)) message_bytes(&call->message, bytes, length);
}

void put_data(struct call *call, const char *name, const CK_BYTE *data, CK_ULONG length) {
  if (!want_bytes(call, name, data, length)) return;
  call->data = data;
  call->data_length = length;
  call->lent = length <= WIRE_DATA_MAX ? channel_lend(&module.connection.channel, data, length) : -1;
  message_u64(&call->message, length);
  if (call->lent >= 0) {
    message_u8(&call->message, WIRE_DATA_LENT);
    message_u8(&call->message, (uint8_t)call->lent);
    return;
  }
  bool here = length <= WIRE_DATA_MAX;
  message_u8(&call->message, here ? WIRE_DATA_HERE : WIRE_DATA_STAYS);
  call->reached |= !here;
  if (here && length > 0) message_splice(&call->message, data, length);
}

void put_text(struct call *call, const char *name, const CK_UTF8CHAR *text) {
  want(call, name, text);
  if (!call_is_well(call)) return;
  size_t length = strnlen((const char *)text, WIRE_TEXT_MAX + 1);
  if (length > WIRE_TEXT_MAX)
    call_refuse(call, CKR_ARGUMENTS_BAD, name, "has no end");
  else
    message_bytes(&call->message, text, length);
}

void put_label(struct call *call, const char *name, const CK_UTF8CHAR *label) {
  want(call, name, label);
  if (call_is_well(call)) message_raw(&call->message, label, LABEL_LENGTH);
}

/* What the caller gives for output: nothing, or room for so many elements. */
static void put_offer(struct call *call, const void *room, CK_ULONG count) {
  call->room_count = room == NULL ? 0 : count;
  message_u8(&call->message, room != NULL);
  message_u64(&call->message, call->room_count);
}

void put_room(struct call *call, const char *name, CK_BYTE_PTR room, CK_ULONG_PTR length) {
  want(call, name, length);
  if (!call_is_well(call)) return;
  put_offer(call, room, *length);
  call->exchange.room = room;
  call->exchange.room_length = call->room_count;
  call->reached |= call->room_count > WIRE_DATA_MAX;
}

void put_last_room(struct call *call, CK_BYTE_PTR room, const CK_ULONG *length) {
  call->room_count = room == NULL || length == NULL ? 0 : *length;
  message_u8(&call->message, length != NULL);
  message_u64(&call->message, call->room_count);
  call->exchange.room = room;
  call->exchange.room_length = call->room_count;
}

void put_fill(struct call *call, const char *name, CK_BYTE_PTR room, CK_ULONG length) {
  if (!want_bytes(call, name, room, length)) return;
  message_u64(&call->message, length);
  call->exchange.room = room;
  call->exchange.room_length = length;
  call->reached |= length > WIRE_DATA_MAX;
}

void put_list(struct call *call, const char *name, CK_ULONG_PTR list, CK_ULONG_PTR count) {
  want(call, name, count);
  if (call_is_well(call)) put_offer(call, list, *count);
}

void put_found(struct call *call, const char *name, const CK_ULONG *found, CK_ULONG most) {
  if (want_bytes(call, name, found, most)) message_u64(&call->message, most);
}

void get_ulong(struct call *call, CK_ULONG_PTR value) {
  if (!call_is_well(call)) return;
  CK_ULONG read = read_u64(&call->reader);
  if (call->reader.failed)
    call_malformed(call);
  else
    *value = read;
}

/* The length where only that was asked for, or where the room was too small. */
static void get_needed(struct call *call, const void *room, CK_ULONG_PTR length) {
  *length = read_u64(&call->reader);
  if (call->reader.failed)
    call_malformed(call);
  else if (room != NULL)
    call_fail(call, CKR_BUFFER_TOO_SMALL, NULL);
}

/* Words of a structure that are counted from its start become addresses where it lies. */
static bool get_pointers(struct reader *reader, CK_BYTE_PTR image, size_t length) {
  uint32_t count = read_u32(reader);
  for (uint32_t i = 0; i < count && !reader->failed; i++) {
    size_t at = read_u32(reader);
    uintptr_t word;
    if (length < sizeof word || at > length - sizeof word) return false;
    memcpy(&word, image + at, sizeof word);
    if (word > length) return false;
    word += (uintptr_t)image;
    memcpy(image + at, &word, sizeof word);
  }
  return !reader->failed;
}

bool get_filled(struct call *call, uint8_t form, CK_BYTE_PTR room, size_t most, size_t *filled) {
  struct reader *reader = &call->reader;
  const uint8_t *bytes = NULL;
  *filled = 0;
  if (form == 1 || form == 3) bytes = read_bytes(reader, filled);
  if (form == 2) *filled = read_u64(reader);
  if (form == 0 || form > 3 || reader->failed || *filled > most) return false;
  if (bytes != NULL && *filled > 0) memcpy(room, bytes, *filled);
  return form != 3 || get_pointers(reader, room, *filled);
}

void get_room(struct call *call, CK_BYTE_PTR room, CK_ULONG_PTR length) {
  if (!call_is_well(call)) return;
  uint8_t form = read_u8(&call->reader);
  size_t filled;
  if (form == 0)
    get_needed(call, room, length);
  else if (get_filled(call, form, room, call->room_count, &filled))
    *length = filled;
  else
    call_malformed(call);
}

void get_last_room(struct call *call, CK_BYTE_PTR room, CK_ULONG_PTR length) {
  CK_ULONG nobody_asked;
  get_room(call, room, length == NULL ? &nobody_asked : length);
}

void get_fill(struct call *call, CK_BYTE_PTR room, CK_ULONG length) {
  if (!call_is_well(call)) return;
  size_t filled;
  const uint8_t *bytes = read_bytes(&call->reader, &filled);
  if (call->reader.failed || (bytes != NULL && filled != length))
    call_malformed(call);
  else if (filled > 0)
    memcpy(room, bytes, filled);
}

/* A u32 count that `most` bounds, and a u64 each. */
static void get_elements(struct call *call, CK_ULONG_PTR list, CK_ULONG most, CK_ULONG_PTR count) {
  uint32_t given = read_u32(&call->reader);
  if (call->reader.failed || given > most) {
    call_malformed(call);
    return;
  }
  for (uint32_t i = 0; i < given; i++) list[i] = read_u64(&call->reader);
  *count = given;
  if (call->reader.failed) call_malformed(call);
}

void get_list(struct call *call, CK_ULONG_PTR list, CK_ULONG_PTR count) {
  if (!call_is_well(call)) return;
  uint8_t form = read_u8(&call->reader);
  if (form == 0)
    get_needed(call, list, count);
  else if (form == 1)
    get_elements(call, list, call->room_count, count);
  else
    call_malformed(call);
}

void get_found(struct call *call, CK_ULONG_PTR found, CK_ULONG most, CK_ULONG_PTR count) {
  if (call_is_well(call)) get_elements(call, found, most, count);
}
