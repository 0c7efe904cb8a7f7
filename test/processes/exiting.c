/*
 * Ways to end a program, and to unload the module; the program has an OpenSSL of its own.
 * usage: exiting MODULE PIN WAY [LATE]
 * LATE is a shared object made of late.c.
 */
#include <dirent.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "program.h"

#define TIMES 100
/* What the C library may keep for itself while a module is loaded a hundred times. */
#define SLACK (16u << 10)

static const char *path, *pin, *late;
static void *library;
static atomic_int callbacks;
static bool exits_in_callback, finalizes_last;

static void load_module(void) {
  library = load(path);
  p11 = functions_of(library);
}

static void use_openssl(void) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned length;
  CHECK(EVP_Digest("abc", 3, hash, &length, EVP_sha256(), NULL) == 1 && length == 32);
}

static void make_session_object(CK_SESSION_HANDLE session) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_ULONG length = 32;
  CK_ATTRIBUTE template[] = {{CKA_VALUE_LEN, &length, sizeof length}};
  CK_OBJECT_HANDLE key;
  ANSWERS(p11->C_GenerateKey(session, &mechanism, template, COUNT(template), &key), CKR_OK);
}

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  (void)session, (void)event, (void)application;
  if (++callbacks == 2 && exits_in_callback) exit(0);
  return CKR_OK;
}

/* From here on the program is at its end: what these calls answer matters to nobody. */
static void *generate(void *unused) {
  CK_OBJECT_HANDLE pair[2];
  generate_rsa(open_session(notify, NULL), 16384, "never made", pair);
  return unused;
}

static void *wait_for_slot(void *unused) {
  CK_SLOT_ID slot;
  p11->C_WaitForSlotEvent(0, &slot, NULL);
  return unused;
}

static void *call_all_the_time(void *unused) {
  CK_ULONG count;
  while (p11->C_GetSlotList(CK_TRUE, NULL, &count) == CKR_OK) continue;
  return unused;
}

/* Threads that are in calls when the program ends. */
static void start_threads(void) {
  static void *(*const bodies[])(void *) = {generate, wait_for_slot, call_all_the_time};
  pthread_t thread;
  make_session_object(begin(pin, NULL, NULL));
  for (size_t i = 0; i < COUNT(bodies); i++)
    CHECK(pthread_create(&thread, NULL, bodies[i], NULL) == 0);
  while (callbacks < 2) usleep(1000);
}

static void end_idle(void) {
  make_session_object(begin(pin, notify, NULL));
}

static void end_amidst(void) {
  start_threads();
  exit(0);
}

static void *exits(void *unused) {
  while (callbacks < 2) usleep(1000);
  exit(0);
  return unused;
}

static void end_by_thread(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, exits, NULL) == 0);
  start_threads();
  generate(NULL);
}

static void end_in_callback(void) {
  exits_in_callback = true;
  begin(pin, NULL, NULL);
  generate(NULL);
  CHECK(!"reached");
}

static void finalize_at_exit(void) {
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  CHECK(write(STDOUT_FILENO, "finalized\n", 10) == 10);
}

/* The first handler to be registered is the last to run: OpenSSL's ran before. */
static void end_after_openssl(void) {
  atexit(finalize_at_exit);
  use_openssl();
  load_module();
  make_session_object(begin(pin, NULL, NULL));
}

static void end_before_openssl(void) {
  use_openssl();
  load_module();
  make_session_object(begin(pin, NULL, NULL));
  atexit(finalize_at_exit);
}

__attribute__((destructor)) static void ended(void) {
  if (finalizes_last) finalize_at_exit();
}

static void end_in_destructor(void) {
  make_session_object(begin(pin, NULL, NULL));
  finalizes_last = true;
}

/* OpenSSL is cleaned up for good: the module and the service have their own. */
static void end_without_openssl(void) {
  use_openssl();
  CK_SESSION_HANDLE session = begin(pin, NULL, NULL);
  OPENSSL_cleanup();
  make_session_object(session);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  works_afresh(pin);
  dlclose(library);
  load_module();
  works_afresh(pin);
}

static void keep_in(void *keeper) {
  void (*keep)(CK_FUNCTION_LIST *) = NULL;
  *(void **)&keep = dlsym(keeper, "keep");
  CHECK(keep != NULL);
  keep(p11);
}

/* Another shared object calls C_Finalize in its destructor, before the module's or after it. */
static void end_with_late_before(void) {
  void *keeper = load(late);
  load_module();
  keep_in(keeper);
  make_session_object(begin(pin, NULL, NULL));
}

static void end_with_late_after(void) {
  load_module();
  keep_in(load(late));
  make_session_object(begin(pin, NULL, NULL));
}

static int descriptors(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  CHECK(folder != NULL);
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

static void load_and_unload(bool finalizes) {
  CK_BYTE random[16];
  load_module();
  initialize();
  CK_SESSION_HANDLE session = open_session(notify, NULL);
  ANSWERS(p11->C_GenerateRandom(session, random, sizeof random), CKR_OK);
  if (finalizes) ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  CHECK(dlclose(library) == 0);
  CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == NULL);
}

static void unload(bool finalizes) {
  for (int i = 0; i < TIMES / 10; i++) load_and_unload(finalizes);
  int open = descriptors();
  size_t used = mallinfo2().uordblks;
  for (int i = 0; i < TIMES; i++) load_and_unload(finalizes);
  size_t used_after = mallinfo2().uordblks;
  CHECK(descriptors() == open);
  if (used_after > used + SLACK) fprintf(stderr, "%zu bytes, then %zu\n", used, used_after);
  CHECK(used_after <= used + SLACK);
}

static void unload_finalized(void) {
  unload(true);
}

static void unload_as_it_is(void) {
  unload(false);
}

/* A child unloads what its parent goes on to use. */
static void unload_in_child(void) {
  int status;
  CK_SESSION_HANDLE session = begin(pin, NULL, NULL);
  pid_t child = fork();
  if (child == 0) {
    int before = descriptors();
    CHECK(dlclose(library) == 0 && descriptors() == before);
    load_module();
    works_afresh(pin);
    exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  make_session_object(session);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*body)(void);
    bool loads_itself;
  } ways[] = {
      {"return", end_idle, false},
      {"exit-amidst", end_amidst, false},
      {"return-amidst", start_threads, false},
      {"exit-by-thread", end_by_thread, false},
      {"exit-in-callback", end_in_callback, false},
      {"after-openssl", end_after_openssl, true},
      {"before-openssl", end_before_openssl, true},
      {"without-openssl", end_without_openssl, false},
      {"destructor", end_in_destructor, false},
      {"late-before", end_with_late_before, true},
      {"late-after", end_with_late_after, true},
      {"unload-finalized", unload_finalized, true},
      {"unload", unload_as_it_is, true},
      {"unload-in-child", unload_in_child, false},
  };
  CHECK(argc >= 4);
  path = argv[1];
  pin = argv[2];
  late = argv[4];
  for (size_t i = 0; i < COUNT(ways); i++) {
    if (strcmp(argv[3], ways[i].name) != 0) continue;
    if (!ways[i].loads_itself) load_module();
    ways[i].body();
    return 0;
  }
  CHECK(!"a way");
}
