/* What a key is made of, read back by OpenSSL's names (EVP_PKEY-RSA(7) and its like). */
#include "softoki-openssl.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

/* A big integer, most significant byte first, without leading zeros (one zero byte for 0). */
static napi_value integer_component(napi_env env, EVP_PKEY *key, const char *name) {
  BIGNUM *number = NULL;
  napi_value result = NULL;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) {
    throw_openssl_error(env, CODE_COMPONENT);
    return NULL;
  }
  int length = BN_is_zero(number) ? 1 : BN_num_bytes(number);
  uint8_t *data = OPENSSL_malloc((size_t)length);
  if (data != NULL && BN_bn2binpad(number, data, length) == length)
    result = make_bytes(env, data, (size_t)length);
  else
    throw_openssl_error(env, CODE_MEMORY);
  OPENSSL_clear_free(data, (size_t)length);
  BN_clear_free(number);
  return result;
}

static napi_value octets_component(napi_env env, EVP_PKEY *key, const char *name) {
  size_t length = 0, written = 0;
  napi_value result = NULL;
  if (EVP_PKEY_get_octet_string_param(key, name, NULL, 0, &length) != 1 ||
      length > LONGEST_OPTION) {
    throw_openssl_error(env, CODE_COMPONENT);
    return NULL;
  }
  uint8_t *data = OPENSSL_zalloc(length == 0 ? 1 : length);
  if (data != NULL &&
      EVP_PKEY_get_octet_string_param(key, name, data, length, &written) == 1 && written <= length)
    result = make_bytes(env, data, written);
  else
    throw_openssl_error(env, CODE_COMPONENT);
  OPENSSL_clear_free(data, length == 0 ? 1 : length);
  return result;
}

/* component(key, name): a big integer or an octet string of a key. */
static napi_value component(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result = NULL;
  EVP_PKEY *key;
  char name[LONGEST_NAME];
  if (!read_arguments(env, info, 2, 2, arguments, NULL) || !read_key(env, arguments[0], &key) ||
      !read_name(env, arguments[1], name))
    return NULL;
  const OSSL_PARAM *known = EVP_PKEY_gettable_params(key);
  const OSSL_PARAM *kind = known == NULL ? NULL : OSSL_PARAM_locate_const(known, name);
  if (kind != NULL && kind->data_type == OSSL_PARAM_UNSIGNED_INTEGER)
    result = integer_component(env, key, name);
  else if (kind != NULL && kind->data_type == OSSL_PARAM_OCTET_STRING)
    result = octets_component(env, key, name);
  else
    throw_error(env, CODE_COMPONENT, "there is no such component");
  ERR_clear_error();
  return result;
}

/* numberComponent(key, name): a whole number of a key, such as bits or pcounter; may be negative. */
static napi_value number_component(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result = NULL;
  EVP_PKEY *key;
  char name[LONGEST_NAME];
  int number = 0;
  if (!read_arguments(env, info, 2, 2, arguments, NULL) || !read_key(env, arguments[0], &key) ||
      !read_name(env, arguments[1], name))
    return NULL;
  if (EVP_PKEY_get_int_param(key, name, &number) == 1)
    result = make_number(env, number);
  else
    throw_openssl_error(env, CODE_COMPONENT);
  ERR_clear_error();
  return result;
}

/* textComponent(key, name): a text of a key, such as the name of its group. */
static napi_value text_component(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result = NULL;
  EVP_PKEY *key;
  char name[LONGEST_NAME], text[4 * LONGEST_NAME] = "";
  size_t length;
  if (!read_arguments(env, info, 2, 2, arguments, NULL) || !read_key(env, arguments[0], &key) ||
      !read_name(env, arguments[1], name))
    return NULL;
  if (EVP_PKEY_get_utf8_string_param(key, name, text, sizeof text, &length) == 1)
    result = make_text(env, text);
  else
    throw_openssl_error(env, CODE_COMPONENT);
  ERR_clear_error();
  return result;
}

const struct exported component_functions[] = {
    {"component", component, NULL},
    {"numberComponent", number_component, NULL},
    {"textComponent", text_component, NULL},
    {NULL, NULL, NULL},
};
