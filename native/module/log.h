/*
 * What happens, in words, where SOFTOKI_LOG is set: 1 or stderr for standard error, or the absolute path
 * of a file that lines are added to; empty or 0 is not set. It is looked at once. No secret is ever
 * said: of arguments the module itself tells names and a session's handle only, the rest comes from the
 * service (src/functions/trace.ts).
 */
#ifndef SOFTOKI_LOG_H
#define SOFTOKI_LOG_H

#include <stdbool.h>

bool log_wanted(void);

/* Both add program and line feed, and leave errno as it is. */
__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/* Why C_Initialize fails and what to do about it: on standard error whether a log is wanted or not. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

#endif
