/* Many at once: threads of one application, and applications; each signs in a session of its own. */
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "client.h"

#define MOST 256

/* Milliseconds until all have heard that the window opens; they sign meanwhile. */
#define LEAD 20.0

/* The time in which signatures count: the same moments for all, whoever is given a processor when. */
struct window {
  double from, end;
};

struct signer {
  struct scene scene;
  pthread_t thread;
  size_t calls;
};

static pthread_barrier_t ready, opened;
static struct window window;

static struct window window_of(double milliseconds) {
  double from = milliseconds_now() + LEAD;
  return (struct window){from, from + milliseconds};
}

static void begin_signing(struct scene *scene, CK_SESSION_HANDLE session, const char *key) {
  char *words[] = {(char *)(uintptr_t)key};
  *scene = (struct scene){.session = session};
  signing_works[0].begin(scene, words);
  signing_works[0].once(scene);
}

/* How many signatures ended in the window. */
static size_t sign_in(struct window window, struct scene *scene) {
  size_t calls = 0;
  for (double at = 0; at < window.end;) {
    signing_works[0].once(scene);
    at = milliseconds_now();
    calls += at >= window.from && at < window.end;
  }
  return calls;
}

static void print_rate(size_t calls, double milliseconds) {
  printf("{\"calls\":%zu,\"rate\":%.1f}\n", calls, (double)calls / milliseconds * 1e3);
}

static void *run(void *argument) {
  struct signer *signer = argument;
  pthread_barrier_wait(&ready);
  pthread_barrier_wait(&opened);
  signer->calls = sign_in(window, &signer->scene);
  return NULL;
}

void print_threads(const char *pin, const char *key, size_t count, double milliseconds) {
  static struct signer signers[MOST];
  size_t calls = 0;
  CHECK(count > 0 && count <= MOST);
  pthread_barrier_init(&ready, NULL, (unsigned)count + 1);
  pthread_barrier_init(&opened, NULL, (unsigned)count + 1);
  CK_SESSION_HANDLE first = logged_in(pin);
  for (size_t i = 0; i < count; i++) {
    CK_SESSION_HANDLE session = i == 0 ? first : open_session(bench_slot(), NULL, NULL);
    begin_signing(&signers[i].scene, session, key);
    CHECK(pthread_create(&signers[i].thread, NULL, run, &signers[i]) == 0);
  }
  pthread_barrier_wait(&ready);
  window = window_of(milliseconds);
  pthread_barrier_wait(&opened);
  for (size_t i = 0; i < count; i++) {
    pthread_join(signers[i].thread, NULL);
    calls += signers[i].calls;
  }
  print_rate(calls, milliseconds);
}

/* How the parent hears from an application and tells it the window. */
struct application {
  pid_t process;
  int from, to;
};

static bool heard(int from, void *into, size_t length) {
  return read(from, into, length) == (ssize_t)length;
}

/* Tells that it is ready, waits for the window, and tells how many calls it made in it. */
static void sign_as_application(const char *pin, const char *key, int in, int out) {
  struct scene scene;
  struct window own;
  begin_signing(&scene, logged_in(pin), key);
  CHECK(write(out, "r", 1) == 1 && heard(in, &own, sizeof own));
  size_t calls = sign_in(own, &scene);
  CHECK(write(out, &calls, sizeof calls) == sizeof calls);
  p11->C_Finalize(NULL);
  _exit(0);
}

/* Forks an application and waits until it is ready: SoftHSM2 cannot bear two that log in at once. */
static struct application start_application(const char *pin, const char *key) {
  int in[2], out[2];
  char word;
  CHECK(pipe(in) == 0 && pipe(out) == 0);
  struct application application = {.process = fork(), .from = out[0], .to = in[1]};
  CHECK(application.process >= 0);
  if (application.process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(in[1]);
    sign_as_application(pin, key, in[0], out[1]);
  }
  close(in[0]);
  close(out[1]);
  if (!heard(application.from, &word, 1)) _exit(1); /* it has told why */
  return application;
}

/* The applications are forked before anybody calls C_Initialize. */
void print_applications(const char *pin, const char *key, size_t count, double milliseconds) {
  struct application applications[MOST];
  size_t calls = 0, one;
  CHECK(count > 0 && count <= MOST);
  for (size_t i = 0; i < count; i++) applications[i] = start_application(pin, key);
  struct window all = window_of(milliseconds);
  for (size_t i = 0; i < count; i++)
    CHECK(write(applications[i].to, &all, sizeof all) == sizeof all);
  for (size_t i = 0; i < count; i++) {
    CHECK(heard(applications[i].from, &one, sizeof one));
    calls += one;
  }
  for (size_t i = 0; i < count; i++) {
    int status;
    CHECK(waitpid(applications[i].process, &status, 0) > 0 && status == 0);
  }
  print_rate(calls, milliseconds);
}
