/* A lock: a pthread mutex, or the application's own where it gave callbacks and no leave to use ours. */
#ifndef SOFTOKI_LOCK_H
#define SOFTOKI_LOCK_H

#include <pthread.h>

#include "pkcs11.h"

/* The callbacks of C_Initialize; all NULL where pthread mutexes serve. */
struct locking {
  CK_CREATEMUTEX create;
  CK_DESTROYMUTEX destroy;
  CK_LOCKMUTEX lock;
  CK_UNLOCKMUTEX unlock;
};

struct lock {
  struct locking locking;
  CK_VOID_PTR theirs;
  pthread_mutex_t ours;
};

/*
 * Reads C_Initialize's argument. PKCS #11 3.2, 5.4.1: some but not all callbacks, or a pReserved that
 * is not NULL, is CKR_ARGUMENTS_BAD; `why` tells which of the two.
 */
CK_RV locking_choose(const CK_C_INITIALIZE_ARGS *arguments, struct locking *chosen,
                     const char **why);

/* CKR_HOST_MEMORY or CKR_CANT_LOCK where the mutex cannot be made. */
CK_RV lock_make(struct lock *lock, const struct locking *locking);
void lock_destroy(struct lock *lock);

/*
 * An application whose mutex fails gets no exclusion: there is no return value for it in the middle
 * of a call, and stopping there would leave the connection in pieces.
 */
void lock_take(struct lock *lock);
void lock_release(struct lock *lock);

#endif
