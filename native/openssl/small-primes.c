/*
 * Trial division: whether a number has a small prime factor. It is far cheaper than a round of
 * Miller-Rabin and spares most of them.
 */
#include "softoki-openssl.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>

/* Every prime below this is known here: there are 6,542. */
#define BEYOND 65536
#define MOST_PRIMES 6542

/* Primes in a row whose product is below 2^32, so that one division of the long number does for all. */
struct batch {
  uint32_t product;
  uint16_t first;
  uint16_t count;
};

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static uint16_t primes[MOST_PRIMES];
static struct batch batches[MOST_PRIMES];
static size_t batch_count;

/* The odd primes, by the sieve of Eratosthenes. */
static size_t list_primes(void) {
  static bool composite[BEYOND];
  size_t count = 0;
  for (uint32_t number = 3; number < BEYOND; number += 2) {
    if (composite[number])
      continue;
    primes[count++] = (uint16_t)number;
    for (uint64_t multiple = (uint64_t)number * number; multiple < BEYOND; multiple += 2 * number)
      composite[multiple] = true;
  }
  return count;
}

static void list_batches(void) {
  size_t count = list_primes();
  struct batch *batch = NULL;
  for (size_t i = 0; i < count; i++) {
    if (batch == NULL || (uint64_t)batch->product * primes[i] > UINT32_MAX) {
      batch = &batches[batch_count++];
      *batch = (struct batch){1, (uint16_t)i, 0};
    }
    batch->product *= primes[i];
    batch->count++;
  }
}

static bool divides(const struct batch *batch, uint32_t rest) {
  for (size_t i = 0; i < batch->count; i++)
    if (rest % primes[batch->first + i] == 0)
      return true;
  return false;
}

/*
 * How far it pays grows with what a round of Miller-Rabin costs. Measured: about 4,000 for 1,024 bits
 * and 16,000 for 2,048, so (bits / 16)^2.
 */
static uint64_t bound_for(const BIGNUM *number) {
  uint64_t sixteenth = (uint64_t)BN_num_bits(number) / 16;
  return sixteenth * sixteenth;
}

bool has_small_factor(const BIGNUM *number) {
  uint64_t bound = bound_for(number);
  if (CRYPTO_THREAD_run_once(&once, list_batches) != 1)
    return false;
  for (size_t i = 0; i < batch_count && primes[batches[i].first] < bound; i++)
    if (divides(&batches[i], (uint32_t)BN_mod_word(number, batches[i].product)))
      return true;
  return false;
}
