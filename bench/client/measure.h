/* How the bench measures: single calls or small batches of them, each timed by itself. */
#ifndef SOFTOKI_BENCH_MEASURE_H
#define SOFTOKI_BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A batch takes at least so long, so that reading the clock does not count. Microseconds. */
#define BATCH_TIME 20.0
#define MOST_BATCHES (1 << 18)
/* Calls before the first that counts; a call that takes longer than this in milliseconds needs none. */
#define WARM_UP 20
#define LONG_CALL 20.0

/* How long to go on: so many milliseconds, and at least so many calls. */
struct extent {
  double milliseconds;
  size_t least;
};

/* What is measured. `after` undoes what a call did, outside the time; it may be NULL. */
struct measured {
  void (*once)(void *scene);
  void (*after)(void *scene);
  void *scene;
};

static inline double milliseconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Microseconds a call, of so many calls in a row. */
static inline double time_of(const struct measured *m, size_t calls) {
  double before = milliseconds_now();
  for (size_t i = 0; i < calls; i++) m->once(m->scene);
  double took = milliseconds_now() - before;
  if (m->after != NULL) m->after(m->scene);
  return took * 1e3 / (double)calls;
}

static inline void warm_up(const struct measured *m) {
  double began = milliseconds_now();
  for (int i = 0; i < WARM_UP && milliseconds_now() - began < LONG_CALL; i++) time_of(m, 1);
}

/* What has to be undone is done one by one. */
static inline size_t batch_of(const struct measured *m) {
  double one = time_of(m, 1);
  return m->after != NULL || one >= BATCH_TIME ? 1 : (size_t)(BATCH_TIME / (one + 0.01)) + 1;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* One line of JSON; microseconds. */
static inline void print_times(double *times, size_t count, size_t calls) {
  qsort(times, count, sizeof *times, by_value);
  printf("{\"calls\":%zu,\"median\":%.3f,\"least\":%.3f,\"p95\":%.3f,\"most\":%.3f}\n", calls,
         times[count / 2], times[0], times[count * 95 / 100], times[count - 1]);
}

static inline void measure(const struct measured *m, struct extent extent) {
  static double times[MOST_BATCHES];
  size_t count = 0;
  warm_up(m);
  size_t batch = batch_of(m);
  double end = milliseconds_now() + extent.milliseconds;
  while (count < MOST_BATCHES && (milliseconds_now() < end || count * batch < extent.least))
    times[count++] = time_of(m, batch);
  print_times(times, count, count * batch);
}

#endif
