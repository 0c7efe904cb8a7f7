/*
 * Where algorithms come from. Node's own library context has the default provider. A second one has
 * the legacy provider beside it (DES, RC4, MD4 and their like, OSSL_PROVIDER-legacy(7)); nobody else
 * sees it, so that what is old is to be had here and nowhere else in the process.
 */
#include "softoki-openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <string.h>

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
/* NULL where this OpenSSL has no legacy provider. It lasts as long as the process. */
static OSSL_LIB_CTX *legacy;

static void load_legacy(void) {
  OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
  if (library != NULL && OSSL_PROVIDER_load(library, "default") != NULL &&
      OSSL_PROVIDER_load(library, "legacy") != NULL)
    legacy = library;
  else
    OSSL_LIB_CTX_free(library);
  ERR_clear_error();
}

bool library_at(size_t at, OSSL_LIB_CTX **library) {
  *library = NULL;
  if (at == 0)
    return true;
  if (at > 1 || CRYPTO_THREAD_run_once(&once, load_legacy) != 1)
    return false;
  *library = legacy;
  return legacy != NULL;
}

/* How an algorithm of a kind is looked up and let go. */
#define PROBE(kind)                                                                                \
  static bool probe_##kind(OSSL_LIB_CTX *library, const char *name) {                              \
    EVP_##kind *found = EVP_##kind##_fetch(library, name, NULL);                                   \
    EVP_##kind##_free(found);                                                                      \
    return found != NULL;                                                                          \
  }
PROBE(CIPHER)
PROBE(MAC)
PROBE(MD)
PROBE(KDF)
PROBE(KEYMGMT)
PROBE(SIGNATURE)
PROBE(KEM)

struct probe {
  const char *kind;
  bool (*run)(OSSL_LIB_CTX *library, const char *name);
  /* Keys live in Node's own context only. */
  size_t libraries;
};

static const struct probe probes[] = {
    {"cipher", probe_CIPHER, 2}, {"mac", probe_MAC, 2},
    {"digest", probe_MD, 2},     {"kdf", probe_KDF, 2},
    {"key", probe_KEYMGMT, 1},   {"signature", probe_SIGNATURE, 1},
    {"kem", probe_KEM, 1},
};

static bool has_algorithm(const struct probe *probe, const char *name) {
  OSSL_LIB_CTX *library;
  bool found = false;
  for (size_t at = 0; !found && at < probe->libraries && library_at(at, &library); at++)
    found = probe->run(library, name);
  ERR_clear_error();
  return found;
}

/* has(kind, name): whether an algorithm is there. */
static napi_value has(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  char kind[LONGEST_NAME], name[LONGEST_NAME];
  if (!read_arguments(env, info, 2, 2, arguments, NULL) || !read_name(env, arguments[0], kind) ||
      !read_name(env, arguments[1], name))
    return NULL;
  for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
    if (strcmp(probes[i].kind, kind) == 0)
      return make_bool(env, has_algorithm(&probes[i], name));
  throw_error(env, CODE_ARGUMENT, "there is no such kind of algorithm");
  return NULL;
}

const struct exported library_functions[] = {
    {"has", has, NULL},
    {NULL, NULL, NULL},
};
