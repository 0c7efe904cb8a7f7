/* Data through the token: ciphers, digests, MACs and random numbers, Init and the call together. */
#include "client.h"

/* A tag or a padding block on top. */
#define MORE 64

static void take_data(struct scene *s, char **words, bool answers_as_much) {
  s->length = strtoul(words[0], NULL, 10);
  s->room = (answers_as_much ? s->length : 0) + MORE;
  s->data = malloc(s->length);
  s->output = malloc(s->room);
  CHECK(s->data != NULL && s->output != NULL);
  memset(s->data, 7, s->length);
  memset(s->output, 0, s->room);
}

static void begin_random(struct scene *s, char **words) {
  take_data(s, words, true);
}

static void begin_gcm(struct scene *s, char **words) {
  take_data(s, words, true);
  s->key = secret_key(s->session, CKK_AES, "aes");
  s->gcm = (CK_GCM_PARAMS){
      .pIv = s->iv, .ulIvLen = 12, .ulIvBits = 96, .pAAD = NULL, .ulAADLen = 0, .ulTagBits = 128};
  s->mechanism = (CK_MECHANISM){CKM_AES_GCM, &s->gcm, sizeof s->gcm};
}

static void begin_cbc(struct scene *s, char **words) {
  take_data(s, words, true);
  s->key = secret_key(s->session, CKK_AES, "aes");
  s->mechanism = (CK_MECHANISM){CKM_AES_CBC, s->iv, sizeof s->iv};
}

static void begin_mac(struct scene *s, char **words) {
  take_data(s, words, false);
  s->key = secret_key(s->session, CKK_GENERIC_SECRET, "hmac");
  s->mechanism = (CK_MECHANISM){CKM_SHA256_HMAC, NULL, 0};
}

static void begin_digest(struct scene *s, char **words) {
  take_data(s, words, false);
  s->mechanism = (CK_MECHANISM){CKM_SHA256, NULL, 0};
}

static void encrypt_once(void *scene) {
  struct scene *s = scene;
  CK_ULONG length = s->room;
  s->iv[0]++;
  ANSWERS(p11->C_EncryptInit(s->session, &s->mechanism, s->key), CKR_OK);
  ANSWERS(p11->C_Encrypt(s->session, s->data, s->length, s->output, &length), CKR_OK);
}

static void mac_once(void *scene) {
  struct scene *s = scene;
  CK_ULONG length = s->room;
  ANSWERS(p11->C_SignInit(s->session, &s->mechanism, s->key), CKR_OK);
  ANSWERS(p11->C_Sign(s->session, s->data, s->length, s->output, &length), CKR_OK);
}

static void digest_once(void *scene) {
  struct scene *s = scene;
  CK_ULONG length = s->room;
  ANSWERS(p11->C_DigestInit(s->session, &s->mechanism), CKR_OK);
  ANSWERS(p11->C_Digest(s->session, s->data, s->length, s->output, &length), CKR_OK);
}

static void random_once(void *scene) {
  struct scene *s = scene;
  ANSWERS(p11->C_GenerateRandom(s->session, s->output, s->length), CKR_OK);
}

const struct work data_works[] = {
    {"gcm", begin_gcm, encrypt_once, NULL},
    {"cbc", begin_cbc, encrypt_once, NULL},
    {"mac", begin_mac, mac_once, NULL},
    {"digest", begin_digest, digest_once, NULL},
    {"random", begin_random, random_once, NULL},
    {NULL, NULL, NULL, NULL},
};
