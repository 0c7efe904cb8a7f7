/* Message-based functions. PKCS #11 3.2, 5.9, 5.11, 5.14 and 5.16. */
#ifndef SOFTOKI_MESSAGES_H
#define SOFTOKI_MESSAGES_H

#include "keys.h"

/* `static CK_RV name(struct scene *s)` that calls a function with the parameter of a message. */
#define CALLS_WITH_MESSAGE(name, function, ...)                                          \
  static CK_RV name(struct scene *s) {                                                   \
    CK_GCM_MESSAGE_PARAMS message = gcm_message(s->tag);                                 \
    return s->list->function(s->session, &message, sizeof message, __VA_ARGS__);         \
  }
#define AAD TEXT("aad"), 3
#define ENDS(name, function)           \
  static CK_RV name(struct scene *s) { \
    return s->list->function(s->session); \
  }

CALLS(message_encrypt_init, C_MessageEncryptInit, &gcm, s->aes)
CALLS_WITH_MESSAGE(encrypt_message, C_EncryptMessage, AAD, s->data, s->data_length, s->out,
                   &s->length)
CALLS_WITH_MESSAGE(encrypt_message_begin, C_EncryptMessageBegin, AAD)
CALLS_WITH_MESSAGE(encrypt_message_next, C_EncryptMessageNext, s->data, s->data_length, s->out,
                   &s->length, CKF_END_OF_MESSAGE)
ENDS(message_encrypt_final, C_MessageEncryptFinal)

CALLS(message_decrypt_init, C_MessageDecryptInit, &gcm, s->aes)
CALLS_WITH_MESSAGE(decrypt_message, C_DecryptMessage, AAD, s->message_sealed, s->data_length,
                   s->out, &s->length)
CALLS_WITH_MESSAGE(decrypt_message_begin, C_DecryptMessageBegin, AAD)
CALLS_WITH_MESSAGE(decrypt_message_next, C_DecryptMessageNext, s->message_sealed, s->data_length,
                   s->out, &s->length, CKF_END_OF_MESSAGE)
ENDS(message_decrypt_final, C_MessageDecryptFinal)

CALLS(message_sign_init, C_MessageSignInit, &hmac, s->hmac)
CALLS(sign_message, C_SignMessage, NULL, 0, s->data, s->data_length, s->out, &s->length)
CALLS(sign_message_begin, C_SignMessageBegin, NULL, 0)
CALLS(sign_message_next, C_SignMessageNext, NULL, 0, s->data, s->data_length, s->out, &s->length)
ENDS(message_sign_final, C_MessageSignFinal)

CALLS(message_verify_init, C_MessageVerifyInit, &hmac, s->hmac)
CALLS(verify_message, C_VerifyMessage, NULL, 0, s->data, s->data_length, s->mac, sizeof s->mac)
CALLS(verify_message_begin, C_VerifyMessageBegin, NULL, 0)
CALLS(verify_message_next, C_VerifyMessageNext, NULL, 0, s->data, s->data_length, s->mac,
      sizeof s->mac)
ENDS(message_verify_final, C_MessageVerifyFinal)

THEN(encrypt_begun, message_encrypt_init, encrypt_message_begin)
THEN(decrypt_begun, message_decrypt_init, decrypt_message_begin)
THEN(sign_begun, message_sign_init, sign_message_begin)
THEN(verify_message_begun, message_verify_init, verify_message_begin)

/* A message that was cancelled is over, though the operation goes on: Next answers that there is none. */
static const struct row message_rows[] = {
    {.name = "C_MessageEncryptInit", .newer = 1, .call = message_encrypt_init,
     .over = message_encrypt_final},
    {.name = "C_EncryptMessage", .newer = 1, .takes_data = true, .output = OF_DATA,
     .begin = message_encrypt_init, .call = encrypt_message, .over = encrypt_message_next},
    {.name = "C_EncryptMessageBegin", .newer = 1, .begin = message_encrypt_init,
     .call = encrypt_message_begin, .over = encrypt_message_next},
    {.name = "C_EncryptMessageNext", .newer = 1, .takes_data = true, .output = OF_DATA,
     .begin = encrypt_begun, .call = encrypt_message_next, .over = encrypt_message_next},
    {.name = "C_MessageEncryptFinal", .newer = 1, .begin = message_encrypt_init,
     .call = message_encrypt_final, .over = encrypt_message_next},

    {.name = "C_MessageDecryptInit", .newer = 1, .call = message_decrypt_init,
     .over = message_decrypt_final},
    {.name = "C_DecryptMessage", .newer = 1, .takes_data = true, .output = OF_DATA,
     .begin = message_decrypt_init, .call = decrypt_message, .over = decrypt_message_next},
    {.name = "C_DecryptMessageBegin", .newer = 1, .begin = message_decrypt_init,
     .call = decrypt_message_begin, .over = decrypt_message_next},
    {.name = "C_DecryptMessageNext", .newer = 1, .takes_data = true, .output = OF_DATA,
     .begin = decrypt_begun, .call = decrypt_message_next, .over = decrypt_message_next},
    {.name = "C_MessageDecryptFinal", .newer = 1, .begin = message_decrypt_init,
     .call = message_decrypt_final, .over = decrypt_message_next},

    {.name = "C_MessageSignInit", .newer = 1, .call = message_sign_init,
     .over = message_sign_final},
    {.name = "C_SignMessage", .newer = 1, .takes_data = true, .output = 32,
     .begin = message_sign_init, .call = sign_message, .over = sign_message_next},
    {.name = "C_SignMessageBegin", .newer = 1, .begin = message_sign_init,
     .call = sign_message_begin, .over = sign_message_next},
    {.name = "C_SignMessageNext", .newer = 1, .takes_data = true, .output = 32,
     .begin = sign_begun, .call = sign_message_next, .over = sign_message_next},
    {.name = "C_MessageSignFinal", .newer = 1, .begin = message_sign_init,
     .call = message_sign_final, .over = sign_message_next},

    {.name = "C_MessageVerifyInit", .newer = 1, .call = message_verify_init,
     .over = message_verify_final},
    {.name = "C_VerifyMessage", .newer = 1, .takes_data = true, .begin = message_verify_init,
     .call = verify_message, .over = verify_message_next},
    {.name = "C_VerifyMessageBegin", .newer = 1, .begin = message_verify_init,
     .call = verify_message_begin, .over = verify_message_next},
    {.name = "C_VerifyMessageNext", .newer = 1, .takes_data = true, .begin = verify_message_begun,
     .call = verify_message_next, .over = verify_message_next},
    {.name = "C_MessageVerifyFinal", .newer = 1, .begin = message_verify_init,
     .call = message_verify_final, .over = verify_message_next},
};

#endif
