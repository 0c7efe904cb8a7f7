/* What the programs of these tests share beside ../foreign/program.h. */
#ifndef SOFTOKI_PROCESSES_PROGRAM_H
#define SOFTOKI_PROCESSES_PROGRAM_H

#include "../foreign/program.h"

/* A line that the test waits for. */
static inline void print_line(const char *line) {
  puts(line);
  fflush(stdout);
}

static inline void initialize(void) {
  CK_C_INITIALIZE_ARGS threaded = {.flags = CKF_OS_LOCKING_OK};
  ANSWERS(p11->C_Initialize(&threaded), CKR_OK);
}

/* A session in which the user is logged in. */
static inline CK_SESSION_HANDLE begin(const char *pin, CK_NOTIFY notify, void *application) {
  initialize();
  CK_SESSION_HANDLE session = open_session(notify, application);
  login(session, pin);
  return session;
}

/* What a program that has just begun does: it logs in, makes random bytes, and ends. */
static inline void works_afresh(const char *pin) {
  CK_BYTE random[16];
  ANSWERS(p11->C_GenerateRandom(begin(pin, NULL, NULL), random, sizeof random), CKR_OK);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

#endif
