#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"
#include "log.h"
#include "place.h"
#include "wire.h"

/* How long a service may take to listen, and to answer the first byte. */
#define PATIENCE_SECONDS 20

/* A service that leaves just now still accepts: so often one is looked for again. */
#define ATTEMPTS 3

enum outcome { REACHED, NOBODY_LISTENS, FAILED };

/* Descriptors 0 to 2 may be closed in the application, and are not ours to become. */
static int above_standard(int fd) {
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  int above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  close(fd);
  return above;
}

static int connect_again(int fd, const struct sockaddr_un *address) {
  int done;
  do done = connect(fd, (const struct sockaddr *)address, sizeof *address);
  while (done != 0 && errno == EINTR);
  return done == 0 || errno == EISCONN ? 0 : -1;
}

static void set_patience(int fd, time_t seconds) {
  struct timeval patience = {.tv_sec = seconds};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

/* One byte each way: the versions. */
static enum outcome greet(int fd) {
  uint8_t version = WIRE_VERSION;
  ssize_t got;
  if (send(fd, &version, 1, MSG_NOSIGNAL) != 1) return NOBODY_LISTENS;
  set_patience(fd, PATIENCE_SECONDS);
  do got = recv(fd, &version, 1, 0);
  while (got < 0 && errno == EINTR);
  set_patience(fd, 0);
  if (got == 0 || (got < 0 && errno == ECONNRESET)) return NOBODY_LISTENS;
  if (got == 1 && version == WIRE_VERSION) return REACHED;
  log_line("what listens at the service's socket does not speak as this module does");
  return FAILED;
}

static enum outcome reach(const struct sockaddr_un *address, int *fd) {
  *fd = above_standard(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (*fd < 0) return FAILED;

  enum outcome outcome = FAILED;
  if (connect_again(*fd, address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED)
      outcome = NOBODY_LISTENS;
    else
      log_line("cannot connect to %s: %s", address->sun_path, strerror(errno));
  } else if (!place_is_private(address)) {
    log_line("the folder of %s is not yours alone: chmod 0700 it", address->sun_path);
  } else {
    outcome = greet(*fd);
  }
  if (outcome != REACHED) close(*fd);
  return outcome;
}

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for the byte that a service which listens writes. */
static bool becomes_ready(int fd) {
  int64_t deadline = milliseconds() + PATIENCE_SECONDS * 1000, left;
  while ((left = deadline - milliseconds()) > 0) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int happened = poll(&wait, 1, (int)left);
    if (happened == 0 || (happened < 0 && errno == EINTR)) continue;
    char byte;
    return happened > 0 && read(fd, &byte, 1) == 1;
  }
  return false;
}

static bool start_service(void) {
  int ready[2];
  if (getauxval(AT_SECURE) != 0) {
    log_line("a set-uid program starts no service: run softoki serve");
    return false;
  }
  if (pipe2(ready, O_CLOEXEC) != 0) return false;
  bool launched = launch_service(ready[1]);
  close(ready[1]);
  bool listens = launched && becomes_ready(ready[0]);
  close(ready[0]);
  if (!listens) log_line("the service did not start: run softoki serve to see why");
  return listens;
}

CK_RV start_connect(int *fd) {
  struct sockaddr_un address;
  if (!place_of_service(&address)) return CKR_FUNCTION_FAILED;
  enum outcome outcome = reach(&address, fd);
  for (int i = 0; i < ATTEMPTS && outcome == NOBODY_LISTENS; i++) {
    if (!start_service()) break;
    outcome = reach(&address, fd);
  }
  return outcome == REACHED ? CKR_OK : CKR_FUNCTION_FAILED;
}
