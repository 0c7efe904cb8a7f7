/*
 * Structures by their layout, as the head of src/standard/structures.ts tells its letters; each field
 * at its natural alignment.
 */
#ifndef SOFTOKI_LAYOUT_H
#define SOFTOKI_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "message.h"

#define LAYOUT_LENGTH_MAX 127

/* Stand for *u and *v, which have a letter more. */
#define LETTER_TO_ULONG 'U'
#define LETTER_TO_VERSION 'V'

/* A field of a structure: its letter, where it lies and how many bytes it takes. */
struct field {
  char letter;
  /* 0, ! or > */
  char mark;
  size_t at, size;
  /* The N of fN and bN; for b@I, b/I and b~I the I, and which of the signs (else 0). */
  size_t number;
  char told;
  /* The layout of what { * a c hold, up to its }. */
  const char *within;
};

/* Walks a layout; `end` is where the field before ended. */
struct walk {
  const char *layout;
  size_t end, alignment;
};

/* Begins at the first field of a layout. */
struct walk walk_begin(const char *layout);
/*
 * The next field; false at the end of the structure, and at what is no layout (*layout is neither 0
 * nor } then).
 */
bool next_field(struct walk *walk, struct field *field);
/* The size of the structure, 0 for what is no layout, or one too deep. */
size_t layout_size(const char *layout);
/* The size of a structure within a layout that has a size. */
size_t structure_size(const char *within);
/* Whether C_DeriveKey answers no key of its own with such a parameter. */
bool layout_is_keyless(const char *layout);

#endif
