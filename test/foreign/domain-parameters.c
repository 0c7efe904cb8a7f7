/*
 * DSA domain parameters with their seed, which comes back through the mechanism's parameter, and a base
 * made of it; a Diffie-Hellman generation that calls back and is cancelled; a key wrapped with
 * CKM_RSA_AES_KEY_WRAP, whose parameter points to another structure.
 * usage: domain-parameters MODULE PIN
 */
#include "program.h"

#define PRIME_BYTES 128
#define SUBPRIME_BYTES 20
#define SEED_BYTES 24

static CK_OBJECT_HANDLE generate(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type,
                                 CK_DSA_PARAMETER_GEN_PARAM *parameter, CK_ATTRIBUTE *template,
                                 CK_ULONG count) {
  CK_MECHANISM mechanism = {type, parameter, sizeof *parameter};
  CK_OBJECT_HANDLE made;
  ANSWERS(p11->C_GenerateKey(session, &mechanism, template, count, &made), CKR_OK);
  return made;
}

static void generate_dsa(CK_SESSION_HANDLE session) {
  CK_BYTE seed[SEED_BYTES] = {0}, nothing[SEED_BYTES] = {0};
  CK_BYTE prime[PRIME_BYTES], subprime[SUBPRIME_BYTES], base[PRIME_BYTES], again[PRIME_BYTES];
  CK_ULONG bits = 8 * PRIME_BYTES;
  CK_ATTRIBUTE size = {CKA_PRIME_BITS, &bits, sizeof bits};
  CK_ATTRIBUTE numbers[] = {{CKA_PRIME, prime, sizeof prime},
                            {CKA_SUBPRIME, subprime, sizeof subprime}};
  CK_DSA_PARAMETER_GEN_PARAM parameter = {CKM_SHA256, seed, sizeof seed, 0};
  CK_OBJECT_HANDLE primes =
      generate(session, CKM_DSA_PROBABILISTIC_PARAMETER_GEN, &parameter, &size, 1);
  CHECK(memcmp(seed, nothing, sizeof seed) != 0 && parameter.ulSeedLen == sizeof seed);
  ANSWERS(p11->C_GetAttributeValue(session, primes, numbers, COUNT(numbers)), CKR_OK);
  CK_ATTRIBUTE whole = {CKA_BASE, base, sizeof base};
  ANSWERS(p11->C_GetAttributeValue(session, primes, &whole, 1), CKR_ATTRIBUTE_TYPE_INVALID);
  parameter.ulIndex = 7;
  CK_BYTE *places[] = {base, again};
  for (int i = 0; i < 2; i++) {
    CK_OBJECT_HANDLE made =
        generate(session, CKM_DSA_FIPS_G_GEN, &parameter, numbers, COUNT(numbers));
    whole = (CK_ATTRIBUTE){CKA_BASE, places[i], PRIME_BYTES};
    ANSWERS(p11->C_GetAttributeValue(session, made, &whole, 1), CKR_OK);
    CHECK(whole.ulValueLen == PRIME_BYTES);
  }
  CHECK(memcmp(base, again, PRIME_BYTES) == 0);
}

static CK_RV stop_at_third(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR count) {
  (void)session;
  (void)event;
  return ++*(int *)count < 3 ? CKR_OK : CKR_CANCEL;
}

static void cancel_generation(void) {
  int calls = 0;
  CK_SESSION_HANDLE session = open_session(stop_at_third, &calls);
  CK_MECHANISM mechanism = {CKM_DH_PKCS_PARAMETER_GEN, NULL, 0};
  CK_ULONG bits = 8192, before = find(session, NULL, NULL, NULL);
  CK_ATTRIBUTE template = {CKA_PRIME_BITS, &bits, sizeof bits};
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  ANSWERS(p11->C_GenerateKey(session, &mechanism, &template, 1, &made), CKR_FUNCTION_CANCELED);
  CHECK(calls == 3 && made == CK_INVALID_HANDLE);
  CHECK(find(session, NULL, NULL, NULL) == before);
}

static void wrap(CK_SESSION_HANDLE session) {
  CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  CK_ULONG bits = 2048;
  CK_MECHANISM generation = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
  CK_ATTRIBUTE public_key[] = {{CKA_MODULUS_BITS, &bits, sizeof bits},
                               {CKA_WRAP, &yes, sizeof yes}};
  CK_ATTRIBUTE private_key[] = {{CKA_UNWRAP, &yes, sizeof yes},
                                {CKA_EXTRACTABLE, &yes, sizeof yes}};
  CK_OBJECT_HANDLE pair[2], back;
  ANSWERS(p11->C_GenerateKeyPair(session, &generation, public_key, COUNT(public_key), private_key,
                                 COUNT(private_key), &pair[0], &pair[1]),
          CKR_OK);
  CK_BYTE label[] = "label", wrapped[4096];
  CK_ULONG length = sizeof wrapped;
  CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA384, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, label, 5};
  CK_RSA_AES_KEY_WRAP_PARAMS parameter = {192, &oaep};
  CK_MECHANISM mechanism = {CKM_RSA_AES_KEY_WRAP, &parameter, sizeof parameter};
  ANSWERS(p11->C_WrapKey(session, &mechanism, pair[0], pair[1], wrapped, &length), CKR_OK);
  CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
  CK_KEY_TYPE type = CKK_RSA;
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_KEY_TYPE, &type, sizeof type},
                             {CKA_SENSITIVE, &no, sizeof no}};
  ANSWERS(p11->C_UnwrapKey(session, &mechanism, pair[1], wrapped, length, template,
                           COUNT(template), &back),
          CKR_OK);
  oaep.ulSourceDataLen = 4;
  ANSWERS(p11->C_UnwrapKey(session, &mechanism, pair[1], wrapped, length, template,
                           COUNT(template), &back),
          CKR_WRAPPED_KEY_INVALID);
  parameter.pOAEPParams = NULL;
  ANSWERS(p11->C_UnwrapKey(session, &mechanism, pair[1], wrapped, length, template,
                           COUNT(template), &back),
          CKR_MECHANISM_PARAM_INVALID);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  login(session, argv[2]);
  generate_dsa(session);
  cancel_generation();
  wrap(session);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  printf("{\"done\":true}\n");
  return 0;
}
