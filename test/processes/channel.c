/*
 * Prints whether the program shares memory with the service: once it is initialized, in a child, and
 * after C_Finalize; and that calls of every length come through.
 */
#include "../foreign/program.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Mappings of the memory in this process. */
static int mappings(void) {
  char line[512];
  int count = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  CHECK(maps != NULL);
  while (fgets(line, sizeof line, maps) != NULL) count += strstr(line, "memfd:softoki") != NULL;
  fclose(maps);
  return count;
}

static int mappings_in_child(void) {
  int status;
  pid_t child = fork();
  if (child == 0) _exit(mappings());
  CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
  return WEXITSTATUS(status);
}

/* Bytes that tell their place. */
static CK_BYTE *pattern(CK_ULONG length) {
  CK_BYTE *bytes = malloc(length + 16);
  CHECK(bytes != NULL);
  for (CK_ULONG i = 0; i < length; i++) bytes[i] = (CK_BYTE)(i * 31 + i / 4096);
  return bytes;
}

static CK_OBJECT_HANDLE make_key(CK_SESSION_HANDLE session) {
  CK_MECHANISM generation = {CKM_AES_KEY_GEN, NULL, 0};
  CK_ULONG bytes = 16;
  CK_BBOOL yes = CK_TRUE;
  CK_OBJECT_HANDLE key;
  CK_ATTRIBUTE template[] = {{CKA_VALUE_LEN, &bytes, sizeof bytes},
                             {CKA_ENCRYPT, &yes, sizeof yes},
                             {CKA_DECRYPT, &yes, sizeof yes}};
  ANSWERS(p11->C_GenerateKey(session, &generation, template, COUNT(template), &key), CKR_OK);
  return key;
}

/* There and back again through the counter mode, in place. */
static void come_and_go(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_ULONG length) {
  CK_AES_CTR_PARAMS counter = {128, {1}};
  CK_MECHANISM ctr = {CKM_AES_CTR, &counter, sizeof counter};
  CK_BYTE *plain = pattern(length), *bytes = pattern(length);
  CK_ULONG got = length;
  ANSWERS(p11->C_EncryptInit(session, &ctr, key), CKR_OK);
  ANSWERS(p11->C_Encrypt(session, bytes, length, bytes, &got), CKR_OK);
  CHECK(got == length && (length < 16 || memcmp(plain, bytes, length) != 0));
  ANSWERS(p11->C_DecryptInit(session, &ctr, key), CKR_OK);
  ANSWERS(p11->C_Decrypt(session, bytes, length, bytes, &got), CKR_OK);
  CHECK(got == length && memcmp(plain, bytes, length) == 0);
  free(plain);
  free(bytes);
}

/* With so many descriptors left: the first is the socket's. */
static void initialize(rlim_t left) {
  struct rlimit before, fewer;
  int next = dup(STDERR_FILENO);
  CHECK(next >= 0 && close(next) == 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
  fewer = (struct rlimit){(rlim_t)next + left, before.rlim_max};
  CHECK(setrlimit(RLIMIT_NOFILE, &fewer) == 0);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
}

int main(int argc, char **argv) {
  static const CK_ULONG lengths[] = {1,       1000,        16 << 10,      (256 << 10) - 40,
                                     1 << 18, (1 << 20) - 1, (1 << 20) + 1, 9 << 20};
  CHECK(argc == 3 || argc == 4);
  p11 = functions_of(load(argv[1]));
  initialize(argc == 4 ? 1 : 1000);
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  login(session, argv[2]);
  CK_OBJECT_HANDLE key = make_key(session);
  for (int round = 0; round < 3; round++)
    for (size_t i = 0; i < COUNT(lengths); i++) come_and_go(session, key, lengths[i]);
  int now = mappings(), child = mappings_in_child();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  printf("{\"initialized\":%d,\"child\":%d,\"finalized\":%d}\n", now, child, mappings());
  return 0;
}
