/*
 * Structures by their layout, as src/standard/structures.ts writes it: u a CK_ULONG; y a CK_BYTE;
 * v a CK_VERSION; fN N bytes in place; p a pointer and its CK_ULONG length; q a CK_ULONG length and
 * its pointer; each field at its natural alignment.
 */
#ifndef SOFTOKI_LAYOUT_H
#define SOFTOKI_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "message.h"

/* A field of a structure: its letter, where it lies and how many bytes it takes. */
struct field {
  char letter;
  size_t at, size;
};

/* Walks a layout; `end` is where the field before ended. */
struct walk {
  const char *layout;
  size_t end, alignment;
};

/* The next field; false at the end of the layout, and at what is no layout (*layout is not 0 then). */
bool next_field(struct walk *walk, struct field *field);
/* The size of the structure, 0 for what is no layout. */
size_t layout_size(const char *layout);

#endif
