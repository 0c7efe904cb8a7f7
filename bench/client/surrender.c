/*
 * How a lengthy function calls back, and how it stops.
 *   surrender WORK SIZE STOP SERVICE   CKR_CANCEL at the first callback after STOP milliseconds (0: never);
 *                                      STOP "silent": a session without a callback.
 * SERVICE is the process id of the service, 0 for a peer without one.
 */
#include <dirent.h>
#include <sys/mman.h>

#include "client.h"

#define MIB ((size_t)1 << 20)
/* The processor is looked at so often and so long after CKR_CANCEL; busy is a tenth of one core. */
#define LOOK 5.0
#define LOOKING 400.0
#define BUSY_SHARE 0.1

struct watch {
  int callbacks;
  double stop, began, last, longest_gap, cancelled;
};

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  struct watch *watch = application;
  double at = milliseconds_now();
  (void)session;
  if (event != CKN_SURRENDER) return CKR_OK;
  if (at - watch->last > watch->longest_gap) watch->longest_gap = at - watch->last;
  watch->last = at;
  watch->callbacks++;
  if (watch->stop == 0 || at - watch->began < watch->stop) return CKR_OK;
  watch->cancelled = at;
  return CKR_CANCEL;
}

/* Nanoseconds of processor time that the threads of a process have used up. */
static double own_time(long pid) {
  char path[300];
  double sum = 0;
  snprintf(path, sizeof path, "/proc/%ld/task", pid);
  DIR *threads = opendir(path);
  if (threads == NULL) return 0;
  for (struct dirent *entry; (entry = readdir(threads)) != NULL;) {
    double one = 0;
    snprintf(path, sizeof path, "/proc/%ld/task/%.20s/schedstat", pid, entry->d_name);
    FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
    if (file == NULL) continue;
    if (fscanf(file, "%lf", &one) == 1) sum += one;
    fclose(file);
  }
  closedir(threads);
  return sum;
}

/* The same of a process and its children. */
static double tree_time(long pid) {
  char path[64];
  long child;
  double sum = own_time(pid);
  snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", pid, pid);
  FILE *children = fopen(path, "r");
  if (children == NULL) return sum;
  while (fscanf(children, "%ld", &child) == 1) sum += tree_time(child);
  fclose(children);
  return sum;
}

/* That of this program and of the service without its workers. */
static double time_around(long service) {
  return own_time(getpid()) + (service == 0 ? 0 : own_time(service));
}

/* Milliseconds from `since` until the processes last were busy. */
static double busy_after(double since, long pid) {
  double busy = 0, time = tree_time(pid), from = milliseconds_now();
  while (from - since < LOOKING) {
    usleep((unsigned)(LOOK * 1e3));
    double to = milliseconds_now(), later = tree_time(pid);
    if (later - time > (to - from) * 1e6 * BUSY_SHARE) busy = to - since;
    time = later;
    from = to;
  }
  return busy;
}

static CK_BBOOL yes = CK_TRUE;
static CK_BYTE f4[] = {1, 0, 1};

/* Pages of zeros that cost no memory until somebody writes to them. */
static CK_BYTE *sparse(size_t bytes) {
  void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(data != MAP_FAILED);
  return data;
}

static CK_RV pair(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_ATTRIBUTE *public_key,
                  CK_ULONG count, CK_OBJECT_HANDLE made[2]) {
  CK_MECHANISM mechanism = {type, NULL, 0};
  CK_ATTRIBUTE private_key[] = {{CKA_SIGN, &yes, sizeof yes}};
  return p11->C_GenerateKeyPair(session, &mechanism, public_key, count, private_key,
                                COUNT(private_key), &made[0], &made[1]);
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *template,
                      CK_ULONG count) {
  CK_OBJECT_HANDLE made;
  return p11->C_GenerateKey(session, mechanism, template, count, &made);
}

static CK_RV rsa(CK_SESSION_HANDLE session, CK_ULONG bits) {
  CK_OBJECT_HANDLE made[2];
  CK_ATTRIBUTE asked[] = {{CKA_MODULUS_BITS, &bits, sizeof bits},
                          {CKA_PUBLIC_EXPONENT, f4, sizeof f4}};
  return pair(session, CKM_RSA_PKCS_KEY_PAIR_GEN, asked, COUNT(asked), made);
}

static CK_RV primes(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ULONG bits,
                    CK_ULONG subprime) {
  CK_ATTRIBUTE asked[] = {{CKA_PRIME_BITS, &bits, sizeof bits},
                          {CKA_SUBPRIME_BITS, &subprime, sizeof subprime}};
  return generate(session, mechanism, asked, subprime == 0 ? 1 : 2);
}

static CK_RV dsa(CK_SESSION_HANDLE session, CK_ULONG bits) {
  return primes(session, &(CK_MECHANISM){CKM_DSA_PARAMETER_GEN, NULL, 0}, bits, 0);
}

static CK_RV dsa_primes(CK_SESSION_HANDLE session, CK_ULONG bits) {
  CK_BYTE seed[32] = {0};
  CK_DSA_PARAMETER_GEN_PARAM param = {CKM_SHA256, seed, sizeof seed, 0};
  CK_MECHANISM mechanism = {CKM_DSA_PROBABILISTIC_PARAMETER_GEN, &param, sizeof param};
  return primes(session, &mechanism, bits, 0);
}

static CK_RV dh(CK_SESSION_HANDLE session, CK_ULONG bits) {
  return primes(session, &(CK_MECHANISM){CKM_DH_PKCS_PARAMETER_GEN, NULL, 0}, bits, 0);
}

static CK_RV x942(CK_SESSION_HANDLE session, CK_ULONG bits) {
  return primes(session, &(CK_MECHANISM){CKM_X9_42_DH_PARAMETER_GEN, NULL, 0}, bits, 256);
}

static CK_RV slh_dsa_pair(CK_SESSION_HANDLE session, CK_ULONG set, CK_OBJECT_HANDLE made[2]) {
  CK_ATTRIBUTE asked[] = {{CKA_PARAMETER_SET, &set, sizeof set}};
  return pair(session, CKM_SLH_DSA_KEY_PAIR_GEN, asked, COUNT(asked), made);
}

static CK_RV slh_dsa(CK_SESSION_HANDLE session, CK_ULONG set) {
  CK_OBJECT_HANDLE made[2];
  return slh_dsa_pair(session, set, made);
}

static CK_OBJECT_HANDLE slh_dsa_keys[2];

static void begin_slh_dsa(CK_SESSION_HANDLE session, CK_ULONG set) {
  ANSWERS(slh_dsa_pair(session, set, slh_dsa_keys), CKR_OK);
}

static CK_RV slh_dsa_sign(CK_SESSION_HANDLE session, CK_ULONG set) {
  static CK_BYTE signature[50000];
  CK_MECHANISM mechanism = {CKM_SLH_DSA, NULL, 0};
  CK_ULONG length = sizeof signature;
  (void)set;
  ANSWERS(p11->C_SignInit(session, &mechanism, slh_dsa_keys[1]), CKR_OK);
  return p11->C_Sign(session, f4, sizeof f4, signature, &length);
}

static void begin_slh_dsa_verify(CK_SESSION_HANDLE session, CK_ULONG mebibytes) {
  (void)mebibytes;
  begin_slh_dsa(session, CKP_SLH_DSA_SHA2_128F);
}

/* Long only for a long message; the signature is wrong. */
static CK_RV slh_dsa_verify(CK_SESSION_HANDLE session, CK_ULONG mebibytes) {
  static CK_BYTE signature[17088];
  CK_MECHANISM mechanism = {CKM_SLH_DSA, NULL, 0};
  ANSWERS(p11->C_VerifyInit(session, &mechanism, slh_dsa_keys[0]), CKR_OK);
  CK_RV rv = p11->C_Verify(session, sparse(mebibytes * MIB), mebibytes * MIB, signature,
                           sizeof signature);
  return rv == CKR_SIGNATURE_INVALID ? CKR_OK : rv;
}

static CK_RV pbkdf2(CK_SESSION_HANDLE session, CK_ULONG iterations) {
  CK_KEY_TYPE type = CKK_GENERIC_SECRET;
  CK_ULONG length = 32;
  CK_PKCS5_PBKD2_PARAMS2 params = {
      CKZ_SALT_SPECIFIED, f4, sizeof f4, iterations, CKP_PKCS5_PBKD2_HMAC_SHA256, NULL, 0,
      (CK_UTF8CHAR *)(uintptr_t)"password", 8};
  CK_ATTRIBUTE asked[] = {{CKA_KEY_TYPE, &type, sizeof type}, {CKA_VALUE_LEN, &length, sizeof length}};
  CK_MECHANISM mechanism = {CKM_PKCS5_PBKD2, &params, sizeof params};
  return generate(session, &mechanism, asked, COUNT(asked));
}

static CK_RV digest(CK_SESSION_HANDLE session, CK_ULONG mebibytes) {
  CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
  CK_BYTE hash[32];
  CK_ULONG length = sizeof hash;
  ANSWERS(p11->C_DigestInit(session, &mechanism), CKR_OK);
  return p11->C_Digest(session, sparse(mebibytes * MIB), mebibytes * MIB, hash, &length);
}

static CK_RV mac(CK_SESSION_HANDLE session, CK_ULONG mebibytes) {
  CK_MECHANISM mechanism = {CKM_SHA256_HMAC, NULL, 0};
  CK_BYTE value[32];
  CK_ULONG length = sizeof value;
  CK_OBJECT_HANDLE key = secret_key(session, CKK_GENERIC_SECRET, "hmac");
  ANSWERS(p11->C_SignInit(session, &mechanism, key), CKR_OK);
  return p11->C_Sign(session, sparse(mebibytes * MIB), mebibytes * MIB, value, &length);
}

static CK_RV encrypt(CK_SESSION_HANDLE session, CK_ULONG mebibytes) {
  CK_BYTE iv[12] = {0};
  CK_GCM_PARAMS gcm = {.pIv = iv, .ulIvLen = 12, .ulIvBits = 96, .ulTagBits = 128};
  CK_MECHANISM mechanism = {CKM_AES_GCM, &gcm, sizeof gcm};
  CK_BYTE *data = sparse(mebibytes * MIB), *output = sparse(mebibytes * MIB + 16);
  CK_ULONG length = mebibytes * MIB + 16;
  CK_OBJECT_HANDLE key = secret_key(session, CKK_AES, "aes");
  ANSWERS(p11->C_EncryptInit(session, &mechanism, key), CKR_OK);
  CK_RV rv = p11->C_Encrypt(session, data, mebibytes * MIB, output, &length);
  munmap(output, mebibytes * MIB + 16);
  return rv;
}

static CK_RV random_bytes(CK_SESSION_HANDLE session, CK_ULONG mebibytes) {
  CK_BYTE *output = sparse(mebibytes * MIB);
  CK_RV rv = p11->C_GenerateRandom(session, output, mebibytes * MIB);
  munmap(output, mebibytes * MIB);
  return rv;
}

static const struct lengthy {
  const char *name;
  CK_RV (*call)(CK_SESSION_HANDLE session, CK_ULONG size);
  void (*begin)(CK_SESSION_HANDLE session, CK_ULONG size);
} works[] = {
    {"rsa", rsa, NULL},
    {"dsa", dsa, NULL},
    {"dsa-primes", dsa_primes, NULL},
    {"dh", dh, NULL},
    {"x9.42", x942, NULL},
    {"slh-dsa", slh_dsa, NULL},
    {"slh-dsa-sign", slh_dsa_sign, begin_slh_dsa},
    {"slh-dsa-verify", slh_dsa_verify, begin_slh_dsa_verify},
    {"pbkdf2", pbkdf2, NULL},
    {"digest", digest, NULL},
    {"mac", mac, NULL},
    {"encrypt", encrypt, NULL},
    {"random", random_bytes, NULL},
};

static const struct lengthy *lengthy_named(const char *name) {
  for (size_t i = 0; i < COUNT(works); i++)
    if (strcmp(works[i].name, name) == 0) return &works[i];
  CHECK(!"a lengthy work");
  return NULL;
}

/* words: WORK SIZE STOP SERVICE; milliseconds. */
void print_surrender(const char *pin, char **words) {
  const struct lengthy *lengthy = lengthy_named(words[0]);
  CK_ULONG size = strtoul(words[1], NULL, 0);
  bool silent = strcmp(words[2], "silent") == 0;
  struct watch watch = {0};
  logged_in(pin);
  CK_SESSION_HANDLE quiet = open_session(bench_slot(), NULL, NULL);
  CK_SESSION_HANDLE session = open_session(bench_slot(), silent ? NULL : notify, &watch);
  if (lengthy->begin != NULL) lengthy->begin(quiet, size);
  long service = atol(words[3]);
  double around = time_around(service);
  watch = (struct watch){.stop = atof(words[2])};
  watch.began = watch.last = milliseconds_now();
  CK_RV rv = lengthy->call(session, size);
  double ended = milliseconds_now();
  around = time_around(service) - around;
  if (ended - watch.last > watch.longest_gap) watch.longest_gap = ended - watch.last;
  CHECK(rv == CKR_OK || (rv == CKR_FUNCTION_CANCELED && watch.cancelled != 0));
  bool cancelled = rv == CKR_FUNCTION_CANCELED;
  printf("{\"cancelled\":%s,\"callbacks\":%d,\"took\":%.2f,\"longestGap\":%.2f,"
         "\"around\":%.3f,\"toReturn\":%.3f,\"toFree\":%.1f}\n",
         cancelled ? "true" : "false", watch.callbacks, ended - watch.began, watch.longest_gap,
         around / 1e6,
         cancelled ? ended - watch.cancelled : 0,
         cancelled && service != 0 ? busy_after(watch.cancelled, service) : 0);
}
