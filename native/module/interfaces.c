/* C_GetFunctionList, C_GetInterfaceList and C_GetInterface, which work before C_Initialize. */
#include "interfaces.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "call.h"

EXPORTED
CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList) {
  if (ppFunctionList == NULL)
    return say("C_GetFunctionList", CKR_ARGUMENTS_BAD, "ppFunctionList is NULL");
  *ppFunctionList = (CK_FUNCTION_LIST_PTR)&function_list_2_40;
  return CKR_OK;
}

EXPORTED
CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfaceList, CK_ULONG_PTR pulCount) {
  if (pulCount == NULL) return say("C_GetInterfaceList", CKR_ARGUMENTS_BAD, "pulCount is NULL");
  bool fits = pInterfaceList != NULL && *pulCount >= interface_count;
  if (fits) memcpy(pInterfaceList, interfaces, interface_count * sizeof *interfaces);
  *pulCount = interface_count;
  return fits || pInterfaceList == NULL ? CKR_OK : CKR_BUFFER_TOO_SMALL;
}

/* Who names none wants one of the standard: what another's function list holds is unknown to him. */
static bool is_named(const CK_INTERFACE *interface, const CK_UTF8CHAR *name) {
  const char *wanted = name == NULL ? "PKCS 11" : (const char *)name;
  return strcmp(wanted, (const char *)interface->pInterfaceName) == 0;
}

/* A NULL version fits any; the flags must all be there. */
static bool fits(const CK_INTERFACE *interface, const CK_UTF8CHAR *name, const CK_VERSION *version,
                 CK_FLAGS flags) {
  const CK_VERSION *own = interface->pFunctionList;
  if ((interface->flags & flags) != flags || !is_named(interface, name)) return false;
  return version == NULL || (version->major == own->major && version->minor == own->minor);
}

EXPORTED
CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion,
                     CK_INTERFACE_PTR_PTR ppInterface, CK_FLAGS flags) {
  if (ppInterface == NULL)
    return say("C_GetInterface", CKR_ARGUMENTS_BAD, "ppInterface is NULL");
  for (CK_ULONG i = 0; i < interface_count; i++)
    if (fits(&interfaces[i], pInterfaceName, pVersion, flags)) {
      *ppInterface = &interfaces[i];
      return CKR_OK;
    }
  return say("C_GetInterface", CKR_FUNCTION_FAILED, "no interface has this name, version and flags");
}
