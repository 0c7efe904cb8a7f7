#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "screen.h"

/* Milliseconds: what is shorter is not drawn; between two drawings; between two lines. */
#define DRAWN_AFTER 1000
#define REDRAWN_AFTER 100
#define TOLD_AFTER 10000

/* Characters of a bar: at most, fewest that are worth one, and what is around them. */
#define BAR_MAX 20
#define BAR_MIN 8
#define BAR_FRAME 3

/* The one call whose progress is shown, and the milliseconds of its work at which it is shown again. */
static struct {
  pthread_mutex_t lock;
  const struct call *call;
  uint64_t due;
} shown = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct text {
  char bytes[200];
  size_t length;
};

bool progress_of_user(bool *wanted) {
  const char *text = secure_getenv("SOFTOKI_PROGRESS");
  screen_look();
  *wanted = text != NULL && strcmp(text, "1") == 0;
  if (*wanted || text == NULL || *text == 0 || strcmp(text, "0") == 0) return true;
  complain("SOFTOKI_PROGRESS is \"%s\": set it to 1 to see progress, or to 0", text);
  return false;
}

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...) {
  va_list arguments;
  size_t room = sizeof text->bytes - text->length;
  va_start(arguments, format);
  int length = vsnprintf(text->bytes + text->length, room, format, arguments);
  va_end(arguments);
  if (length > 0) text->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* "3.2 s", "5 min 20 s", "1 h 12 min", as src/cli/progress.ts has it. */
static void add_duration(struct text *text, uint64_t milliseconds) {
  unsigned long seconds = milliseconds / 1000, minutes = seconds / 60;
  if (minutes == 0)
    add(text, "%lu.%lu s", seconds, (unsigned long)(milliseconds % 1000 / 100));
  else if (minutes < 60)
    add(text, "%lu min %lu s", minutes, seconds % 60);
  else
    add(text, "%lu h %lu min", minutes / 60, minutes % 60);
}

static bool is_known(const struct progress *progress) {
  return progress->done <= MILLION;
}

/* Where it is not known how far it is, what is usual says it. */
static void add_facts(struct text *text, const struct progress *progress) {
  if (is_known(progress)) add(text, "%lu %%, ", (unsigned long)(progress->done / (MILLION / 100)));
  add_duration(text, progress->elapsed);
  if (is_known(progress) || progress->usual == CK_UNAVAILABLE_INFORMATION) return;
  add(text, ", usually about ");
  add_duration(text, progress->usual);
}

/* None where the room is too small for one. */
static void add_bar(struct text *text, uint64_t done, size_t room) {
  static const char full[] = "====================";
  int width = room < BAR_MAX + BAR_FRAME ? (int)room - BAR_FRAME : BAR_MAX;
  _Static_assert(sizeof full == BAR_MAX + 1, "a bar is filled from it");
  if (width < BAR_MIN) return;
  int cells = (int)(done * (unsigned)width / MILLION);
  add(text, "[%.*s%*s] ", cells, full, width - cells, "");
}

/* A line that were broken could not be taken back: it has no more than `most` characters. */
static void draw(const struct call *call, const struct progress *progress, size_t most) {
  struct text line = {.length = 0}, facts = {.length = 0};
  add_facts(&facts, progress);
  if (interrupt_is_ours()) add(&facts, ", Ctrl-C cancels");
  add(&line, "softoki: %s: ", call->function->name);
  if (is_known(progress) && line.length + facts.length < most)
    add_bar(&line, progress->done, most - line.length - facts.length);
  add(&line, "%s", facts.bytes);
  screen_draw(line.bytes, line.length < most ? line.length : most);
}

static void tell(const struct call *call, const struct progress *progress) {
  struct text text = {.length = 0};
  add(&text, "softoki[%d]: %s: ", (int)getpid(), call->function->name);
  add_facts(&text, progress);
  add(&text, "\n");
  screen_offer(text.bytes, text.length);
}

/* Whether it is this call that is to be shown now. */
static bool takes_turn(const struct call *call, uint64_t elapsed, bool drawn) {
  pthread_mutex_lock(&shown.lock);
  if (shown.call == NULL && elapsed >= (drawn ? DRAWN_AFTER : TOLD_AFTER)) {
    shown.call = call;
    shown.due = 0;
  }
  bool now = shown.call == call && elapsed >= shown.due;
  if (now) shown.due = elapsed + (drawn ? REDRAWN_AFTER : TOLD_AFTER);
  pthread_mutex_unlock(&shown.lock);
  return now;
}

void progress_show(struct call *call, const struct progress *progress) {
  interruptible_enter(&call->interruptible);
  if (progress->elapsed < DRAWN_AFTER) return;
  size_t columns = screen_columns();
  if (!takes_turn(call, progress->elapsed, columns > 0)) return;
  if (columns > 0)
    draw(call, progress, columns - 1);
  else
    tell(call, progress);
}

void progress_over(struct call *call) {
  pthread_mutex_lock(&shown.lock);
  bool was_shown = shown.call == call;
  if (was_shown) shown.call = NULL;
  pthread_mutex_unlock(&shown.lock);
  if (was_shown) screen_erase();
  interruptible_leave(&call->interruptible);
}

void progress_forget(void) {
  shown.call = NULL;
  pthread_mutex_init(&shown.lock, NULL);
  screen_forget();
}
