/* Fresh RSA keys. FIPS 186-5, A.1.1 and A.1.3. */
#include "softoki-openssl.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

/* Bits of a modulus, and bytes of an exponent. */
#define SHORTEST_MODULUS 1024
#define LONGEST_MODULUS 16384
#define LONGEST_EXPONENT 32
#define MOST_THREADS 16

enum { N, D, P, Q, NUMBERS };

struct pair {
  BN_CTX *context;
  BIGNUM *exponent;
  BIGNUM *number[NUMBERS];
};

static bool make_numbers(struct pair *pair, struct bytes exponent) {
  pair->context = BN_CTX_secure_new();
  pair->exponent = BN_bin2bn(exponent.data, (int)exponent.length, NULL);
  bool done = pair->context != NULL && pair->exponent != NULL;
  for (int i = 0; i < NUMBERS; i++) {
    pair->number[i] = BN_new();
    done = done && pair->number[i] != NULL;
    if (done && i != N)
      BN_set_flags(pair->number[i], BN_FLG_CONSTTIME);
  }
  return done;
}

static void free_numbers(struct pair *pair) {
  for (int i = 0; i < NUMBERS; i++)
    BN_clear_free(pair->number[i]);
  BN_free(pair->exponent);
  BN_CTX_free(pair->context);
}

/* The least common multiple of p - 1 and q - 1. */
static bool find_order(struct pair *pair, BIGNUM *order) {
  BN_CTX_start(pair->context);
  BIGNUM *one = BN_CTX_get(pair->context);
  BIGNUM *other = BN_CTX_get(pair->context);
  BIGNUM *common = BN_CTX_get(pair->context);
  BIGNUM *product = BN_CTX_get(pair->context);
  bool done = product != NULL && BN_sub(one, pair->number[P], BN_value_one()) &&
              BN_sub(other, pair->number[Q], BN_value_one()) &&
              BN_mul(product, one, other, pair->context) &&
              BN_gcd(common, one, other, pair->context);
  if (done) {
    BN_set_flags(product, BN_FLG_CONSTTIME);
    done = BN_div(order, NULL, product, common, pair->context);
  }
  BN_CTX_end(pair->context);
  return done;
}

/* A.1.1, criterion 3: d is the inverse of e, and longer than a prime. */
static bool complete_pair(struct pair *pair, int bits, bool *fits) {
  BIGNUM **number = pair->number;
  if (BN_cmp(number[P], number[Q]) < 0)
    BN_swap(number[P], number[Q]);
  BN_CTX_start(pair->context);
  BIGNUM *order = BN_CTX_get(pair->context);
  bool done = order != NULL && find_order(pair, order);
  if (done) {
    BN_set_flags(order, BN_FLG_CONSTTIME);
    done = BN_mod_inverse(number[D], pair->exponent, order, pair->context) != NULL &&
           BN_mul(number[N], number[P], number[Q], pair->context);
    *fits = done && BN_num_bits(number[D]) > bits / 2;
  }
  BN_CTX_end(pair->context);
  return done;
}

static bool generate_pair(struct pair *pair, int bits, size_t threads) {
  bool fits = false;
  while (!fits)
    if (!find_rsa_primes(bits / 2, pair->exponent, threads, &pair->number[P]) ||
        !complete_pair(pair, bits, &fits))
      return false;
  return true;
}

static napi_value make_part(napi_env env, const BIGNUM *number) {
  uint8_t data[LONGEST_MODULUS / 8];
  int length = BN_bn2bin(number, data);
  napi_value result = make_bytes(env, data, (size_t)length);
  OPENSSL_cleanse(data, sizeof data);
  return result;
}

static napi_value make_parts(napi_env env, const struct pair *pair) {
  napi_value parts;
  if (napi_create_array_with_length(env, NUMBERS, &parts) != napi_ok)
    return NULL;
  for (int i = 0; i < NUMBERS; i++) {
    napi_value part = make_part(env, pair->number[i]);
    if (part == NULL || napi_set_element(env, parts, (uint32_t)i, part) != napi_ok)
      return NULL;
  }
  return parts;
}

static bool read_sizes(napi_env env, const napi_value *arguments, size_t *bits, size_t *threads) {
  if (!read_length(env, arguments[0], LONGEST_MODULUS, bits) ||
      !read_length(env, arguments[2], MOST_THREADS, threads))
    return false;
  if (*bits >= SHORTEST_MODULUS && *bits % 2 == 0)
    return true;
  throw_error(env, CODE_ARGUMENT, "a modulus has an even number of bits, at least 1024");
  return false;
}

/* generateRsa(bits, e, threads): [n, d, p, q], the larger prime first. */
static napi_value generate_rsa(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result = NULL;
  size_t bits, threads;
  struct bytes exponent;
  struct pair pair;
  if (!read_arguments(env, info, 3, 3, arguments, NULL) ||
      !read_sizes(env, arguments, &bits, &threads) || !read_bytes(env, arguments[1], &exponent))
    return NULL;
  if (exponent.length > LONGEST_EXPONENT) {
    throw_error(env, CODE_ARGUMENT, "an exponent is too long");
    return NULL;
  }
  if (!make_numbers(&pair, exponent))
    throw_openssl_error(env, CODE_MEMORY);
  else if (!BN_is_odd(pair.exponent) || BN_is_one(pair.exponent))
    throw_error(env, CODE_GENERATE, "an exponent is odd and greater than 1");
  else if (!generate_pair(&pair, (int)bits, threads))
    throw_openssl_error(env, CODE_GENERATE);
  else
    result = make_parts(env, &pair);
  free_numbers(&pair);
  ERR_clear_error();
  return result;
}

const struct exported rsa_generation_functions[] = {
    {"generateRsa", generate_rsa, NULL},
    {NULL, NULL, NULL},
};
