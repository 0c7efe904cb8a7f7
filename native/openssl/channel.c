/*
 * Memory that the service shares with an application. What lies in it is not the business of this
 * file: src/wire/ring.ts and native/module/channel.c know. Linux only; elsewhere there is none.
 */
#define _GNU_SOURCE
#include "softoki-openssl.h"

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes of one memory, and of what is sent with its descriptor, at most. */
#define LONGEST_MEMORY ((size_t)64 << 20)
#define LONGEST_FRAME 4096

#define LARGEST_DESCRIPTOR ((size_t)INT32_MAX)

struct mapping {
  void *place;
  size_t length;
};

static void unmap(napi_env env, void *place, void *hint) {
  struct mapping *mapping = hint;
  (void)env, (void)place;
  munmap(mapping->place, mapping->length);
  free(mapping);
}

/*
 * A file in memory whose length is sealed: whoever has it cannot make it shorter, which would end with
 * a signal the process that touches what is gone. -1 where the system has none.
 */
static int make_file(size_t length) {
  int file = memfd_create("softoki", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return -1;
  if (ftruncate(file, (off_t)length) == 0 &&
      fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    return file;
  close(file);
  return -1;
}

/* The file as an ArrayBuffer, which lets go of it once it is collected; NULL after throwing. */
static napi_value map(napi_env env, int file, size_t length) {
  napi_value buffer;
  struct mapping *mapping = malloc(sizeof *mapping);
  if (mapping != NULL) {
    mapping->length = length;
    mapping->place = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  if (mapping == NULL || mapping->place == MAP_FAILED) {
    free(mapping);
    throw_error(env, CODE_MEMORY, "the memory cannot be mapped");
    return NULL;
  }
  madvise(mapping->place, length, MADV_DONTFORK);
  madvise(mapping->place, length, MADV_DONTDUMP);
  if (napi_create_external_arraybuffer(env, mapping->place, length, unmap, mapping, &buffer) ==
      napi_ok)
    return buffer;
  unmap(env, NULL, mapping);
  throw_error(env, CODE_MEMORY, "this Node takes no memory from outside");
  return NULL;
}

/* makeMemory(length) answers [ArrayBuffer, descriptor]; the descriptor is the caller's to close. */
static napi_value make_memory(napi_env env, napi_callback_info info) {
  napi_value argument, pair;
  size_t length;
  if (!read_arguments(env, info, 1, 1, &argument, NULL) ||
      !read_length(env, argument, LONGEST_MEMORY, &length))
    return NULL;
  int file = length == 0 ? -1 : make_file(length);
  if (file < 0) {
    throw_error(env, CODE_MEMORY, "the system has no memory to share");
    return NULL;
  }
  napi_value memory = map(env, file, length);
  if (memory != NULL && napi_create_array_with_length(env, 2, &pair) == napi_ok &&
      napi_set_element(env, pair, 0, memory) == napi_ok &&
      napi_set_element(env, pair, 1, make_number(env, file)) == napi_ok)
    return pair;
  close(file);
  return NULL;
}

/* Sends bytes, and with them a descriptor where that is not negative; never waits. */
static ssize_t send_now(int socket, const uint8_t *bytes, size_t length, int descriptor) {
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct iovec part = {(void *)(uintptr_t)bytes, length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  ssize_t sent;
  if (descriptor >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
  }
  do sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent;
}

/* sendDescriptor(socket, bytes, descriptor): false where not all of it went at once. */
static napi_value send_descriptor(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t socket, descriptor;
  struct bytes frame;
  if (!read_arguments(env, info, 3, 3, arguments, NULL) ||
      !read_length(env, arguments[0], LARGEST_DESCRIPTOR, &socket) ||
      !read_bytes(env, arguments[1], &frame) ||
      !read_length(env, arguments[2], LARGEST_DESCRIPTOR, &descriptor))
    return NULL;
  if (frame.length == 0 || frame.length > LONGEST_FRAME) {
    throw_error(env, CODE_ARGUMENT, "a frame of 1 to 4096 bytes");
    return NULL;
  }
  ssize_t sent = send_now((int)socket, frame.data, frame.length, (int)descriptor);
  return make_bool(env, sent == (ssize_t)frame.length);
}

/*
 * ring(socket) sends the byte that wakes who sleeps at its other end. Where the socket is full of them
 * or gone, there is nobody left to wake.
 */
static napi_value ring(napi_env env, napi_callback_info info) {
  static const uint8_t bell = 1;
  napi_value argument;
  size_t socket;
  if (!read_arguments(env, info, 1, 1, &argument, NULL) ||
      !read_length(env, argument, LARGEST_DESCRIPTOR, &socket))
    return NULL;
  send_now((int)socket, &bell, 1, -1);
  return NULL;
}
/* So often a waiting loop relaxes. */
#define RELAXES 4

/* relax(yields) answers the number of the processor. */
static napi_value relax(napi_env env, napi_callback_info info) {
  napi_value argument;
  bool yields;
  if (!read_arguments(env, info, 1, 1, &argument, NULL) ||
      napi_get_value_bool(env, argument, &yields) != napi_ok) {
    throw_error(env, CODE_ARGUMENT, "true or false");
    return NULL;
  }
  if (yields) sched_yield();
#if defined(__x86_64__) || defined(__i386__)
  for (int i = 0; i < RELAXES && !yields; i++) __builtin_ia32_pause();
#elif defined(__aarch64__)
  for (int i = 0; i < RELAXES && !yields; i++) __asm__ volatile("yield");
#endif
  return make_number(env, sched_getcpu());
}
#else
static napi_value refuse(napi_env env, napi_callback_info info) {
  (void)info;
  throw_error(env, CODE_MEMORY, "memory is shared on Linux only");
  return NULL;
}
#define make_memory refuse
#define send_descriptor refuse
#define ring refuse
#define relax refuse
#endif

const struct exported channel_functions[] = {
    {"makeMemory", make_memory, NULL},
    {"sendDescriptor", send_descriptor, NULL},
    {"ring", ring, NULL},
    {"relax", relax, NULL},
    {NULL, NULL, NULL},
};
