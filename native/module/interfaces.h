/* The function lists that the module offers, made in generated/functions.c, and our own in vendor.c. */
#ifndef SOFTOKI_INTERFACES_H
#define SOFTOKI_INTERFACES_H

#include "pkcs11.h"

#include "include/softoki.h"

extern const CK_FUNCTION_LIST function_list_2_40;
extern const CK_SOFTOKI_FUNCTION_LIST softoki_function_list;
extern CK_INTERFACE interfaces[];
extern const CK_ULONG interface_count;

#endif
