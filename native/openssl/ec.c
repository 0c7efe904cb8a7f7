/* What OpenSSL has no call for: a private key from a number longer than the order of the curve. */
#include "softoki-openssl.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

/* Bytes of a number at most: the longest order has 571 bits, and 64 more are drawn. */
#define LONGEST_NUMBER 128

/* FIPS 186-5, A.2.1: d = (c mod (n - 1)) + 1, in a time that does not depend on c. */
static bool reduce(BIGNUM *scalar, BIGNUM *order, BIGNUM *drawn) {
  BN_CTX *context = BN_CTX_secure_new();
  BN_set_flags(drawn, BN_FLG_CONSTTIME);
  bool done = context != NULL && BN_sub_word(order, 1) &&
              BN_nnmod(scalar, drawn, order, context) && BN_add_word(scalar, 1);
  BN_CTX_free(context);
  return done;
}

static napi_value make_scalar(napi_env env, struct bytes order_bytes, struct bytes drawn_bytes) {
  uint8_t data[LONGEST_NUMBER];
  napi_value result = NULL;
  BIGNUM *order = BN_bin2bn(order_bytes.data, (int)order_bytes.length, NULL);
  BIGNUM *drawn = BN_bin2bn(drawn_bytes.data, (int)drawn_bytes.length, NULL);
  BIGNUM *scalar = BN_new();
  if (order == NULL || drawn == NULL || scalar == NULL || !reduce(scalar, order, drawn))
    throw_openssl_error(env, CODE_MEMORY);
  else
    result = make_bytes(env, data, (size_t)BN_bn2bin(scalar, data));
  OPENSSL_cleanse(data, sizeof data);
  BN_free(order);
  BN_clear_free(drawn);
  BN_clear_free(scalar);
  return result;
}

/* reduceToScalar(order, drawn): a number from 1 to the order less 1. */
static napi_value reduce_to_scalar(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result = NULL;
  struct bytes order, drawn;
  if (!read_arguments(env, info, 2, 2, arguments, NULL) ||
      !read_bytes(env, arguments[0], &order) || !read_bytes(env, arguments[1], &drawn))
    return NULL;
  if (order.length == 0 || order.length > LONGEST_NUMBER || drawn.length > LONGEST_NUMBER)
    throw_error(env, CODE_ARGUMENT, "a number is empty or too long");
  else
    result = make_scalar(env, order, drawn);
  ERR_clear_error();
  return result;
}

const struct exported ec_functions[] = {
    {"reduceToScalar", reduce_to_scalar, NULL},
    {NULL, NULL, NULL},
};
