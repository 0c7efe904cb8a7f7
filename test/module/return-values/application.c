/*
 * An application that calls what it is told to: application.ts speaks to it, a line a call.
 * usage: application MODULE
 *
 *   THREAD FUNCTION VALUE...     calls a function in a thread; a thread begins with its first line
 *   THREAD N*FUNCTION VALUE...   up to N times, until it answers something else than CKR_OK
 *   THREAD return RV             ends the callback that the thread is inside of
 *
 * A value is a word of memory, and what lies at a pointer goes with it:
 *
 *   12        the number              xHEX      a pointer to these bytes
 *   zN, iN    a pointer to N zeros    oN        a pointer to a CK_ULONG N
 *   @NAME     a function of below     [ ... ]   a pointer to the words within
 *
 * The answers: `THREAD rv NUMBER` with what lies at every z and o afterwards, and `THREAD callback`
 * when the thread is called back; its next line is then taken from inside the callback.
 */
#include "../check.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#define THREADS 128
#define WORDS 10
#define PIECES 256

/* What is told of a piece of memory: as much as an answer is looked at for. */
#define TOLD 4096

struct thread {
  int number;
  bool begun;
  char *line;
  sem_t given, taken;
};

struct piece {
  uint8_t *at;
  size_t length;
  bool told;
};

/* The memory of one call. */
struct memory {
  struct piece pieces[PIECES];
  size_t count;
};

static void *library;
static struct thread threads[THREADS];
static _Thread_local struct thread *self;

static CK_RV serve(void);

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  (void)session, (void)event, (void)application;
  printf("%d callback\n", self->number);
  return serve();
}

static CK_RV cannot_create(CK_VOID_PTR_PTR mutex) {
  (void)mutex;
  return CKR_GENERAL_ERROR;
}

static CK_RV has_no_memory(CK_VOID_PTR_PTR mutex) {
  (void)mutex;
  return CKR_HOST_MEMORY;
}

static CK_RV does_nothing(CK_VOID_PTR mutex) {
  (void)mutex;
  return CKR_OK;
}

static CK_ULONG function_named(const char *name) {
  if (strcmp(name, "notify") == 0) return (CK_ULONG)notify;
  if (strcmp(name, "cannot_create") == 0) return (CK_ULONG)cannot_create;
  if (strcmp(name, "has_no_memory") == 0) return (CK_ULONG)has_no_memory;
  CHECK(strcmp(name, "does_nothing") == 0);
  return (CK_ULONG)does_nothing;
}

/* Exactly `length` bytes, so that a sanitizer sees who writes behind them. */
static uint8_t *make_piece(struct memory *memory, size_t length, bool told) {
  CHECK(memory->count < PIECES);
  uint8_t *at = calloc(length > 0 ? length : 1, 1);
  CHECK(at != NULL);
  memory->pieces[memory->count++] = (struct piece){at, length, told};
  return at;
}

static CK_ULONG bytes_of(const char *hex, struct memory *memory) {
  size_t length = strlen(hex) / 2;
  uint8_t *at = make_piece(memory, length, false);
  for (size_t i = 0; i < length; i++) CHECK(sscanf(hex + 2 * i, "%2hhx", &at[i]) == 1);
  return (CK_ULONG)at;
}

static size_t take_words(char **rest, CK_ULONG *words, size_t most, struct memory *memory);

static CK_ULONG value_of(const char *text, char **rest, struct memory *memory) {
  CK_ULONG within[PIECES], *word;
  size_t count;
  switch (*text) {
    case 'x': return bytes_of(text + 1, memory);
    case 'z':
    case 'i': return (CK_ULONG)make_piece(memory, strtoul(text + 1, NULL, 10), *text == 'z');
    case '@': return function_named(text + 1);
    case 'o':
      word = (CK_ULONG *)make_piece(memory, sizeof *word, true);
      *word = strtoul(text + 1, NULL, 10);
      return (CK_ULONG)word;
    case '[':
      count = take_words(rest, within, PIECES, memory);
      word = (CK_ULONG *)make_piece(memory, count * sizeof *word, false);
      memcpy(word, within, count * sizeof *word);
      return (CK_ULONG)word;
    default: return strtoul(text, NULL, 10);
  }
}

/* Up to the end of the line, or of the bracket. */
static size_t take_words(char **rest, CK_ULONG *words, size_t most, struct memory *memory) {
  size_t count = 0;
  for (char *text; (text = strtok_r(NULL, " ", rest)) != NULL && *text != ']';) {
    CHECK(count < most);
    words[count++] = value_of(text, rest, memory);
  }
  return count;
}

/* On LP64 every argument of every C_ function is a word in the place where a word would be. */
typedef CK_RV (*any_function)(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG,
                              CK_ULONG, CK_ULONG, CK_ULONG);

static void answer(CK_RV rv, const struct memory *memory) {
  flockfile(stdout);
  printf("%d rv %lu", self->number, rv);
  for (size_t i = 0; i < memory->count; i++) {
    const struct piece *piece = &memory->pieces[i];
    if (!piece->told) continue;
    putchar(' ');
    putchar('x');
    for (size_t at = 0; at < piece->length && at < TOLD; at++) printf("%02x", piece->at[at]);
  }
  putchar('\n');
  funlockfile(stdout);
}

static void call(char *name, char **rest) {
  struct memory memory = {.count = 0};
  char *times = strchr(name, '*');
  long left = times == NULL ? 1 : strtol(name, NULL, 10);
  if (times != NULL) name = times + 1;
  CK_ULONG w[WORDS] = {0};
  any_function function = NULL;
  *(void **)&function = dlsym(library, name);
  CHECK(function != NULL);
  take_words(rest, w, WORDS, &memory);
  CK_RV rv;
  do rv = function(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9]);
  while (rv == CKR_OK && --left > 0);
  answer(rv, &memory);
  for (size_t i = 0; i < memory.count; i++) free(memory.pieces[i].at);
}

/* Takes lines until one returns from the callback; the outermost never ends. */
static CK_RV serve(void) {
  for (;;) {
    char *rest;
    sem_wait(&self->given);
    char *line = self->line;
    sem_post(&self->taken);
    char *name = strtok_r(line, " ", &rest);
    CHECK(name != NULL);
    bool returns = strcmp(name, "return") == 0;
    CK_RV rv = returns ? strtoul(rest, NULL, 10) : CKR_OK;
    if (!returns) call(name, &rest);
    free(line);
    if (returns) return rv;
  }
}

static void *run(void *thread) {
  self = thread;
  serve();
  return NULL;
}

static void begin(struct thread *thread, int number) {
  pthread_t id;
  thread->number = number;
  sem_init(&thread->given, 0, 0);
  sem_init(&thread->taken, 0, 1);
  CHECK(pthread_create(&id, NULL, run, thread) == 0);
  thread->begun = true;
}

int main(int count, char **arguments) {
  char *line = NULL;
  size_t size = 0;
  CHECK(count == 2);
  setlinebuf(stdout);
  library = load(arguments[1]);
  for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
    char *rest;
    line[length - 1] = 0;
    long number = strtol(line, &rest, 10);
    CHECK(number >= 0 && number < THREADS);
    struct thread *thread = &threads[number];
    if (!thread->begun) begin(thread, (int)number);
    sem_wait(&thread->taken);
    thread->line = strdup(rest);
    sem_post(&thread->given);
  }
  /* Threads may wait in a call for ever: what is left of this process needs no order. */
  _exit(0);
}
