/* The names of return values, made in generated/return-values.c. */
#ifndef SOFTOKI_RETURN_VALUES_H
#define SOFTOKI_RETURN_VALUES_H

#include "pkcs11.h"

/* `CKR_PIN_INCORRECT`; NULL for a number that the standard does not name. */
const char *name_of_return_value(CK_RV rv);

#endif
