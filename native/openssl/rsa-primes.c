/*
 * The two primes of an RSA key, searched by several threads at once. FIPS 186-5, A.1.3 (random
 * primes that are probably prime): every candidate is drawn anew, and all arithmetic is OpenSSL's.
 */
#include "softoki-openssl.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>

/*
 * Candidates that one thread draws at most, for each bit of the modulus. One in 0.3 a bit is taken, or
 * one in 2 a bit where the exponent has many small factors; A.1.3 gives up somewhere, too.
 */
#define TRIES_A_BIT 100
/* Threads beside the one that calls, at most. */
#define MOST_HELPERS 15

/* 2^255 times the square root of 2, rounded up. */
static const uint8_t ROOT_OF_TWO[] = {
    0xb5, 0x04, 0xf3, 0x33, 0xf9, 0xde, 0x64, 0x84, 0x59, 0x7d, 0x89, 0xb3, 0x75, 0x4a, 0xbe, 0x9f,
    0x1d, 0x6f, 0x60, 0xba, 0x89, 0x3b, 0xa8, 0x4c, 0xed, 0x17, 0xac, 0x85, 0x83, 0x33, 0x99, 0x16};

/* What all threads share. */
struct search {
  /* Bits of a prime. */
  int bits;
  const BIGNUM *exponent;
  BIGNUM *least;
  pthread_mutex_t lock;
  /* The rest is touched with the lock held. */
  BIGNUM *const *primes;
  int found;
  bool failed;
};

static bool is_over(struct search *search) {
  pthread_mutex_lock(&search->lock);
  bool over = search->failed || search->found == 2;
  pthread_mutex_unlock(&search->lock);
  return over;
}

static void give_up(struct search *search) {
  pthread_mutex_lock(&search->lock);
  search->failed = true;
  pthread_mutex_unlock(&search->lock);
}

/* A.1.3, step 5.5: the primes differ within their first 100 bits. */
static bool is_far(const struct search *search, const BIGNUM *other, BN_CTX *context) {
  BN_CTX_start(context);
  BIGNUM *difference = BN_CTX_get(context);
  bool far = difference != NULL && BN_sub(difference, search->primes[0], other) &&
             BN_num_bits(difference) > search->bits - 99;
  BN_CTX_end(context);
  return far;
}

static bool keep_prime(struct search *search, const BIGNUM *prime, BN_CTX *context) {
  bool kept = true;
  pthread_mutex_lock(&search->lock);
  if (search->found == 0 || (search->found == 1 && is_far(search, prime, context)))
    kept = BN_copy(search->primes[search->found++], prime) != NULL;
  pthread_mutex_unlock(&search->lock);
  return kept;
}

/* Numbers of one thread. Two candidates are worked on at once. */
struct candidate {
  BIGNUM *number;
  BIGNUM *order; /* The number less 1. */
  BIGNUM *base;
  BIGNUM *power;
  BN_MONT_CTX *form;
};
struct finder {
  BN_CTX *context;
  struct candidate pair[2];
  int tries;
};

static bool make_candidate(struct candidate *candidate) {
  candidate->number = BN_new();
  candidate->order = BN_new();
  candidate->base = BN_new();
  candidate->power = BN_new();
  candidate->form = BN_MONT_CTX_new();
  if (candidate->number == NULL || candidate->order == NULL || candidate->base == NULL ||
      candidate->power == NULL || candidate->form == NULL)
    return false;
  BN_set_flags(candidate->number, BN_FLG_CONSTTIME);
  BN_set_flags(candidate->order, BN_FLG_CONSTTIME);
  return true;
}

static void free_candidate(struct candidate *candidate) {
  BN_clear_free(candidate->number);
  BN_clear_free(candidate->order);
  BN_clear_free(candidate->base);
  BN_clear_free(candidate->power);
  BN_MONT_CTX_free(candidate->form);
}

/* Steps 4.2 to 4.5: an odd number not below the square root of 2 times 2^(bits - 1), prime to e. */
static bool draw(const struct search *search, struct finder *finder, struct candidate *candidate) {
  const int most = TRIES_A_BIT * 2 * search->bits;
  while (finder->tries++ < most) {
    if (!BN_priv_rand_ex(candidate->number, search->bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD, 0,
                         finder->context))
      return false;
    if (BN_cmp(candidate->number, search->least) < 0 || has_small_factor(candidate->number))
      continue;
    if (!BN_copy(candidate->order, candidate->number) || !BN_sub_word(candidate->order, 1))
      return false;
    if (BN_are_coprime(candidate->order, search->exponent, finder->context))
      return true;
  }
  return false;
}

/* What Fermat's test needs: a base of full length, below the number. */
static bool prepare(struct candidate *candidate, int bits, BN_CTX *context) {
  return BN_MONT_CTX_set(candidate->form, candidate->number, context) &&
         BN_priv_rand_ex(candidate->base, bits - 1, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY, 0, context);
}

/*
 * Raises both bases to the power that is 1 where the number is prime: OpenSSL computes two powers at
 * once where the processor lets it (AVX-512 IFMA; 1,024, 1,536 and 2,048 bits), in the time of one.
 */
static bool raise_pair(struct finder *finder, int bits) {
  struct candidate *one = &finder->pair[0], *other = &finder->pair[1];
  return prepare(one, bits, finder->context) && prepare(other, bits, finder->context) &&
         BN_mod_exp_mont_consttime_x2(one->power, one->base, one->order, one->number, one->form,
                                      other->power, other->base, other->order, other->number,
                                      other->form, finder->context) == 1;
}

/* How many rounds of Miller-Rabin are wanted, and how many have passed. */
struct rounds {
  struct search *search;
  int wanted;
  int passed;
};

/*
 * BN_check_prime tells of each round that has passed, and stops with an error where it is told to.
 * It is told so after the rounds that are wanted: its own 64 or 128 serve numbers that an enemy chose.
 */
static int count_round(int what, int round, BN_GENCB *watch) {
  struct rounds *rounds = BN_GENCB_get_arg(watch);
  if (what == 1 && round >= 0)
    rounds->passed = round + 1;
  return rounds->passed < rounds->wanted && !is_over(rounds->search);
}

/*
 * FIPS 186-5, table B.1, asks for 5 rounds where the modulus has 2,048 bits or more, and 4 from 3,072
 * bits on. By the bound of Damgard, Landrock and Pomerance (1993) 8 rounds take a composite for a prime
 * with a probability below 2^-150 there, and 16 below 2^-140 from 512 bits on.
 */
static int rounds_for(int bits) {
  return bits >= 1024 ? 8 : 16;
}

/* -1: out of memory, or the search is over. */
static int is_prime(struct search *search, const BIGNUM *number, BN_CTX *context) {
  struct rounds rounds = {search, rounds_for(search->bits), 0};
  BN_GENCB *watch = BN_GENCB_new();
  if (watch == NULL)
    return -1;
  BN_GENCB_set(watch, count_round, &rounds);
  int answer = BN_check_prime(number, context, watch);
  BN_GENCB_free(watch);
  return rounds.passed >= rounds.wanted ? 1 : answer;
}

/* False where it cannot go on. */
static bool try_pair(struct search *search, struct finder *finder) {
  for (int i = 0; i < 2; i++)
    if (!draw(search, finder, &finder->pair[i]))
      return false;
  if (!raise_pair(finder, search->bits))
    return false;
  for (int i = 0; i < 2; i++) {
    const struct candidate *candidate = &finder->pair[i];
    if (!BN_is_one(candidate->power))
      continue;
    int prime = is_prime(search, candidate->number, finder->context);
    if (prime < 0 || (prime == 1 && !keep_prime(search, candidate->number, finder->context)))
      return false;
  }
  return true;
}

static void search_in_thread(struct search *search) {
  struct finder finder = {.context = BN_CTX_secure_new()};
  bool able = make_candidate(&finder.pair[0]);
  able = make_candidate(&finder.pair[1]) && able && finder.context != NULL;
  while (able && !is_over(search))
    able = try_pair(search, &finder);
  if (!able && !is_over(search))
    give_up(search);
  free_candidate(&finder.pair[0]);
  free_candidate(&finder.pair[1]);
  BN_CTX_free(finder.context);
  ERR_clear_error();
}

static void *help(void *search) {
  search_in_thread(search);
  OPENSSL_thread_stop();
  return NULL;
}

/* A thread that cannot be had is done without. */
static void search_together(struct search *search, size_t threads) {
  pthread_t helpers[MOST_HELPERS];
  size_t count = 0;
  while (count + 1 < threads && count < MOST_HELPERS &&
         pthread_create(&helpers[count], NULL, help, search) == 0)
    count++;
  search_in_thread(search);
  while (count > 0)
    pthread_join(helpers[--count], NULL);
}

/* A.1.3, step 4.4: the least prime is 2^(bits - 1) times the square root of 2. */
static BIGNUM *least_of(int bits) {
  BIGNUM *root = BN_bin2bn(ROOT_OF_TWO, sizeof ROOT_OF_TWO, NULL);
  if (root != NULL && BN_lshift(root, root, bits - 8 * (int)sizeof ROOT_OF_TWO))
    return root;
  BN_free(root);
  return NULL;
}

bool find_rsa_primes(int bits, const BIGNUM *exponent, size_t threads, BIGNUM *const primes[2]) {
  struct search search = {.bits = bits, .exponent = exponent, .primes = primes};
  search.least = least_of(bits);
  if (search.least == NULL || pthread_mutex_init(&search.lock, NULL) != 0) {
    BN_free(search.least);
    return false;
  }
  search_together(&search, threads);
  pthread_mutex_destroy(&search.lock);
  BN_free(search.least);
  return search.found == 2 && !search.failed;
}
