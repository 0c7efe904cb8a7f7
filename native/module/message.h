/* Messages as bytes: one that grows while it is written, and a reader that never leaves its bounds. */
#ifndef SOFTOKI_MESSAGE_H
#define SOFTOKI_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A frame being written. Data of the caller may be spliced in once: it is sent from where it lies.
 * Nothing is written once `failed` (no memory, or longer than a body may be).
 */
struct message {
  uint8_t *bytes;
  size_t used, size;
  bool failed;
  const uint8_t *splice;
  size_t splice_at, splice_length;
  uint8_t first[1024];
};

/* Begins a frame: room for its header, then `u32 call`, `bytes signature`. */
void message_begin(struct message *message, uint32_t call, const char *signature);
void message_u8(struct message *message, uint8_t value);
void message_u32(struct message *message, uint32_t value);
void message_u64(struct message *message, uint64_t value);
void message_raw(struct message *message, const void *bytes, size_t length);
/* A u32 length and the bytes; NULL where `bytes` is. */
void message_bytes(struct message *message, const void *bytes, size_t length);
void message_splice(struct message *message, const void *bytes, size_t length);
/* Bytes of the body. */
size_t message_length(const struct message *message);
/* Writes the header; false where the message failed. */
bool message_seal(struct message *message, uint32_t code);
/* Overwrites what was written, which may have been a PIN or a key, and frees it. */
void message_end(struct message *message);

/* What is left to read. Once `failed` every value read is zero and every length 0. */
struct reader {
  const uint8_t *at, *end;
  bool failed;
};

uint8_t read_u8(struct reader *reader);
uint32_t read_u32(struct reader *reader);
uint64_t read_u64(struct reader *reader);
/* `length` bytes in place. */
const uint8_t *read_raw(struct reader *reader, size_t length);
/* A u32 length and the bytes in place; NULL with length 0 for a NULL pointer. */
const uint8_t *read_bytes(struct reader *reader, size_t *length);
/* `bytes` that must be this text. */
void read_exactly(struct reader *reader, const char *text);
/* Whether everything was read and nothing failed. */
bool read_to_end(const struct reader *reader);

uint32_t big_endian_u32(const uint8_t *bytes);

#endif
