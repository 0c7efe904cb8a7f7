/*
 * What a program is told of the progress of real work, and what its user sees of it.
 * usage: progress MODULE PIN (digest | generate)
 */
#include "../foreign/program.h"

#include <sys/mman.h>

#include "softoki.h"

#define DATA_BYTES ((size_t)512 << 20)
#define MILLION 1000000

static struct {
  CK_ULONG told, surrenders, falls, first, last, elapsed, usual;
} seen;

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  CHECK(session != CK_INVALID_HANDLE);
  if (event == CKN_SURRENDER) {
    CHECK(given == &seen);
    seen.surrenders++;
    return CKR_OK;
  }
  const CK_SOFTOKI_PROGRESS *progress = given;
  CHECK(event == CKN_SOFTOKI_PROGRESS && progress->pApplication == &seen);
  CHECK(progress->ulDone <= MILLION && progress->ulElapsed >= seen.elapsed);
  seen.falls += progress->ulDone < seen.last;
  if (seen.told++ == 0) seen.first = progress->ulDone;
  seen.last = progress->ulDone;
  seen.elapsed = progress->ulElapsed;
  seen.usual = progress->ulUsual;
  return CKR_OK;
}

static void want_progress(void *library, CK_SESSION_HANDLE session) {
  CK_C_GetInterface get = NULL;
  CK_INTERFACE *interface;
  *(void **)&get = dlsym(library, "C_GetInterface");
  ANSWERS(get((CK_UTF8CHAR *)SOFTOKI_INTERFACE, NULL, &interface, 0), CKR_OK);
  const CK_SOFTOKI_FUNCTION_LIST *softoki = interface->pFunctionList;
  ANSWERS(softoki->C_NotifyProgress(session, CK_TRUE), CKR_OK);
}

static void digest(CK_SESSION_HANDLE session) {
  CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
  CK_BYTE hash[32];
  CK_ULONG length = sizeof hash;
  /* Pages that are never written cost no memory. */
  CK_BYTE *data = mmap(NULL, DATA_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(data != MAP_FAILED);
  memset(&seen, 0, sizeof seen);
  double began = now();
  ANSWERS(p11->C_DigestInit(session, &mechanism), CKR_OK);
  ANSWERS(p11->C_Digest(session, data, DATA_BYTES, hash, &length), CKR_OK);
  CHECK(seen.elapsed <= now() - began + 1);
  munmap(data, DATA_BYTES);
}

static void digest_twice(void *library) {
  CK_SESSION_HANDLE eager = open_session(notify, &seen), plain = open_session(notify, &seen);
  want_progress(library, eager);
  digest(eager);
  printf("{\"told\":%lu,\"surrenders\":%lu,\"falls\":%lu,\"first\":%lu,\"last\":%lu}\n", seen.told,
         seen.surrenders, seen.falls, seen.first, seen.last);
  digest(plain);
  printf("{\"toldPlain\":%lu,\"surrendersPlain\":%lu}\n", seen.told, seen.surrenders);
}

static void generate(const char *pin) {
  CK_OBJECT_HANDLE pair[2];
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  login(session, pin);
  CK_RV rv = generate_rsa(session, 16384, "watched", pair);
  printf("0x%lx, %lu objects\n", rv, find(session, NULL, "watched", NULL));
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  void *library = load(argv[1]);
  p11 = functions_of(library);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  if (strcmp(argv[3], "digest") == 0) digest_twice(library);
  if (strcmp(argv[3], "generate") == 0) generate(argv[2]);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
