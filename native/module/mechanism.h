/* Mechanisms with their parameters, and structures that the service answers. */
#ifndef SOFTOKI_MECHANISM_H
#define SOFTOKI_MECHANISM_H

#include "call.h"

/* The layouts of the parameters that are structures; from the answer to C_Initialize. */
struct parameter_layouts {
  size_t count;
  struct parameter_layout *rows;
};

/* Reads `L` from the answer to C_Initialize into `layouts`. */
void get_layouts(struct call *call, struct parameter_layouts *layouts);
void layouts_free(struct parameter_layouts *layouts);

/*
 * A mechanism. A parameter that is a structure of the length its layout gives travels as values, any
 * other as plain bytes; one of more than 64 KiB, or with a pointer that is NULL where its length is
 * not 0: CKR_MECHANISM_PARAM_INVALID.
 */
void put_mechanism(struct call *call, const CK_MECHANISM *mechanism);

/* The parameter of a message function: plain bytes, there and back. */
void put_parameter(struct call *call, const char *name, const void *parameter, CK_ULONG length);
void get_parameter(struct call *call, void *parameter, CK_ULONG length);

/* Values by layout into a structure of `size` bytes. */
void get_structure(struct call *call, void *structure, size_t size, const char *layout);

#endif
