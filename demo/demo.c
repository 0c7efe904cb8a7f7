/* Watches a key pair being made, and stops the making of the next one. usage: demo MODULE PIN */
#include <dlfcn.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "pkcs11.h"

static CK_FUNCTION_LIST_PTR p11;

/* What C_OpenSession takes as pApplication and hands back with each callback. */
struct watch {
	int dots;          /* surrenders of this function so far */
	int cancel_after;  /* answer CKR_CANCEL at this one; 0: never of our own accord */
	double cancelled;  /* when CKR_CANCEL was answered, in milliseconds; 0: it was not */
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* Pressing any key cancels, as the standard suggests; only where there is a keyboard. */
static int key_pressed(void)
{
	struct pollfd keyboard = { .fd = STDIN_FILENO, .events = POLLIN };
	return isatty(STDIN_FILENO) && poll(&keyboard, 1, 0) > 0 && getchar() != EOF;
}

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application)
{
	struct watch *watch = application;
	if (session == 0 || event != CKN_SURRENDER)
		return CKR_OK;
	putchar('.');
	watch->dots++;
	if (watch->dots == watch->cancel_after || key_pressed())
		watch->cancelled = now();
	return watch->cancelled > 0 ? CKR_CANCEL : CKR_OK;
}

static const char *name_of(CK_RV rv)
{
	static char number[32];
	snprintf(number, sizeof number, "0x%lx", rv);
	return rv == CKR_OK ? "CKR_OK" : rv == CKR_FUNCTION_CANCELED ? "CKR_FUNCTION_CANCELED" : number;
}

#define CALL(function, ...) check(#function, p11->function(__VA_ARGS__))

static void check(const char *what, CK_RV rv)
{
	if (rv != CKR_OK)
		exit(fprintf(stderr, "%s: %s\n", what, name_of(rv)) > 0);
}

/* Makes a key pair of token objects, telling what happens. */
static CK_RV generate(CK_SESSION_HANDLE session, struct watch *watch, CK_ULONG bits, char *label, CK_OBJECT_HANDLE *keys)
{
	CK_MECHANISM mechanism = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE public_template[] = {
		{ CKA_TOKEN, &yes, sizeof yes }, { CKA_LABEL, label, strlen(label) },
		{ CKA_VERIFY, &yes, sizeof yes }, { CKA_MODULUS_BITS, &bits, sizeof bits },
	}, private_template[] = {
		{ CKA_TOKEN, &yes, sizeof yes }, { CKA_LABEL, label, strlen(label) }, { CKA_SIGN, &yes, sizeof yes },
	};
	printf("C_GenerateKeyPair RSA-%lu ", bits);
	CK_RV rv = p11->C_GenerateKeyPair(session, &mechanism, public_template, 4, private_template, 3, keys, keys + 1);
	double returned = now();
	printf(" %s, %d callbacks\n", name_of(rv), watch->dots);
	if (watch->cancelled > 0)
		printf("%.1f ms from CKR_CANCEL to the return\n", returned - watch->cancelled);
	return rv;
}

static CK_ULONG count(CK_SESSION_HANDLE session, char *label)
{
	CK_ATTRIBUTE template = { CKA_LABEL, label, strlen(label) };
	CK_OBJECT_HANDLE found[16];
	CK_ULONG n;
	CALL(C_FindObjectsInit, session, &template, 1);
	CALL(C_FindObjects, session, found, 16, &n);
	CALL(C_FindObjectsFinal, session);
	return n;
}

static void sign_and_verify(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *keys)
{
	CK_MECHANISM mechanism = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_BYTE message[] = "signed with the key that was just made", signature[1024];
	CK_ULONG length = sizeof signature;
	CALL(C_SignInit, session, &mechanism, keys[1]);
	CALL(C_Sign, session, message, sizeof message, signature, &length);
	CALL(C_VerifyInit, session, &mechanism, keys[0]);
	CALL(C_Verify, session, message, sizeof message, signature, length);
	printf("C_Sign, C_Verify: CKR_OK, the signature of %lu bytes is verified\n", length);
}

/* Whether it was cancelled; what was made before that is destroyed. */
static int make_and_cancel(CK_SESSION_HANDLE session, struct watch *watch)
{
	CK_OBJECT_HANDLE keys[2];
	*watch = (struct watch){ .cancel_after = 10 };
	CK_RV rv = generate(session, watch, 16384, "cancelled", keys);
	for (int i = 0; i < 2 && rv == CKR_OK; i++)
		CALL(C_DestroyObject, session, keys[i]);
	printf("objects labelled \"cancelled\": %lu\n", count(session, "cancelled"));
	return rv != CKR_OK;
}

int main(int argc, char **argv)
{
	struct watch watch = { 0, 0, 0 };
	CK_C_GetFunctionList get_list;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE keys[2];
	struct termios cooked, raw;
	int keyboard = tcgetattr(STDIN_FILENO, &cooked) == 0;
	void *module = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;

	if (module == NULL || !(*(void **)&get_list = dlsym(module, "C_GetFunctionList")))
		return fprintf(stderr, "usage: demo MODULE PIN (%s)\n", argc == 3 ? dlerror() : "two arguments"), 2;
	setbuf(stdout, NULL);
	check("C_GetFunctionList", get_list(&p11));
	CALL(C_Initialize, NULL);
	CALL(C_OpenSession, 0, CKF_SERIAL_SESSION | CKF_RW_SESSION, &watch, notify, &session);
	CALL(C_Login, session, CKU_USER, (CK_BYTE *)argv[2], strlen(argv[2]));
	if (keyboard) {
		raw = cooked, raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
		puts("Press any key to cancel.");
	}
	if (generate(session, &watch, 8192, "kept", keys) == CKR_OK)
		sign_and_verify(session, keys);
	printf("objects labelled \"kept\": %lu\n", count(session, "kept"));
	while (!make_and_cancel(session, &watch))
		puts("Made before the tenth callback, which is luck; once more.");
	if (keyboard)
		tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
	CALL(C_Finalize, NULL);
	return 0;
}
