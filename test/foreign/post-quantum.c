/*
 * ML-DSA and SLH-DSA with each form of parameter; a long signature calls back and is cancelled.
 * usage: post-quantum MODULE PIN
 */
#include "program.h"

/* Bytes of the longest signature, one of SLH-DSA-256f. */
#define ROOM 49856

static CK_BYTE message[] = "thirty-two bytes of message text";
#define MESSAGE_BYTES 32

struct pair {
  CK_OBJECT_HANDLE public_key, private_key;
};

static struct pair generate(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_ULONG set) {
  CK_MECHANISM mechanism = {type, NULL, 0};
  CK_ATTRIBUTE template = {CKA_PARAMETER_SET, &set, sizeof set};
  struct pair pair;
  ANSWERS(p11->C_GenerateKeyPair(session, &mechanism, &template, 1, NULL, 0, &pair.public_key,
                                 &pair.private_key),
          CKR_OK);
  return pair;
}

/* Signs and verifies; what is signed with one parameter is not verified with another. */
static void round_trip(CK_SESSION_HANDLE session, struct pair pair, CK_MECHANISM mechanism,
                       CK_MECHANISM other) {
  static CK_BYTE signature[ROOM];
  CK_ULONG length = sizeof signature;
  ANSWERS(p11->C_SignInit(session, &mechanism, pair.private_key), CKR_OK);
  ANSWERS(p11->C_Sign(session, message, MESSAGE_BYTES, signature, &length), CKR_OK);
  ANSWERS(p11->C_VerifyInit(session, &mechanism, pair.public_key), CKR_OK);
  ANSWERS(p11->C_Verify(session, message, MESSAGE_BYTES, signature, length), CKR_OK);
  ANSWERS(p11->C_VerifyInit(session, &other, pair.public_key), CKR_OK);
  ANSWERS(p11->C_Verify(session, message, MESSAGE_BYTES, signature, length),
          CKR_SIGNATURE_INVALID);
}

/* The mechanisms of one family: pure, over a digest, and with a hash of their own. */
static void sign_each_way(CK_SESSION_HANDLE session, struct pair pair, CK_MECHANISM_TYPE pure,
                          CK_MECHANISM_TYPE digested, CK_MECHANISM_TYPE hashed) {
  CK_BYTE name[] = "context";
  CK_SIGN_ADDITIONAL_CONTEXT context = {CKH_DETERMINISTIC_REQUIRED, name, sizeof name - 1};
  CK_SIGN_ADDITIONAL_CONTEXT nothing = {CKH_HEDGE_REQUIRED, NULL, 0};
  CK_HASH_SIGN_ADDITIONAL_CONTEXT sha256 = {CKH_HEDGE_PREFERRED, name, 7, CKM_SHA256};
  CK_HASH_SIGN_ADDITIONAL_CONTEXT sha3 = {CKH_HEDGE_PREFERRED, name, 7, CKM_SHA3_256};
  CK_MECHANISM plain = {pure, NULL, 0};
  CK_MECHANISM with_context = {pure, &context, sizeof context};
  CK_MECHANISM without_context = {pure, &nothing, sizeof nothing};
  CK_MECHANISM here = {hashed, &context, sizeof context};
  CK_MECHANISM here_plain = {hashed, NULL, 0};
  CK_MECHANISM before = {digested, &sha256, sizeof sha256};
  CK_MECHANISM before_otherwise = {digested, &sha3, sizeof sha3};
  round_trip(session, pair, plain, with_context);
  round_trip(session, pair, with_context, plain);
  round_trip(session, pair, without_context, here);
  round_trip(session, pair, here, here_plain);
  round_trip(session, pair, before, before_otherwise);
}

static CK_ULONG callbacks;

static CK_RV cancel_third(CK_SESSION_HANDLE session, CK_NOTIFICATION event, void *application) {
  (void)session;
  (void)event;
  (void)application;
  return ++callbacks < 3 ? CKR_OK : CKR_CANCEL;
}

/* With SHAKE-256s one signature takes a second, on a fast machine a good part of it. */
static void cancel(void) {
  CK_SESSION_HANDLE session = open_session(cancel_third, NULL);
  struct pair pair = generate(open_session(NULL, NULL), CKM_SLH_DSA_KEY_PAIR_GEN,
                              CKP_SLH_DSA_SHAKE_256S);
  CK_MECHANISM mechanism = {CKM_SLH_DSA, NULL, 0};
  static CK_BYTE signature[ROOM];
  CK_ULONG length = sizeof signature;
  ANSWERS(p11->C_SignInit(session, &mechanism, pair.private_key), CKR_OK);
  ANSWERS(p11->C_Sign(session, message, MESSAGE_BYTES, signature, &length),
          CKR_FUNCTION_CANCELED);
  CHECK(callbacks == 3);
  ANSWERS(p11->C_Sign(session, message, MESSAGE_BYTES, signature, &length),
          CKR_OPERATION_NOT_INITIALIZED);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  login(session, argv[2]);
  sign_each_way(session, generate(session, CKM_ML_DSA_KEY_PAIR_GEN, CKP_ML_DSA_65), CKM_ML_DSA,
                CKM_HASH_ML_DSA, CKM_HASH_ML_DSA_SHAKE256);
  sign_each_way(session, generate(session, CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHA2_128F),
                CKM_SLH_DSA, CKM_HASH_SLH_DSA, CKM_HASH_SLH_DSA_SHA512);
  cancel();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  printf("{\"done\":true}\n");
  return 0;
}
