/* The function lists that the module offers, made in generated/functions.c. */
#ifndef SOFTOKI_INTERFACES_H
#define SOFTOKI_INTERFACES_H

#include "pkcs11.h"

extern const CK_FUNCTION_LIST function_list_2_40;
extern CK_INTERFACE interfaces[];
extern const CK_ULONG interface_count;

#endif
