/* Handles of what is computed in parts: external values with a tag, freed when JavaScript drops them. */
#include "softoki-openssl.h"

#include <openssl/crypto.h>

/*
 * Bytes that a context takes, for the garbage collector: from about 1,000 (AES, HMAC) to 5,000
 * (Blowfish). Only the order matters.
 */
#define SIZE_OF_CONTEXT 4096

static void free_handle(struct handle *handle) {
  handle->kind->free(handle->context);
  OPENSSL_free(handle);
}

static void collect_handle(napi_env env, void *data, void *hint) {
  int64_t total;
  (void)hint;
  napi_adjust_external_memory(env, -SIZE_OF_CONTEXT, &total);
  free_handle(data);
}

napi_value make_handle(napi_env env, const struct handle_kind *kind, void *context) {
  napi_value external;
  int64_t total;
  struct handle *handle = OPENSSL_zalloc(sizeof *handle);
  if (handle == NULL) {
    kind->free(context);
    throw_error(env, CODE_MEMORY, "no memory for a handle");
    return NULL;
  }
  handle->kind = kind;
  handle->context = context;
  if (napi_create_external(env, handle, collect_handle, NULL, &external) != napi_ok) {
    free_handle(handle);
    throw_error(env, CODE_MEMORY, "no memory for a handle");
    return NULL;
  }
  napi_adjust_external_memory(env, SIZE_OF_CONTEXT, &total);
  if (napi_type_tag_object(env, external, &kind->tag) != napi_ok) {
    throw_error(env, CODE_MEMORY, "a handle could not be marked");
    return NULL;
  }
  return external;
}

bool read_handle(napi_env env, napi_value value, const struct handle_kind *kind,
                 struct handle **handle) {
  napi_valuetype type;
  bool tagged = false;
  void *data = NULL;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external ||
      napi_check_object_type_tag(env, value, &kind->tag, &tagged) != napi_ok || !tagged ||
      napi_get_value_external(env, value, &data) != napi_ok) {
    throw_error(env, CODE_ARGUMENT, kind->refusal);
    return false;
  }
  *handle = data;
  return true;
}

bool read_open_handle(napi_env env, napi_value value, const struct handle_kind *kind,
                      struct handle **handle) {
  if (!read_handle(env, value, kind, handle))
    return false;
  if (!(*handle)->finished)
    return true;
  throw_error(env, CODE_ARGUMENT, "this is finished");
  return false;
}
