/*
 * The one connection of the process to the service, by memory that both share (channel.h) or by the
 * socket alone. Any thread that waits for an answer may read: it leads, hands each frame to the exchange
 * whose code it carries, and passes the lead on when its own answer is there. With a channel nobody
 * leads while all sleep: one of them listens, which is to sleep on the socket until the service rings.
 * Threads of ours exist only for functions that are pending (keeper.h); they wait and lead as any other.
 */
#ifndef SOFTOKI_CONNECTION_H
#define SOFTOKI_CONNECTION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "channel.h"
#include "lock.h"
#include "message.h"

/* The body of a frame that came from the service. */
struct frame {
  struct frame *next;
  size_t length;
  uint8_t body[];
};

/* One call's part in the connection, from its request to its answer. */
struct exchange {
  struct exchange *next;
  uint32_t code;
  /* Bytes of its request. */
  size_t size;
  pthread_t thread;
  /* The session the call works in, CK_INVALID_HANDLE for none, and whether its callback runs. */
  CK_SESSION_HANDLE session;
  bool in_callback;
  /* Where PUT may write. */
  uint8_t *room;
  size_t room_length;
  /* For how many nanoseconds the next frame is looked for, before the thread sleeps; 0 once in vain. */
  uint64_t patience;
  /* Frames not yet taken, and 1 while the thread sleeps. */
  struct frame *first, *last;
  unsigned queued;
  _Atomic uint32_t asleep;
  /* A keeper has it (keeper.h). The service sent END, or will send nothing more. */
  bool kept, over;
};

struct connection {
  /* -1: none. The inode tells whether the descriptor is still the socket it was. */
  int fd;
  ino_t inode;
  struct channel channel;
  atomic_bool broken;
  /* There is another processor for the service to answer on. */
  bool may_look;
  /* Guards the channel's writing as well. */
  struct lock sending;
  /* Guards all that follows but the input. */
  struct lock table;
  struct exchange *exchanges;
  uint32_t last_code;
  bool led, listened, dead;
  /* Exchanges under way and the bytes of their requests; `ended` counts those that are over. */
  unsigned under_way;
  size_t bytes_under_way;
  _Atomic uint32_t ended;
  /* Counts the bells that were heard. */
  _Atomic uint32_t rung;
  /* Exchanges that are over and whose keepers have not been seen off. */
  _Atomic uint32_t over;
  /* Read and not yet used; belongs to the thread that leads. */
  size_t input_at, input_end;
  uint8_t input[16384];
};

/* Takes over a connected socket; the locks are made before. False where it broke. */
bool connection_open(struct connection *connection, int fd);
/* Lets go of the descriptor without a word, if it is still ours. */
void connection_close(struct connection *connection);
/* Ends the connection for good; every exchange under way finds it dead. */
void connection_break(struct connection *connection);

/*
 * Enters the exchange in the table and gives it a code of its own. Where so much is under way that
 * the service would take no more, and the exchange `waits`, this waits until some of it is over; but
 * not inside a callback, since what it would wait for may be its own caller.
 */
void exchange_begin(struct connection *connection, struct exchange *exchange, size_t size,
                    bool waits);
/* Takes it out; frames that nobody took are dropped. */
void exchange_end(struct connection *connection, struct exchange *exchange);
/* Puts `to` in its place, with the frames that nobody took. The table is locked. */
void exchange_keep(struct connection *connection, struct exchange *from, struct exchange *to);
/* Marks the exchange as running its callback, or not. */
void exchange_calls_back(struct connection *connection, struct exchange *exchange, bool does);
/*
 * The session of a callback that this thread is inside of and that `matches` accepts;
 * CK_INVALID_HANDLE where there is none.
 */
bool exchange_within(struct connection *connection, bool (*matches)(CK_SESSION_HANDLE, CK_ULONG),
                     CK_ULONG wanted);

/* Whether frames come by memory, so that looking for them before sleeping pays. */
bool connection_may_look(const struct connection *connection);

/* Sends a sealed message. A failure breaks the connection, which exchange_receive then tells. */
void connection_send(struct connection *connection, const struct message *message);
/* Waits for the next frame of the exchange, to be freed with frame_free; NULL: the connection is dead. */
struct frame *exchange_receive(struct connection *connection, struct exchange *exchange);
/* Overwrites the frame, which may hold a key, and frees it. */
void frame_free(struct frame *frame);

#endif
