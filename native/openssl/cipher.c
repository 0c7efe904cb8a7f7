/*
 * Ciphers in parts. Names and options are OpenSSL's: EVP_EncryptInit(3), EVP_CIPHER-AES(7) and their
 * like. One option is our own: `taglen`, the length of a tag that is not known yet (CCM, OCB).
 */
#include "softoki-openssl.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

/* What a call may answer beyond its input: a block held back, padding, the check of key wrap. */
#define MOST_GROWTH (2 * EVP_MAX_BLOCK_LENGTH)
/* Options that one cipher has, at most. */
#define MOST_KNOWN 24

static const char TAG_LENGTH[] = "taglen";

static void free_cipher(void *context) {
  EVP_CIPHER_CTX_free(context);
}

static const struct handle_kind cipher_kind = {
    {0x2c9be1f05d7a4836, 0x91d4e6a3078fb25c}, "this is no cipher", free_cipher};

static EVP_CIPHER *fetch_cipher(const char *name) {
  OSSL_LIB_CTX *library;
  EVP_CIPHER *cipher = NULL;
  for (size_t at = 0; cipher == NULL && library_at(at, &library); at++)
    cipher = EVP_CIPHER_fetch(library, name, NULL);
  return cipher;
}

static bool has_option(EVP_CIPHER_CTX *context, const char *name) {
  const OSSL_PARAM *known = EVP_CIPHER_CTX_settable_params(context);
  return known != NULL && OSSL_PARAM_locate_const(known, name) != NULL;
}

/* Only these take additional data; the others would write to the output that is not there. */
static bool has_tag(EVP_CIPHER_CTX *context) {
  return has_option(context, OSSL_CIPHER_PARAM_AEAD_TAG);
}

static const char *code_of(const EVP_CIPHER_CTX *context) {
  return EVP_CIPHER_CTX_is_encrypting(context) ? "OPENSSL_ENCRYPT" : "OPENSSL_DECRYPT";
}

/* What went wrong is not told for decryption, where it would help to guess at the plaintext. */
static void throw_cipher_error(napi_env env, const EVP_CIPHER_CTX *context) {
  const char *reason = take_reason();
  throw_error(env, code_of(context), EVP_CIPHER_CTX_is_encrypting(context) ? reason : "failed");
}

/* A tag's length is the tag without its bytes to OpenSSL. */
static void convert_tag_length(struct options *options) {
  size_t length = 0;
  for (OSSL_PARAM *option = options->list; option->key != NULL; option++)
    if (strcmp(option->key, TAG_LENGTH) == 0 && OSSL_PARAM_get_size_t(option, &length) == 1)
      *option = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, NULL, length);
}

static bool set_options(napi_env env, EVP_CIPHER_CTX *context, napi_value values) {
  OSSL_PARAM known[MOST_KNOWN + 2];
  struct options options;
  size_t count = 0;
  const OSSL_PARAM *listed = EVP_CIPHER_CTX_settable_params(context);
  for (; listed != NULL && listed->key != NULL && count < MOST_KNOWN; listed++)
    known[count++] = *listed;
  if (has_tag(context))
    known[count++] = OSSL_PARAM_construct_uint64(TAG_LENGTH, NULL);
  known[count] = OSSL_PARAM_construct_end();
  if (!read_options(env, values, known, &options))
    return false;
  convert_tag_length(&options);
  bool done = options.count == 0 || EVP_CIPHER_CTX_set_params(context, options.list) == 1;
  free_options(&options);
  if (!done)
    throw_openssl_error(env, CODE_OPTION);
  return done;
}

/* Where a length is the caller's to choose, the bytes that are given choose it. */
static void adapt_length(EVP_CIPHER_CTX *context, const char *name, size_t now, size_t wanted) {
  OSSL_PARAM list[] = {OSSL_PARAM_construct_size_t(name, &wanted), OSSL_PARAM_construct_end()};
  if (now != wanted && has_option(context, name))
    EVP_CIPHER_CTX_set_params(context, list);
}

/* OpenSSL reads as many bytes as it expects, whatever is there: so the lengths are checked here. */
static bool read_key_and_iv(napi_env env, EVP_CIPHER_CTX *context, const napi_value *values,
                            struct bytes *key, struct bytes *iv) {
  *iv = (struct bytes){NULL, 0};
  if (!read_bytes(env, values[0], key) ||
      (!is_absent(env, values[1]) && !read_bytes(env, values[1], iv)))
    return false;
  adapt_length(context, OSSL_CIPHER_PARAM_KEYLEN, (size_t)EVP_CIPHER_CTX_get_key_length(context),
               key->length);
  if (iv->data != NULL)
    adapt_length(context, OSSL_CIPHER_PARAM_IVLEN, (size_t)EVP_CIPHER_CTX_get_iv_length(context),
                 iv->length);
  /* RC4 and Blowfish would take no key at all, and read one. */
  if (key->length == 0 || key->length != (size_t)EVP_CIPHER_CTX_get_key_length(context)) {
    throw_error(env, CODE_ARGUMENT, "a key has a wrong length");
    return false;
  }
  /* Key wrap has an IV of its own where none is given. */
  bool own_iv = iv->data == NULL && EVP_CIPHER_CTX_get_mode(context) == EVP_CIPH_WRAP_MODE;
  if (own_iv || iv->length == (size_t)EVP_CIPHER_CTX_get_iv_length(context))
    return true;
  throw_error(env, CODE_ARGUMENT, "an initialization vector has a wrong length");
  return false;
}

static bool read_direction(napi_env env, napi_value value, int *encrypts) {
  char name[LONGEST_NAME];
  if (!read_name(env, value, name))
    return false;
  *encrypts = strcmp(name, "encrypt") == 0;
  if (*encrypts || strcmp(name, "decrypt") == 0)
    return true;
  throw_error(env, CODE_ARGUMENT, "a direction is encrypt or decrypt");
  return false;
}

/* Options come before the key: some say how long it is. */
static bool init_cipher(napi_env env, EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher,
                        int encrypts, const napi_value *values) {
  struct bytes key, iv;
  EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  if (EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypts, NULL) != 1) {
    throw_openssl_error(env, CODE_OPTION);
    return false;
  }
  /* Ciphers made for records of TLS take their input in ways of their own. */
  if (has_option(context, OSSL_CIPHER_PARAM_AEAD_TLS1_AAD) && !has_tag(context)) {
    throw_error(env, CODE_UNKNOWN, "there is no such cipher");
    return false;
  }
  if (!set_options(env, context, values[2]) ||
      !read_key_and_iv(env, context, values, &key, &iv))
    return false;
  if (EVP_CipherInit_ex2(context, NULL, key.data, iv.length == 0 ? NULL : iv.data, encrypts,
                         NULL) == 1)
    return true;
  throw_openssl_error(env, CODE_OPTION);
  return false;
}

/* cipher(name, direction, key, iv, options): a cipher under way. */
static napi_value begin_cipher(napi_env env, napi_callback_info info) {
  napi_value arguments[5], result = NULL;
  char name[LONGEST_NAME];
  int encrypts;
  if (!read_arguments(env, info, 4, 5, arguments, NULL) || !read_name(env, arguments[0], name) ||
      !read_direction(env, arguments[1], &encrypts))
    return NULL;
  EVP_CIPHER *cipher = fetch_cipher(name);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (cipher == NULL)
    throw_error(env, CODE_UNKNOWN, "there is no such cipher");
  else if (context == NULL)
    throw_openssl_error(env, CODE_MEMORY);
  else if (init_cipher(env, context, cipher, encrypts, arguments + 2)) {
    result = make_handle(env, &cipher_kind, context);
    context = NULL;
  }
  EVP_CIPHER_CTX_free(context);
  EVP_CIPHER_free(cipher);
  ERR_clear_error();
  return result;
}

static bool read_cipher(napi_env env, napi_value value, struct handle **handle,
                        EVP_CIPHER_CTX **context) {
  if (!read_open_handle(env, value, &cipher_kind, handle))
    return false;
  *context = (*handle)->context;
  return true;
}

/* cipherOptions(cipher, options): options on the way, such as the tag that came last. */
static napi_value cipher_options(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct handle *handle;
  EVP_CIPHER_CTX *context;
  if (read_arguments(env, info, 2, 2, arguments, NULL) &&
      read_cipher(env, arguments[0], &handle, &context))
    set_options(env, context, arguments[1]);
  ERR_clear_error();
  return NULL;
}

/* cipherLength(cipher, length): how long the whole will be, for CCM before its additional data. */
static napi_value cipher_length(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct handle *handle;
  EVP_CIPHER_CTX *context;
  size_t length;
  int ignored;
  if (!read_arguments(env, info, 2, 2, arguments, NULL) ||
      !read_cipher(env, arguments[0], &handle, &context) ||
      !read_length(env, arguments[1], LONGEST_INPUT, &length))
    return NULL;
  if (EVP_CIPHER_CTX_get_mode(context) != EVP_CIPH_CCM_MODE)
    throw_error(env, CODE_ARGUMENT, "this cipher needs no length");
  else if (EVP_CipherUpdate(context, NULL, &ignored, NULL, (int)length) != 1)
    throw_cipher_error(env, context);
  ERR_clear_error();
  return NULL;
}

/* cipherAad(cipher, bytes): additional data, all of it at once for CCM. */
static napi_value cipher_aad(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct handle *handle;
  EVP_CIPHER_CTX *context;
  struct bytes input;
  int ignored;
  if (!read_arguments(env, info, 2, 2, arguments, NULL) ||
      !read_cipher(env, arguments[0], &handle, &context) || !read_bytes(env, arguments[1], &input))
    return NULL;
  if (!has_tag(context))
    throw_error(env, CODE_ARGUMENT, "this cipher takes no additional data");
  else if (EVP_CipherUpdate(context, NULL, &ignored, input.data, (int)input.length) != 1)
    throw_cipher_error(env, context);
  ERR_clear_error();
  return NULL;
}

/* cipherUpdate(cipher, bytes): what comes out so far. */
static napi_value cipher_update(napi_env env, napi_callback_info info) {
  napi_value arguments[2], buffer, result = NULL;
  struct handle *handle;
  EVP_CIPHER_CTX *context;
  struct bytes input;
  int length = 0;
  if (!read_arguments(env, info, 2, 2, arguments, NULL) ||
      !read_cipher(env, arguments[0], &handle, &context) || !read_bytes(env, arguments[1], &input))
    return NULL;
  uint8_t *output = make_room(env, input.length + MOST_GROWTH, &buffer);
  if (output == NULL)
    return NULL;
  if (EVP_CipherUpdate(context, output, &length, input.data, (int)input.length) == 1)
    result = make_view(env, buffer, (size_t)length);
  else {
    OPENSSL_cleanse(output, input.length + MOST_GROWTH);
    throw_cipher_error(env, context);
  }
  ERR_clear_error();
  return result;
}

/* cipherUpdateInto(cipher, bytes, output): writes as many bytes, of a cipher in GCM. */
static napi_value cipher_update_into(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct handle *handle;
  EVP_CIPHER_CTX *context;
  struct bytes input, output;
  int length = 0;
  if (!read_arguments(env, info, 3, 3, arguments, NULL) ||
      !read_cipher(env, arguments[0], &handle, &context) ||
      !read_bytes(env, arguments[1], &input) || !read_bytes(env, arguments[2], &output))
    return NULL;
  if (EVP_CIPHER_CTX_get_mode(context) != EVP_CIPH_GCM_MODE || output.length != input.length)
    throw_error(env, CODE_ARGUMENT, "this is not GCM, or there is not as much room");
  else if (EVP_CipherUpdate(context, (uint8_t *)(uintptr_t)output.data, &length, input.data,
                            (int)input.length) != 1)
    throw_cipher_error(env, context);
  ERR_clear_error();
  return NULL;
}

/* cipherFinal(cipher): what was held back. Throws where a tag or a padding is wrong. */
static napi_value cipher_final(napi_env env, napi_callback_info info) {
  napi_value arguments[1], result = NULL;
  struct handle *handle;
  EVP_CIPHER_CTX *context;
  uint8_t block[MOST_GROWTH];
  int length = 0;
  if (!read_arguments(env, info, 1, 1, arguments, NULL) ||
      !read_cipher(env, arguments[0], &handle, &context))
    return NULL;
  handle->finished = true;
  if (EVP_CipherFinal_ex(context, block, &length) == 1)
    result = make_bytes(env, block, (size_t)length);
  else
    throw_cipher_error(env, context);
  OPENSSL_cleanse(block, sizeof block);
  ERR_clear_error();
  return result;
}

/* cipherTag(cipher, length): the tag of an encryption that is finished. */
static napi_value cipher_tag(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result = NULL;
  struct handle *handle;
  uint8_t tag[EVP_MAX_MD_SIZE] = {0};
  size_t length;
  if (!read_arguments(env, info, 2, 2, arguments, NULL) ||
      !read_handle(env, arguments[0], &cipher_kind, &handle) ||
      !read_length(env, arguments[1], EVP_MAX_AEAD_TAG_LENGTH, &length))
    return NULL;
  OSSL_PARAM list[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, length),
                       OSSL_PARAM_construct_end()};
  if (!handle->finished || length == 0)
    throw_error(env, CODE_ARGUMENT, "there is no tag yet, or it is empty");
  else if (!has_tag(handle->context) || EVP_CIPHER_CTX_get_params(handle->context, list) != 1)
    throw_openssl_error(env, code_of(handle->context));
  else
    result = make_bytes(env, tag, length);
  ERR_clear_error();
  return result;
}

/* cipherCopy(cipher): a second one in the same state. */
static napi_value cipher_copy(napi_env env, napi_callback_info info) {
  napi_value arguments[1], result = NULL;
  struct handle *handle;
  EVP_CIPHER_CTX *context;
  if (!read_arguments(env, info, 1, 1, arguments, NULL) ||
      !read_cipher(env, arguments[0], &handle, &context))
    return NULL;
  EVP_CIPHER_CTX *copy = EVP_CIPHER_CTX_dup(context);
  if (copy == NULL)
    throw_openssl_error(env, CODE_COPY);
  else
    result = make_handle(env, &cipher_kind, copy);
  ERR_clear_error();
  return result;
}

const struct exported cipher_functions[] = {
    {"cipher", begin_cipher, NULL},
    {"cipherOptions", cipher_options, NULL},
    {"cipherLength", cipher_length, NULL},
    {"cipherAad", cipher_aad, NULL},
    {"cipherUpdate", cipher_update, NULL},
    {"cipherUpdateInto", cipher_update_into, NULL},
    {"cipherFinal", cipher_final, NULL},
    {"cipherTag", cipher_tag, NULL},
    {"cipherCopy", cipher_copy, NULL},
    {NULL, NULL, NULL},
};
