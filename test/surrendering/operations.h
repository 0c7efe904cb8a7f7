/* Encryption, decryption, digesting, signing, verifying and dual functions. PKCS #11 3.2, 5.8 to 5.17. */
#ifndef SOFTOKI_OPERATIONS_H
#define SOFTOKI_OPERATIONS_H

#include "scene.h"

/* `static CK_RV name(struct scene *s)` that calls one function of the scene's list. */
#define CALLS(name, function, ...)                     \
  static CK_RV name(struct scene *s) {                 \
    return s->list->function(s->session, __VA_ARGS__); \
  }

CALLS(encrypt_init, C_EncryptInit, &ecb, s->aes)
CALLS(encrypt, C_Encrypt, s->data, s->data_length, s->out, &s->length)
CALLS(encrypt_update, C_EncryptUpdate, s->data, s->data_length, s->out, &s->length)
CALLS(encrypt_final, C_EncryptFinal, s->out, &s->length)

CALLS(decrypt_init, C_DecryptInit, &ecb, s->aes)
CALLS(decrypt, C_Decrypt, s->sealed, s->data_length, s->out, &s->length)
CALLS(decrypt_update, C_DecryptUpdate, s->sealed, s->data_length, s->out, &s->length)
CALLS(decrypt_final, C_DecryptFinal, s->out, &s->length)

CALLS(digest_init, C_DigestInit, &sha256)
CALLS(digest, C_Digest, s->data, s->data_length, s->out, &s->length)
CALLS(digest_update, C_DigestUpdate, s->data, s->data_length)
CALLS(digest_key, C_DigestKey, s->aes)
CALLS(digest_final, C_DigestFinal, s->out, &s->length)

CALLS(sign_init, C_SignInit, &hmac, s->hmac)
CALLS(sign_whole, C_Sign, s->data, s->data_length, s->out, &s->length)
CALLS(sign_update, C_SignUpdate, s->data, s->data_length)
CALLS(sign_final, C_SignFinal, s->out, &s->length)
CALLS(sign_recover_init, C_SignRecoverInit, &rsa, s->rsa[1])
CALLS(sign_recover, C_SignRecover, s->data, SHORT_BYTES, s->out, &s->length)

CALLS(verify_init, C_VerifyInit, &hmac, s->hmac)
CALLS(verify, C_Verify, s->data, s->data_length, s->mac, sizeof s->mac)
CALLS(verify_update, C_VerifyUpdate, s->data, s->data_length)
CALLS(verify_final, C_VerifyFinal, s->mac, sizeof s->mac)
CALLS(verify_recover_init, C_VerifyRecoverInit, &rsa, s->rsa[0])
CALLS(verify_recover, C_VerifyRecover, s->recoverable, sizeof s->recoverable, s->out, &s->length)

CALLS(verify_signature_init, C_VerifySignatureInit, &hmac, s->hmac, s->mac, sizeof s->mac)
CALLS(verify_signature, C_VerifySignature, s->data, s->data_length)
CALLS(verify_signature_update, C_VerifySignatureUpdate, s->data, s->data_length)

static CK_RV verify_signature_final(struct scene *s) {
  return s->list->C_VerifySignatureFinal(s->session);
}

CALLS(digest_encrypt, C_DigestEncryptUpdate, s->data, s->data_length, s->out, &s->length)
CALLS(decrypt_digest, C_DecryptDigestUpdate, s->sealed, s->data_length, s->out, &s->length)
CALLS(sign_encrypt, C_SignEncryptUpdate, s->data, s->data_length, s->out, &s->length)
CALLS(decrypt_verify, C_DecryptVerifyUpdate, s->sealed, s->data_length, s->out, &s->length)

/* `static CK_RV name(struct scene *s)` that does one thing and then another. */
#define THEN(name, first, second)                 \
  static CK_RV name(struct scene *s) {            \
    CK_RV rv = first(s);                          \
    return rv == CKR_OK ? second(s) : rv;         \
  }

THEN(verify_begun, verify_init, verify_update)
THEN(verify_signature_begun, verify_signature_init, verify_signature_update)
THEN(digest_and_encrypt, digest_init, encrypt_init)
THEN(decrypt_and_digest, decrypt_init, digest_init)
THEN(sign_and_encrypt, sign_init, encrypt_init)
THEN(decrypt_and_verify, decrypt_init, verify_init)

/* Both operations of a dual function are over. */
#define BOTH_OVER(name, first, second)                          \
  static CK_RV name(struct scene *s) {                          \
    CK_RV rv = first(s);                                        \
    return rv == CKR_OPERATION_NOT_INITIALIZED ? second(s) : rv; \
  }

BOTH_OVER(digest_encrypt_over, digest_final, encrypt_final)
BOTH_OVER(decrypt_digest_over, decrypt_final, digest_final)
BOTH_OVER(sign_encrypt_over, sign_final, encrypt_final)
BOTH_OVER(decrypt_verify_over, decrypt_final, verify_final)

static const struct row operation_rows[] = {
    {.name = "C_EncryptInit", .call = encrypt_init, .over = encrypt_final},
    {.name = "C_Encrypt", .takes_data = true, .output = OF_DATA, .begin = encrypt_init,
     .call = encrypt, .over = encrypt_final},
    {.name = "C_EncryptUpdate", .takes_data = true, .output = OF_DATA, .begin = encrypt_init,
     .call = encrypt_update, .over = encrypt_final},
    {.name = "C_EncryptFinal", .begin = encrypt_init, .call = encrypt_final,
     .over = encrypt_final},
    {.name = "C_DecryptInit", .call = decrypt_init, .over = decrypt_final},
    {.name = "C_Decrypt", .takes_data = true, .output = OF_DATA, .begin = decrypt_init,
     .call = decrypt, .over = decrypt_final},
    {.name = "C_DecryptUpdate", .takes_data = true, .output = OF_DATA, .begin = decrypt_init,
     .call = decrypt_update, .over = decrypt_final},
    {.name = "C_DecryptFinal", .begin = decrypt_init, .call = decrypt_final,
     .over = decrypt_final},

    {.name = "C_DigestInit", .call = digest_init, .over = digest_final},
    {.name = "C_Digest", .takes_data = true, .output = 32, .begin = digest_init, .call = digest,
     .over = digest_final},
    {.name = "C_DigestUpdate", .takes_data = true, .begin = digest_init, .call = digest_update,
     .over = digest_final},
    {.name = "C_DigestKey", .begin = digest_init, .call = digest_key, .over = digest_final},
    {.name = "C_DigestFinal", .output = 32, .begin = digest_init, .call = digest_final,
     .over = digest_final},

    {.name = "C_SignInit", .call = sign_init, .over = sign_final},
    {.name = "C_Sign", .takes_data = true, .output = 32, .begin = sign_init, .call = sign_whole,
     .over = sign_final},
    {.name = "C_SignUpdate", .takes_data = true, .begin = sign_init, .call = sign_update,
     .over = sign_final},
    {.name = "C_SignFinal", .output = 32, .begin = sign_init, .call = sign_final,
     .over = sign_final},
    {.name = "C_SignRecoverInit", .call = sign_recover_init, .over = sign_recover},
    {.name = "C_SignRecover", .waits = true, .output = 128, .begin = sign_recover_init, .call = sign_recover,
     .over = sign_recover},

    {.name = "C_VerifyInit", .call = verify_init, .over = verify_final},
    {.name = "C_Verify", .takes_data = true, .begin = verify_init, .call = verify,
     .over = verify_final},
    {.name = "C_VerifyUpdate", .takes_data = true, .begin = verify_init, .call = verify_update,
     .over = verify_final},
    {.name = "C_VerifyFinal", .begin = verify_begun, .call = verify_final, .over = verify_final},
    {.name = "C_VerifyRecoverInit", .call = verify_recover_init, .over = verify_recover},
    {.name = "C_VerifyRecover", .waits = true, .output = SHORT_BYTES, .begin = verify_recover_init,
     .call = verify_recover, .over = verify_recover},
    {.name = "C_VerifySignatureInit", .newer = 1, .minor = 2, .call = verify_signature_init,
     .over = verify_signature_final},
    {.name = "C_VerifySignature", .newer = 1, .minor = 2, .takes_data = true,
     .begin = verify_signature_init, .call = verify_signature, .over = verify_signature_final},
    {.name = "C_VerifySignatureUpdate", .newer = 1, .minor = 2, .takes_data = true,
     .begin = verify_signature_init, .call = verify_signature_update,
     .over = verify_signature_final},
    {.name = "C_VerifySignatureFinal", .newer = 1, .minor = 2, .begin = verify_signature_begun,
     .call = verify_signature_final, .over = verify_signature_final},

    {.name = "C_DigestEncryptUpdate", .takes_data = true, .output = OF_DATA,
     .begin = digest_and_encrypt, .call = digest_encrypt, .over = digest_encrypt_over},
    {.name = "C_DecryptDigestUpdate", .takes_data = true, .output = OF_DATA,
     .begin = decrypt_and_digest, .call = decrypt_digest, .over = decrypt_digest_over},
    {.name = "C_SignEncryptUpdate", .takes_data = true, .output = OF_DATA,
     .begin = sign_and_encrypt, .call = sign_encrypt, .over = sign_encrypt_over},
    {.name = "C_DecryptVerifyUpdate", .takes_data = true, .output = OF_DATA,
     .begin = decrypt_and_verify, .call = decrypt_verify, .over = decrypt_verify_over},
};

#endif
