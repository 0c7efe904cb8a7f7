#include "lock.h"

#include <stddef.h>
#include <string.h>

CK_RV locking_choose(const CK_C_INITIALIZE_ARGS *arguments, struct locking *chosen,
                     const char **why) {
  memset(chosen, 0, sizeof *chosen);
  if (arguments == NULL) return CKR_OK;
  *why = "pReserved is not NULL";
  if (arguments->pReserved != NULL) return CKR_ARGUMENTS_BAD;

  int given = (arguments->CreateMutex != NULL) + (arguments->DestroyMutex != NULL) +
              (arguments->LockMutex != NULL) + (arguments->UnlockMutex != NULL);
  *why = "some of the four mutex functions are NULL and some are not";
  if (given != 0 && given != 4) return CKR_ARGUMENTS_BAD;

  if (given == 4 && (arguments->flags & CKF_OS_LOCKING_OK) == 0) {
    chosen->create = arguments->CreateMutex;
    chosen->destroy = arguments->DestroyMutex;
    chosen->lock = arguments->LockMutex;
    chosen->unlock = arguments->UnlockMutex;
  }
  return CKR_OK;
}

CK_RV lock_make(struct lock *lock, const struct locking *locking) {
  lock->locking = *locking;
  lock->theirs = NULL;
  if (locking->create == NULL)
    return pthread_mutex_init(&lock->ours, NULL) == 0 ? CKR_OK : CKR_CANT_LOCK;

  CK_RV rv = locking->create(&lock->theirs);
  if (rv == CKR_OK || rv == CKR_HOST_MEMORY) return rv;
  return CKR_CANT_LOCK;
}

void lock_destroy(struct lock *lock) {
  if (lock->locking.destroy != NULL)
    lock->locking.destroy(lock->theirs);
  else
    pthread_mutex_destroy(&lock->ours);
}

void lock_take(struct lock *lock) {
  if (lock->locking.lock != NULL)
    lock->locking.lock(lock->theirs);
  else
    pthread_mutex_lock(&lock->ours);
}

void lock_release(struct lock *lock) {
  if (lock->locking.unlock != NULL)
    lock->locking.unlock(lock->theirs);
  else
    pthread_mutex_unlock(&lock->ours);
}
