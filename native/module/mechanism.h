/* Mechanisms with their parameters, and structures that the service answers. */
#ifndef SOFTOKI_MECHANISM_H
#define SOFTOKI_MECHANISM_H

#include "call.h"
#include "sessions.h"

/* The layouts of the parameters that are structures; from the answer to C_Initialize. */
struct parameter_layouts {
  size_t count;
  struct parameter_layout *rows;
};

/* Reads `L` from the answer to C_Initialize into `layouts`. */
void get_layouts(struct call *call, struct parameter_layouts *layouts);
void layouts_free(struct parameter_layouts *layouts);

/* Whose parameter a structure is; the numbers are those of docs/WIRE.md. */
enum parameter_use { USE_MECHANISM = 0, USE_WRAP = 1, USE_MESSAGE = 2 };

/*
 * A mechanism. A parameter that is a structure of the length its layout gives travels as values, any
 * other as plain bytes; one of more than 64 KiB, or with a pointer that is NULL where its length is
 * not 0: CKR_MECHANISM_PARAM_INVALID.
 */
void put_mechanism(struct call *call, enum parameter_use use, const CK_MECHANISM *mechanism);

/*
 * The parameter of a message, as a mechanism of the type that the session's operation was begun with.
 * Where it is NULL and has a length: CKR_ARGUMENTS_BAD.
 */
void put_parameter(struct call *call, enum message_operation operation, const char *name,
                   void *parameter, CK_ULONG length);

/* phKey of C_DeriveKey, which may be NULL where the parameter says that no key comes. */
void want_key(struct call *call, const char *name, const CK_ULONG *key);
void get_key(struct call *call, CK_ULONG_PTR key);

/* Values by layout into a structure of `size` bytes. */
void get_structure(struct call *call, void *structure, size_t size, const char *layout);

#endif
