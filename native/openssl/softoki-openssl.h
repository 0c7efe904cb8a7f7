/*
 * A small general binding to the OpenSSL inside Node: keys, and the operations on them, described by
 * OpenSSL's own parameter names. What the names mean is in the OpenSSL manual (EVP_PKEY-RSA(7),
 * EVP_SIGNATURE-RSA(7), EVP_ASYM_CIPHER-RSA(7), EVP_KEYEXCH-ECDH(7) and their like).
 *
 * Every function leaves OpenSSL's error queue empty. An error reaches JavaScript as an Error whose
 * `code` is one of the OPENSSL_ strings below and whose message holds no data.
 */
#ifndef SOFTOKI_OPENSSL_H
#define SOFTOKI_OPENSSL_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if OPENSSL_VERSION_NUMBER < 0x30500000L
#error "Softoki needs the headers of a Node with OpenSSL 3.5"
#endif

/* Bytes of one argument at most; the longest key or message that comes here is far below. */
#define LONGEST_INPUT ((size_t)1 << 30)
/* Options of one call (each value of a repeated one counts), and bytes of one option, at most. */
#define MOST_OPTIONS 16
#define LONGEST_OPTION ((size_t)1 << 20)
/* Bytes at most of what is as long as the caller wants it: a derived key, a MAC, a digest. */
#define LONGEST_OUTPUT ((size_t)1 << 20)
/* Characters of a name (of a key type, an option, an algorithm) at most, with the ending zero. */
#define LONGEST_NAME 64

/* An argument of the wrong type or length; no OpenSSL function was called. */
#define CODE_ARGUMENT "OPENSSL_ARGUMENT"
/* An option that the operation does not have, or a value that it refuses. */
#define CODE_OPTION "OPENSSL_OPTION"
#define CODE_IMPORT "OPENSSL_IMPORT"
#define CODE_GENERATE "OPENSSL_GENERATE"
#define CODE_COMPONENT "OPENSSL_COMPONENT"
#define CODE_MEMORY "OPENSSL_MEMORY"
/* No algorithm has the name. */
#define CODE_UNKNOWN "OPENSSL_UNKNOWN"
#define CODE_COPY "OPENSSL_COPY"
#define CODE_DERIVE "OPENSSL_DERIVE"

/* A JavaScript function of the module. */
struct exported {
  const char *name;
  napi_callback call;
  const void *data;
};

/* Bytes that belong to JavaScript, valid until the call returns. */
struct bytes {
  const uint8_t *data;
  size_t length;
};

/* OSSL_PARAMs with the memory behind them. */
struct options {
  OSSL_PARAM list[MOST_OPTIONS + 1];
  struct {
    void *data;
    size_t size;
  } memory[MOST_OPTIONS];
  size_t count;
};

/* values.c: from JavaScript to C and back. Those that answer bool have thrown where they answer false. */
bool read_arguments(napi_env env, napi_callback_info info, size_t least, size_t most,
                    napi_value *arguments, const void **data);
bool is_absent(napi_env env, napi_value value);
bool read_name(napi_env env, napi_value value, char name[LONGEST_NAME]);
bool read_bytes(napi_env env, napi_value value, struct bytes *bytes);
bool read_options(napi_env env, napi_value object, const OSSL_PARAM *known, struct options *options);
void free_options(struct options *options);
/* A whole number from 0 to `most`. */
bool read_length(napi_env env, napi_value value, size_t most, size_t *length);
napi_value make_bytes(napi_env env, const uint8_t *data, size_t length);
/* Memory of JavaScript's to write into, zeroed; make_view answers the first bytes of it. */
uint8_t *make_room(napi_env env, size_t room, napi_value *buffer);
napi_value make_view(napi_env env, napi_value buffer, size_t length);
napi_value make_number(napi_env env, double value);
napi_value make_text(napi_env env, const char *text);
napi_value make_bool(napi_env env, bool value);
/* Throws an Error with a code; `detail` is a fixed text or a reason that OpenSSL has as fixed text. */
void throw_error(napi_env env, const char *code, const char *detail);
/* The same with the reason from OpenSSL's queue, which is emptied. */
void throw_openssl_error(napi_env env, const char *code);
/* OpenSSL's reason as fixed text; empties the queue. Never NULL. */
const char *take_reason(void);

/* key.c */
bool read_key(napi_env env, napi_value value, EVP_PKEY **key);
bool is_key(napi_env env, napi_value value);
/* Hands the key over to JavaScript, which frees it; frees it here where that fails. */
napi_value make_key(napi_env env, EVP_PKEY *key);
/* A context for keys of a type such as RSA or EC; NULL after throwing. */
EVP_PKEY_CTX *read_type(napi_env env, napi_value value, const char *code);

/*
 * library.c: the library contexts where an algorithm is looked up. Number 0 is Node's own; number 1,
 * asked only where that one fails, has the legacy provider too. False where there is no such number.
 */
bool library_at(size_t at, OSSL_LIB_CTX **library);

/* small-primes.c: whether an odd number is divisible by a prime far below it. */
bool has_small_factor(const BIGNUM *number);

/*
 * rsa-primes.c: two primes of so many bits (512 or more), less 1 prime to the exponent, searched by so
 * many threads. False for want of memory, and where none were found.
 */
bool find_rsa_primes(int bits, const BIGNUM *exponent, size_t threads, BIGNUM *const primes[2]);

/* handle.c: what is computed in parts, as an external value that JavaScript frees. */
struct handle_kind {
  napi_type_tag tag;
  const char *refusal;
  void (*free)(void *context);
};
struct handle {
  const struct handle_kind *kind;
  void *context;
  /* Its result was taken; it goes on no more. */
  bool finished;
};
/* Takes the context over, also where it fails. */
napi_value make_handle(napi_env env, const struct handle_kind *kind, void *context);
bool read_handle(napi_env env, napi_value value, const struct handle_kind *kind,
                 struct handle **handle);
/* The same, and one that is finished is refused. */
bool read_open_handle(napi_env env, napi_value value, const struct handle_kind *kind,
                      struct handle **handle);

/* Terminated by a name of NULL. */
extern const struct exported key_functions[];
extern const struct exported operation_functions[];
extern const struct exported rsa_functions[];
extern const struct exported rsa_generation_functions[];
extern const struct exported ec_functions[];
extern const struct exported process_functions[];
extern const struct exported channel_functions[];
extern const struct exported library_functions[];
extern const struct exported generation_functions[];
extern const struct exported component_functions[];
extern const struct exported cipher_functions[];
extern const struct exported digest_functions[];
extern const struct exported mac_functions[];
extern const struct exported kdf_functions[];
extern const struct exported kem_functions[];
extern const struct exported whole_functions[];

#endif
