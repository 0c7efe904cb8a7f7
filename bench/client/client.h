/* What the parts of the bench's client share: one token, its keys, and the works to be measured. */
#ifndef SOFTOKI_BENCH_CLIENT_H
#define SOFTOKI_BENCH_CLIENT_H

#include <stdbool.h>

#include "../../test/module/check.h"
#include "measure.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROOM 8192

extern CK_FUNCTION_LIST *p11;

/* What a thread needs to do its work again and again. */
struct scene {
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key, made[2];
  CK_MECHANISM mechanism;
  CK_GCM_PARAMS gcm;
  CK_BYTE iv[16];
  CK_BYTE *data, *output;
  CK_ULONG length, room, output_length;
  const struct kind *kind;
  bool token;
  char label[32];
  size_t turn, population;
};

/* A work by its name: `begin` reads the words behind the name, `once` is what is measured. */
struct work {
  const char *name;
  void (*begin)(struct scene *, char **words);
  void (*once)(void *scene);
  void (*after)(void *scene);
};

/* A kind of keys: how they are made, and how they sign. */
struct kind {
  const char *name;
  CK_MECHANISM_TYPE generation, signing;
  CK_ULONG bits;
  const char *curve;
  CK_ULONG curve_length, set, data_length;
};

/* token.c */
void initialize(void);
CK_SLOT_ID bench_slot(void);
CK_SESSION_HANDLE open_session(CK_SLOT_ID slot, CK_NOTIFY notify, void *application);
CK_SESSION_HANDLE logged_in(const char *pin);
void make_token(const char *so_pin, const char *pin);

/* keys.c */
const struct kind *kind_named(const char *name);
void generate_pair(CK_SESSION_HANDLE session, const struct kind *kind, const char *label, bool token,
                   CK_OBJECT_HANDLE pair[2]);
void destroy(CK_SESSION_HANDLE session, const CK_OBJECT_HANDLE *objects, size_t count);
CK_ULONG find_labelled(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label,
                       CK_OBJECT_HANDLE *found);
CK_OBJECT_HANDLE pair_key(CK_SESSION_HANDLE session, const struct kind *kind, CK_OBJECT_CLASS class);
CK_OBJECT_HANDLE secret_key(CK_SESSION_HANDLE session, CK_KEY_TYPE type, const char *label);
CK_OBJECT_HANDLE create_secret(CK_SESSION_HANDLE session, CK_KEY_TYPE type, const char *label);

/* The works, and others that print by themselves. */
extern const struct work signing_works[], data_works[], object_works[];
void print_about(void);
void print_start(const char *pin);
void populate(const char *pin, size_t from, size_t count, double bound);
void print_threads(const char *pin, const char *key, size_t count, double milliseconds);
void print_applications(const char *pin, const char *key, size_t count, double milliseconds);
void hold(const char *pin, char **words);
void print_surrender(const char *pin, char **words);

#endif
