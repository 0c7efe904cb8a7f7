/* Key derivation functions: EVP_KDF(3), EVP_KDF-HKDF(7), EVP_KDF-KB(7) and their like. */
#include "softoki-openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

static EVP_KDF *fetch_kdf(const char *name) {
  OSSL_LIB_CTX *library;
  EVP_KDF *kdf = NULL;
  for (size_t at = 0; kdf == NULL && library_at(at, &library); at++)
    kdf = EVP_KDF_fetch(library, name, NULL);
  return kdf;
}

static EVP_KDF_CTX *init_kdf(OSSL_LIB_CTX *library, const char *name,
                             const struct options *options) {
  EVP_KDF *kdf = EVP_KDF_fetch(library, name, NULL);
  EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
  EVP_KDF_free(kdf);
  if (context != NULL && EVP_KDF_CTX_set_params(context, options->list) == 1)
    return context;
  EVP_KDF_CTX_free(context);
  return NULL;
}

/* A KDF may be known in Node's own context and the digest or cipher that it is made of not. */
static EVP_KDF_CTX *init_somewhere(const char *name, const struct options *options) {
  OSSL_LIB_CTX *library;
  EVP_KDF_CTX *context = NULL;
  for (size_t at = 0; context == NULL && library_at(at, &library); at++)
    context = init_kdf(library, name, options);
  return context;
}

static napi_value derive_bytes(napi_env env, EVP_KDF_CTX *context, size_t length) {
  napi_value buffer;
  uint8_t *output = make_room(env, length, &buffer);
  if (output == NULL)
    return NULL;
  if (EVP_KDF_derive(context, output, length, NULL) == 1)
    return make_view(env, buffer, length);
  OPENSSL_cleanse(output, length);
  throw_openssl_error(env, CODE_DERIVE);
  return NULL;
}

/* kdf(name, options, length): so many bytes. */
static napi_value kdf(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result = NULL;
  char name[LONGEST_NAME];
  size_t length;
  struct options options;
  if (!read_arguments(env, info, 3, 3, arguments, NULL) || !read_name(env, arguments[0], name) ||
      !read_length(env, arguments[2], LONGEST_OUTPUT, &length))
    return NULL;
  if (length == 0) {
    throw_error(env, CODE_ARGUMENT, "nothing is to be derived");
    return NULL;
  }
  EVP_KDF *known = fetch_kdf(name);
  if (known == NULL)
    throw_error(env, CODE_UNKNOWN, "there is no such KDF");
  else if (read_options(env, arguments[1], EVP_KDF_settable_ctx_params(known), &options)) {
    EVP_KDF_CTX *context = init_somewhere(name, &options);
    free_options(&options);
    if (context == NULL)
      throw_openssl_error(env, CODE_OPTION);
    else
      result = derive_bytes(env, context, length);
    EVP_KDF_CTX_free(context);
  }
  EVP_KDF_free(known);
  ERR_clear_error();
  return result;
}

const struct exported kdf_functions[] = {
    {"kdf", kdf, NULL},
    {NULL, NULL, NULL},
};
