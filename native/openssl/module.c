/* The functions of the binding by name. */
#include "softoki-openssl.h"

static bool export_functions(napi_env env, napi_value exports, const struct exported *functions) {
  for (; functions->name != NULL; functions++) {
    napi_value function;
    if (napi_create_function(env, functions->name, NAPI_AUTO_LENGTH, functions->call,
                             (void *)functions->data, &function) != napi_ok ||
        napi_set_named_property(env, exports, functions->name, function) != napi_ok)
      return false;
  }
  return true;
}

NAPI_MODULE_INIT() {
  const struct exported *tables[] = {
      key_functions, generation_functions, component_functions, operation_functions,
      kem_functions, rsa_functions,        ec_functions,        cipher_functions,
      digest_functions, mac_functions,     kdf_functions,       library_functions,
      process_functions, channel_functions, rsa_generation_functions, whole_functions,
  };
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    if (!export_functions(env, exports, tables[i]))
      return NULL;
  return exports;
}
