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
  complain("what listens at the service's socket does not speak as this module does: end it");
  return FAILED;
}

static enum outcome reach(const struct sockaddr_un *address, int *fd) {
  *fd = above_standard(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (*fd < 0) {
    complain("cannot make a socket: %s", strerror(errno));
    return FAILED;
  }

  enum outcome outcome = FAILED;
  if (connect_again(*fd, address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED)
      outcome = NOBODY_LISTENS;
    else
      complain("cannot connect to %s: %s: set SOFTOKI_HOME to a folder of yours", address->sun_path,
               strerror(errno));
  } else if (!place_is_private(address)) {
    complain("the folder of %s is not yours alone: chmod 0700 it", address->sun_path);
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

/* Answers as read() does; -1 where nothing comes before the deadline. */
static ssize_t read_before(int64_t deadline, int fd, char *bytes, size_t length) {
  int64_t left;
  while ((left = deadline - milliseconds()) > 0) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int happened = poll(&wait, 1, (int)left);
    if (happened > 0) return read(fd, bytes, length);
    if (happened < 0 && errno != EINTR) return -1;
  }
  return -1;
}

/* Passes on why a service did not start: it said so on its standard error (src/service/main.ts). */
static void complain_for_service(int errors, int64_t deadline) {
  static const char MARK[] = "softoki: ";
  char text[4096] = "";
  size_t length = 0;
  ssize_t got;
  while ((got = read_before(deadline, errors, text + length, sizeof text - 1 - length)) > 0)
    length += (size_t)got;
  text[length] = 0;
  const char *reason = strstr(text, MARK);
  if (reason == NULL) {
    complain("the service did not start: run softoki serve to see why");
    return;
  }
  reason += sizeof MARK - 1;
  complain("the service did not start: %.*s", (int)strcspn(reason, "\n"), reason);
}

/* Waits for the byte that a service which listens writes. */
static bool becomes_ready(int ready, int errors) {
  int64_t deadline = milliseconds() + PATIENCE_SECONDS * 1000;
  char byte;
  ssize_t got = read_before(deadline, ready, &byte, 1);
  if (got == 0)
    complain_for_service(errors, deadline);
  else if (got < 0)
    complain("no service listens after %d seconds: run softoki serve to see why", PATIENCE_SECONDS);
  return got > 0;
}

static bool start_service(void) {
  int ready[2], errors[2];
  if (getauxval(AT_SECURE) != 0) {
    complain("a set-uid program starts no service: run softoki serve");
    return false;
  }
  if (pipe2(ready, O_CLOEXEC) != 0) {
    complain("cannot make a pipe: %s", strerror(errno));
    return false;
  }
  if (pipe2(errors, O_CLOEXEC) != 0) {
    complain("cannot make a pipe: %s", strerror(errno));
    close(ready[0]), close(ready[1]);
    return false;
  }
  bool launched = launch_service(ready[1], errors[1]);
  close(ready[1]), close(errors[1]);
  bool listens = launched && becomes_ready(ready[0], errors[0]);
  close(ready[0]), close(errors[0]);
  return listens;
}

CK_RV start_connect(int *fd) {
  struct sockaddr_un address;
  if (!place_of_service(&address)) return CKR_FUNCTION_FAILED;
  enum outcome outcome = reach(&address, fd);
  for (int i = 0; i < ATTEMPTS && outcome == NOBODY_LISTENS; i++) {
    if (!start_service()) return CKR_FUNCTION_FAILED;
    outcome = reach(&address, fd);
  }
  if (outcome == NOBODY_LISTENS) complain("the service does not stay: its service.log tells why");
  if (outcome == REACHED) log_line("connected to %s", address.sun_path);
  return outcome == REACHED ? CKR_OK : CKR_FUNCTION_FAILED;
}
