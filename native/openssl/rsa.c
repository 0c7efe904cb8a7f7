/*
 * What OpenSSL has no call for: whether the numbers of an RSA private key belong together, and the
 * numbers that are missing. (Its own key check proves the primes too, which takes seconds for long
 * keys; and its import takes any d.)
 */
#include "softoki-openssl.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#define CODE_INCONSISTENT "OPENSSL_INCONSISTENT"
/* Bytes of a modulus at most: OPENSSL_RSA_MAX_MODULUS_BITS. */
#define LONGEST_MODULUS (16384 / 8)
/* Each try to factor a sound modulus fails with a probability of at most one half. */
#define TRIES 32

enum { N, E, D, P, Q, DP, DQ, QI, NUMBERS };

struct rsa {
  BN_CTX *context;
  BIGNUM *number[NUMBERS];
};

enum luck { FOUND, TRY_AGAIN, HOPELESS };

/*
 * Looks along base^odd, and its squares, for a square root of 1 other than 1 and -1: one less than it
 * has a factor in common with n. Where no square is 1, e times d is not 1 in the exponent.
 */
static enum luck factor_with(struct rsa *rsa, const BIGNUM *base, const BIGNUM *odd, int twos) {
  const BIGNUM *n = rsa->number[N];
  BIGNUM *factor = rsa->number[P];
  enum luck luck = HOPELESS;
  BN_CTX_start(rsa->context);
  BIGNUM *root = BN_CTX_get(rsa->context);
  BIGNUM *square = BN_CTX_get(rsa->context);
  bool done = square == NULL || !BN_mod_exp(root, base, odd, n, rsa->context);
  for (int i = 0; !done && i < twos; i++) {
    done = !BN_mod_sqr(square, root, n, rsa->context);
    if (!done && BN_is_one(square)) {
      done = true;
      /* A root of 1 leads to the factor n here, a root of -1 to the factor 1. */
      if (BN_sub_word(root, 1) && BN_gcd(factor, root, n, rsa->context))
        luck = BN_is_one(factor) || BN_cmp(factor, n) == 0 ? TRY_AGAIN : FOUND;
    }
    BN_swap(root, square);
  }
  BN_CTX_end(rsa->context);
  return luck;
}

/* The primes from n, e and d. NIST SP 800-56B Rev. 2, appendix C.1. */
static bool find_primes(struct rsa *rsa) {
  BIGNUM **number = rsa->number;
  enum luck luck = HOPELESS;
  BN_CTX_start(rsa->context);
  BIGNUM *odd = BN_CTX_get(rsa->context);
  BIGNUM *base = BN_CTX_get(rsa->context);
  /* e and d are odd and greater than 1, so this is even and not 0. */
  if (base != NULL && BN_mul(odd, number[E], number[D], rsa->context) && BN_sub_word(odd, 1)) {
    int twos = 0;
    while (!BN_is_bit_set(odd, twos))
      twos++;
    luck = BN_rshift(odd, odd, twos) ? TRY_AGAIN : HOPELESS;
    BN_set_flags(odd, BN_FLG_CONSTTIME);
    for (int i = 0; luck == TRY_AGAIN && i < TRIES; i++)
      luck = BN_priv_rand_range(base, number[N]) ? factor_with(rsa, base, odd, twos) : HOPELESS;
  }
  bool found = luck == FOUND && BN_div(number[Q], NULL, number[N], number[P], rsa->context);
  /* The larger prime comes first, as in the keys that OpenSSL makes. */
  if (found && BN_cmp(number[P], number[Q]) < 0)
    BN_swap(number[P], number[Q]);
  BN_CTX_end(rsa->context);
  return found;
}

/* Whether e times d is 1 modulo prime - 1; `exponent` becomes d modulo prime - 1. */
static bool exponent_for(struct rsa *rsa, const BIGNUM *prime, BIGNUM *exponent) {
  BN_CTX_start(rsa->context);
  BIGNUM *order = BN_CTX_get(rsa->context);
  BIGNUM *product = BN_CTX_get(rsa->context);
  bool right = product != NULL && BN_sub(order, prime, BN_value_one()) && !BN_is_zero(order) &&
               BN_mod(exponent, rsa->number[D], order, rsa->context) &&
               BN_mod_mul(product, rsa->number[E], exponent, order, rsa->context) &&
               BN_is_one(product);
  BN_CTX_end(rsa->context);
  return right;
}

/* Whether n is p times q, both odd, and d fits; fills in the exponents and the coefficient. */
static bool complete_parts(struct rsa *rsa) {
  BIGNUM **number = rsa->number;
  BN_CTX_start(rsa->context);
  BIGNUM *product = BN_CTX_get(rsa->context);
  bool right = product != NULL && BN_is_odd(number[P]) && BN_is_odd(number[Q]) &&
               BN_mul(product, number[P], number[Q], rsa->context) &&
               BN_cmp(product, number[N]) == 0 && exponent_for(rsa, number[P], number[DP]) &&
               exponent_for(rsa, number[Q], number[DQ]) &&
               BN_mod_inverse(number[QI], number[Q], number[P], rsa->context) != NULL;
  BN_CTX_end(rsa->context);
  return right;
}

static bool make_numbers(struct rsa *rsa) {
  rsa->context = BN_CTX_secure_new();
  bool done = rsa->context != NULL;
  for (int i = 0; i < NUMBERS; i++) {
    rsa->number[i] = BN_new();
    done = done && rsa->number[i] != NULL;
    if (done && i >= D)
      BN_set_flags(rsa->number[i], BN_FLG_CONSTTIME);
  }
  return done;
}

static void free_numbers(struct rsa *rsa) {
  for (int i = 0; i < NUMBERS; i++)
    BN_clear_free(rsa->number[i]);
  BN_CTX_free(rsa->context);
}

static bool read_numbers(napi_env env, const napi_value *arguments, struct rsa *rsa) {
  for (int i = N; i <= Q; i++) {
    struct bytes bytes = {(const uint8_t *)"", 0};
    if (!(i >= P && is_absent(env, arguments[i])) && !read_bytes(env, arguments[i], &bytes))
      return false;
    if (bytes.length > LONGEST_MODULUS) {
      throw_error(env, CODE_ARGUMENT, "a number is too long");
      return false;
    }
    if (BN_bin2bn(bytes.data, (int)bytes.length, rsa->number[i]) == NULL) {
      throw_openssl_error(env, CODE_MEMORY);
      return false;
    }
  }
  return true;
}

/* Whether 1 < e, d < n and n is odd, so that the arithmetic above is defined. */
static bool in_range(const struct rsa *rsa) {
  BIGNUM *const *number = rsa->number;
  return BN_is_odd(number[N]) && BN_is_odd(number[E]) && BN_is_odd(number[D]) &&
         !BN_is_one(number[N]) && !BN_is_one(number[E]) && !BN_is_one(number[D]) &&
         BN_cmp(number[E], number[N]) < 0 && BN_cmp(number[D], number[N]) < 0;
}

static napi_value make_part(napi_env env, const BIGNUM *number) {
  uint8_t data[LONGEST_MODULUS];
  int length = BN_bn2bin(number, data);
  napi_value result = make_bytes(env, data, (size_t)length);
  OPENSSL_cleanse(data, sizeof data);
  return result;
}

static napi_value make_parts(napi_env env, const struct rsa *rsa) {
  napi_value parts;
  if (napi_create_array_with_length(env, NUMBERS - P, &parts) != napi_ok)
    return NULL;
  for (int i = P; i < NUMBERS; i++) {
    napi_value part = make_part(env, rsa->number[i]);
    if (part == NULL || napi_set_element(env, parts, (uint32_t)(i - P), part) != napi_ok)
      return NULL;
  }
  return parts;
}

/*
 * completeRsa(n, e, d, p, q): [p, q, dp, dq, qi]. p and q may both be undefined. Throws
 * OPENSSL_INCONSISTENT where the numbers do not belong together. That p and q are prime is not proved.
 */
static napi_value complete_rsa(napi_env env, napi_callback_info info) {
  napi_value arguments[5], result = NULL;
  struct rsa rsa;
  if (!read_arguments(env, info, 3, 5, arguments, NULL))
    return NULL;
  if (!make_numbers(&rsa)) {
    throw_openssl_error(env, CODE_MEMORY);
  } else if (read_numbers(env, arguments, &rsa)) {
    bool has_primes = !BN_is_zero(rsa.number[P]) || !BN_is_zero(rsa.number[Q]);
    if (in_range(&rsa) && (has_primes || find_primes(&rsa)) && complete_parts(&rsa))
      result = make_parts(env, &rsa);
    else
      throw_error(env, CODE_INCONSISTENT, "the numbers of the key do not belong together");
  }
  free_numbers(&rsa);
  ERR_clear_error();
  return result;
}

const struct exported rsa_functions[] = {
    {"completeRsa", complete_rsa, NULL},
    {NULL, NULL, NULL},
};
