#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "wait.h"
#include "wire.h"

/* A service that sends more than this before an answer is confused. */
#define QUEUED_MAX 16

/* Calls that do not wait, of callbacks and of C_Finalize, have these left. */
#define CALLS_RESERVED 128

/* How long the rest of a frame, or room for one, is looked for before the thread sleeps, in nanoseconds. */
#define LOOK_FOR_REST 50000

/* How long a thread that waits for room pauses while there are bytes to read, in milliseconds. */
#define PAUSE_AMID_BYTES 1

static bool has_processors(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1;
}

bool connection_open(struct connection *connection, int fd) {
  struct stat status;
  connection->fd = fd;
  connection->inode = fstat(fd, &status) == 0 ? status.st_ino : 0;
  connection->exchanges = NULL;
  connection->led = connection->listened = connection->dead = false;
  atomic_store(&connection->broken, false);
  connection->under_way = 0;
  connection->bytes_under_way = 0;
  atomic_store(&connection->over, 0);
  connection->input_at = connection->input_end = 0;
  connection->may_look = has_processors();
  return channel_open(&connection->channel, fd);
}

static bool has_channel(const struct connection *connection) {
  return connection->channel.memory != NULL;
}

bool connection_may_look(const struct connection *connection) {
  return has_channel(connection) && connection->may_look;
}

void connection_close(struct connection *connection) {
  struct stat status;
  if (connection->fd >= 0 && fstat(connection->fd, &status) == 0 && S_ISSOCK(status.st_mode) &&
      status.st_ino == connection->inode)
    close(connection->fd);
  connection->fd = -1;
  channel_close(&connection->channel);
}

void connection_break(struct connection *connection) {
  atomic_store(&connection->broken, true);
  shutdown(connection->fd, SHUT_RDWR);
}

void frame_free(struct frame *frame) {
  if (frame == NULL) return;
  explicit_bzero(frame->body, frame->length);
  free(frame);
}

static struct exchange *find(struct connection *connection, uint32_t code) {
  struct exchange *at = connection->exchanges;
  while (at != NULL && at->code != code) at = at->next;
  return at;
}

/* The table is locked. */
static bool is_in_callback(const struct connection *connection) {
  const struct exchange *at = connection->exchanges;
  while (at != NULL && !(at->in_callback && pthread_equal(at->thread, pthread_self())))
    at = at->next;
  return at != NULL;
}

static bool is_full(const struct connection *connection, size_t size) {
  return connection->under_way >= WIRE_CALLS_MAX - CALLS_RESERVED ||
         (connection->under_way > 0 && connection->bytes_under_way + size > WIRE_REQUESTS_MAX);
}

/* The table is locked before and after. */
static void wait_for_others(struct connection *connection, size_t size) {
  while (is_full(connection, size) && !connection->dead) {
    uint32_t ended = atomic_load(&connection->ended);
    lock_release(&connection->table);
    wait_while(&connection->ended, ended);
    lock_take(&connection->table);
  }
}

void exchange_begin(struct connection *connection, struct exchange *exchange, size_t size,
                    bool waits) {
  exchange->size = size;
  exchange->thread = pthread_self();
  exchange->first = exchange->last = NULL;
  exchange->queued = 0;
  exchange->kept = exchange->over = false;
  atomic_init(&exchange->asleep, 0);

  lock_take(&connection->table);
  if (waits && !is_in_callback(connection)) wait_for_others(connection, size);
  do connection->last_code++;
  while (connection->last_code == 0 || find(connection, connection->last_code) != NULL);
  exchange->code = connection->last_code;
  exchange->next = connection->exchanges;
  connection->exchanges = exchange;
  connection->under_way++;
  connection->bytes_under_way += size;
  lock_release(&connection->table);
}

static struct exchange **place_of(struct connection *connection, const struct exchange *exchange) {
  struct exchange **at = &connection->exchanges;
  while (*at != NULL && *at != exchange) at = &(*at)->next;
  return at;
}

/* The table is locked. What is counted once is seen off once. */
static void mark_over(struct connection *connection, struct exchange *exchange) {
  if (exchange->kept && !exchange->over) atomic_fetch_add(&connection->over, 1);
  exchange->over = true;
}

void exchange_keep(struct connection *connection, struct exchange *from, struct exchange *to) {
  bool over = from->over || connection->dead;
  *to = *from;
  struct exchange **at = place_of(connection, from);
  if (*at != NULL) *at = to;
  from->first = from->last = NULL;
  to->kept = true;
  to->over = false;
  if (over) mark_over(connection, to);
}

void exchange_end(struct connection *connection, struct exchange *exchange) {
  lock_take(&connection->table);
  mark_over(connection, exchange);
  struct exchange **at = place_of(connection, exchange);
  if (*at != NULL) *at = exchange->next;
  bool was_full = is_full(connection, WIRE_BODY_MAX);
  connection->under_way--;
  connection->bytes_under_way -= exchange->size;
  atomic_fetch_add(&connection->ended, 1);
  lock_release(&connection->table);
  if (was_full) wake_all(&connection->ended);

  while (exchange->first != NULL) {
    struct frame *frame = exchange->first;
    exchange->first = frame->next;
    frame_free(frame);
  }
}

void exchange_calls_back(struct connection *connection, struct exchange *exchange, bool does) {
  lock_take(&connection->table);
  exchange->in_callback = does;
  lock_release(&connection->table);
}

bool exchange_within(struct connection *connection, bool (*matches)(CK_SESSION_HANDLE, CK_ULONG),
                     CK_ULONG wanted) {
  bool within = false;
  lock_take(&connection->table);
  for (struct exchange *at = connection->exchanges; at != NULL && !within; at = at->next)
    within = at->in_callback && pthread_equal(at->thread, pthread_self()) &&
             matches(at->session, wanted);
  lock_release(&connection->table);
  return within;
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

static void wake(struct exchange *exchange) {
  atomic_store(&exchange->asleep, 0);
  wake_all(&exchange->asleep);
}

/* The thread that goes wakes one that sleeps, which then leads; one that listens is woken by the service. */
static void pass_the_lead(struct connection *connection) {
  if (connection->led || connection->listened || connection->dead) return;
  for (struct exchange *at = connection->exchanges; at != NULL; at = at->next)
    if (atomic_load(&at->asleep)) {
      wake(at);
      return;
    }
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
static bool wait_for_bell(struct connection *connection, enum waiting waiting) {
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
  bool alive = wait_for_bell(connection, FOR_ROOM);
  pass_the_lead(connection);
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
  bool sent = has_channel(connection) ? send_by_channel(connection, parts)
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
    bool alive = wait_for_bell(connection, FOR_BYTES);
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
  return has_channel(connection) ? take_shared(connection, to, length)
                                 : take_read(connection, to, length);
}

/* Reads one frame; NULL where the connection ended or the frame breaks a bound. */
static struct frame *read_frame(struct connection *connection, uint32_t *code) {
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

/* Copies the bytes of a PUT into the caller's room; false where they would not lie within it. */
static bool put(struct exchange *exchange, const struct frame *frame) {
  struct reader reader = {frame->body, frame->body + frame->length, false};
  size_t length;
  read_u32(&reader);
  read_exactly(&reader, "ua");
  uint64_t offset = read_u64(&reader);
  const uint8_t *bytes = read_bytes(&reader, &length);
  if (!read_to_end(&reader) || bytes == NULL || offset > exchange->room_length ||
      length > exchange->room_length - offset)
    return false;
  if (length > 0) memcpy(exchange->room + offset, bytes, length);
  return true;
}

/* The same for bytes that lie in a slot of the channel, which is free then. */
static bool take(struct connection *connection, struct exchange *exchange,
                 const struct frame *frame) {
  struct reader reader = {frame->body, frame->body + frame->length, false};
  read_u32(&reader);
  read_exactly(&reader, "uyu");
  uint64_t offset = read_u64(&reader);
  uint8_t slot = read_u8(&reader);
  uint64_t length = read_u64(&reader);
  if (!read_to_end(&reader)) return false;
  const uint8_t *bytes = channel_borrow(&connection->channel, slot, length);
  if (bytes == NULL || offset > exchange->room_length || length > exchange->room_length - offset)
    return false;
  if (length > 0) memcpy(exchange->room + offset, bytes, length);
  channel_give_back(&connection->channel, slot);
  return true;
}

/*
 * Hands a frame to its exchange; the table is locked. The END of one is noted before any frame after
 * it is handed on. A PUT is carried out at once, so that a long
 * row of them needs no memory: the caller cannot leave before its answer is delivered.
 */
static bool deliver(struct connection *connection, struct frame *frame, uint32_t code) {
  struct exchange *exchange = find(connection, code);
  if (exchange == NULL || frame->length < 4) {
    frame_free(frame);
    return false;
  }
  uint32_t call = big_endian_u32(frame->body);
  if (call == WIRE_CALL_PUT || call == WIRE_CALL_TAKE) {
    bool within =
        call == WIRE_CALL_PUT ? put(exchange, frame) : take(connection, exchange, frame);
    frame_free(frame);
    return within;
  }
  if (exchange->queued == QUEUED_MAX) {
    frame_free(frame);
    return false;
  }
  if (call == WIRE_CALL_END) mark_over(connection, exchange);
  if (exchange->first == NULL)
    exchange->first = frame;
  else
    exchange->last->next = frame;
  exchange->last = frame;
  exchange->queued++;
  if (atomic_load(&exchange->asleep)) wake(exchange);
  return true;
}

/* The table is locked. */
static void die(struct connection *connection) {
  connection_break(connection);
  connection->dead = true;
  for (struct exchange *at = connection->exchanges; at != NULL; at = at->next) {
    mark_over(connection, at);
    if (atomic_load(&at->asleep)) wake(at);
  }
}

/* Reads one frame as the leader; the table is locked before and after, not meanwhile. */
static void lead(struct connection *connection) {
  uint32_t code = 0;
  connection->led = true;
  lock_release(&connection->table);
  struct frame *frame = read_frame(connection, &code);
  lock_take(&connection->table);
  connection->led = false;
  if (frame == NULL || !deliver(connection, frame, code)) die(connection);
}

/*
 * Looks for a frame as the leader, as long as the exchange has patience, and reads it; false where none
 * came. The table is locked before and after.
 */
static bool look(struct connection *connection, struct exchange *exchange) {
  connection->led = true;
  lock_release(&connection->table);
  bool came = channel_look(&connection->channel, &connection->broken, exchange->patience);
  lock_take(&connection->table);
  connection->led = false;
  if (came)
    lead(connection);
  else
    exchange->patience = 0;
  return came;
}

/* Sleeps on the socket until the service rings. The table is locked before and after. */
static void listen_for_bell(struct connection *connection) {
  bool alive = wait_for_bell(connection, FOR_BYTES);
  if (!alive && !channel_is_ready(&connection->channel)) die(connection);
}

/* Sleeps until a frame was handed to the exchange, or the lead. The table is locked before and after. */
static void doze(struct connection *connection, struct exchange *exchange) {
  atomic_store(&exchange->asleep, 1);
  lock_release(&connection->table);
  wait_while(&exchange->asleep, 1);
  lock_take(&connection->table);
  atomic_store(&exchange->asleep, 0);
}

/* One step on the way to the next frame of the exchange. The table is locked before and after. */
static void wait_for_frame(struct connection *connection, struct exchange *exchange) {
  if (connection->led)
    doze(connection, exchange);
  else if (!has_channel(connection))
    lead(connection);
  else if (look(connection, exchange) || exchange->first != NULL || connection->dead)
    return;
  else if (connection->led || connection->listened)
    doze(connection, exchange);
  else
    listen_for_bell(connection);
}

struct frame *exchange_receive(struct connection *connection, struct exchange *exchange) {
  lock_take(&connection->table);
  while (exchange->first == NULL && !connection->dead) wait_for_frame(connection, exchange);
  struct frame *frame = exchange->first;
  if (frame != NULL) {
    exchange->first = frame->next;
    exchange->queued--;
  }
  pass_the_lead(connection);
  lock_release(&connection->table);
  return frame;
}
