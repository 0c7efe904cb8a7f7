/*
 * The operations on keys. Each is set up in the thread of JavaScript; the one native call that
 * computes runs there too, or on libuv's thread pool and answers a promise.
 */
#include "softoki-openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

/* What signing, verifying with recovery, encryption and decryption have in common: bytes to bytes. */
struct transform {
  const char *code;
  int (*init)(EVP_PKEY_CTX *context);
  /* With an algorithm of its own name; NULL where there is none. */
  int (*init_named)(EVP_PKEY_CTX *context, EVP_SIGNATURE *algorithm, const OSSL_PARAM *options);
  int (*run)(EVP_PKEY_CTX *context, uint8_t *output, size_t *output_length, const uint8_t *input,
             size_t input_length);
  /* What went wrong is told; never for decryption, where it would help to guess at the plaintext. */
  bool tells_reason;
};

static const struct transform signing = {"OPENSSL_SIGN", EVP_PKEY_sign_init,
                                         EVP_PKEY_sign_message_init, EVP_PKEY_sign, true};
/* With an algorithm of its own name, over a digest that the caller made: ED25519ph. */
static const struct transform digest_signing = {"OPENSSL_SIGN", EVP_PKEY_sign_init,
                                                EVP_PKEY_sign_init_ex2, EVP_PKEY_sign, true};
static const struct transform recovery = {"OPENSSL_RECOVER", EVP_PKEY_verify_recover_init, NULL,
                                          EVP_PKEY_verify_recover, true};
static const struct transform encryption = {"OPENSSL_ENCRYPT", EVP_PKEY_encrypt_init, NULL,
                                            EVP_PKEY_encrypt, true};
static const struct transform decryption = {"OPENSSL_DECRYPT", EVP_PKEY_decrypt_init, NULL,
                                            EVP_PKEY_decrypt, false};

/* One transformation under way, or one verification, which alone has a signature. */
struct job {
  const struct transform *transform;
  EVP_PKEY_CTX *context;
  uint8_t *input;
  size_t input_length;
  uint8_t *signature;
  size_t signature_length;
  bool verified;
  uint8_t *output;
  size_t output_room;
  size_t output_length;
  /* NULL once it has worked; a fixed text until then. */
  const char *failure;
  napi_async_work work;
  napi_deferred deferred;
};

static void free_job(struct job *job) {
  if (job == NULL)
    return;
  OPENSSL_clear_free(job->input, job->input_length);
  OPENSSL_clear_free(job->output, job->output_room);
  OPENSSL_free(job->signature);
  EVP_PKEY_CTX_free(job->context);
  OPENSSL_free(job);
}

static bool init_context(napi_env env, EVP_PKEY_CTX *context, const struct transform *transform,
                         napi_value algorithm) {
  if (is_absent(env, algorithm)) {
    if (transform->init(context) == 1)
      return true;
    throw_openssl_error(env, CODE_OPTION);
    return false;
  }
  char name[LONGEST_NAME];
  if (!read_name(env, algorithm, name))
    return false;
  EVP_SIGNATURE *signature =
      transform->init_named == NULL ? NULL : EVP_SIGNATURE_fetch(NULL, name, NULL);
  bool done = signature != NULL && transform->init_named(context, signature, NULL) == 1;
  EVP_SIGNATURE_free(signature);
  if (!done)
    throw_openssl_error(env, CODE_OPTION);
  return done;
}

/* A context that is ready to work; the caller frees it. NULL after throwing. */
static EVP_PKEY_CTX *make_context(napi_env env, const struct transform *transform, napi_value key,
                                  napi_value option_values, napi_value algorithm) {
  EVP_PKEY *parsed;
  struct options options;
  if (!read_key(env, key, &parsed))
    return NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, parsed, NULL);
  if (context == NULL) {
    throw_openssl_error(env, CODE_MEMORY);
    return NULL;
  }
  if (init_context(env, context, transform, algorithm) &&
      read_options(env, option_values, EVP_PKEY_CTX_settable_params(context), &options)) {
    bool set = options.count == 0 || EVP_PKEY_CTX_set_params(context, options.list) == 1;
    free_options(&options);
    if (set)
      return context;
    throw_openssl_error(env, CODE_OPTION);
  }
  EVP_PKEY_CTX_free(context);
  return NULL;
}

static void run_transform(struct job *job) {
  const struct transform *transform = job->transform;
  if (transform->run(job->context, NULL, &job->output_room, job->input, job->input_length) == 1 &&
      job->output_room <= LONGEST_INPUT) {
    job->output_room += job->output_room == 0;
    job->output = OPENSSL_malloc(job->output_room);
    job->output_length = job->output_room;
    if (job->output != NULL && transform->run(job->context, job->output, &job->output_length,
                                              job->input, job->input_length) == 1)
      job->failure = NULL;
  }
  if (job->failure != NULL && transform->tells_reason)
    job->failure = take_reason();
}

/* A wrong signature is no failure. */
static void run_verification(struct job *job) {
  job->verified = EVP_PKEY_verify(job->context, job->signature, job->signature_length, job->input,
                                  job->input_length) == 1;
  job->failure = NULL;
}

/* The computing itself, in whatever thread. It touches nothing of JavaScript. */
static void run_job(struct job *job) {
  job->failure = "failed";
  ERR_clear_error();
  if (job->signature == NULL)
    run_transform(job);
  else
    run_verification(job);
  ERR_clear_error();
}

/* A copy that the job owns; never NULL but for want of memory. */
static uint8_t *copy_of(struct bytes bytes) {
  uint8_t *copy = OPENSSL_malloc(bytes.length == 0 ? 1 : bytes.length);
  if (copy != NULL)
    memcpy(copy, bytes.data, bytes.length);
  return copy;
}

/* A job that is set up, with a copy of its input. NULL after throwing. */
static struct job *make_job(napi_env env, const struct transform *transform,
                            const napi_value *arguments) {
  struct bytes input;
  EVP_PKEY_CTX *context =
      make_context(env, transform, arguments[0], arguments[2], arguments[3]);
  if (context == NULL)
    return NULL;
  struct job *job = OPENSSL_zalloc(sizeof *job);
  if (job == NULL || !read_bytes(env, arguments[1], &input)) {
    throw_error(env, CODE_MEMORY, "no memory for an operation");
    OPENSSL_free(job);
    EVP_PKEY_CTX_free(context);
    return NULL;
  }
  job->transform = transform;
  job->context = context;
  job->input = copy_of(input);
  if (job->input == NULL) {
    throw_error(env, CODE_MEMORY, "no memory for the input");
    free_job(job);
    return NULL;
  }
  job->input_length = input.length;
  return job;
}

/* name(key, input, options, algorithm): the output. */
static napi_value transform_now(napi_env env, napi_callback_info info) {
  napi_value arguments[4], result = NULL;
  const void *transform;
  if (!read_arguments(env, info, 2, 4, arguments, &transform))
    return NULL;
  struct job *job = make_job(env, transform, arguments);
  if (job != NULL) {
    run_job(job);
    if (job->failure == NULL)
      result = make_bytes(env, job->output, job->output_length);
    else
      throw_error(env, job->transform->code, job->failure);
  }
  free_job(job);
  ERR_clear_error();
  return result;
}

static void execute(napi_env env, void *data) {
  (void)env;
  run_job(data);
}

static napi_value make_error(napi_env env, const char *code, const char *detail) {
  napi_value code_value, detail_value, error;
  if (napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &code_value) != napi_ok ||
      napi_create_string_utf8(env, detail, NAPI_AUTO_LENGTH, &detail_value) != napi_ok ||
      napi_create_error(env, code_value, detail_value, &error) != napi_ok)
    return NULL;
  return error;
}

/* Settles the promise. Where not even an error can be made the environment is on its way down. */
static void complete(napi_env env, napi_status status, void *data) {
  struct job *job = data;
  napi_value value = NULL;
  bool done = status == napi_ok && job->failure == NULL;
  if (done)
    value = job->signature == NULL ? make_bytes(env, job->output, job->output_length)
                                   : make_bool(env, job->verified);
  if (value == NULL) {
    bool pending = false;
    if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
      napi_get_and_clear_last_exception(env, &value);
    else
      value = make_error(env, job->transform->code,
                         status == napi_ok && job->failure != NULL ? job->failure : "not done");
    done = false;
  }
  if (value != NULL && done)
    napi_resolve_deferred(env, job->deferred, value);
  else if (value != NULL)
    napi_reject_deferred(env, job->deferred, value);
  napi_delete_async_work(env, job->work);
  free_job(job);
}

/* Hands a job over to the thread pool and answers the promise for what comes of it. */
static napi_value queue_job(napi_env env, struct job *job) {
  napi_value name, promise;
  if (napi_create_string_utf8(env, "softoki", NAPI_AUTO_LENGTH, &name) == napi_ok &&
      napi_create_async_work(env, NULL, name, execute, complete, job, &job->work) == napi_ok) {
    if (napi_create_promise(env, &job->deferred, &promise) == napi_ok &&
        napi_queue_async_work(env, job->work) == napi_ok)
      return promise;
    napi_delete_async_work(env, job->work);
  }
  free_job(job);
  throw_error(env, CODE_MEMORY, "the work could not be queued");
  return NULL;
}

/* nameLater(key, input, options, algorithm): a promise for the output. */
static napi_value transform_later(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  const void *transform;
  if (!read_arguments(env, info, 2, 4, arguments, &transform))
    return NULL;
  struct job *job = make_job(env, transform, arguments);
  ERR_clear_error();
  return job == NULL ? NULL : queue_job(env, job);
}

/* Never run: only how verification is begun. */
static const struct transform verification = {"OPENSSL_VERIFY", EVP_PKEY_verify_init,
                                              EVP_PKEY_verify_message_init, NULL, true};
static const struct transform digest_verification = {"OPENSSL_VERIFY", EVP_PKEY_verify_init,
                                                     EVP_PKEY_verify_init_ex2, NULL, true};

/* verify(key, input, options, algorithm, signature): whether the signature is right. */
static napi_value verify(napi_env env, napi_callback_info info) {
  napi_value arguments[5], result = NULL;
  struct bytes input, signature;
  const void *transform;
  if (!read_arguments(env, info, 5, 5, arguments, &transform))
    return NULL;
  EVP_PKEY_CTX *context = make_context(env, transform, arguments[0], arguments[2], arguments[3]);
  if (context == NULL)
    return NULL;
  if (read_bytes(env, arguments[1], &input) && read_bytes(env, arguments[4], &signature))
    result = make_bool(env, EVP_PKEY_verify(context, signature.data, signature.length, input.data,
                                            input.length) == 1);
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return result;
}

/* verifyLater: the same as a promise. */
static napi_value verify_later(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  struct bytes signature;
  const void *transform;
  if (!read_arguments(env, info, 5, 5, arguments, &transform) ||
      !read_bytes(env, arguments[4], &signature))
    return NULL;
  struct job *job = make_job(env, transform, arguments);
  ERR_clear_error();
  if (job == NULL)
    return NULL;
  job->signature = copy_of(signature);
  job->signature_length = signature.length;
  if (job->signature != NULL)
    return queue_job(env, job);
  throw_error(env, CODE_MEMORY, "no memory for the signature");
  free_job(job);
  return NULL;
}

static const struct transform derivation = {CODE_DERIVE, EVP_PKEY_derive_init, NULL, NULL,
                                            true};

static napi_value derive_secret(napi_env env, EVP_PKEY_CTX *context) {
  size_t room = 0;
  napi_value result = NULL;
  if (EVP_PKEY_derive(context, NULL, &room) != 1 || room == 0 || room > LONGEST_OPTION) {
    throw_openssl_error(env, derivation.code);
    return NULL;
  }
  uint8_t *secret = OPENSSL_malloc(room);
  size_t length = room;
  if (secret != NULL && EVP_PKEY_derive(context, secret, &length) == 1)
    result = make_bytes(env, secret, length);
  else
    throw_openssl_error(env, derivation.code);
  OPENSSL_clear_free(secret, room);
  return result;
}

/* derive(key, peer, options): the secret shared with the peer. */
static napi_value derive(napi_env env, napi_callback_info info) {
  napi_value arguments[3], algorithm, result = NULL;
  EVP_PKEY *peer;
  if (!read_arguments(env, info, 2, 3, arguments, NULL) || !read_key(env, arguments[1], &peer) ||
      napi_get_undefined(env, &algorithm) != napi_ok)
    return NULL;
  EVP_PKEY_CTX *context = make_context(env, &derivation, arguments[0], arguments[2], algorithm);
  if (context == NULL)
    return NULL;
  if (EVP_PKEY_derive_set_peer(context, peer) == 1)
    result = derive_secret(env, context);
  else
    throw_openssl_error(env, derivation.code);
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return result;
}

const struct exported operation_functions[] = {
    {"sign", transform_now, &signing},
    {"signLater", transform_later, &signing},
    {"signDigest", transform_now, &digest_signing},
    {"verifyRecover", transform_now, &recovery},
    {"encrypt", transform_now, &encryption},
    {"decrypt", transform_now, &decryption},
    {"decryptLater", transform_later, &decryption},
    {"verify", verify, &verification},
    {"verifyLater", verify_later, &verification},
    {"verifyDigest", verify, &digest_verification},
    {"derive", derive, NULL},
    {NULL, NULL, NULL},
};
