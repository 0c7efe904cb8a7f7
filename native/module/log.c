#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "screen.h"

/* The longest line of the service has 2,000 characters of up to 4 bytes. */
#define LINE_MAX_BYTES 8500

static struct {
  bool wanted;
  /* Empty: standard error. */
  char file[PATH_MAX];
} log_to;

static pthread_once_t looked = PTHREAD_ONCE_INIT;

/* The file is opened for each line: no descriptor of ours is there for the application to close. */
static int open_file(void) {
  return open(log_to.file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static bool file_can_be_written(void) {
  int fd = open_file();
  if (fd >= 0) close(fd);
  return fd >= 0;
}

/* A set-uid program writes no file that its caller names, but says on standard error what it has to say. */
static void look(void) {
  const char *value = getenv("SOFTOKI_LOG");
  if (value == NULL || *value == 0 || strcmp(value, "0") == 0) return;
  log_to.wanted = true;
  if (strcmp(value, "1") == 0 || strcmp(value, "stderr") == 0 || secure_getenv("SOFTOKI_LOG") == NULL)
    return;

  errno = EINVAL;
  if (*value == '/' && strlen(value) < sizeof log_to.file) {
    strcpy(log_to.file, value);
    if (file_can_be_written()) return;
    *log_to.file = 0;
  }
  dprintf(STDERR_FILENO,
          "softoki[%d]: SOFTOKI_LOG is \"%s\" (%s): set it to 1, or to the absolute path of a file that can be "
          "written\n",
          (int)getpid(), value, strerror(errno));
}

bool log_wanted(void) {
  pthread_once(&looked, look);
  return log_to.wanted;
}

struct line {
  char text[LINE_MAX_BYTES];
  size_t length;
};

static void make_line(struct line *line, const char *format, va_list arguments) {
  int used = snprintf(line->text, sizeof line->text, "softoki[%d]: ", (int)getpid());
  /* One byte is kept for the line feed. */
  vsnprintf(line->text + used, sizeof line->text - (size_t)used - 1, format, arguments);
  line->length = strlen(line->text);
  line->text[line->length++] = '\n';
}

/* One write, so that the lines of threads and processes do not mix. What cannot be written is lost. */
static void write_line(int fd, const struct line *line) {
  ssize_t written = write(fd, line->text, line->length);
  (void)written;
}

/* To the file, where there is one; otherwise, and `aloud` in any case, on standard error. */
static void put_line(const struct line *line, bool aloud) {
  int fd = *log_to.file != 0 ? open_file() : -1;
  if (fd >= 0) {
    write_line(fd, line);
    close(fd);
  }
  if (*log_to.file == 0 || aloud) screen_add(line->text, line->length);
}

void log_line(const char *format, ...) {
  struct line line;
  int errno_before = errno;
  if (!log_wanted()) return;
  va_list arguments;
  va_start(arguments, format);
  make_line(&line, format, arguments);
  va_end(arguments);
  put_line(&line, false);
  errno = errno_before;
}

void complain(const char *format, ...) {
  struct line line;
  int errno_before = errno;
  log_wanted();
  va_list arguments;
  va_start(arguments, format);
  make_line(&line, format, arguments);
  va_end(arguments);
  put_line(&line, true);
  errno = errno_before;
}
