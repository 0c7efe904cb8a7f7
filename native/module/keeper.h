/*
 * The threads of ours: a function of an asynchronous session that answered CKR_PENDING while the
 * service still needs the caller's data or buffer has one, which serves READ until END. When a call
 * returns, every keeper has left that was told END before the call's answer: so nothing touches the
 * application's memory for a function that C_AsyncComplete, C_SessionCancel or the end of its session
 * is done with.
 */
#ifndef SOFTOKI_KEEPER_H
#define SOFTOKI_KEEPER_H

#include "call.h"

/*
 * Goes on with the exchange of a call that answered CKR_PENDING. Where no thread can be had, this
 * thread serves it to its end, and the function is worked when it returns.
 */
void keeper_begin(struct call *call);

/* Waits for the keepers whose functions are over. */
void keepers_see_off(void);
/* Breaks the connection, where there are any, and waits for all of them. No call is under way. */
void keepers_end(void);
/* A child of fork has none. */
void keepers_forget(void);

#endif
