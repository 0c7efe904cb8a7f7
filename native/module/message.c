#include "message.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"

/* Makes room for `more` bytes; the old place is overwritten before it is let go. */
static bool make_room(struct message *message, size_t more) {
  if (message->failed) return false;
  if (more > WIRE_HEADER + WIRE_BODY_MAX - message->used - message->splice_length) {
    message->failed = true;
    return false;
  }
  if (more <= message->size - message->used) return true;

  size_t size = message->size * 2;
  while (size - message->used < more) size *= 2;
  uint8_t *bytes = malloc(size);
  if (bytes == NULL) {
    message->failed = true;
    return false;
  }
  memcpy(bytes, message->bytes, message->used);
  explicit_bzero(message->bytes, message->used);
  if (message->bytes != message->first) free(message->bytes);
  message->bytes = bytes;
  message->size = size;
  return true;
}

void message_begin(struct message *message, uint32_t call, const char *signature) {
  message->bytes = message->first;
  message->size = sizeof message->first;
  message->used = WIRE_HEADER;
  message->failed = false;
  message->splice = NULL;
  message->splice_at = message->splice_length = 0;
  message_u32(message, call);
  message_bytes(message, signature, strlen(signature));
}

static void big_endian(uint8_t *to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

void message_u8(struct message *message, uint8_t value) {
  message_raw(message, &value, 1);
}

void message_u32(struct message *message, uint32_t value) {
  uint8_t bytes[4];
  big_endian(bytes, value, 4);
  message_raw(message, bytes, 4);
}

void message_u64(struct message *message, uint64_t value) {
  uint8_t bytes[8];
  big_endian(bytes, value, 8);
  message_raw(message, bytes, 8);
}

void message_raw(struct message *message, const void *bytes, size_t length) {
  if (length == 0 || !make_room(message, length)) return;
  memcpy(message->bytes + message->used, bytes, length);
  message->used += length;
}

void message_bytes(struct message *message, const void *bytes, size_t length) {
  if (bytes == NULL) {
    message_u32(message, WIRE_NULL);
    return;
  }
  if (length > WIRE_BODY_MAX) {
    message->failed = true;
    return;
  }
  message_u32(message, (uint32_t)length);
  message_raw(message, bytes, length);
}

void message_splice(struct message *message, const void *bytes, size_t length) {
  if (message->failed || length > WIRE_HEADER + WIRE_BODY_MAX - message->used) {
    message->failed = true;
    return;
  }
  message->splice = bytes;
  message->splice_at = message->used;
  message->splice_length = length;
}

size_t message_length(const struct message *message) {
  return message->used - WIRE_HEADER + message->splice_length;
}

bool message_seal(struct message *message, uint32_t code) {
  if (message->failed) return false;
  big_endian(message->bytes, code, 4);
  big_endian(message->bytes + 4, 0, 4);
  big_endian(message->bytes + 8, message_length(message), 4);
  return true;
}

void message_end(struct message *message) {
  explicit_bzero(message->bytes, message->used);
  if (message->bytes != message->first) free(message->bytes);
  message->bytes = message->first;
  message->used = 0;
}

uint32_t big_endian_u32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

const uint8_t *read_raw(struct reader *reader, size_t length) {
  if (reader->failed || length > (size_t)(reader->end - reader->at)) {
    reader->failed = true;
    return NULL;
  }
  const uint8_t *bytes = reader->at;
  reader->at += length;
  return bytes;
}

uint8_t read_u8(struct reader *reader) {
  const uint8_t *bytes = read_raw(reader, 1);
  return bytes == NULL ? 0 : *bytes;
}

uint32_t read_u32(struct reader *reader) {
  const uint8_t *bytes = read_raw(reader, 4);
  return bytes == NULL ? 0 : big_endian_u32(bytes);
}

uint64_t read_u64(struct reader *reader) {
  uint64_t high = read_u32(reader);
  return high << 32 | read_u32(reader);
}

const uint8_t *read_bytes(struct reader *reader, size_t *length) {
  uint32_t given = read_u32(reader);
  *length = 0;
  if (reader->failed || given == WIRE_NULL) return NULL;
  const uint8_t *bytes = read_raw(reader, given);
  if (bytes != NULL) *length = given;
  return bytes;
}

void read_exactly(struct reader *reader, const char *text) {
  size_t length;
  const uint8_t *bytes = read_bytes(reader, &length);
  if (bytes == NULL || length != strlen(text) || memcmp(bytes, text, length) != 0)
    reader->failed = true;
}

bool read_to_end(const struct reader *reader) {
  return !reader->failed && reader->at == reader->end;
}
