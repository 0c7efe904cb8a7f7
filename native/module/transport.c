#include "transport.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "wait.h"
#include "wire.h"

/* How long the rest of a frame, or room for one, is looked for before the thread sleeps, in nanoseconds. */
#define LOOK_FOR_REST 50000

/* How long a thread that waits for room pauses while there are bytes to read, in milliseconds. */
#define PAUSE_AMID_BYTES 1

bool connection_has_channel(const struct connection *connection) {
  return connection->channel.memory != NULL;
}

/* The parts of the message, around its splice. */
static size_t gather(const struct message *message, struct iovec parts[3]) {
  size_t before = message->splice_length == 0 ? message->used : message->splice_at;
  parts[0] = (struct iovec){message->bytes, before};
  parts[1] = (struct iovec){(void *)(uintptr_t)message->splice, message->splice_length};
  parts[2] = (struct iovec){message->bytes + before, message->used - before};
  return before + message->splice_length + parts[2].iov_len;
}

static bool send_by_socket(int fd, struct iovec parts[3], size_t left) {
  struct msghdr header = {.msg_iov = parts, .msg_iovlen = 3};
  while (left > 0) {
    ssize_t sent = sendmsg(fd, &header, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    left -= (size_t)sent;
    while (sent > 0) {
      struct iovec *part = header.msg_iov;
      size_t taken = (size_t)sent < part->iov_len ? (size_t)sent : part->iov_len;
      part->iov_base = (uint8_t *)part->iov_base + taken;
      part->iov_len -= taken;
      sent -= (ssize_t)taken;
      if (part->iov_len == 0 && header.msg_iovlen > 1) {
        header.msg_iov++;
        header.msg_iovlen--;
      }
    }
  }
  return true;
}

/* Says that a bell was heard, or the end. The table is locked. */
static void heard(struct connection *connection) {
  connection->listened = false;
  atomic_fetch_add(&connection->rung, 1);
  wake_all(&connection->rung);
}

/*
 * Sleeps until the service rings, or what is waited for is there. One thread listens at the socket; for
 * others it counts the bells. The table is locked before and after. The service is asked to ring before it
 * is released: another thread may lead then, and hand over what this one waits for, but not unheard.
 * False at the end of the socket.
 */
bool connection_wait_for_bell(struct connection *connection, enum waiting waiting) {
  bool listens = !connection->listened, alive = true;
  uint32_t rung = atomic_load(&connection->rung);
  if (channel_ask(&connection->channel, waiting)) return true;
  connection->listened = true;
  lock_release(&connection->table);
  if (listens)
    alive = channel_sleep(connection->fd);
  else
    wait_while(&connection->rung, rung);
  lock_take(&connection->table);
  if (!listens) return !atomic_load(&connection->broken);
  heard(connection);
  return alive;
}

static uint64_t patience_for_rest(const struct connection *connection) {
  return connection->may_look ? LOOK_FOR_REST : 0;
}

/*
 * Bytes that nobody reads keep the one that writes from sleeping: it pauses, so that others come to read
 * them, and sees whether the service is gone.
 */
static bool ends_amid_bytes(const struct connection *connection) {
  const struct channel *channel = &connection->channel;
  struct pollfd end = {.fd = connection->fd, .events = POLLRDHUP};
  if (!channel_is_ready(channel) || channel_look_for_room(channel, &connection->broken, 0)) return false;
  return poll(&end, 1, PAUSE_AMID_BYTES) > 0;
}

/* The service makes room as soon as it comes to it. Whoever is waited for meanwhile may listen after this. */
static bool wait_for_room(struct connection *connection) {
  struct channel *channel = &connection->channel;
  channel_publish(channel, connection->fd);
  if (channel_look_for_room(channel, &connection->broken, patience_for_rest(connection))) return true;
  lock_take(&connection->table);
  bool alive = connection_wait_for_bell(connection, FOR_ROOM);
  connection_pass_the_lead(connection);
  lock_release(&connection->table);
  return alive && !ends_amid_bytes(connection);
}

static bool write_by_channel(struct connection *connection, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    size_t written = channel_write(&connection->channel, bytes, length);
    bytes += written;
    length -= written;
    if (written == 0 && !wait_for_room(connection)) return false;
  }
  return true;
}

static bool send_by_channel(struct connection *connection, const struct iovec parts[3]) {
  for (int i = 0; i < 3; i++)
    if (!write_by_channel(connection, parts[i].iov_base, parts[i].iov_len)) return false;
  channel_publish(&connection->channel, connection->fd);
  return true;
}

void connection_send(struct connection *connection, const struct message *message) {
  struct iovec parts[3];
  size_t length = gather(message, parts);
  lock_take(&connection->sending);
  bool sent = connection_has_channel(connection) ? send_by_channel(connection, parts)
                                      : send_by_socket(connection->fd, parts, length);
  if (!sent) connection_break(connection);
  lock_release(&connection->sending);
}

/* Some bytes from the socket; 0 at its end or after an error. */
static size_t receive(const struct connection *connection, uint8_t *to, size_t length) {
  for (;;) {
    ssize_t got = recv(connection->fd, to, length, 0);
    if (got >= 0) return (size_t)got;
    if (errno != EINTR) return 0;
  }
}

static bool wait_for_rest(struct connection *connection) {
  struct channel *channel = &connection->channel;
  while (!channel_look(channel, &connection->broken, patience_for_rest(connection))) {
    lock_take(&connection->table);
    bool alive = connection_wait_for_bell(connection, FOR_BYTES);
    lock_release(&connection->table);
    if (!alive && !channel_is_ready(channel)) return false;
  }
  return true;
}

/* Exactly `length` bytes of the channel: the service is writing the rest of a frame. */
static bool take_shared(struct connection *connection, uint8_t *to, size_t length) {
  while (length > 0) {
    if (!wait_for_rest(connection)) return false;
    size_t got = channel_read(&connection->channel, connection->fd, to, length);
    if (got == 0) return false;
    to += got;
    length -= got;
  }
  return true;
}

/* Exactly `length` bytes, first what was read ahead. Small pieces are read by way of the input. */
static bool take_read(struct connection *connection, uint8_t *to, size_t length) {
  while (length > 0) {
    size_t ready = connection->input_end - connection->input_at;
    if (ready == 0 && length >= sizeof connection->input) {
      size_t got = receive(connection, to, length);
      if (got == 0) return false;
      to += got;
      length -= got;
      continue;
    }
    if (ready == 0) {
      connection->input_at = 0;
      connection->input_end = receive(connection, connection->input, sizeof connection->input);
      if (connection->input_end == 0) return false;
      continue;
    }
    size_t taken = ready < length ? ready : length;
    memcpy(to, connection->input + connection->input_at, taken);
    explicit_bzero(connection->input + connection->input_at, taken);
    connection->input_at += taken;
    to += taken;
    length -= taken;
  }
  return true;
}

static bool take_input(struct connection *connection, uint8_t *to, size_t length) {
  return connection_has_channel(connection) ? take_shared(connection, to, length)
                                 : take_read(connection, to, length);
}

/* Reads one frame; NULL where the connection ended or the frame breaks a bound. */
struct frame *connection_read_frame(struct connection *connection, uint32_t *code) {
  uint8_t header[WIRE_HEADER], options[WIRE_OPTIONS_MAX];
  if (!take_input(connection, header, sizeof header)) return NULL;
  *code = big_endian_u32(header);
  uint32_t skipped = big_endian_u32(header + 4), length = big_endian_u32(header + 8);
  if (skipped > sizeof options || length > WIRE_BODY_MAX) return NULL;
  if (!take_input(connection, options, skipped)) return NULL;

  struct frame *frame = malloc(sizeof *frame + length);
  if (frame == NULL) return NULL;
  frame->next = NULL;
  frame->length = length;
  if (take_input(connection, frame->body, length)) return frame;
  frame_free(frame);
  return NULL;
}
