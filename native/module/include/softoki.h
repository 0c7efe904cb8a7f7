/*
 * What Softoki has beyond PKCS #11: progress for an application that asks for it (docs/PROGRESS.md).
 * Include a pkcs11.h before it, whosever it is.
 *
 *   CK_INTERFACE *interface;
 *   C_GetInterface((CK_UTF8CHAR *)SOFTOKI_INTERFACE, NULL, &interface, 0);
 *   const CK_SOFTOKI_FUNCTION_LIST *softoki = interface->pFunctionList;
 *   softoki->C_NotifyProgress(hSession, CK_TRUE);
 */
#ifndef SOFTOKI_H
#define SOFTOKI_H

#ifdef __cplusplus
extern "C" {
#endif

/* The name of the interface. "Vendor " begins names that PKCS #11 leaves to vendors (CK_INTERFACE). */
#define SOFTOKI_INTERFACE "Vendor Softoki"

/*
 * An event of CK_NOTIFY, for sessions that C_NotifyProgress opted in: pApplication is then a
 * CK_SOFTOKI_PROGRESS, which is there until the callback returns. It comes ahead of each
 * CKN_SURRENDER. CKR_CANCEL cancels the function as it does there, and CKN_SURRENDER does not come.
 */
#define CKN_SOFTOKI_PROGRESS 0x80534f46UL

/* Numbers that are not known are all ones, as CK_UNAVAILABLE_INFORMATION is. */
typedef struct CK_SOFTOKI_PROGRESS {
  CK_ULONG ulVersion;       /* 0; a later one has more members behind these */
  CK_ULONG ulDone;          /* of the function's work, in millionths: 0 to 1,000,000; or not known */
  CK_ULONG ulElapsed;       /* milliseconds since the function began */
  CK_ULONG ulUsual;         /* milliseconds that similar work took here before; or not known */
  CK_VOID_PTR pApplication; /* that of C_OpenSession */
} CK_SOFTOKI_PROGRESS;

typedef CK_SOFTOKI_PROGRESS *CK_SOFTOKI_PROGRESS_PTR;

/* Version 1.0; a later minor version has more functions behind these. */
typedef struct CK_SOFTOKI_FUNCTION_LIST {
  CK_VERSION version;
  /*
   * Opts a session in (CK_TRUE) or out (CK_FALSE), as C_OpenSession left it; also while one of its
   * functions works. CKR_SESSION_HANDLE_INVALID where there is no such session, CKR_ARGUMENTS_BAD
   * where it was opened without a callback and is to be opted in.
   */
  CK_RV (*C_NotifyProgress)(CK_SESSION_HANDLE hSession, CK_BBOOL bWanted);
} CK_SOFTOKI_FUNCTION_LIST;

typedef CK_SOFTOKI_FUNCTION_LIST *CK_SOFTOKI_FUNCTION_LIST_PTR;

#ifdef __cplusplus
}
#endif

#endif
