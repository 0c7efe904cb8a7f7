/*
 * Works, and between works stands still, so that somebody may look at the memory of all processes.
 * It prints "ready" on a line and waits for a line, before the first work and after each.
 *   hold idle                   does nothing
 *   hold calls COUNT STAGES     COUNT small calls of six kinds, in so many stages
 *   hold once WORK BYTES        one single-part call over so many bytes
 */
#include "client.h"

static void stand_still(void) {
  char line[16];
  printf("ready\n");
  fflush(stdout);
  CHECK(fgets(line, sizeof line, stdin) != NULL);
}

/* Six calls: C_SignInit, C_Sign, C_DigestInit, C_Digest, C_GenerateRandom, C_GetSessionInfo. */
#define CALLS_A_TURN 6

static void begin(struct scene *s, CK_SESSION_HANDLE session, const struct work *work, char *word) {
  char *words[] = {word};
  *s = (struct scene){.session = session};
  work->begin(s, words);
}

static void calls(CK_SESSION_HANDLE session, size_t count, size_t stages) {
  const struct work *digest = &data_works[3], *random = &data_works[4], *info = &object_works[0];
  struct scene signing, digesting, making;
  begin(&signing, session, &signing_works[0], "p-256");
  begin(&digesting, session, digest, "16");
  begin(&making, session, random, "32");
  stand_still();
  for (size_t stage = 0; stage < stages; stage++) {
    for (size_t i = 0; i < count / stages / CALLS_A_TURN; i++) {
      signing_works[0].once(&signing);
      digest->once(&digesting);
      random->once(&making);
      info->once(&making);
    }
    stand_still();
  }
}

static void once(CK_SESSION_HANDLE session, const char *name, char *bytes) {
  for (const struct work *work = data_works; work->name != NULL; work++) {
    struct scene scene;
    if (strcmp(work->name, name) != 0) continue;
    begin(&scene, session, work, bytes);
    stand_still();
    work->once(&scene);
    stand_still();
  }
}

void hold(const char *pin, char **words) {
  CK_SESSION_HANDLE session = logged_in(pin);
  if (strcmp(words[0], "idle") == 0) stand_still();
  else if (strcmp(words[0], "once") == 0) once(session, words[1], words[2]);
  else calls(session, strtoul(words[1], NULL, 10), strtoul(words[2], NULL, 10));
}
