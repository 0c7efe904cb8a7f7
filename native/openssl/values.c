/* From JavaScript values to C and back. Every type and length is checked here. */
#include "softoki-openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

/* Numbers up to here are exact in JavaScript: 2^53. */
#define LARGEST_NUMBER 9007199254740992.0

void throw_error(napi_env env, const char *code, const char *detail) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
    return;
  napi_throw_error(env, code, detail);
}

const char *take_reason(void) {
  const char *reason = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return reason == NULL ? "failed" : reason;
}

void throw_openssl_error(napi_env env, const char *code) {
  throw_error(env, code, take_reason());
}

static bool bad_argument(napi_env env, const char *detail) {
  throw_error(env, CODE_ARGUMENT, detail);
  return false;
}

bool read_arguments(napi_env env, napi_callback_info info, size_t least, size_t most,
                    napi_value *arguments, const void **data) {
  size_t count = most;
  void *bound = NULL;
  /* Arguments that were not given are filled in as undefined. */
  if (napi_get_cb_info(env, info, &count, arguments, NULL, &bound) != napi_ok || count < least)
    return bad_argument(env, "too few arguments");
  if (data != NULL)
    *data = bound;
  return true;
}

bool is_absent(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && (type == napi_undefined || type == napi_null);
}

bool read_name(napi_env env, napi_value value, char name[LONGEST_NAME]) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok)
    return bad_argument(env, "a name is not a string");
  if (length == 0 || length >= LONGEST_NAME)
    return bad_argument(env, "a name is empty or too long");
  if (napi_get_value_string_utf8(env, value, name, LONGEST_NAME, &length) != napi_ok)
    return bad_argument(env, "a name could not be read");
  return strlen(name) == length || bad_argument(env, "a name holds a zero");
}

bool read_bytes(napi_env env, napi_value value, struct bytes *bytes) {
  bool is_typed = false;
  napi_typedarray_type type;
  void *data = NULL;
  size_t length = 0;
  if (napi_is_typedarray(env, value, &is_typed) != napi_ok || !is_typed ||
      napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array)
    return bad_argument(env, "bytes are not a Uint8Array");
  if (length > LONGEST_INPUT || (data == NULL && length != 0))
    return bad_argument(env, "too many bytes");
  /* OpenSSL takes a NULL pointer for a question, so no bytes have an address too. */
  bytes->data = length == 0 ? (const uint8_t *)"" : data;
  bytes->length = length;
  return true;
}

/* Memory for one option; it is cleansed when the options are freed. */
static void *take_memory(napi_env env, struct options *options, size_t size) {
  void *data = OPENSSL_zalloc(size == 0 ? 1 : size);
  if (data == NULL) {
    throw_openssl_error(env, CODE_MEMORY);
    return NULL;
  }
  options->memory[options->count].data = data;
  options->memory[options->count].size = size == 0 ? 1 : size;
  return data;
}

static bool read_text_option(napi_env env, napi_value value, const char *key,
                             struct options *options) {
  char text[LONGEST_NAME];
  if (!read_name(env, value, text))
    return false;
  size_t length = strlen(text);
  char *copy = take_memory(env, options, length + 1);
  if (copy == NULL)
    return false;
  memcpy(copy, text, length);
  options->list[options->count++] = OSSL_PARAM_construct_utf8_string(key, copy, 0);
  return true;
}

/* A big integer: most significant byte first in JavaScript, in the machine's order for OpenSSL. */
static void copy_integer(uint8_t *to, struct bytes from) {
  const union {
    uint16_t number;
    uint8_t first;
  } order = {1};
  for (size_t i = 0; i < from.length; i++)
    to[order.first == 1 ? from.length - 1 - i : i] = from.data[i];
}

static bool read_bytes_option(napi_env env, napi_value value, const OSSL_PARAM *known,
                              struct options *options) {
  struct bytes bytes;
  if (!read_bytes(env, value, &bytes))
    return false;
  bool is_integer = known->data_type == OSSL_PARAM_UNSIGNED_INTEGER;
  if (!is_integer && known->data_type != OSSL_PARAM_OCTET_STRING)
    return bad_argument(env, "an option is given as bytes and is something else");
  if (bytes.length > LONGEST_OPTION || (is_integer && bytes.length == 0))
    return bad_argument(env, "an option is empty or too long");
  uint8_t *copy = take_memory(env, options, bytes.length);
  if (copy == NULL)
    return false;
  if (is_integer)
    copy_integer(copy, bytes);
  else
    memcpy(copy, bytes.data, bytes.length);
  options->list[options->count++] =
      is_integer ? OSSL_PARAM_construct_BN(known->key, copy, bytes.length)
                 : OSSL_PARAM_construct_octet_string(known->key, copy, bytes.length);
  return true;
}

bool read_length(napi_env env, napi_value value, size_t most, size_t *length) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 0) ||
      number > (double)most || number != (double)(size_t)number)
    return bad_argument(env, "a length is no whole number or too large");
  *length = (size_t)number;
  return true;
}

static bool read_number_option(napi_env env, napi_value value, const OSSL_PARAM *known,
                               struct options *options) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 0) ||
      number > LARGEST_NUMBER || number != (double)(uint64_t)number)
    return bad_argument(env, "an option is no whole number");
  if (known->data_type != OSSL_PARAM_UNSIGNED_INTEGER && known->data_type != OSSL_PARAM_INTEGER)
    return bad_argument(env, "an option is given as a number and is something else");
  uint64_t *copy = take_memory(env, options, sizeof *copy);
  if (copy == NULL)
    return false;
  *copy = (uint64_t)number;
  options->list[options->count++] = OSSL_PARAM_construct_uint64(known->key, copy);
  return true;
}

/* The kinds of OSSL_PARAM that a JavaScript value can become. */
static bool suits(napi_valuetype type, unsigned int data_type) {
  if (type == napi_string)
    return data_type == OSSL_PARAM_UTF8_STRING;
  bool is_integer = data_type == OSSL_PARAM_UNSIGNED_INTEGER;
  if (type == napi_number)
    return is_integer || data_type == OSSL_PARAM_INTEGER;
  return is_integer || data_type == OSSL_PARAM_OCTET_STRING;
}

/* An option may be listed twice: HKDF takes its mode as text and as a number. */
static const OSSL_PARAM *find_known(const OSSL_PARAM *known, const char *name,
                                    napi_valuetype type) {
  const OSSL_PARAM *found = NULL;
  for (; known != NULL && known->key != NULL; known++)
    if (strcmp(known->key, name) == 0 && (found == NULL || suits(type, known->data_type)))
      found = known;
  return found;
}

/*
 * Options that OpenSSL has for its own TLS and its own tests. They change what lengths mean: with
 * use-bits a byte of input counts as a bit, and records of TLS grow and shrink.
 */
static bool is_barred(const char *name) {
  return strncmp(name, "tls", 3) == 0 || strcmp(name, "use-bits") == 0 ||
         strcmp(name, "test-entropy") == 0;
}

static bool read_one_value(napi_env env, const char *name, napi_value value,
                           const OSSL_PARAM *known, struct options *options) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok)
    return bad_argument(env, "an option could not be read");
  if (type == napi_undefined)
    return true;
  if (options->count == MOST_OPTIONS)
    return bad_argument(env, "too many options");
  const OSSL_PARAM *kind = is_barred(name) ? NULL : find_known(known, name, type);
  if (kind == NULL) {
    throw_error(env, CODE_OPTION, "there is no such option");
    return false;
  }
  if (type == napi_string && kind->data_type == OSSL_PARAM_UTF8_STRING)
    return read_text_option(env, value, kind->key, options);
  if (type == napi_number)
    return read_number_option(env, value, kind, options);
  return read_bytes_option(env, value, kind, options);
}

/* A value, or an array of values where the option is given more than once. */
static bool read_option(napi_env env, napi_value object, napi_value name_value,
                        const OSSL_PARAM *known, struct options *options) {
  char name[LONGEST_NAME];
  napi_value value;
  bool is_array = false;
  uint32_t count = 0;
  if (!read_name(env, name_value, name))
    return false;
  if (napi_get_property(env, object, name_value, &value) != napi_ok ||
      napi_is_array(env, value, &is_array) != napi_ok)
    return bad_argument(env, "an option could not be read");
  if (!is_array)
    return read_one_value(env, name, value, known, options);
  if (napi_get_array_length(env, value, &count) != napi_ok || count > MOST_OPTIONS)
    return bad_argument(env, "too many options");
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    if (napi_get_element(env, value, i, &element) != napi_ok)
      return bad_argument(env, "an option could not be read");
    if (!read_one_value(env, name, element, known, options))
      return false;
  }
  return true;
}

/*
 * Reads the properties of an object as OSSL_PARAMs. `known` is what OpenSSL says it would take; its
 * types decide what a value may be, and a name it does not hold is an error.
 */
bool read_options(napi_env env, napi_value object, const OSSL_PARAM *known,
                  struct options *options) {
  options->count = 0;
  options->list[0] = OSSL_PARAM_construct_end();
  if (is_absent(env, object))
    return true;
  napi_value names;
  napi_valuetype type;
  uint32_t count = 0;
  if (napi_typeof(env, object, &type) != napi_ok || type != napi_object ||
      napi_get_all_property_names(env, object, napi_key_own_only,
                                  napi_key_enumerable | napi_key_skip_symbols,
                                  napi_key_numbers_to_strings, &names) != napi_ok ||
      napi_get_array_length(env, names, &count) != napi_ok)
    return bad_argument(env, "options are not an object");
  if (count > MOST_OPTIONS)
    return bad_argument(env, "too many options");
  for (uint32_t i = 0; i < count; i++) {
    napi_value name;
    if (napi_get_element(env, names, i, &name) != napi_ok ||
        !read_option(env, object, name, known, options)) {
      free_options(options);
      return bad_argument(env, "an option could not be read");
    }
  }
  options->list[options->count] = OSSL_PARAM_construct_end();
  return true;
}

void free_options(struct options *options) {
  for (size_t i = 0; i < options->count; i++)
    OPENSSL_clear_free(options->memory[i].data, options->memory[i].size);
  options->count = 0;
}

napi_value make_bytes(napi_env env, const uint8_t *data, size_t length) {
  napi_value buffer, array;
  void *copy = NULL;
  if (napi_create_arraybuffer(env, length, &copy, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array) != napi_ok) {
    throw_error(env, CODE_MEMORY, "no memory for the result");
    return NULL;
  }
  if (length != 0)
    memcpy(copy, data, length);
  return array;
}

uint8_t *make_room(napi_env env, size_t room, napi_value *buffer) {
  void *data = NULL;
  if (napi_create_arraybuffer(env, room, &data, buffer) != napi_ok || data == NULL) {
    throw_error(env, CODE_MEMORY, "no memory for the result");
    return NULL;
  }
  return data;
}

napi_value make_view(napi_env env, napi_value buffer, size_t length) {
  napi_value array;
  if (napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array) == napi_ok)
    return array;
  throw_error(env, CODE_MEMORY, "no memory for the result");
  return NULL;
}

napi_value make_number(napi_env env, double value) {
  napi_value result;
  return napi_create_double(env, value, &result) == napi_ok ? result : NULL;
}

napi_value make_text(napi_env env, const char *text) {
  napi_value result;
  return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result) == napi_ok ? result : NULL;
}

napi_value make_bool(napi_env env, bool value) {
  napi_value result;
  return napi_get_boolean(env, value, &result) == napi_ok ? result : NULL;
}
