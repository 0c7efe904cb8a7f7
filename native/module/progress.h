/*
 * SOFTOKI_PROGRESS=1: the module itself shows on standard error how far a function is. On a terminal
 * one line is redrawn in place from the second second on and gone at the function's end; elsewhere a
 * line is added each 10 seconds. Of several functions under way one is shown.
 */
#ifndef SOFTOKI_PROGRESS_H
#define SOFTOKI_PROGRESS_H

#include "call.h"

#define MILLION 1000000u

/* What a SURRENDER tells: millionths of the work done, milliseconds; all ones where not known. */
struct progress {
  uint64_t done, elapsed, usual;
};

/* Whether the user wants it. False, after a complaint, where SOFTOKI_PROGRESS is not 0, 1 or empty. */
bool progress_of_user(bool *wanted);

/* The call surrendered: shows it, and from here to its end Ctrl-C cancels it. */
void progress_show(struct call *call, const struct progress *progress);
/* A call that was shown is over. */
void progress_over(struct call *call);

/* In a child of fork. */
void progress_forget(void);

#endif
