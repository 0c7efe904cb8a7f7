/*
 * The yardstick: the same works by libcrypto itself, in the process, with keys and contexts kept.
 * usage: openssl MILLISECONDS LEAST (sign|verify KEY | gcm|cbc|digest|mac|random BYTES | generate KEY)
 */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdbool.h>

#include "../../test/module/check.h"
#include "measure.h"

#define MORE 64

struct scene {
  EVP_PKEY *key;
  EVP_PKEY_CTX *signing, *verifying;
  EVP_MD_CTX *digesting;
  EVP_CIPHER_CTX *encrypting;
  EVP_CIPHER *cipher;
  EVP_MD *sha256;
  EVP_MAC_CTX *mac;
  unsigned char *data, *output, iv[16], key_bytes[32];
  size_t length, room, signature_length;
  const char *kind;
};

static struct scene scene;

static void no_such_work(void) {
  fprintf(stderr, "libcrypto is no token and has no such work\n");
  exit(1);
}

static EVP_PKEY *generate(const char *kind) {
  if (strcmp(kind, "ml-dsa-65") == 0) no_such_work();
  if (strncmp(kind, "rsa-", 4) == 0)
    return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(kind + 4));
  if (strcmp(kind, "ed25519") == 0) return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
  return EVP_PKEY_Q_keygen(NULL, NULL, "EC", strcmp(kind, "p-384") == 0 ? "P-384" : "P-256");
}

/* RSA signs a DigestInfo of SHA-256, as the client has it. */
static size_t length_for(const char *kind) {
  if (strncmp(kind, "rsa-", 4) == 0) return 51;
  return strcmp(kind, "p-384") == 0 ? 48 : 32;
}

static void begin_pair(const char *kind) {
  scene.length = length_for(kind);
  scene.data = calloc(1, scene.length);
  scene.output = malloc(scene.room = 1024);
  scene.key = generate(kind);
  CHECK(scene.key != NULL && scene.data != NULL && scene.output != NULL);
}

static void sign_once(void *unused) {
  (void)unused;
  scene.signature_length = scene.room;
  CHECK(EVP_PKEY_sign(scene.signing, scene.output, &scene.signature_length, scene.data,
                      scene.length) == 1);
}

static void verify_once(void *unused) {
  (void)unused;
  CHECK(EVP_PKEY_verify(scene.verifying, scene.output, scene.signature_length, scene.data,
                        scene.length) == 1);
}

static void ed25519_sign_once(void *unused) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  (void)unused;
  scene.signature_length = scene.room;
  CHECK(EVP_DigestSignInit(context, NULL, NULL, NULL, scene.key) == 1);
  CHECK(EVP_DigestSign(context, scene.output, &scene.signature_length, scene.data, scene.length) ==
        1);
  EVP_MD_CTX_free(context);
}

static void ed25519_verify_once(void *unused) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  (void)unused;
  CHECK(EVP_DigestVerifyInit(context, NULL, NULL, NULL, scene.key) == 1);
  CHECK(EVP_DigestVerify(context, scene.output, scene.signature_length, scene.data, scene.length) ==
        1);
  EVP_MD_CTX_free(context);
}

static void use_padding(EVP_PKEY_CTX *context) {
  if (EVP_PKEY_get_base_id(scene.key) == EVP_PKEY_RSA)
    CHECK(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0);
}

static void begin_contexts(void) {
  scene.signing = EVP_PKEY_CTX_new(scene.key, NULL);
  scene.verifying = EVP_PKEY_CTX_new(scene.key, NULL);
  CHECK(EVP_PKEY_sign_init(scene.signing) == 1 && EVP_PKEY_verify_init(scene.verifying) == 1);
  use_padding(scene.signing);
  use_padding(scene.verifying);
}

static void measure_signature(const char *name, const char *kind, struct extent extent) {
  bool ed25519 = strcmp(kind, "ed25519") == 0;
  void (*sign)(void *) = ed25519 ? ed25519_sign_once : sign_once;
  void (*verify)(void *) = ed25519 ? ed25519_verify_once : verify_once;
  begin_pair(kind);
  if (!ed25519) begin_contexts();
  sign(NULL);
  measure(&(struct measured){strcmp(name, "sign") == 0 ? sign : verify, NULL, NULL}, extent);
}

static void generate_once(void *unused) {
  (void)unused;
  scene.key = generate(scene.kind);
}

static void free_key(void *unused) {
  (void)unused;
  EVP_PKEY_free(scene.key);
}

static void gcm_once(void *unused) {
  int length = 0;
  (void)unused;
  scene.iv[0]++;
  CHECK(EVP_EncryptInit_ex2(scene.encrypting, NULL, NULL, scene.iv, NULL) == 1);
  CHECK(EVP_EncryptUpdate(scene.encrypting, scene.output, &length, scene.data, (int)scene.length) ==
        1);
  CHECK(EVP_EncryptFinal_ex(scene.encrypting, scene.output + length, &length) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(scene.encrypting, EVP_CTRL_AEAD_GET_TAG, 16,
                            scene.output + scene.length) == 1);
}

static void cbc_once(void *unused) {
  int length = 0;
  (void)unused;
  scene.iv[0]++;
  CHECK(EVP_EncryptInit_ex2(scene.encrypting, NULL, NULL, scene.iv, NULL) == 1);
  CHECK(EVP_EncryptUpdate(scene.encrypting, scene.output, &length, scene.data, (int)scene.length) ==
        1);
}

static void digest_once(void *unused) {
  (void)unused;
  CHECK(EVP_DigestInit_ex2(scene.digesting, scene.sha256, NULL) == 1);
  CHECK(EVP_DigestUpdate(scene.digesting, scene.data, scene.length) == 1);
  CHECK(EVP_DigestFinal_ex(scene.digesting, scene.output, NULL) == 1);
}

static void mac_once(void *unused) {
  size_t length;
  (void)unused;
  CHECK(EVP_MAC_init(scene.mac, NULL, 0, NULL) == 1);
  CHECK(EVP_MAC_update(scene.mac, scene.data, scene.length) == 1);
  CHECK(EVP_MAC_final(scene.mac, scene.output, &length, scene.room) == 1);
}

static void random_once(void *unused) {
  (void)unused;
  CHECK(RAND_bytes(scene.output, (int)scene.length) == 1);
}

static void begin_cipher(const char *name) {
  scene.cipher = EVP_CIPHER_fetch(NULL, name, NULL);
  scene.encrypting = EVP_CIPHER_CTX_new();
  CHECK(EVP_EncryptInit_ex2(scene.encrypting, scene.cipher, scene.key_bytes, scene.iv, NULL) == 1);
  EVP_CIPHER_CTX_set_padding(scene.encrypting, 0);
}

static void begin_mac(void) {
  EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  OSSL_PARAM params[] = {OSSL_PARAM_utf8_string("digest", (char *)(uintptr_t)"SHA256", 6),
                         OSSL_PARAM_END};
  scene.mac = EVP_MAC_CTX_new(hmac);
  CHECK(EVP_MAC_init(scene.mac, scene.key_bytes, sizeof scene.key_bytes, params) == 1);
}

static void begin_data(const char *name, const char *bytes) {
  scene.length = strtoul(bytes, NULL, 10);
  scene.room = scene.length + MORE;
  scene.data = malloc(scene.length);
  scene.output = malloc(scene.room);
  CHECK(scene.data != NULL && scene.output != NULL);
  memset(scene.data, 7, scene.length);
  memset(scene.output, 0, scene.room);
  scene.digesting = EVP_MD_CTX_new();
  if (strcmp(name, "gcm") == 0) begin_cipher("AES-256-GCM");
  if (strcmp(name, "cbc") == 0) begin_cipher("AES-256-CBC");
  if (strcmp(name, "mac") == 0) begin_mac();
}

static const struct {
  const char *name;
  void (*once)(void *);
} data_works[] = {
    {"gcm", gcm_once}, {"cbc", cbc_once}, {"digest", digest_once},
    {"mac", mac_once}, {"random", random_once},
};

static void measure_data(const char *name, const char *bytes, struct extent extent) {
  for (size_t i = 0; i < sizeof data_works / sizeof *data_works; i++) {
    if (strcmp(data_works[i].name, name) != 0) continue;
    begin_data(name, bytes);
    measure(&(struct measured){data_works[i].once, NULL, NULL}, extent);
    return;
  }
  no_such_work();
}

int main(int argc, char **argv) {
  CHECK(argc >= 4);
  if (strcmp(argv[3], "about") == 0) {
    printf("{\"about\":\"%s\"}\n", OpenSSL_version(OPENSSL_VERSION_STRING));
    return 0;
  }
  if (argc < 5) no_such_work();
  struct extent extent = {atof(argv[1]), strtoul(argv[2], NULL, 10)};
  const char *name = argv[3];
  scene.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  if (strcmp(name, "sign") == 0 || strcmp(name, "verify") == 0) {
    measure_signature(name, argv[4], extent);
  } else if (strcmp(name, "generate") == 0) {
    scene.kind = argv[4];
    measure(&(struct measured){generate_once, free_key, NULL}, extent);
  } else {
    measure_data(name, argv[4], extent);
  }
  return 0;
}
