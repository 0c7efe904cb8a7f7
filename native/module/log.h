/*
 * Why something failed, in words: on standard error, where SOFTOKI_LOG is set. Since nothing but its
 * being there counts, it is looked at in a set-uid program too.
 */
#ifndef SOFTOKI_LOG_H
#define SOFTOKI_LOG_H

__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

#endif
