/*
 * Ctrl-C while functions are under way: SIGINT is ours from the first surrender of one to the end of
 * the last, where the application has left it at its default. The first cancels the functions that
 * are under way then; one that comes while any of these still runs ends the program as usual, and so
 * does one that none of them could heed any more. After the last function the disposition is what it
 * was. A handler of the application's own, and a SIGINT that it ignores, are left alone.
 */
#ifndef SOFTOKI_INTERRUPT_H
#define SOFTOKI_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* One function under way that Ctrl-C cancels. */
struct interruptible {
  bool entered;
  /* How many had come when it entered. */
  uint32_t before;
};

/* Enters the function, once. */
void interruptible_enter(struct interruptible *function);
/* Lets go of it; a Ctrl-C that nobody heeded is then for the program. Not in a child of fork. */
void interruptible_leave(struct interruptible *function);

/* Whether Ctrl-C came; who asks heeds it. False for a function that did not enter. */
bool interrupt_came(const struct interruptible *function);
/* Whether SIGINT is ours just now. */
bool interrupt_is_ours(void);

/* In a child of fork: the functions under way are its parent's. */
void interrupts_forget(void);

#endif
