#include "layout.h"

#include <stdint.h>

#include "pkcs11.h"

/* No field of the standard's structures is longer than 64 bytes. */
#define FIELD_MAX 4096

_Static_assert(sizeof(CK_ULONG) == 8 && sizeof(void *) == 8, "layouts are those of LP64");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "attribute values travel little-endian");

/* The N of fN. */
static size_t number(const char **text) {
  size_t value = 0;
  while (**text >= '0' && **text <= '9' && value <= FIELD_MAX)
    value = value * 10 + (size_t)(*(*text)++ - '0');
  return value <= FIELD_MAX ? value : 0;
}

bool next_field(struct walk *walk, struct field *field) {
  const char *at = walk->layout;
  size_t alignment = 1;
  field->letter = *at;
  switch (*at == 0 ? 0 : *at++) {
    case 'u': field->size = alignment = sizeof(CK_ULONG); break;
    case 'p':
    case 'q': field->size = 2 * sizeof(CK_ULONG), alignment = sizeof(CK_ULONG); break;
    case 'y': field->size = 1; break;
    case 'v': field->size = sizeof(CK_VERSION); break;
    case 'f': field->size = number(&at); break;
    default: return false;
  }
  if (field->size == 0) return false;
  field->at = (walk->end + alignment - 1) / alignment * alignment;
  walk->end = field->at + field->size;
  if (alignment > walk->alignment) walk->alignment = alignment;
  walk->layout = at;
  return true;
}

size_t layout_size(const char *layout) {
  struct walk walk = {layout, 0, 1};
  struct field field;
  while (next_field(&walk, &field)) continue;
  return *walk.layout != 0 ? 0 : (walk.end + walk.alignment - 1) / walk.alignment * walk.alignment;
}
