/* Fresh keys and fresh domain parameters. */
#include "softoki-openssl.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

/* What is generated: a key, or parameters that keys are generated from. */
struct generation {
  int (*init)(EVP_PKEY_CTX *context);
  EVP_PKEY *(*run)(EVP_PKEY_CTX *context);
  /* Whether a digest may be named for numbers of a finite field. */
  bool takes_digest;
};

/* A context for a type by name, or for the domain parameters of a key (or p and q of them). */
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

static bool is_finite_field(EVP_PKEY_CTX *context) {
  return EVP_PKEY_CTX_is_a(context, "DSA") || EVP_PKEY_CTX_is_a(context, "DH") ||
         EVP_PKEY_CTX_is_a(context, "DHX");
}

/* Takes the digest, and the properties it was looked up with, out of a list. */
static void drop_digest(OSSL_PARAM *list) {
  OSSL_PARAM *to = list;
  for (OSSL_PARAM *from = list; from->key != NULL; from++)
    if (strcmp(from->key, OSSL_PKEY_PARAM_FFC_DIGEST) != 0 &&
        strcmp(from->key, OSSL_PKEY_PARAM_FFC_DIGEST_PROPS) != 0)
      *to++ = *from;
  *to = OSSL_PARAM_construct_end();
}

/*
 * Parameters of a finite field made with a digest of choice keep the address of its name, which is
 * the generating context's (ossl_ffc_set_digest in OpenSSL), and would read it when that is gone. So
 * they are made again without it, while the context is still there.
 */
static EVP_PKEY *without_digest(const EVP_PKEY *key) {
  const int selection = EVP_PKEY_KEY_PARAMETERS;
  EVP_PKEY *made = NULL;
  OSSL_PARAM *list = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, EVP_PKEY_get0_type_name(key), NULL);
  if (context != NULL && EVP_PKEY_todata(key, selection, &list) == 1) {
    drop_digest(list);
    if (EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &made, selection, list) != 1)
      made = NULL;
  }
  OSSL_PARAM_free(list);
  EVP_PKEY_CTX_free(context);
  return made;
}

static EVP_PKEY *run_key(EVP_PKEY_CTX *context) {
  EVP_PKEY *key = NULL;
  return EVP_PKEY_generate(context, &key) == 1 ? key : NULL;
}

static EVP_PKEY *run_parameters(EVP_PKEY_CTX *context) {
  EVP_PKEY *key = NULL;
  if (EVP_PKEY_paramgen(context, &key) != 1)
    return NULL;
  if (!is_finite_field(context))
    return key;
  EVP_PKEY *made = without_digest(key);
  EVP_PKEY_free(key);
  return made;
}

static const struct generation keys = {EVP_PKEY_keygen_init, run_key, false};
static const struct generation parameters = {EVP_PKEY_paramgen_init, run_parameters, true};

static bool set_options(const struct generation *generation, EVP_PKEY_CTX *context,
                        const struct options *options) {
  if (!generation->takes_digest && is_finite_field(context) &&
      OSSL_PARAM_locate_const(options->list, OSSL_PKEY_PARAM_FFC_DIGEST) != NULL)
    return false;
  return options->count == 0 || EVP_PKEY_CTX_set_params(context, options->list) == 1;
}

/*
 * generate(type or key, options): a fresh key; with the domain parameters of the key, if one is given.
 * generateParameters(type or key, options): fresh domain parameters; or the generator that a key lacks.
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
    if (!set_options(generation, context, &options))
      throw_openssl_error(env, CODE_OPTION);
    else if ((key = generation->run(context)) == NULL)
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
