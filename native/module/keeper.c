#include "keeper.h"

#include <signal.h>
#include <stdlib.h>

#include "module.h"
#include "surrender.h"
#include "wait.h"
#include "wire.h"

/* At once; the codes they hold are no other call's. */
#define KEEPERS_MAX 128

#define STACK_SIZE (256u << 10)

struct keeper {
  struct keeper *next;
  struct exchange exchange;
  const uint8_t *data;
  size_t data_length;
  pthread_t thread;
};

/* Guarded by connection.table. */
static struct keeper *keepers;

/* Serves READ until END, or until the connection is dead. */
static void serve(struct exchange *exchange, const uint8_t *data, size_t data_length) {
  bool goes_on = true;
  while (goes_on) {
    struct frame *frame = exchange_receive(&module.connection, exchange);
    if (frame == NULL) return;
    struct reader reader = {frame->body, frame->body + frame->length, false};
    switch (read_u32(&reader)) {
      case WIRE_CALL_READ:
        goes_on = surrender_read(exchange, &reader, data, data_length);
        if (!goes_on) connection_break(&module.connection);
        break;
      case WIRE_CALL_END: goes_on = false; break;
      default: connection_break(&module.connection); goes_on = false;
    }
    frame_free(frame);
  }
}

static void *keep(void *argument) {
  struct keeper *keeper = argument;
  serve(&keeper->exchange, keeper->data, keeper->data_length);
  exchange_end(&module.connection, &keeper->exchange);
  return NULL;
}

/* Signals are the application's, and none of them is for a thread that it does not know. */
static bool start_thread(pthread_t *thread, struct keeper *keeper) {
  pthread_attr_t attributes;
  sigset_t all, before;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = pthread_create(thread, &attributes, keep, keeper) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return started;
}

/* The table is locked, so that the thread begins once its exchange is its own. */
static bool start_keeper(struct keeper *keeper, struct call *call) {
  unsigned count = 0;
  for (struct keeper *at = keepers; at != NULL; at = at->next) count++;
  if (count >= KEEPERS_MAX || !start_thread(&keeper->thread, keeper)) return false;
  exchange_keep(&module.connection, &call->exchange, &keeper->exchange);
  keeper->next = keepers;
  keepers = keeper;
  return true;
}

void keeper_begin(struct call *call) {
  struct keeper *keeper = malloc(sizeof *keeper);
  bool started = false;
  if (keeper != NULL) {
    keeper->data = call->data;
    keeper->data_length = call->data_length;
    lock_take(&module.connection.table);
    started = start_keeper(keeper, call);
    lock_release(&module.connection.table);
  }
  if (started) return;
  free(keeper);
  serve(&call->exchange, call->data, call->data_length);
  exchange_end(&module.connection, &call->exchange);
}

static bool is_over(const struct keeper *keeper) {
  return keeper->exchange.over;
}

static bool is_any(const struct keeper *keeper) {
  (void)keeper;
  return true;
}

/* Takes one out of the list; NULL where there is none. */
static struct keeper *take(bool (*matches)(const struct keeper *)) {
  lock_take(&module.connection.table);
  struct keeper **at = &keepers, *found;
  while (*at != NULL && !matches(*at)) at = &(*at)->next;
  found = *at;
  if (found != NULL) *at = found->next;
  lock_release(&module.connection.table);
  return found;
}

/* Once this returns its thread is no more, and with it nothing that runs code of the module. */
static void join(struct keeper *keeper) {
  pthread_join(keeper->thread, NULL);
  free(keeper);
  atomic_fetch_sub(&module.connection.over, 1);
  wake_all(&module.connection.over);
}

void keepers_see_off(void) {
  uint32_t over;
  while ((over = atomic_load(&module.connection.over)) != 0) {
    struct keeper *keeper = take(is_over);
    if (keeper != NULL)
      join(keeper);
    else
      /* Another thread sees it off. */
      wait_while(&module.connection.over, over);
  }
}

void keepers_end(void) {
  struct keeper *keeper;
  /* Where there are none, no lock of the application is taken: it may be gone already. */
  if (keepers == NULL) return;
  connection_break(&module.connection);
  while ((keeper = take(is_any)) != NULL) join(keeper);
}

void keepers_forget(void) {
  keepers = NULL;
  atomic_store(&module.connection.over, 0);
}
