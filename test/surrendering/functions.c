/*
 * Every function that surrenders, through the lists of 2.40, 3.0 and 3.2 at the same time, each in a
 * thread of its own: where its callbacks come and with what, and what CKR_CANCEL leaves behind.
 * usage: functions MODULE PIN [NAME ...], with SOFTOKI_SURRENDER_MS=0; NAMEs are of functions to leave out
 * Prints the names of the functions that worked, and fails at the first thing that is not right.
 */
#include "messages.h"

static char **left_out;
static CK_FUNCTION_LIST_3_0 *p30;
static CK_FUNCTION_LIST_3_2 *p32;
static int own_application;

static bool is_there(const char *name) {
  for (char **at = left_out; *at != NULL; at++)
    if (strcmp(*at, name) == 0) return false;
  return true;
}

static void *list_of(void *library, CK_BYTE minor) {
  CK_RV (*get)(CK_UTF8CHAR *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS) = NULL;
  CK_VERSION version = {3, minor};
  CK_INTERFACE *interface = NULL;
  *(void **)&get = dlsym(library, "C_GetInterface");
  CHECK(get != NULL);
  ANSWERS(get(TEXT("PKCS 11"), &version, &interface, 0), CKR_OK);
  return interface->pFunctionList;
}

static CK_OBJECT_HANDLE secret(CK_SESSION_HANDLE session, CK_KEY_TYPE type, CK_BYTE byte,
                               CK_ULONG length) {
  CK_BYTE value[32];
  CK_OBJECT_HANDLE key;
  memset(value, byte, sizeof value);
  CK_ATTRIBUTE template[] = {
      {CKA_CLASS, &secret_key, sizeof secret_key}, {CKA_KEY_TYPE, &type, sizeof type},
      {CKA_VALUE, value, length},                  {CKA_ENCRYPT, &yes, sizeof yes},
      {CKA_DECRYPT, &yes, sizeof yes},             {CKA_SIGN, &yes, sizeof yes},
      {CKA_VERIFY, &yes, sizeof yes},              {CKA_WRAP, &yes, sizeof yes},
      {CKA_UNWRAP, &yes, sizeof yes},              {CKA_DERIVE, &yes, sizeof yes},
      {CKA_EXTRACTABLE, &yes, sizeof yes},         {CKA_SENSITIVE, &no, sizeof no}};
  ANSWERS(p11->C_CreateObject(session, template, COUNT(template), &key), CKR_OK);
  return key;
}

static void pairs(struct scene *s) {
  CK_MECHANISM rsa_pair = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
  CK_MECHANISM kem_pair = {CKM_ML_KEM_KEY_PAIR_GEN, NULL, 0};
  CK_ULONG bits = 1024, set = CKP_ML_KEM_512;
  CK_ATTRIBUTE rsa_public[] = {{CKA_MODULUS_BITS, &bits, sizeof bits},
                               {CKA_VERIFY_RECOVER, &yes, sizeof yes}};
  CK_ATTRIBUTE rsa_private[] = {{CKA_SIGN_RECOVER, &yes, sizeof yes}};
  CK_ATTRIBUTE kem_public[] = {{CKA_PARAMETER_SET, &set, sizeof set}};
  ANSWERS(p11->C_GenerateKeyPair(s->keeper, &rsa_pair, rsa_public, COUNT(rsa_public), rsa_private,
                                 COUNT(rsa_private), &s->rsa[0], &s->rsa[1]),
          CKR_OK);
  ANSWERS(p11->C_GenerateKeyPair(s->keeper, &kem_pair, kem_public, COUNT(kem_public), NULL, 0,
                                 &s->kem[0], &s->kem[1]),
          CKR_OK);
}

/* Buffers, keys, and what others would have made for the functions that take apart. */
static void make_scene(struct scene *s) {
  CK_ULONG length = sizeof s->recoverable;
  CK_OBJECT_HANDLE key;
  CK_ATTRIBUTE template[] = {VALUE_LEN};
  s->keeper = open_session(NULL, NULL);
  s->aes = secret(s->keeper, aes_type, 5, 16);
  s->hmac = secret(s->keeper, generic_type, 7, 32);
  pairs(s);
  s->data = malloc(LONG_BYTES);
  s->sealed = malloc(LONG_BYTES);
  s->message_sealed = malloc(LONG_BYTES);
  s->guarded = malloc(ROOM_MAX + 2 * GUARD_BYTES);
  CHECK(s->data && s->sealed && s->message_sealed && s->guarded);
  for (size_t i = 0; i < LONG_BYTES; i++) s->data[i] = (CK_BYTE)(i % 251);
  s->out = s->guarded + GUARD_BYTES;

  ANSWERS(p11->C_SignRecoverInit(s->keeper, &rsa, s->rsa[1]), CKR_OK);
  ANSWERS(p11->C_SignRecover(s->keeper, s->data, SHORT_BYTES, s->recoverable, &length), CKR_OK);
  length = sizeof s->wrapped;
  ANSWERS(p11->C_WrapKey(s->keeper, &key_wrap, s->aes, s->aes, s->wrapped, &length), CKR_OK);
  length = sizeof s->ciphertext;
  ANSWERS(p32->C_EncapsulateKey(s->keeper, &kem, s->kem[0], template, COUNT(template),
                                s->ciphertext, &length, &key),
          CKR_OK);
}

/* What is decrypted and verified, of so many bytes; messages, too, where they are not left out. */
static void seal(struct scene *s, CK_ULONG length) {
  CK_ULONG sealed = length, mac = sizeof s->mac;
  CK_GCM_MESSAGE_PARAMS message = gcm_message(s->tag);
  s->data_length = length;
  ANSWERS(p11->C_EncryptInit(s->keeper, &ecb, s->aes), CKR_OK);
  ANSWERS(p11->C_Encrypt(s->keeper, s->data, length, s->sealed, &sealed), CKR_OK);
  ANSWERS(p11->C_SignInit(s->keeper, &hmac, s->hmac), CKR_OK);
  ANSWERS(p11->C_Sign(s->keeper, s->data, length, s->mac, &mac), CKR_OK);
  if (!is_there("C_EncryptMessage")) return;
  ANSWERS(p32->C_MessageEncryptInit(s->keeper, &gcm, s->aes), CKR_OK);
  ANSWERS(p32->C_EncryptMessage(s->keeper, &message, sizeof message, AAD, s->data, length,
                                s->message_sealed, &sealed),
          CKR_OK);
  ANSWERS(p32->C_MessageEncryptFinal(s->keeper), CKR_OK);
}

static CK_ULONG room_of(const struct scene *s, const struct row *row) {
  return row->output == OF_DATA ? s->data_length : row->output;
}

/* Lays out the output, and answers what the function does; begun and called back in a new session. */
static CK_RV run(struct scene *s, const struct row *row, int cancel_at) {
  CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
  s->cancel_at = 0;
  ANSWERS(p11->C_OpenSession(token_slot(), flags, s->application, notify, &s->session), CKR_OK);
  s->length = ROOM_MAX;
  if (row->begin != NULL) ANSWERS(row->begin(s), CKR_OK);
  s->room = s->length = room_of(s, row);
  s->made[0] = s->made[1] = UNTOUCHED;
  memset(s->guarded, GUARD, ROOM_MAX + 2 * GUARD_BYTES);
  s->callbacks = 0;
  s->cancel_at = cancel_at;
  return row->call(s);
}

static void check_guards(const struct scene *s) {
  const CK_BYTE *end = s->guarded + ROOM_MAX + 2 * GUARD_BYTES;
  for (const CK_BYTE *at = s->guarded; at < s->out; at++) CHECK(*at == GUARD);
  for (const CK_BYTE *at = s->out + s->room; at < end; at++) CHECK(*at == GUARD);
}

static CK_ULONG objects(const struct scene *s) {
  return find(s->keeper, NULL, s->label, NULL);
}

static void close_and_clear(struct scene *s, CK_ULONG made) {
  CHECK(objects(s) == made);
  for (CK_ULONG i = 0; i < made; i++)
    ANSWERS(p11->C_DestroyObject(s->keeper, s->made[i]), CKR_OK);
  ANSWERS(p11->C_CloseSession(s->session), CKR_OK);
}

/* Answers how many callbacks there were. */
static int completes(struct scene *s, const struct row *row) {
  CK_RV rv = run(s, row, 0);
  if (rv != CKR_OK) fprintf(stderr, "%s answered 0x%lx\n", row->name, rv);
  CHECK(rv == CKR_OK && s->callbacks >= 1 && s->length == s->room);
  check_guards(s);
  int callbacks = s->callbacks;
  close_and_clear(s, row->makes);
  return callbacks;
}

static void is_cancelled(struct scene *s, const struct row *row, int at) {
  CK_RV rv = run(s, row, at);
  if (rv != CKR_FUNCTION_CANCELED || s->callbacks != at || s->length != s->room)
    fprintf(stderr, "%s answered 0x%lx at callback %d\n", row->name, rv, s->callbacks);
  CHECK(rv == CKR_FUNCTION_CANCELED && s->callbacks == at);
  CHECK(s->length == s->room && s->made[0] == UNTOUCHED && s->made[1] == UNTOUCHED);
  check_guards(s);
  s->cancel_at = 0;
  s->length = ROOM_MAX;
  if (row->over != NULL) ANSWERS(row->over(s), CKR_OPERATION_NOT_INITIALIZED);
  close_and_clear(s, 0);
}

static bool has(const struct scene *s, const struct row *row) {
  bool is_newer = s->list->version.major == 3;
  if (!is_there(row->name)) return false;
  return row->newer == 0 || (is_newer && row->minor <= s->list->version.minor);
}

static void try_row(struct scene *s, const struct row *row) {
  bool is_short = s->data_length == SHORT_BYTES;
  if (!has(s, row) || (!is_short && !row->takes_data)) return;
  int callbacks = completes(s, row);
  CHECK(is_short || callbacks >= 3);
  is_cancelled(s, row, 1);
  if (callbacks > 1 && !row->waits) is_cancelled(s, row, callbacks);
  completes(s, row);
  if (is_short) printf("%d.%d %s\n", s->list->version.major, s->list->version.minor, row->name);
}

static void try_rows(struct scene *s) {
  for (size_t i = 0; i < COUNT(operation_rows); i++) try_row(s, &operation_rows[i]);
  for (size_t i = 0; i < COUNT(key_rows); i++) try_row(s, &key_rows[i]);
  for (size_t i = 0; i < COUNT(message_rows); i++) try_row(s, &message_rows[i]);
}

static void *try_list(void *argument) {
  struct scene *s = here = argument;
  s->thread = pthread_self();
  make_scene(s);
  seal(s, SHORT_BYTES);
  try_rows(s);
  seal(s, LONG_BYTES);
  try_rows(s);
  free(s->data);
  free(s->sealed);
  free(s->message_sealed);
  free(s->guarded);
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[3];
  CHECK(argc >= 3);
  void *library = load(argv[1]);
  left_out = argv + 3;
  p11 = functions_of(library);
  p30 = list_of(library, 0);
  p32 = list_of(library, 2);
  /* The lists have the same beginning. */
  struct scene scenes[3] = {
      {.list = (const void *)p11, .label = "by 2.40", .application = &own_application},
      {.list = (const void *)p30, .label = "by 3.0", .application = NULL},
      {.list = p32, .label = "by 3.2", .application = &scenes[2]},
  };
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  login(open_session(NULL, NULL), argv[2]);
  for (size_t i = 0; i < COUNT(scenes); i++)
    CHECK(pthread_create(&threads[i], NULL, try_list, &scenes[i]) == 0);
  for (size_t i = 0; i < COUNT(scenes); i++) pthread_join(threads[i], NULL);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
