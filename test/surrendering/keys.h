/* Key management and random number functions. What they make are token objects with the scene's label. PKCS #11 3.2, 5.18 and 5.19. */
#ifndef SOFTOKI_KEYS_H
#define SOFTOKI_KEYS_H

#include "operations.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_ULONG thirty_two = 32;
static CK_OBJECT_CLASS secret_key = CKO_SECRET_KEY;
static CK_KEY_TYPE aes_type = CKK_AES, generic_type = CKK_GENERIC_SECRET;
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

#define LASTING                                                            \
  {CKA_TOKEN, &yes, sizeof yes}, {                                         \
    CKA_LABEL, (char *)(uintptr_t)s->label, strlen(s->label)               \
  }
#define VALUE_LEN \
  { CKA_VALUE_LEN, &thirty_two, sizeof thirty_two }

static CK_RV generate_key(struct scene *s) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_ATTRIBUTE template[] = {LASTING, VALUE_LEN};
  return s->list->C_GenerateKey(s->session, &mechanism, template, COUNT(template), s->made);
}

static CK_RV generate_key_pair(struct scene *s) {
  CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
  CK_ATTRIBUTE public_key[] = {LASTING, {CKA_EC_PARAMS, p256, sizeof p256}};
  CK_ATTRIBUTE private_key[] = {LASTING};
  return s->list->C_GenerateKeyPair(s->session, &mechanism, public_key, COUNT(public_key),
                                    private_key, COUNT(private_key), &s->made[0], &s->made[1]);
}

CALLS(wrap_key, C_WrapKey, &key_wrap, s->aes, s->aes, s->out, &s->length)

#define UNWRAPPED                                                           \
  {LASTING,                                                                 \
   {CKA_CLASS, &secret_key, sizeof secret_key},                             \
   {CKA_KEY_TYPE, &aes_type, sizeof aes_type}}

static CK_RV unwrap_key(struct scene *s) {
  CK_ATTRIBUTE template[] = UNWRAPPED;
  return s->list->C_UnwrapKey(s->session, &key_wrap, s->aes, s->wrapped, sizeof s->wrapped,
                              template, COUNT(template), s->made);
}

static CK_RV derive_key(struct scene *s) {
  CK_KEY_DERIVATION_STRING_DATA more = {s->data, SHORT_BYTES};
  CK_MECHANISM mechanism = {CKM_CONCATENATE_BASE_AND_DATA, &more, sizeof more};
  CK_ATTRIBUTE template[] = {LASTING};
  return s->list->C_DeriveKey(s->session, &mechanism, s->hmac, template, COUNT(template), s->made);
}

static CK_RV encapsulate_key(struct scene *s) {
  CK_ATTRIBUTE template[] = {LASTING, VALUE_LEN};
  return s->list->C_EncapsulateKey(s->session, &kem, s->kem[0], template, COUNT(template), s->out,
                                   &s->length, s->made);
}

static CK_RV decapsulate_key(struct scene *s) {
  CK_ATTRIBUTE template[] = {LASTING, VALUE_LEN};
  return s->list->C_DecapsulateKey(s->session, &kem, s->kem[1], template, COUNT(template),
                                   s->ciphertext, sizeof s->ciphertext, s->made);
}

static CK_BYTE iv[12] = {3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3};

static CK_GCM_MESSAGE_PARAMS gcm_message(CK_BYTE *tag) {
  return (CK_GCM_MESSAGE_PARAMS){iv, sizeof iv, 0, CKG_NO_GENERATE, tag, 128};
}

static CK_RV wrap_authenticated(struct scene *s) {
  CK_GCM_MESSAGE_PARAMS message = gcm_message(s->wrap_tag);
  CK_MECHANISM mechanism = {CKM_AES_GCM, &message, sizeof message};
  return s->list->C_WrapKeyAuthenticated(s->session, &mechanism, s->aes, s->aes, TEXT("aad"), 3,
                                         s->out, &s->length);
}

/* Keeps what was wrapped. */
static CK_RV wrap_first(struct scene *s) {
  s->length = sizeof s->message_wrapped;
  CK_RV rv = wrap_authenticated(s);
  memcpy(s->message_wrapped, s->out, sizeof s->message_wrapped);
  return rv;
}

static CK_RV unwrap_authenticated(struct scene *s) {
  CK_GCM_MESSAGE_PARAMS message = gcm_message(s->wrap_tag);
  CK_MECHANISM mechanism = {CKM_AES_GCM, &message, sizeof message};
  CK_ATTRIBUTE template[] = UNWRAPPED;
  return s->list->C_UnwrapKeyAuthenticated(s->session, &mechanism, s->aes, s->message_wrapped,
                                           sizeof s->message_wrapped, template, COUNT(template),
                                           TEXT("aad"), 3, s->made);
}

CALLS(seed_random, C_SeedRandom, s->data, s->data_length)
CALLS(generate_random, C_GenerateRandom, s->out, s->data_length)

static const struct row key_rows[] = {
    {.name = "C_GenerateKey", .makes = 1, .call = generate_key},
    {.name = "C_GenerateKeyPair", .makes = 2, .call = generate_key_pair},
    {.name = "C_WrapKey", .output = 24, .call = wrap_key},
    {.name = "C_UnwrapKey", .makes = 1, .call = unwrap_key},
    {.name = "C_DeriveKey", .makes = 1, .call = derive_key},
    {.name = "C_EncapsulateKey", .newer = 1, .minor = 2, .output = 768, .makes = 1,
     .call = encapsulate_key},
    {.name = "C_DecapsulateKey", .newer = 1, .minor = 2, .makes = 1, .call = decapsulate_key},
    {.name = "C_WrapKeyAuthenticated", .newer = 1, .minor = 2, .output = 16,
     .call = wrap_authenticated},
    {.name = "C_UnwrapKeyAuthenticated", .newer = 1, .minor = 2, .makes = 1, .begin = wrap_first,
     .call = unwrap_authenticated},
    {.name = "C_SeedRandom", .takes_data = true, .call = seed_random},
    {.name = "C_GenerateRandom", .takes_data = true, .output = OF_DATA, .call = generate_random},
};

#endif
