/*
 * Whole messages in one call, with their result written into memory of the caller's: most of what a
 * short message costs is crossing from JavaScript to C, and making objects there. The memory is as long
 * as the result and apart from the input.
 */
#include "softoki-openssl.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>

/* Bytes of an ECDSA-Sig-Value in DER at most: two numbers of 571 bits. */
#define LONGEST_DER 160
/* Bytes of r or s at most. */
#define LONGEST_HALF 72
#define LONGEST_TAG 16

/* Memory that is written to. */
static bool read_output(napi_env env, napi_value value, uint8_t **data, size_t *length) {
  struct bytes bytes;
  if (!read_bytes(env, value, &bytes))
    return false;
  *data = (uint8_t *)(uintptr_t)bytes.data;
  *length = bytes.length;
  return true;
}

/* r and s, each half as long as the signature, from DER. */
static bool write_halves(const uint8_t *der, size_t length, uint8_t *signature, size_t half) {
  ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)length);
  bool done = pair != NULL &&
              BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, (int)half) == (int)half &&
              BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + half, (int)half) == (int)half;
  ECDSA_SIG_free(pair);
  return done;
}

static bool sign_digest(EVP_PKEY *key, struct bytes digest, uint8_t *signature, size_t half) {
  uint8_t der[LONGEST_DER];
  size_t length = sizeof der;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
  bool done = context != NULL && EVP_PKEY_get_size(key) <= LONGEST_DER &&
              EVP_PKEY_sign_init(context) == 1 &&
              EVP_PKEY_sign(context, der, &length, digest.data, digest.length) == 1 &&
              write_halves(der, length, signature, half);
  EVP_PKEY_CTX_free(context);
  return done;
}

/* ecdsaSign(key, digest, signature): writes r and s into the signature, each half as long as it. */
static napi_value ecdsa_sign(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  EVP_PKEY *key;
  struct bytes digest;
  uint8_t *signature;
  size_t length;
  if (!read_arguments(env, info, 3, 3, arguments, NULL) || !read_key(env, arguments[0], &key) ||
      !read_bytes(env, arguments[1], &digest) ||
      !read_output(env, arguments[2], &signature, &length))
    return NULL;
  if (!EVP_PKEY_is_a(key, "EC") || length % 2 != 0 || length > 2 * LONGEST_HALF)
    throw_error(env, CODE_ARGUMENT, "this is no EC key, or no such signature");
  else if (!sign_digest(key, digest, signature, length / 2))
    throw_openssl_error(env, "OPENSSL_SIGN");
  ERR_clear_error();
  return NULL;
}

/* The DER of r and s; its length, 0 where there is none. */
static size_t encode_halves(struct bytes signature, uint8_t der[LONGEST_DER]) {
  int half = (int)(signature.length / 2), length = 0;
  ECDSA_SIG *pair = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn(signature.data, half, NULL);
  BIGNUM *s = BN_bin2bn(signature.data + half, half, NULL);
  if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
    length = i2d_ECDSA_SIG(pair, &der);
  } else {
    BN_free(r);
    BN_free(s);
  }
  ECDSA_SIG_free(pair);
  return length > 0 ? (size_t)length : 0;
}

static bool verify_digest(EVP_PKEY *key, struct bytes digest, struct bytes signature) {
  uint8_t der[LONGEST_DER];
  size_t length = encode_halves(signature, der);
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
  bool right = length > 0 && context != NULL && EVP_PKEY_verify_init(context) == 1 &&
               EVP_PKEY_verify(context, der, length, digest.data, digest.length) == 1;
  EVP_PKEY_CTX_free(context);
  return right;
}

/* ecdsaVerify(key, digest, signature): whether r and s, each half of the signature, are right. */
static napi_value ecdsa_verify(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  EVP_PKEY *key;
  struct bytes digest, signature;
  if (!read_arguments(env, info, 3, 3, arguments, NULL) || !read_key(env, arguments[0], &key) ||
      !read_bytes(env, arguments[1], &digest) || !read_bytes(env, arguments[2], &signature))
    return NULL;
  if (!EVP_PKEY_is_a(key, "EC") || signature.length % 2 != 0 ||
      signature.length > 2 * LONGEST_HALF) {
    throw_error(env, CODE_ARGUMENT, "this is no EC key, or no such signature");
    return NULL;
  }
  bool right = verify_digest(key, digest, signature);
  ERR_clear_error();
  return make_bool(env, right);
}

static bool compute_digest(const char *name, struct bytes input, uint8_t *output, size_t length) {
  unsigned int written = 0;
  EVP_MD *digest = EVP_MD_fetch(NULL, name, NULL);
  bool done = digest != NULL && (size_t)EVP_MD_get_size(digest) == length &&
              EVP_Digest(input.data, input.length, output, &written, digest, NULL) == 1;
  EVP_MD_free(digest);
  return done;
}

/* digestWhole(name, input, digest): writes the digest, all of it. */
static napi_value digest_whole(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char name[LONGEST_NAME];
  struct bytes input;
  uint8_t *output;
  size_t length;
  if (!read_arguments(env, info, 3, 3, arguments, NULL) || !read_name(env, arguments[0], name) ||
      !read_bytes(env, arguments[1], &input) || !read_output(env, arguments[2], &output, &length))
    return NULL;
  if (!compute_digest(name, input, output, length))
    throw_openssl_error(env, "OPENSSL_DIGEST");
  ERR_clear_error();
  return NULL;
}

static bool compute_hmac(char *digest, struct bytes key, struct bytes input, uint8_t *output,
                         size_t length) {
  size_t written = 0;
  OSSL_PARAM list[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                       OSSL_PARAM_construct_end()};
  EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
  bool done = context != NULL && EVP_MAC_init(context, key.data, key.length, list) == 1 &&
              EVP_MAC_update(context, input.data, input.length) == 1 &&
              EVP_MAC_final(context, output, &written, length) == 1 && written == length;
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
  return done;
}

/* hmac(digest, key, input, output): writes the MAC, all of it. */
static napi_value hmac(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  char digest[LONGEST_NAME];
  struct bytes key, input;
  uint8_t *output;
  size_t length;
  if (!read_arguments(env, info, 4, 4, arguments, NULL) ||
      !read_name(env, arguments[0], digest) || !read_bytes(env, arguments[1], &key) ||
      !read_bytes(env, arguments[2], &input) || !read_output(env, arguments[3], &output, &length))
    return NULL;
  if (!compute_hmac(digest, key, input, output, length))
    throw_openssl_error(env, "OPENSSL_MAC");
  ERR_clear_error();
  return NULL;
}

/* What a cipher does to a message: its arguments, in the order of JavaScript's. */
struct message {
  EVP_CIPHER *cipher;
  struct bytes key;
  struct bytes iv;
  struct bytes extra;
  struct bytes input;
  uint8_t *output;
  size_t length;
};

static bool read_texts(napi_env env, const napi_value *arguments, struct message *message) {
  return read_bytes(env, arguments[1], &message->key) &&
         (is_absent(env, arguments[2]) || read_bytes(env, arguments[2], &message->iv)) &&
         (is_absent(env, arguments[3]) || read_bytes(env, arguments[3], &message->extra)) &&
         read_bytes(env, arguments[4], &message->input) &&
         read_output(env, arguments[5], &message->output, &message->length);
}

/* (name, key, iv, extra, input, output); the caller frees the cipher where it answers true. */
static bool read_message(napi_env env, const napi_value *arguments, struct message *message) {
  char name[LONGEST_NAME];
  *message = (struct message){.iv = {NULL, 0}};
  if (!read_name(env, arguments[0], name) || !read_texts(env, arguments, message))
    return false;
  OSSL_LIB_CTX *library;
  for (size_t at = 0; message->cipher == NULL && library_at(at, &library); at++)
    message->cipher = EVP_CIPHER_fetch(library, name, NULL);
  if (message->cipher == NULL)
    throw_error(env, CODE_UNKNOWN, "there is no such cipher");
  return message->cipher != NULL;
}

/*
 * OpenSSL reads as many bytes as it expects, so it takes on the lengths that are given or the message is
 * refused. GCM alone has IVs of several lengths; the others would say that they took it.
 */
static bool take_lengths(EVP_CIPHER_CTX *context, const struct message *message) {
  size_t iv = message->iv.length, key = message->key.length;
  OSSL_PARAM list[] = {OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &iv),
                       OSSL_PARAM_construct_end()};
  if (key != (size_t)EVP_CIPHER_CTX_get_key_length(context))
    EVP_CIPHER_CTX_set_key_length(context, (int)key);
  if (EVP_CIPHER_get_mode(message->cipher) == EVP_CIPH_GCM_MODE)
    EVP_CIPHER_CTX_set_params(context, list);
  return key != 0 && key == (size_t)EVP_CIPHER_CTX_get_key_length(context) &&
         iv == (size_t)EVP_CIPHER_CTX_get_iv_length(context);
}

/* A context that waits for input. */
static EVP_CIPHER_CTX *begin_message(const struct message *message, int encrypts) {
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (context != NULL &&
      EVP_CipherInit_ex2(context, message->cipher, NULL, NULL, encrypts, NULL) == 1 &&
      take_lengths(context, message) &&
      EVP_CipherInit_ex2(context, NULL, message->key.data, message->iv.data, encrypts, NULL) == 1)
    return context;
  EVP_CIPHER_CTX_free(context);
  return NULL;
}

/* Whole blocks in ECB or CBC. */
static bool run_blocks(const struct message *message, int encrypts) {
  int length = 0, block = EVP_CIPHER_get_block_size(message->cipher);
  if (message->length != message->input.length || message->length % (size_t)block != 0)
    return false;
  EVP_CIPHER_CTX *context = begin_message(message, encrypts);
  bool done = context != NULL && EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
              EVP_CipherUpdate(context, message->output, &length, message->input.data,
                               (int)message->input.length) == 1 &&
              (size_t)length == message->length;
  EVP_CIPHER_CTX_free(context);
  return done;
}

static bool is_block_mode(const EVP_CIPHER *cipher) {
  int mode = EVP_CIPHER_get_mode(cipher);
  return mode == EVP_CIPH_ECB_MODE || mode == EVP_CIPH_CBC_MODE;
}

/* encryptBlocks, decryptBlocks(name, key, iv, undefined, input, output): whole blocks without padding. */
static napi_value blocks(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  const void *encrypts;
  struct message message;
  if (!read_arguments(env, info, 6, 6, arguments, &encrypts) ||
      !read_message(env, arguments, &message))
    return NULL;
  if (!is_block_mode(message.cipher))
    throw_error(env, CODE_ARGUMENT, "this is no mode of whole blocks");
  else if (!run_blocks(&message, encrypts != NULL))
    throw_error(env, encrypts != NULL ? "OPENSSL_ENCRYPT" : "OPENSSL_DECRYPT", "failed");
  EVP_CIPHER_free(message.cipher);
  ERR_clear_error();
  return NULL;
}

static bool add_extra(EVP_CIPHER_CTX *context, struct bytes extra) {
  int ignored;
  return extra.length == 0 ||
         EVP_CipherUpdate(context, NULL, &ignored, extra.data, (int)extra.length) == 1;
}

static bool seal_message(const struct message *message, size_t tag_length) {
  int length = 0, rest = 0;
  uint8_t *tag = message->output + message->input.length;
  EVP_CIPHER_CTX *context = begin_message(message, 1);
  bool done = context != NULL && add_extra(context, message->extra) &&
              EVP_CipherUpdate(context, message->output, &length, message->input.data,
                               (int)message->input.length) == 1 &&
              (size_t)length == message->input.length &&
              EVP_CipherFinal_ex(context, tag, &rest) == 1 && rest == 0 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, (int)tag_length, tag) == 1;
  EVP_CIPHER_CTX_free(context);
  return done;
}

/* sealGcm(name, key, iv, aad, input, output): the output is the ciphertext, and the tag in what is left. */
static napi_value seal(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  struct message message;
  if (!read_arguments(env, info, 6, 6, arguments, NULL) || !read_message(env, arguments, &message))
    return NULL;
  size_t tag = message.length - message.input.length;
  if (EVP_CIPHER_get_mode(message.cipher) != EVP_CIPH_GCM_MODE ||
      message.length < message.input.length || tag == 0 || tag > LONGEST_TAG)
    throw_error(env, CODE_ARGUMENT, "this is not GCM, or a tag has a wrong length");
  else if (!seal_message(&message, tag))
    throw_openssl_error(env, "OPENSSL_ENCRYPT");
  EVP_CIPHER_free(message.cipher);
  ERR_clear_error();
  return NULL;
}

static bool open_message(const struct message *message, size_t tag_length) {
  int length = 0, rest = 0;
  uint8_t *tag = (uint8_t *)(uintptr_t)message->input.data + message->length;
  uint8_t nothing[EVP_MAX_BLOCK_LENGTH];
  EVP_CIPHER_CTX *context = begin_message(message, 0);
  bool done = context != NULL && add_extra(context, message->extra) &&
              EVP_CipherUpdate(context, message->output, &length, message->input.data,
                               (int)message->length) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, (int)tag_length, tag) == 1 &&
              EVP_CipherFinal_ex(context, nothing, &rest) == 1;
  EVP_CIPHER_CTX_free(context);
  if (!done)
    OPENSSL_cleanse(message->output, message->length);
  return done;
}

/* openGcm(name, key, iv, aad, input, output): whether the tag behind the ciphertext is right. */
static napi_value open_sealed(napi_env env, napi_callback_info info) {
  napi_value arguments[6], result = NULL;
  struct message message;
  if (!read_arguments(env, info, 6, 6, arguments, NULL) || !read_message(env, arguments, &message))
    return NULL;
  size_t tag = message.input.length - message.length;
  if (EVP_CIPHER_get_mode(message.cipher) != EVP_CIPH_GCM_MODE ||
      message.input.length < message.length || tag == 0 || tag > LONGEST_TAG)
    throw_error(env, CODE_ARGUMENT, "this is not GCM, or a tag has a wrong length");
  else
    result = make_bool(env, open_message(&message, tag));
  EVP_CIPHER_free(message.cipher);
  ERR_clear_error();
  return result;
}

/* random(output): bytes of OpenSSL's generator. */
static napi_value fill_randomly(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  uint8_t *output;
  size_t length;
  if (!read_arguments(env, info, 1, 1, arguments, NULL) ||
      !read_output(env, arguments[0], &output, &length))
    return NULL;
  if (RAND_bytes_ex(NULL, output, length, 0) != 1)
    throw_openssl_error(env, CODE_GENERATE);
  ERR_clear_error();
  return NULL;
}

const struct exported whole_functions[] = {
    {"ecdsaSign", ecdsa_sign, NULL},
    {"ecdsaVerify", ecdsa_verify, NULL},
    {"digestWhole", digest_whole, NULL},
    {"hmac", hmac, NULL},
    {"encryptBlocks", blocks, "encrypt"},
    {"decryptBlocks", blocks, NULL},
    {"sealGcm", seal, NULL},
    {"openGcm", open_sealed, NULL},
    {"random", fill_randomly, NULL},
    {NULL, NULL, NULL},
};
