/*
 * Kills the service at the worst moments.
 * usage: kill MODULE PIN store KIND LABEL PID | kill MODULE PIN count PREFIX NUMBER |
 *        kill MODULE PIN generate CALLBACK PID
 * CALLBACK is the one that kills the service, which has the number PID.
 */
#include <signal.h>

#include "program.h"

static pid_t service;
static int callbacks, kill_at;

static CK_RV create_data(CK_SESSION_HANDLE session, CK_ATTRIBUTE name, CK_OBJECT_HANDLE *made) {
  CK_OBJECT_CLASS class = CKO_DATA;
  CK_BBOOL yes = CK_TRUE;
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_TOKEN, &yes, sizeof yes},
                             {CKA_VALUE, "kept", 4},
                             name};
  return p11->C_CreateObject(session, template, COUNT(template), made);
}

static CK_RV create_secret(CK_SESSION_HANDLE session, CK_ATTRIBUTE name, CK_OBJECT_HANDLE *made) {
  CK_OBJECT_CLASS class = CKO_SECRET_KEY;
  CK_KEY_TYPE type = CKK_AES;
  CK_BBOOL yes = CK_TRUE;
  CK_BYTE value[32] = {7};
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type},
                             {CKA_TOKEN, &yes, sizeof yes},     {CKA_ENCRYPT, &yes, sizeof yes},
                             {CKA_VALUE, value, sizeof value},  name};
  return p11->C_CreateObject(session, template, COUNT(template), made);
}

static CK_RV generate_secret(CK_SESSION_HANDLE session, CK_ATTRIBUTE name, CK_OBJECT_HANDLE *made) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_ULONG length = 32;
  CK_BBOOL yes = CK_TRUE;
  CK_ATTRIBUTE template[] = {
      {CKA_TOKEN, &yes, sizeof yes}, {CKA_VALUE_LEN, &length, sizeof length}, name};
  return p11->C_GenerateKey(session, &mechanism, template, COUNT(template), made);
}

static void store(CK_SESSION_HANDLE session, const char *kind, char *label) {
  CK_ATTRIBUTE name = {CKA_LABEL, label, strlen(label)};
  CK_OBJECT_HANDLE made;
  CK_RV rv = strcmp(kind, "data") == 0     ? create_data(session, name, &made)
             : strcmp(kind, "secret") == 0 ? create_secret(session, name, &made)
                                           : generate_secret(session, name, &made);
  kill(service, SIGKILL);
  ANSWERS(rv, CKR_OK);
}

/* How many of the objects PREFIX0, PREFIX1 ... are there, exactly once each. */
static void count(CK_SESSION_HANDLE session, const char *prefix, int number) {
  int there = 0;
  for (int i = 0; i < number; i++) {
    char label[64];
    snprintf(label, sizeof label, "%s%d", prefix, i);
    there += find(session, NULL, label, NULL) == 1;
  }
  printf("{\"there\":%d,\"all\":%lu}\n", there, find(session, NULL, NULL, NULL));
}

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  (void)session;
  (void)event;
  (void)application;
  if (++callbacks == kill_at) kill(service, SIGKILL);
  return CKR_OK;
}

/* After the service is gone the module answers, and C_Finalize and C_Initialize find another. */
static void generate(const char *pin) {
  CK_OBJECT_HANDLE pair[2];
  CK_BYTE random[16];
  CK_SESSION_HANDLE session = open_session(notify, NULL);
  login(session, pin);
  CK_RV rv = generate_rsa(session, 16384, "cut short", pair);
  CK_RV next = p11->C_GenerateRandom(session, random, sizeof random);
  printf("{\"rv\":%lu,\"next\":%lu,\"callbacks\":%d}\n", rv, next, callbacks);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  session = open_session(NULL, NULL);
  login(session, pin);
  printf("{\"left\":%lu}\n", find(session, NULL, NULL, NULL));
  ANSWERS(p11->C_GenerateRandom(session, random, sizeof random), CKR_OK);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

int main(int argc, char **argv) {
  CHECK(argc >= 5);
  const char *what = argv[3];
  service = atoi(argv[argc - 1]);
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  if (strcmp(what, "generate") == 0) {
    kill_at = atoi(argv[4]);
    generate(argv[2]);
    return 0;
  }
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  login(session, argv[2]);
  if (strcmp(what, "store") == 0) store(session, argv[4], argv[5]);
  if (strcmp(what, "count") == 0) count(session, argv[4], atoi(argv[5]));
  return 0;
}
