/* The life of the module in its process: from C_Initialize to C_Finalize, and across fork. */
#ifndef SOFTOKI_MODULE_H
#define SOFTOKI_MODULE_H

#include <stdatomic.h>

#include "connection.h"
#include "mechanism.h"
#include "sessions.h"

struct module {
  /* The process and the phase it is in; a child finds its parent's and is not initialized. */
  _Atomic uint32_t life;
  /* Calls under way, which C_Finalize waits for. */
  _Atomic uint32_t users;
  /* Counts C_Initialize, so that a call knows the one it began under. */
  _Atomic uint32_t generation;
  /* The application lets us have threads (keeper.h). */
  bool keeps;
  /* The user wants progress drawn (progress.h). */
  bool draws;
  struct connection connection;
  /* Guarded by connection.table. */
  struct session *sessions;
  struct parameter_layouts layouts;
};

extern struct module module;

bool module_is_initialized(void);
/* Enters a call; false where Cryptoki is not initialized. */
bool module_enter(uint32_t *generation);
/* The same for the call that C_Initialize makes itself. */
bool module_enter_starting(uint32_t *generation);
void module_leave(uint32_t generation);
/* Whether this is still the process and the initialization that the call began under. */
bool module_is_still(uint32_t generation);
/* Whether C_Finalize is under way. */
bool module_is_stopping(void);

#endif
