#include "transport.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wait.h"
#include "wire.h"

/* A service that sends more than this before an answer is confused. */
#define QUEUED_MAX 16

/* Calls that do not wait, of callbacks and of C_Finalize, have these left. */
#define CALLS_RESERVED 128

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

bool connection_may_look(const struct connection *connection) {
  return connection_has_channel(connection) && connection->may_look;
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

static void wake(struct exchange *exchange) {
  atomic_store(&exchange->asleep, 0);
  wake_all(&exchange->asleep);
}

/* The thread that goes wakes one that sleeps, which then leads; one that listens is woken by the service. */
void connection_pass_the_lead(struct connection *connection) {
  if (connection->led || connection->listened || connection->dead) return;
  for (struct exchange *at = connection->exchanges; at != NULL; at = at->next)
    if (atomic_load(&at->asleep)) {
      wake(at);
      return;
    }
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
 * it is handed on. A PUT or TAKE is carried out at once, so that a long row of them needs no memory: the
 * caller cannot leave before its answer is delivered.
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
  struct frame *frame = connection_read_frame(connection, &code);
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
  bool alive = connection_wait_for_bell(connection, FOR_BYTES);
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
  else if (!connection_has_channel(connection))
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
  connection_pass_the_lead(connection);
  lock_release(&connection->table);
  return frame;
}
