#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "wire.h"

#define LINE 64

struct ring {
  /* Bytes read so far, modulo 2^32; the reader's. Bytes written; the writer's. */
  _Alignas(LINE) _Atomic uint32_t read;
  _Alignas(LINE) _Atomic uint32_t written;
  /* 1 while the reader sleeps, or the writer waits for room: who takes it away wakes him. */
  _Alignas(LINE) _Atomic uint32_t asleep;
  /* Beside it, 1 more than the number of the processor that the reader last looked on; 0: unknown. */
  _Atomic uint32_t processor;
  _Alignas(LINE) _Atomic uint32_t blocked;
};

struct claim {
  _Alignas(LINE) _Atomic uint32_t is_claimed;
};

/* A page holds the words of the rings and of the slots; of each, those to the service come first. */
#define RINGS 4096
#define SMALLEST_RING 4096u
#define LARGEST_RING (16u << 20)
#define SLOTS_MAX 8
#define LARGEST_SLOT (16u << 20)

/* Fewer bytes travel with their message. */
#define LEAST_LENT (16u << 10)

/* What is shorter may be a PIN or a key, and is overwritten once it was read. */
#define LONGEST_WIPED (16u << 10)

/* So often the loop relaxes between two looks, and looks between two of the clock. */
#define RELAXES 2
#define LOOKS 8

static uint64_t now_in_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Tells the processor that this is a loop which waits. */
static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void ring_bell(int fd) {
  static const uint8_t bell = 1;
  while (send(fd, &bell, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

/* Takes a flag of the other end away, and wakes him where it was set. */
static void wake(_Atomic uint32_t *flag, int fd) {
  if (atomic_load(flag) != 0 && atomic_exchange(flag, 0) != 0) ring_bell(fd);
}

/* What the service offers. */
struct offer {
  uint64_t ring, slots, slot;
};

static bool makes_sense(const struct offer *offer) {
  return offer->ring >= SMALLEST_RING && offer->ring <= LARGEST_RING &&
         (offer->ring & (offer->ring - 1)) == 0 && offer->slots <= SLOTS_MAX &&
         offer->slot <= LARGEST_SLOT;
}

static void lay_out(struct channel *channel, uint8_t *place, const struct offer *offer) {
  struct ring *rings = (struct ring *)(void *)place;
  struct claim *claims = (struct claim *)(void *)(rings + 2);
  uint8_t *slots = place + RINGS + 2 * offer->ring;
  channel->memory = place;
  channel->size = (uint32_t)offer->ring;
  channel->out = &rings[0];
  channel->in = &rings[1];
  channel->out_bytes = place + RINGS;
  channel->in_bytes = channel->out_bytes + offer->ring;
  channel->slots = (uint32_t)offer->slots;
  channel->slot_size = offer->slot;
  channel->out_claims = claims;
  channel->in_claims = claims + offer->slots;
  channel->out_slots = slots;
  channel->in_slots = slots + offer->slots * offer->slot;
}

/* Memory that shrinks would end the program with SIGBUS. */
static bool stays_as_long(int memory) {
  int seals = fcntl(memory, F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
}

static bool use(struct channel *channel, int memory, const struct offer *offer) {
  struct stat status;
  if (!makes_sense(offer)) return false;
  channel->length = RINGS + 2 * offer->ring + 2 * offer->slots * offer->slot;
  if (fstat(memory, &status) != 0 || status.st_size < (off_t)channel->length) return false;
  if (!stays_as_long(memory)) return false;
  void *place = mmap(NULL, channel->length, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (place == MAP_FAILED) return false;
  madvise(place, channel->length, MADV_DONTDUMP);
  lay_out(channel, place, offer);
  return true;
}

void channel_close(struct channel *channel) {
  if (channel->memory != NULL) munmap(channel->memory, channel->length);
  *channel = (struct channel){.memory = NULL};
}

static bool send_all(int fd, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes += sent;
    length -= (size_t)sent;
  }
  return true;
}

/* Some bytes, and the one descriptor that may come with them. 0 at the end, or after an error. */
static size_t receive(int fd, uint8_t *to, size_t length, int *descriptor) {
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec part = {to, length};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = CMSG_LEN(sizeof *descriptor)};
  ssize_t got;
  do got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got <= 0) return 0;
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
      head->cmsg_len == CMSG_LEN(sizeof *descriptor)) {
    if (*descriptor >= 0) close(*descriptor);
    memcpy(descriptor, CMSG_DATA(head), sizeof *descriptor);
  }
  return (size_t)got;
}

static bool receive_all(int fd, uint8_t *to, size_t length, int *descriptor) {
  while (length > 0) {
    size_t got = receive(fd, to, length, descriptor);
    if (got == 0) return false;
    to += got;
    length -= got;
  }
  return true;
}

/* Codes of frames before there are calls. */
enum { CODE = 1 };

static bool send_message(int fd, uint32_t call, const char *signature, int value) {
  struct message message;
  message_begin(&message, call, signature);
  if (value >= 0) message_u8(&message, (uint8_t)value);
  bool sent = message_seal(&message, CODE) && send_all(fd, message.bytes, message.used);
  message_end(&message);
  return sent;
}

/* The answer to the question for memory; rings of 0 bytes: there is none. */
static bool receive_offer(int fd, struct offer *offer, int *descriptor) {
  enum { BODY = 4 + 4 + 3 + 3 * 8 };
  uint8_t bytes[WIRE_HEADER + BODY];
  if (!receive_all(fd, bytes, sizeof bytes, descriptor)) return false;
  struct reader reader = {bytes + WIRE_HEADER, bytes + sizeof bytes, false};
  uint32_t call = read_u32(&reader);
  read_exactly(&reader, "uuu");
  *offer = (struct offer){.ring = read_u64(&reader)};
  offer->slots = read_u64(&reader);
  offer->slot = read_u64(&reader);
  return big_endian_u32(bytes) == CODE && call == WIRE_CALL_OFFER && read_to_end(&reader);
}

/* Whoever asks for none with SOFTOKI_SHARED_MEMORY=0 has the socket alone. */
static bool is_wanted(void) {
  const char *text = secure_getenv("SOFTOKI_SHARED_MEMORY");
  return text == NULL || strcmp(text, "0") != 0;
}

bool channel_open(struct channel *channel, int fd) {
  int descriptor = -1;
  struct offer offer;
  *channel = (struct channel){.memory = NULL};
  if (!is_wanted()) return true;
  if (!send_message(fd, WIRE_CALL_OFFER, "", -1)) return false;
  bool well = receive_offer(fd, &offer, &descriptor);
  bool used = well && offer.ring > 0 && descriptor >= 0 && use(channel, descriptor, &offer);
  if (descriptor >= 0) close(descriptor);
  /* Where none was offered, nobody waits to hear whether it is used. */
  return well && (offer.ring == 0 || send_message(fd, WIRE_CALL_SHARE, "y", used));
}

static uint32_t read_so_far(const struct channel *channel) {
  return atomic_load_explicit(&channel->read, memory_order_relaxed);
}

bool channel_is_ready(const struct channel *channel) {
  return atomic_load(&channel->in->written) != read_so_far(channel);
}

/* Bytes there is room for; more than a ring where the service lies. */
static uint32_t room(const struct channel *channel) {
  return channel->size - (channel->written - atomic_load(&channel->out->read));
}

static bool has_room(const struct channel *channel) {
  return room(channel) != 0;
}

/*
 * Waits for a moment. Where the service looks on this very processor it cannot do so meanwhile, and gets
 * it; the system then moves one of the two, since both want to run.
 */
static void wait_a_moment(const struct channel *channel) {
  uint32_t here = (uint32_t)sched_getcpu() + 1;
  atomic_store_explicit(&channel->in->processor, here, memory_order_relaxed);
  if (atomic_load_explicit(&channel->out->processor, memory_order_relaxed) == here)
    sched_yield();
  else
    for (int i = 0; i < RELAXES; i++) relax();
}

static bool look(const struct channel *channel, bool (*is_there)(const struct channel *),
                 const atomic_bool *broken, uint64_t nanoseconds) {
  if (is_there(channel)) return true;
  if (nanoseconds == 0) return false;
  uint64_t until = now_in_nanoseconds() + nanoseconds;
  do
    for (int i = 0; i < LOOKS; i++) {
      wait_a_moment(channel);
      if (is_there(channel)) return true;
      if (atomic_load_explicit(broken, memory_order_relaxed)) return false;
    }
  while (now_in_nanoseconds() < until);
  return false;
}

bool channel_look(const struct channel *channel, const atomic_bool *broken, uint64_t nanoseconds) {
  return look(channel, channel_is_ready, broken, nanoseconds);
}

bool channel_look_for_room(const struct channel *channel, const atomic_bool *broken,
                           uint64_t nanoseconds) {
  return look(channel, has_room, broken, nanoseconds);
}

/* Only the service takes the flags away, and rings then: a bell too many is heard, none is missed. */
bool channel_ask(const struct channel *channel, enum waiting waiting) {
  atomic_store(&channel->in->asleep, 1);
  if (waiting == FOR_ROOM) atomic_store(&channel->out->blocked, 1);
  return channel_is_ready(channel) || (waiting == FOR_ROOM && has_room(channel));
}

bool channel_sleep(int fd) {
  uint8_t bells[64];
  ssize_t got;
  do got = recv(fd, bells, sizeof bells, 0);
  while (got < 0 && errno == EINTR);
  return got > 0;
}

static size_t least(size_t one, size_t other) {
  return one < other ? one : other;
}

size_t channel_read(struct channel *channel, int fd, uint8_t *to, size_t length) {
  uint32_t read = read_so_far(channel), at = read & (channel->size - 1);
  uint32_t there = atomic_load(&channel->in->written) - read;
  if (there > channel->size) return 0;
  size_t taken = least(least(there, length), channel->size - at);
  memcpy(to, channel->in_bytes + at, taken);
  if (taken <= LONGEST_WIPED) memset(channel->in_bytes + at, 0, taken);
  read += (uint32_t)taken;
  atomic_store_explicit(&channel->read, read, memory_order_relaxed);
  atomic_store(&channel->in->read, read);
  wake(&channel->in->blocked, fd);
  return taken;
}

size_t channel_write(struct channel *channel, const void *bytes, size_t length) {
  uint32_t at = channel->written & (channel->size - 1);
  size_t taken = least(least(room(channel), length), channel->size);
  size_t first = least(taken, channel->size - at);
  if (taken == 0) return 0;
  memcpy(channel->out_bytes + at, bytes, first);
  memcpy(channel->out_bytes, (const uint8_t *)bytes + first, taken - first);
  channel->written += (uint32_t)taken;
  return taken;
}

void channel_publish(struct channel *channel, int fd) {
  atomic_store(&channel->out->written, channel->written);
  wake(&channel->out->asleep, fd);
}

int channel_lend(struct channel *channel, const void *bytes, size_t length) {
  if (channel->memory == NULL || length < LEAST_LENT || length > channel->slot_size) return -1;
  for (uint32_t slot = 0; slot < channel->slots; slot++) {
    if (atomic_exchange(&channel->out_claims[slot].is_claimed, 1) != 0) continue;
    memcpy(channel->out_slots + slot * channel->slot_size, bytes, length);
    return (int)slot;
  }
  return -1;
}

void channel_take_back(struct channel *channel, int slot) {
  atomic_store(&channel->out_claims[slot].is_claimed, 0);
}

const uint8_t *channel_borrow(const struct channel *channel, uint32_t slot, uint64_t length) {
  if (channel->memory == NULL || slot >= channel->slots || length > channel->slot_size) return NULL;
  return channel->in_slots + slot * channel->slot_size;
}

void channel_give_back(struct channel *channel, uint32_t slot) {
  atomic_store(&channel->in_claims[slot].is_claimed, 0);
}
