/* Signatures: C_SignInit and C_Sign together, C_VerifyInit and C_Verify together. */
#include "client.h"

static void begin(struct scene *s, const struct kind *kind, CK_OBJECT_CLASS class) {
  s->key = pair_key(s->session, kind, class);
  s->mechanism = (CK_MECHANISM){kind->signing, NULL, 0};
  s->length = kind->data_length;
  s->data = calloc(1, s->length);
  s->output = malloc(s->room = ROOM);
  CHECK(s->data != NULL && s->output != NULL);
}

static void sign_once(void *scene) {
  struct scene *s = scene;
  CK_ULONG length = s->room;
  ANSWERS(p11->C_SignInit(s->session, &s->mechanism, s->key), CKR_OK);
  ANSWERS(p11->C_Sign(s->session, s->data, s->length, s->output, &length), CKR_OK);
  s->output_length = length;
}

static void verify_once(void *scene) {
  struct scene *s = scene;
  ANSWERS(p11->C_VerifyInit(s->session, &s->mechanism, s->key), CKR_OK);
  ANSWERS(p11->C_Verify(s->session, s->data, s->length, s->output, s->output_length), CKR_OK);
}

static void begin_sign(struct scene *s, char **words) {
  begin(s, kind_named(words[0]), CKO_PRIVATE_KEY);
}

static void begin_verify(struct scene *s, char **words) {
  begin_sign(s, words);
  sign_once(s);
  s->key = pair_key(s->session, kind_named(words[0]), CKO_PUBLIC_KEY);
}

const struct work signing_works[] = {
    {"sign", begin_sign, sign_once, NULL},
    {"verify", begin_verify, verify_once, NULL},
    {NULL, NULL, NULL, NULL},
};
