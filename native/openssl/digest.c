/* Digests in parts: those that node:crypto has not, or not so. EVP_DigestInit(3), EVP_MD-BLAKE2(7) ... */
#include "softoki-openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#define CODE_DIGEST "OPENSSL_DIGEST"

static void free_digest(void *context) {
  EVP_MD_CTX_free(context);
}

static const struct handle_kind digest_kind = {
    {0x5e07c84fb1d23a96, 0xd38a16f94c5b70e2}, "this is no digest", free_digest};

static EVP_MD *fetch_digest(const char *name) {
  OSSL_LIB_CTX *library;
  EVP_MD *digest = NULL;
  for (size_t at = 0; digest == NULL && library_at(at, &library); at++)
    digest = EVP_MD_fetch(library, name, NULL);
  return digest;
}

static bool init_digest(napi_env env, EVP_MD_CTX *context, const EVP_MD *digest,
                        napi_value values) {
  struct options options;
  if (!read_options(env, values, EVP_MD_settable_ctx_params(digest), &options))
    return false;
  bool done = EVP_DigestInit_ex2(context, digest, options.list) == 1;
  free_options(&options);
  if (!done)
    throw_openssl_error(env, CODE_OPTION);
  return done;
}

/* digest(name, options): a digest under way. */
static napi_value begin_digest(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result = NULL;
  char name[LONGEST_NAME];
  if (!read_arguments(env, info, 1, 2, arguments, NULL) || !read_name(env, arguments[0], name))
    return NULL;
  EVP_MD *digest = fetch_digest(name);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (digest == NULL)
    throw_error(env, CODE_UNKNOWN, "there is no such digest");
  else if (context == NULL)
    throw_openssl_error(env, CODE_MEMORY);
  else if (init_digest(env, context, digest, arguments[1])) {
    result = make_handle(env, &digest_kind, context);
    context = NULL;
  }
  EVP_MD_CTX_free(context);
  EVP_MD_free(digest);
  ERR_clear_error();
  return result;
}

/* digestUpdate(digest, bytes) */
static napi_value digest_update(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct handle *handle;
  struct bytes input;
  if (!read_arguments(env, info, 2, 2, arguments, NULL) ||
      !read_open_handle(env, arguments[0], &digest_kind, &handle) ||
      !read_bytes(env, arguments[1], &input))
    return NULL;
  if (EVP_DigestUpdate(handle->context, input.data, input.length) != 1)
    throw_openssl_error(env, CODE_DIGEST);
  ERR_clear_error();
  return NULL;
}

static bool is_extendable(EVP_MD_CTX *context) {
  return EVP_MD_xof(EVP_MD_CTX_get0_md(context)) != 0;
}

/* Bytes of output: what an extendable digest is asked for, else what the digest has. */
static bool read_output_length(napi_env env, EVP_MD_CTX *context, napi_value value,
                               size_t *length) {
  if (!is_absent(env, value)) {
    if (!read_length(env, value, LONGEST_OUTPUT, length))
      return false;
    if (is_extendable(context) && *length != 0)
      return true;
    throw_error(env, CODE_ARGUMENT, "this digest has a length of its own, or none is asked for");
    return false;
  }
  int size = EVP_MD_CTX_get_size_ex(context);
  if (size > 0 && (size_t)size <= LONGEST_OUTPUT) {
    *length = (size_t)size;
    return true;
  }
  throw_error(env, CODE_ARGUMENT, "this digest has no length of its own");
  return false;
}

/* digestFinal(digest, length): the digest; a length where it is extendable. */
static napi_value digest_final(napi_env env, napi_callback_info info) {
  napi_value arguments[2], buffer, result = NULL;
  struct handle *handle;
  size_t length;
  if (!read_arguments(env, info, 1, 2, arguments, NULL) ||
      !read_open_handle(env, arguments[0], &digest_kind, &handle) ||
      !read_output_length(env, handle->context, arguments[1], &length))
    return NULL;
  uint8_t *output = make_room(env, length, &buffer);
  if (output == NULL)
    return NULL;
  handle->finished = true;
  bool done = is_extendable(handle->context)
                  ? EVP_DigestFinalXOF(handle->context, output, length) == 1
                  : EVP_DigestFinal_ex(handle->context, output, NULL) == 1;
  if (done)
    result = make_view(env, buffer, length);
  else
    throw_openssl_error(env, CODE_DIGEST);
  ERR_clear_error();
  return result;
}

/* digestSqueeze(digest, length): the next bytes of an extendable digest, which takes no more input. */
static napi_value digest_squeeze(napi_env env, napi_callback_info info) {
  napi_value arguments[2], buffer, result = NULL;
  struct handle *handle;
  size_t length;
  if (!read_arguments(env, info, 2, 2, arguments, NULL) ||
      !read_handle(env, arguments[0], &digest_kind, &handle) ||
      !read_output_length(env, handle->context, arguments[1], &length))
    return NULL;
  uint8_t *output = make_room(env, length, &buffer);
  if (output == NULL)
    return NULL;
  handle->finished = true;
  if (is_extendable(handle->context) && EVP_DigestSqueeze(handle->context, output, length) == 1)
    result = make_view(env, buffer, length);
  else
    throw_openssl_error(env, CODE_DIGEST);
  ERR_clear_error();
  return result;
}

/* digestCopy(digest): a second one in the same state. */
static napi_value digest_copy(napi_env env, napi_callback_info info) {
  napi_value arguments[1], result = NULL;
  struct handle *handle;
  if (!read_arguments(env, info, 1, 1, arguments, NULL) ||
      !read_open_handle(env, arguments[0], &digest_kind, &handle))
    return NULL;
  EVP_MD_CTX *copy = EVP_MD_CTX_dup(handle->context);
  if (copy == NULL)
    throw_openssl_error(env, CODE_COPY);
  else
    result = make_handle(env, &digest_kind, copy);
  ERR_clear_error();
  return result;
}

const struct exported digest_functions[] = {
    {"digest", begin_digest, NULL},
    {"digestUpdate", digest_update, NULL},
    {"digestFinal", digest_final, NULL},
    {"digestSqueeze", digest_squeeze, NULL},
    {"digestCopy", digest_copy, NULL},
    {NULL, NULL, NULL},
};
