/* What a process that holds keys asks of the system. */
#include "softoki-openssl.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/resource.h>
#ifdef __linux__
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>
#endif

/*
 * dieWithParent(): from now on the kernel kills this process when the one that started it ends, also
 * in the middle of a long native call. Linux only; elsewhere it does nothing. A parent that ended
 * before the call is not seen here: its end of the worker's channel is closed then.
 */
static napi_value die_with_parent(napi_env env, napi_callback_info info) {
  (void)info;
#ifdef __linux__
  pid_t parent = getppid();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    throw_error(env, CODE_ARGUMENT, "prctl(PR_SET_PDEATHSIG) was refused");
    return NULL;
  }
  if (getppid() != parent)
    raise(SIGKILL);
#else
  (void)env;
#endif
  return NULL;
}

/* leaveNoCoreFile(): this process and those it starts write no core file, which would hold keys. */
static napi_value leave_no_core_file(napi_env env, napi_callback_info info) {
  const struct rlimit none = {0, 0};
  (void)info;
  if (setrlimit(RLIMIT_CORE, &none) != 0)
    throw_error(env, CODE_ARGUMENT, "setrlimit(RLIMIT_CORE) was refused");
  return NULL;
}

/* Bytes from which an allocation is one of its own: 8 MiB. */
#define APART (8 << 20)

/*
 * giveMemoryBack(): what is as large as a try of a PIN needs (Argon2id, 19 MiB) goes back to the system
 * when it is freed. The C library would keep that much for each thread that ever tried one.
 */
static napi_value give_memory_back(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, APART);
  mallopt(M_TRIM_THRESHOLD, 2 * APART);
#endif
  return NULL;
}

const struct exported process_functions[] = {
    {"dieWithParent", die_with_parent, NULL},
    {"giveMemoryBack", give_memory_back, NULL},
    {"leaveNoCoreFile", leave_no_core_file, NULL},
    {NULL, NULL, NULL},
};
