/*
 * The bench's client, the same for every peer. Prints one line of JSON.
 * usage: client MODULE PIN MILLISECONDS LEAST WORK [WORD...]
 *   init SO_PIN               makes the token
 *   about                     the version of the module
 *   start                     C_Initialize, open and login, once
 *   populate FROM COUNT BOUND makes COUNT keys, or gives up after BOUND milliseconds
 *   threads|applications KEY COUNT   signatures a second of all together
 *   hold ...                  works, then waits to be looked at (memory.c)
 *   surrender ...             how a long function calls back (surrender.c)
 *   others                    the works of signing.c, data.c and objects.c
 */
#include "client.h"

static const struct work *work_in(const struct work *works, const char *name) {
  for (; works->name != NULL; works++)
    if (strcmp(works->name, name) == 0) return works;
  return NULL;
}

static const struct work *work_named(const char *name) {
  const struct work *families[] = {signing_works, data_works, object_works};
  for (size_t i = 0; i < COUNT(families); i++) {
    const struct work *found = work_in(families[i], name);
    if (found != NULL) return found;
  }
  CHECK(!"a work");
  return NULL;
}

static void measure_work(const char *pin, struct extent extent, char **words) {
  const struct work *work = work_named(words[0]);
  struct scene scene = {.session = logged_in(pin)};
  work->begin(&scene, words + 1);
  measure(&(struct measured){work->once, work->after, &scene}, extent);
}

int main(int argc, char **argv) {
  CHECK(argc >= 6);
  const char *pin = argv[2], *name = argv[5];
  struct extent extent = {atof(argv[3]), strtoul(argv[4], NULL, 10)};
  char **words = argv + 6;
#define IS(work, count) (strcmp(name, work) == 0 && argc >= 6 + (count))
  p11 = functions_of(load(argv[1]));
  if (IS("init", 1)) make_token(words[0], pin);
  else if (IS("about", 0)) print_about();
  else if (IS("start", 0)) print_start(pin);
  else if (IS("populate", 3))
    populate(pin, strtoul(words[0], NULL, 10), strtoul(words[1], NULL, 10), atof(words[2]));
  else if (IS("threads", 2))
    print_threads(pin, words[0], strtoul(words[1], NULL, 10), extent.milliseconds);
  else if (IS("applications", 2))
    print_applications(pin, words[0], strtoul(words[1], NULL, 10), extent.milliseconds);
  else if (IS("hold", 1)) hold(pin, words);
  else if (IS("surrender", 2)) print_surrender(pin, words);
  else measure_work(pin, extent, argv + 5);
  fflush(stdout);
  p11->C_Finalize(NULL);
  return 0;
}
