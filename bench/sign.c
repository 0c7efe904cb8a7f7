/*
 * Measures C_SignInit and C_Sign together with keys that are made for it.
 * usage: sign MODULE PIN SECONDS
 */
#include "../test/foreign/program.h"

#define WARM_UP 50

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Prints the median of single calls, in microseconds, over so many seconds. */
static void measure(const char *name, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                    CK_MECHANISM_TYPE type, double seconds) {
  static double times[1 << 20];
  static const CK_BYTE data[32] = {1};
  size_t count = 0;
  for (int i = 0; i < WARM_UP; i++) ANSWERS(sign(session, key, type, data, sizeof data), CKR_OK);
  for (double end = now() + seconds * 1e3; now() < end && count < COUNT(times); count++) {
    double before = now();
    ANSWERS(sign(session, key, type, data, sizeof data), CKR_OK);
    times[count] = now() - before;
  }
  qsort(times, count, sizeof *times, by_value);
  printf("{\"%s\":{\"calls\":%zu,\"median\":%.1f,\"slowest\":%.1f}}\n", name, count,
         times[count / 2] * 1e3, times[count - 1] * 1e3);
}

int main(int argc, char **argv) {
  CK_OBJECT_HANDLE p256[2], rsa[2];
  CHECK(argc == 4);
  double seconds = atof(argv[3]);
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  login(session, argv[2]);
  generate_p256(session, "bench", p256);
  ANSWERS(generate_rsa(session, 2048, "bench", rsa), CKR_OK);
  measure("P-256", session, p256[1], CKM_ECDSA, seconds);
  measure("RSA-2048", session, rsa[1], CKM_SHA256_RSA_PKCS, seconds);
  for (int i = 0; i < 2; i++) {
    ANSWERS(p11->C_DestroyObject(session, p256[i]), CKR_OK);
    ANSWERS(p11->C_DestroyObject(session, rsa[i]), CKR_OK);
  }
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
