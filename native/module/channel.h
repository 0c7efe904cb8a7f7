/*
 * Memory shared with the service, in place of the socket (docs/WIRE.md, "Channel"): two rings of bytes.
 * Who finds nothing to read, or no room to write, looks again for a while and sleeps then; the service
 * wakes it by a byte on the socket.
 */
#ifndef SOFTOKI_CHANNEL_H
#define SOFTOKI_CHANNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One direction; each word in a cache line of its own. And whether a slot is claimed. */
struct ring;
struct claim;

struct channel {
  /* NULL: there is none, and the socket carries all. */
  uint8_t *memory;
  size_t length;
  /* Bytes of a ring, a power of two. */
  uint32_t size;
  struct ring *in, *out;
  uint8_t *in_bytes, *out_bytes;
  /* Bytes read and written so far, modulo 2^32. Who listens looks at what the leader has read. */
  _Atomic uint32_t read;
  uint32_t written;
  /* Slots for long data: how many each way, and bytes of one. Whoever fills it claims it. */
  uint32_t slots;
  size_t slot_size;
  struct claim *in_claims, *out_claims;
  uint8_t *in_slots, *out_slots;
};

/* Asks the service for memory, before anything else is asked; false where the connection broke. */
bool channel_open(struct channel *channel, int fd);
void channel_close(struct channel *channel);

/* Whether there is something to read; true as well where what there is cannot be. */
bool channel_is_ready(const struct channel *channel);
/*
 * Looks for something to read for so many nanoseconds at most, or until `broken` is set. False where
 * nothing came.
 */
bool channel_look(const struct channel *channel, const atomic_bool *broken, uint64_t nanoseconds);
/* What a thread waits for: bytes to read, or room to write as well. */
enum waiting { FOR_BYTES, FOR_ROOM };
/* The service rings from now on once there is what is waited for; true where it is there already. */
bool channel_ask(const struct channel *channel, enum waiting waiting);
/* Sleeps until the service rings. False at the end of the socket. */
bool channel_sleep(int fd);
/* Reads what is there, up to `length` bytes; 0 where nothing is, or what makes no sense. */
size_t channel_read(struct channel *channel, int fd, uint8_t *to, size_t length);
/* Writes up to `length` bytes, as many as there is room for; `channel_publish` shows them. */
size_t channel_write(struct channel *channel, const void *bytes, size_t length);
/* Looks for room as channel_look does for something to read. */
bool channel_look_for_room(const struct channel *channel, const atomic_bool *broken,
                           uint64_t nanoseconds);
/* Puts bytes into a slot for the service; -1 where none is free, or they are too few or too many. */
int channel_lend(struct channel *channel, const void *bytes, size_t length);
/* Frees such a slot, of which the service was not told. */
void channel_take_back(struct channel *channel, int slot);
/* What lies in a slot of the service's, NULL where there is none of so many bytes; it is freed then. */
const uint8_t *channel_borrow(const struct channel *channel, uint32_t slot, uint64_t length);
void channel_give_back(struct channel *channel, uint32_t slot);

/* Shows the service what was written, and wakes it. */
void channel_publish(struct channel *channel, int fd);

#endif
