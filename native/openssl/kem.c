/* Key encapsulation: EVP_PKEY_encapsulate(3), EVP_KEM-ML-KEM(7), EVP_KEM-EC(7), EVP_KEM-RSA(7). */
#include "softoki-openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#define CODE_ENCAPSULATE "OPENSSL_ENCAPSULATE"
#define CODE_DECAPSULATE "OPENSSL_DECAPSULATE"

/* A context that is ready to work; the caller frees it. NULL after throwing. */
static EVP_PKEY_CTX *make_context(napi_env env, napi_value key_value, napi_value option_values,
                                  int (*init)(EVP_PKEY_CTX *context, const OSSL_PARAM *params)) {
  EVP_PKEY *key;
  struct options options;
  if (!read_key(env, key_value, &key))
    return NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
  if (context == NULL || init(context, NULL) != 1) {
    throw_openssl_error(env, CODE_OPTION);
    EVP_PKEY_CTX_free(context);
    return NULL;
  }
  if (read_options(env, option_values, EVP_PKEY_CTX_settable_params(context), &options)) {
    bool set = options.count == 0 || EVP_PKEY_CTX_set_params(context, options.list) == 1;
    free_options(&options);
    if (set)
      return context;
    throw_openssl_error(env, CODE_OPTION);
  }
  EVP_PKEY_CTX_free(context);
  return NULL;
}

static napi_value make_pair(napi_env env, napi_value first, napi_value second) {
  napi_value pair;
  if (first == NULL || second == NULL || napi_create_array_with_length(env, 2, &pair) != napi_ok ||
      napi_set_element(env, pair, 0, first) != napi_ok ||
      napi_set_element(env, pair, 1, second) != napi_ok)
    return NULL;
  return pair;
}

static napi_value run_encapsulation(napi_env env, EVP_PKEY_CTX *context) {
  napi_value buffers[2];
  size_t wrapped = 0, secret = 0;
  if (EVP_PKEY_encapsulate(context, NULL, &wrapped, NULL, &secret) != 1 ||
      wrapped > LONGEST_OUTPUT || secret > LONGEST_OUTPUT) {
    throw_openssl_error(env, CODE_ENCAPSULATE);
    return NULL;
  }
  uint8_t *wrapped_data = make_room(env, wrapped, &buffers[0]);
  uint8_t *secret_data = wrapped_data == NULL ? NULL : make_room(env, secret, &buffers[1]);
  if (secret_data == NULL)
    return NULL;
  if (EVP_PKEY_encapsulate(context, wrapped_data, &wrapped, secret_data, &secret) == 1)
    return make_pair(env, make_view(env, buffers[0], wrapped), make_view(env, buffers[1], secret));
  throw_openssl_error(env, CODE_ENCAPSULATE);
  return NULL;
}

/* encapsulate(key, options): [ciphertext, secret]. */
static napi_value encapsulate(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result = NULL;
  if (!read_arguments(env, info, 1, 2, arguments, NULL))
    return NULL;
  EVP_PKEY_CTX *context =
      make_context(env, arguments[0], arguments[1], EVP_PKEY_encapsulate_init);
  if (context != NULL)
    result = run_encapsulation(env, context);
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return result;
}

static napi_value run_decapsulation(napi_env env, EVP_PKEY_CTX *context, struct bytes wrapped) {
  napi_value buffer;
  size_t room = 0;
  if (EVP_PKEY_decapsulate(context, NULL, &room, wrapped.data, wrapped.length) != 1 ||
      room > LONGEST_OUTPUT) {
    throw_error(env, CODE_DECAPSULATE, "failed");
    return NULL;
  }
  size_t length = room;
  uint8_t *secret = make_room(env, room, &buffer);
  if (secret == NULL)
    return NULL;
  if (EVP_PKEY_decapsulate(context, secret, &length, wrapped.data, wrapped.length) == 1)
    return make_view(env, buffer, length);
  OPENSSL_cleanse(secret, room);
  throw_error(env, CODE_DECAPSULATE, "failed");
  return NULL;
}

/* decapsulate(key, ciphertext, options): the secret. */
static napi_value decapsulate(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result = NULL;
  struct bytes wrapped;
  if (!read_arguments(env, info, 2, 3, arguments, NULL) ||
      !read_bytes(env, arguments[1], &wrapped))
    return NULL;
  EVP_PKEY_CTX *context =
      make_context(env, arguments[0], arguments[2], EVP_PKEY_decapsulate_init);
  if (context != NULL)
    result = run_decapsulation(env, context, wrapped);
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return result;
}

const struct exported kem_functions[] = {
    {"encapsulate", encapsulate, NULL},
    {"decapsulate", decapsulate, NULL},
    {NULL, NULL, NULL},
};
