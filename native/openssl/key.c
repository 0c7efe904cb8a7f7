/* Keys: parsed once, kept as an external value, freed when JavaScript drops it. */
#include "softoki-openssl.h"

#include <openssl/err.h>
#include <string.h>

/* Says that an external value is a key of this module and of nobody else. */
static const napi_type_tag key_tag = {0x8f1d5c0b9a3e4762, 0xb6c02d7e51f8934a};

/*
 * Bytes of memory a key takes, for the garbage collector: its numbers several times over (Montgomery
 * forms and blinding), and the structures around them. Measured roughly; only the order matters.
 */
static int64_t size_of_key(const EVP_PKEY *key) {
  int size = EVP_PKEY_get_size(key);
  return 4096 + 12 * (int64_t)(size > 0 ? size : 0);
}

static void free_key(napi_env env, void *data, void *hint) {
  (void)hint;
  int64_t total;
  napi_adjust_external_memory(env, -size_of_key(data), &total);
  EVP_PKEY_free(data);
}

napi_value make_key(napi_env env, EVP_PKEY *key) {
  napi_value external;
  int64_t total;
  if (napi_create_external(env, key, free_key, NULL, &external) != napi_ok) {
    EVP_PKEY_free(key);
    throw_error(env, CODE_MEMORY, "no memory for a key");
    return NULL;
  }
  napi_adjust_external_memory(env, size_of_key(key), &total);
  if (napi_type_tag_object(env, external, &key_tag) != napi_ok) {
    throw_error(env, CODE_MEMORY, "a key could not be marked");
    return NULL;
  }
  return external;
}

bool is_key(napi_env env, napi_value value) {
  napi_valuetype type;
  bool tagged = false;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_external &&
         napi_check_object_type_tag(env, value, &key_tag, &tagged) == napi_ok && tagged;
}

bool read_key(napi_env env, napi_value value, EVP_PKEY **key) {
  void *data = NULL;
  if (!is_key(env, value) || napi_get_value_external(env, value, &data) != napi_ok) {
    throw_error(env, CODE_ARGUMENT, "this is no key");
    return false;
  }
  *key = data;
  return true;
}

struct selection {
  const char *name;
  int bits;
};

static const struct selection selections[] = {
    {"public", EVP_PKEY_PUBLIC_KEY},
    {"private", EVP_PKEY_KEYPAIR},
    {"parameters", EVP_PKEY_KEY_PARAMETERS},
};

static const struct selection *read_selection(napi_env env, napi_value value) {
  char name[LONGEST_NAME];
  if (!read_name(env, value, name))
    return NULL;
  for (size_t i = 0; i < sizeof selections / sizeof *selections; i++)
    if (strcmp(selections[i].name, name) == 0)
      return &selections[i];
  throw_error(env, CODE_ARGUMENT, "a selection is public, private or parameters");
  return NULL;
}

EVP_PKEY_CTX *read_type(napi_env env, napi_value value, const char *code) {
  char type[LONGEST_NAME];
  if (!read_name(env, value, type))
    return NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
  if (context == NULL)
    throw_openssl_error(env, code);
  return context;
}

/* importKey(type, selection, components): a key from its components. */
static napi_value import_key(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result = NULL;
  struct options components;
  EVP_PKEY *key = NULL;
  if (!read_arguments(env, info, 3, 3, arguments, NULL))
    return NULL;
  const struct selection *selection = read_selection(env, arguments[1]);
  if (selection == NULL)
    return NULL;
  EVP_PKEY_CTX *context = read_type(env, arguments[0], CODE_IMPORT);
  if (context == NULL)
    return NULL;
  /* Asking what is settable undoes the init, so it comes first. */
  const OSSL_PARAM *known = EVP_PKEY_fromdata_settable(context, selection->bits);
  if (read_options(env, arguments[2], known, &components)) {
    if (EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, selection->bits, components.list) == 1)
      result = make_key(env, key);
    else
      throw_openssl_error(env, CODE_IMPORT);
    free_options(&components);
  }
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return result;
}

struct check {
  const char *name;
  int (*run)(EVP_PKEY_CTX *context);
};

static const struct check checks[] = {
    {"public", EVP_PKEY_public_check},
    {"private", EVP_PKEY_private_check},
    {"pair", EVP_PKEY_pairwise_check},
    {"parameters", EVP_PKEY_param_check},
};

/* check(key, what): whether OpenSSL finds a half of the key, the pair or the parameters sound. */
static napi_value check(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  EVP_PKEY *key;
  char name[LONGEST_NAME];
  if (!read_arguments(env, info, 2, 2, arguments, NULL) || !read_key(env, arguments[0], &key) ||
      !read_name(env, arguments[1], name))
    return NULL;
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
    if (strcmp(checks[i].name, name) != 0)
      continue;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool sound = context != NULL && checks[i].run(context) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return make_bool(env, sound);
  }
  throw_error(env, CODE_ARGUMENT, "a check is public, private, pair or parameters");
  return NULL;
}

const struct exported key_functions[] = {
    {"importKey", import_key, NULL},
    {"check", check, NULL},
    {NULL, NULL, NULL},
};
