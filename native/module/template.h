/* Attribute templates, and the queries of C_GetAttributeValue. */
#ifndef SOFTOKI_TEMPLATE_H
#define SOFTOKI_TEMPLATE_H

#include "call.h"

/*
 * A template. NULL with a count, or more than 1,024 attributes: CKR_ARGUMENTS_BAD. A pValue that is
 * NULL where its length is not 0, a length over 16 MiB, an array of attributes whose length is no
 * multiple of sizeof(CK_ATTRIBUTE) or that lies more than 8 deep, or 16,384 attributes in all: CKR_ATTRIBUTE_VALUE_INVALID.
 */
void put_template(struct call *call, const char *name, const CK_ATTRIBUTE *attributes,
                  CK_ULONG count);

/* The same for a query, where pValue NULL asks for the length. */
void put_query(struct call *call, const char *name, const CK_ATTRIBUTE *attributes,
               CK_ULONG count);

/* Values and lengths into the template that was asked with, and the return value with them. */
void get_query(struct call *call, CK_ATTRIBUTE *attributes, CK_ULONG count);

#endif
