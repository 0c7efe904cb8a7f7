#include "screen.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ERASE "\r\033[2K"
#define COLUMNS_USUAL 80

/* Guards the order of what is written. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool drawn;

static bool can_erase;

void screen_look(void) {
  const char *terminal = secure_getenv("TERM");
  can_erase = terminal == NULL || strcmp(terminal, "dumb") != 0;
}

size_t screen_columns(void) {
  struct winsize size;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || !can_erase) return 0;
  return size.ws_col == 0 ? COLUMNS_USUAL : size.ws_col;
}

/* A pipe or terminal that is writable takes a line whole: a pipe has room for PIPE_BUF bytes then. */
static bool is_ready(void) {
  struct pollfd error = {.fd = STDERR_FILENO, .events = POLLOUT};
  return poll(&error, 1, 0) == 1 && (error.revents & (POLLOUT | POLLERR | POLLNVAL)) == POLLOUT;
}

static void write_all(const char *bytes, size_t length) {
  ssize_t written = write(STDERR_FILENO, bytes, length);
  (void)written;
}

static bool is_pending(int number) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, number) == 1;
}

/* SIGPIPE is for the thread that writes: one that was not there before is taken back. */
static void write_unsignalled(const char *bytes, size_t length) {
  const struct timespec now = {0};
  sigset_t both, before, pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  both = pipe;
  sigaddset(&both, SIGTTOU);

  bool was_pending = is_pending(SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &both, &before);
  write_all(bytes, length);
  if (!was_pending && is_pending(SIGPIPE)) sigtimedwait(&pipe, NULL, &now);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool offer(const char *bytes, size_t length) {
  if (!is_ready()) return false;
  write_unsignalled(bytes, length);
  return true;
}

/* The lock is taken. */
static void erase(void) {
  if (atomic_load(&drawn) && offer(ERASE, strlen(ERASE))) atomic_store(&drawn, false);
}

/* Erased and drawn in one write, so that it does not flicker. Whoever writes just now is not waited for. */
void screen_draw(const char *text, size_t length) {
  char line[sizeof ERASE + 256] = ERASE;
  if (length > sizeof line - sizeof ERASE || tcgetpgrp(STDERR_FILENO) != getpgrp()) return;
  memcpy(line + strlen(ERASE), text, length);
  if (pthread_mutex_trylock(&writing) != 0) return;
  if (offer(line, strlen(ERASE) + length)) atomic_store(&drawn, true);
  pthread_mutex_unlock(&writing);
}

void screen_erase(void) {
  pthread_mutex_lock(&writing);
  erase();
  pthread_mutex_unlock(&writing);
}

void screen_abandon(void) {
  if (atomic_load(&drawn) && is_ready()) write_all(ERASE, strlen(ERASE));
}

void screen_add(const char *line, size_t length) {
  pthread_mutex_lock(&writing);
  erase();
  write_all(line, length);
  pthread_mutex_unlock(&writing);
}

void screen_offer(const char *line, size_t length) {
  if (pthread_mutex_trylock(&writing) != 0) return;
  erase();
  offer(line, length);
  pthread_mutex_unlock(&writing);
}

void screen_forget(void) {
  atomic_store(&drawn, false);
  pthread_mutex_init(&writing, NULL);
}
