/* Loading, logging in, and making a token ready on any peer. */
#include "client.h"

CK_FUNCTION_LIST *p11;

/* NSS takes a string for its own library ahead of pReserved; for all others it is pReserved. */
struct initialize_args {
  CK_C_INITIALIZE_ARGS standard;
  void *behind;
};

void initialize(void) {
  struct initialize_args args = {.standard = {.flags = CKF_OS_LOCKING_OK}};
  args.standard.pReserved = getenv("BENCH_LIBRARY_PARAMETERS");
  ANSWERS(p11->C_Initialize(&args), CKR_OK);
}

static CK_ULONG slots_with_token(CK_SLOT_ID slots[64]) {
  CK_ULONG count = 64;
  ANSWERS(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
  return count;
}

static CK_FLAGS token_flags(CK_SLOT_ID slot) {
  CK_TOKEN_INFO info;
  ANSWERS(p11->C_GetTokenInfo(slot, &info), CKR_OK);
  return info.flags;
}

/* The slot of the first token that has a user's PIN. */
CK_SLOT_ID bench_slot(void) {
  CK_SLOT_ID slots[64];
  CK_ULONG count = slots_with_token(slots);
  for (CK_ULONG i = 0; i < count; i++)
    if (token_flags(slots[i]) & CKF_USER_PIN_INITIALIZED) return slots[i];
  CHECK(!"a token with a user PIN");
  return 0;
}

CK_SESSION_HANDLE open_session(CK_SLOT_ID slot, CK_NOTIFY notify, void *application) {
  CK_SESSION_HANDLE session;
  CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
  ANSWERS(p11->C_OpenSession(slot, flags, application, notify, &session), CKR_OK);
  return session;
}

static CK_RV log_in(CK_SESSION_HANDLE session, CK_USER_TYPE user, const char *pin) {
  return p11->C_Login(session, user, (CK_BYTE *)(uintptr_t)pin, strlen(pin));
}

CK_SESSION_HANDLE logged_in(const char *pin) {
  initialize();
  CK_SESSION_HANDLE session = open_session(bench_slot(), NULL, NULL);
  ANSWERS(log_in(session, CKU_USER, pin), CKR_OK);
  return session;
}

static void change_pin(CK_SESSION_HANDLE session, const char *old, const char *pin) {
  ANSWERS(p11->C_SetPIN(session, (CK_BYTE *)(uintptr_t)old, strlen(old),
                        (CK_BYTE *)(uintptr_t)pin, strlen(pin)),
          CKR_OK);
}

/* opencryptoki refuses work with a PIN that somebody else has set; NSS has an empty one for the SO. */
static void set_pins(CK_SLOT_ID slot, const char *so_pin, const char *pin) {
  static const char temporary[] = "71829364";
  CK_SESSION_HANDLE session = open_session(slot, NULL, NULL);
  if (log_in(session, CKU_SO, so_pin) != CKR_OK) ANSWERS(log_in(session, CKU_SO, ""), CKR_OK);
  if (token_flags(slot) & CKF_SO_PIN_TO_BE_CHANGED) change_pin(session, so_pin, "36281947");
  ANSWERS(p11->C_InitPIN(session, (CK_BYTE *)(uintptr_t)temporary, strlen(temporary)), CKR_OK);
  ANSWERS(p11->C_Logout(session), CKR_OK);
  ANSWERS(log_in(session, CKU_USER, temporary), CKR_OK);
  change_pin(session, temporary, pin);
  ANSWERS(p11->C_CloseSession(session), CKR_OK);
}

/* The last slot: NSS has its database there, others have one slot. */
void make_token(const char *so_pin, const char *pin) {
  CK_SLOT_ID slots[64];
  CK_UTF8CHAR label[33] = "bench                           ";
  initialize();
  CK_ULONG count = slots_with_token(slots);
  CHECK(count > 0);
  CK_SLOT_ID slot = slots[count - 1];
  if (getenv("BENCH_LIBRARY_PARAMETERS") == NULL)
    ANSWERS(p11->C_InitToken(slot, (CK_BYTE *)(uintptr_t)so_pin, strlen(so_pin), label), CKR_OK);
  set_pins(slot, so_pin, pin);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

/* The time from nothing to a session whose user is logged in. */
void print_start(const char *pin) {
  double began = milliseconds_now();
  CK_SESSION_HANDLE session = logged_in(pin);
  double took = milliseconds_now() - began;
  CHECK(session != CK_INVALID_HANDLE);
  print_times((double[]){took * 1e3}, 1, 1);
}

/* The version that the library gives itself. */
void print_about(void) {
  CK_INFO info;
  initialize();
  ANSWERS(p11->C_GetInfo(&info), CKR_OK);
  printf("{\"about\":\"%d.%d\"}\n", info.libraryVersion.major, info.libraryVersion.minor);
}
