/* Message authentication codes in parts: EVP_MAC(3), EVP_MAC-HMAC(7), EVP_MAC-CMAC(7) and their like. */
#include "softoki-openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#define CODE_MAC "OPENSSL_MAC"

static void free_mac(void *context) {
  EVP_MAC_CTX_free(context);
}

static const struct handle_kind mac_kind = {
    {0xa7430ed8c5619bf2, 0x4b8d2f60e917ac35}, "this is no MAC", free_mac};

static EVP_MAC *fetch_mac(const char *name) {
  OSSL_LIB_CTX *library;
  EVP_MAC *mac = NULL;
  for (size_t at = 0; mac == NULL && library_at(at, &library); at++)
    mac = EVP_MAC_fetch(library, name, NULL);
  return mac;
}

static EVP_MAC_CTX *init_mac(OSSL_LIB_CTX *library, const char *name, struct bytes key,
                             const struct options *options) {
  EVP_MAC *mac = EVP_MAC_fetch(library, name, NULL);
  EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
  EVP_MAC_free(mac);
  if (context != NULL && EVP_MAC_init(context, key.data, key.length, options->list) == 1)
    return context;
  EVP_MAC_CTX_free(context);
  return NULL;
}

/* A MAC may be known in Node's own context and the digest or cipher that it is made of not. */
static EVP_MAC_CTX *init_somewhere(const char *name, struct bytes key,
                                   const struct options *options) {
  OSSL_LIB_CTX *library;
  EVP_MAC_CTX *context = NULL;
  for (size_t at = 0; context == NULL && library_at(at, &library); at++)
    context = init_mac(library, name, key, options);
  return context;
}

/* mac(name, key, options): a MAC under way. */
static napi_value begin_mac(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result = NULL;
  char name[LONGEST_NAME];
  struct bytes key;
  struct options options;
  if (!read_arguments(env, info, 2, 3, arguments, NULL) || !read_name(env, arguments[0], name) ||
      !read_bytes(env, arguments[1], &key))
    return NULL;
  EVP_MAC *mac = fetch_mac(name);
  if (mac == NULL)
    throw_error(env, CODE_UNKNOWN, "there is no such MAC");
  else if (read_options(env, arguments[2], EVP_MAC_settable_ctx_params(mac), &options)) {
    EVP_MAC_CTX *context = init_somewhere(name, key, &options);
    free_options(&options);
    if (context == NULL)
      throw_openssl_error(env, CODE_OPTION);
    else
      result = make_handle(env, &mac_kind, context);
  }
  EVP_MAC_free(mac);
  ERR_clear_error();
  return result;
}

/* macUpdate(mac, bytes) */
static napi_value mac_update(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct handle *handle;
  struct bytes input;
  if (!read_arguments(env, info, 2, 2, arguments, NULL) ||
      !read_open_handle(env, arguments[0], &mac_kind, &handle) ||
      !read_bytes(env, arguments[1], &input))
    return NULL;
  if (EVP_MAC_update(handle->context, input.data, input.length) != 1)
    throw_openssl_error(env, CODE_MAC);
  ERR_clear_error();
  return NULL;
}

/* macFinal(mac): the MAC in its full length (the option `size`, where there is one, says how long). */
static napi_value mac_final(napi_env env, napi_callback_info info) {
  napi_value arguments[1], buffer, result = NULL;
  struct handle *handle;
  if (!read_arguments(env, info, 1, 1, arguments, NULL) ||
      !read_open_handle(env, arguments[0], &mac_kind, &handle))
    return NULL;
  size_t room = EVP_MAC_CTX_get_mac_size(handle->context), length = 0;
  if (room == 0 || room > LONGEST_OUTPUT) {
    throw_error(env, CODE_MAC, "this MAC is empty or too long");
    return NULL;
  }
  uint8_t *output = make_room(env, room, &buffer);
  if (output == NULL)
    return NULL;
  handle->finished = true;
  if (EVP_MAC_final(handle->context, output, &length, room) == 1)
    result = make_view(env, buffer, length);
  else
    throw_openssl_error(env, CODE_MAC);
  ERR_clear_error();
  return result;
}

/* macCopy(mac): a second one in the same state. */
static napi_value mac_copy(napi_env env, napi_callback_info info) {
  napi_value arguments[1], result = NULL;
  struct handle *handle;
  if (!read_arguments(env, info, 1, 1, arguments, NULL) ||
      !read_open_handle(env, arguments[0], &mac_kind, &handle))
    return NULL;
  EVP_MAC_CTX *copy = EVP_MAC_CTX_dup(handle->context);
  if (copy == NULL)
    throw_openssl_error(env, CODE_COPY);
  else
    result = make_handle(env, &mac_kind, copy);
  ERR_clear_error();
  return result;
}

const struct exported mac_functions[] = {
    {"mac", begin_mac, NULL},
    {"macUpdate", mac_update, NULL},
    {"macFinal", mac_final, NULL},
    {"macCopy", mac_copy, NULL},
    {NULL, NULL, NULL},
};
