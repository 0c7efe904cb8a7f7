/* Objects: made, found, asked; and the smallest call there is. */
#include "client.h"

static void begin_info(struct scene *s, char **words) {
  (void)s;
  (void)words;
}

static void info_once(void *scene) {
  struct scene *s = scene;
  CK_SESSION_INFO info;
  ANSWERS(p11->C_GetSessionInfo(s->session, &info), CKR_OK);
}

/* words: a kind of keys, and "token" or "session". */
static void begin_generate(struct scene *s, char **words) {
  s->kind = kind_named(words[0]);
  s->token = strcmp(words[1], "token") == 0;
}

static void generate_once(void *scene) {
  struct scene *s = scene;
  generate_pair(s->session, s->kind, "made", s->token, s->made);
}

static void destroy_pair(void *scene) {
  struct scene *s = scene;
  destroy(s->session, s->made, 2);
}

static void create_once(void *scene) {
  struct scene *s = scene;
  s->made[0] = create_secret(s->session, CKK_AES, "made");
}

static void destroy_one(void *scene) {
  struct scene *s = scene;
  destroy(s->session, s->made, 1);
}

/* words: how many objects there are. */
static void begin_find(struct scene *s, char **words) {
  s->population = strtoul(words[0], NULL, 10);
}

/* Another object each time; 7919 is a prime that does not divide the populations. */
static void find_once(void *scene) {
  struct scene *s = scene;
  s->turn = (s->turn + 7919) % s->population;
  snprintf(s->label, sizeof s->label, "object %zu", s->turn);
  CHECK(find_labelled(s->session, CKO_SECRET_KEY, s->label, &s->key) == 1);
}

static void begin_attributes(struct scene *s, char **words) {
  (void)words;
  s->key = secret_key(s->session, CKK_AES, "aes");
}

static void attributes_once(void *scene) {
  struct scene *s = scene;
  CK_OBJECT_CLASS class;
  CK_KEY_TYPE type;
  CK_BBOOL sensitive;
  CK_ATTRIBUTE asked[] = {{CKA_CLASS, &class, sizeof class},
                          {CKA_KEY_TYPE, &type, sizeof type},
                          {CKA_LABEL, s->label, sizeof s->label},
                          {CKA_SENSITIVE, &sensitive, sizeof sensitive}};
  ANSWERS(p11->C_GetAttributeValue(s->session, s->key, asked, COUNT(asked)), CKR_OK);
}

const struct work object_works[] = {
    {"info", begin_info, info_once, NULL},
    {"generate", begin_generate, generate_once, destroy_pair},
    {"create", begin_info, create_once, destroy_one},
    {"find", begin_find, find_once, NULL},
    {"attributes", begin_attributes, attributes_once, NULL},
    {NULL, NULL, NULL, NULL},
};

/* Whether so many take longer than `bound` milliseconds at the pace so far. */
static bool hopeless(size_t made, size_t count, double took, double bound) {
  return took > bound || (took > bound / 10 && took / (double)made * (double)count > 1.5 * bound);
}

/* Makes so many objects, numbered from `from`, or gives up; tells how many it made. */
void populate(const char *pin, size_t from, size_t count, double bound) {
  CK_SESSION_HANDLE session = logged_in(pin);
  double began = milliseconds_now(), took = 0;
  size_t made = 0;
  while (made < count) {
    char label[32];
    snprintf(label, sizeof label, "object %zu", from + made++);
    create_secret(session, CKK_AES, label);
    took = milliseconds_now() - began;
    if (made < count && hopeless(made, count, took, bound)) break;
  }
  printf("{\"made\":%zu,\"took\":%.0f}\n", made, took);
}
