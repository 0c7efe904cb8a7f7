/*
 * Generates an RSA key pair through OpenSSL's provider for PKCS #11 and stops it at a callback:
 *
 *   openssl-provider URI BITS STOP
 *
 * URI says what the key pair is to be called; STOP is the callback to stop at, 0 for none. Prints
 * whether there is a key, the number of callbacks and the error. OPENSSL_CONF loads the provider.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static int callbacks;
static int stop;

static int onProgress(EVP_PKEY_CTX *context) {
    (void)context;
    callbacks++;
    return callbacks != stop;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    stop = atoi(argv[3]);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", "provider=pkcs11");
    if (context == NULL || EVP_PKEY_keygen_init(context) != 1) return 3;
    if (EVP_PKEY_CTX_ctrl_str(context, "pkcs11_uri", argv[1]) != 1) return 4;
    if (EVP_PKEY_CTX_ctrl_str(context, "rsa_keygen_bits", argv[2]) != 1) return 5;
    EVP_PKEY_CTX_set_cb(context, onProgress);

    EVP_PKEY *key = NULL;
    int made = EVP_PKEY_generate(context, &key) == 1;
    const char *reason = made ? NULL : ERR_reason_error_string(ERR_peek_error());
    printf("{\"made\": %s, \"callbacks\": %d, \"reason\": \"%s\"}\n", made ? "true" : "false",
           callbacks, reason == NULL ? "" : reason);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    return 0;
}
