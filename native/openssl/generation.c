/* Fresh keys and fresh domain parameters. */
#include "softoki-openssl.h"

#include <openssl/err.h>

/* What is generated: a key, or parameters that keys are generated from. */
struct generation {
  int (*init)(EVP_PKEY_CTX *context);
  int (*run)(EVP_PKEY_CTX *context, EVP_PKEY **key);
};

static const struct generation keys = {EVP_PKEY_keygen_init, EVP_PKEY_generate};
static const struct generation parameters = {EVP_PKEY_paramgen_init, EVP_PKEY_paramgen};

/* A context for a type by name, or for what a key already has: its parameters, or a part of them. */
static EVP_PKEY_CTX *read_origin(napi_env env, napi_value value) {
  EVP_PKEY *key;
  if (!is_key(env, value))
    return read_type(env, value, CODE_GENERATE);
  if (!read_key(env, value, &key))
    return NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
  if (context == NULL)
    throw_openssl_error(env, CODE_MEMORY);
  return context;
}

/*
 * generate(type or key, options): a fresh key, with the domain parameters of the key where one is given.
 * generateParameters(type or key, options): fresh domain parameters, or the generator that is missing.
 */
static napi_value generate(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result = NULL;
  const void *data;
  struct options options;
  EVP_PKEY *key = NULL;
  if (!read_arguments(env, info, 2, 2, arguments, &data))
    return NULL;
  const struct generation *generation = data;
  EVP_PKEY_CTX *context = read_origin(env, arguments[0]);
  if (context == NULL)
    return NULL;
  if (generation->init(context) != 1)
    throw_openssl_error(env, CODE_GENERATE);
  else if (read_options(env, arguments[1], EVP_PKEY_CTX_settable_params(context), &options)) {
    if (options.count != 0 && EVP_PKEY_CTX_set_params(context, options.list) != 1)
      throw_openssl_error(env, CODE_OPTION);
    else if (generation->run(context, &key) != 1)
      throw_openssl_error(env, CODE_GENERATE);
    else
      result = make_key(env, key);
    free_options(&options);
  }
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return result;
}

const struct exported generation_functions[] = {
    {"generate", generate, &keys},
    {"generateParameters", generate, &parameters},
    {NULL, NULL, NULL},
};
