/*
 * Standard error as the program's user sees it: one line of ours at most, which is redrawn in place
 * on a terminal and gone before anything else is written. No write of a drawn line waits for a
 * terminal that is stopped or a reader that is slow, raises SIGPIPE, or stops a program in the
 * background (SIGTTOU): what cannot be written at once is left out.
 */
#ifndef SOFTOKI_SCREEN_H
#define SOFTOKI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* Looks at TERM, once, while nobody draws. */
void screen_look(void);
/* Characters in a line of the terminal; 0 where standard error is none, or one that cannot erase. */
size_t screen_columns(void);

/* Draws text in place of the line that is there; only on a terminal, and only in its foreground. */
void screen_draw(const char *text, size_t length);
/* Takes the line away, where there is one. It waits for who adds a line. */
void screen_erase(void);
/* The same from a signal handler. */
void screen_abandon(void);

/* Adds a line to standard error once none of ours is there. It may wait, as any write does. */
void screen_add(const char *line, size_t length);
/* The same, but what cannot be written at once is left out. */
void screen_offer(const char *line, size_t length);

/* In a child of fork: what is drawn is its parent's. */
void screen_forget(void);

#endif
