/*
 * Waiting for a word in memory to change, whatever kind of lock the application chose: a futex, so
 * that a waiting thread needs no descriptor and no object that would have to be cleaned up.
 */
#ifndef SOFTOKI_WAIT_H
#define SOFTOKI_WAIT_H

#include <stdatomic.h>
#include <stdint.h>

/* Returns once the word is not `value`, or now and then before: the caller looks again. */
void wait_while(_Atomic uint32_t *word, uint32_t value);
void wake_all(_Atomic uint32_t *word);

#endif
