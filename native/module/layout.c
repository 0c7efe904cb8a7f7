#include "layout.h"

#include <stdint.h>

#include "pkcs11.h"
#include "wire.h"

/* No field of the standard's structures is longer than 64 bytes. */
#define FIELD_MAX 4096

_Static_assert(sizeof(CK_ULONG) == 8 && sizeof(void *) == 8, "layouts are those of LP64");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "attribute values travel little-endian");

#define WORD sizeof(CK_ULONG)

/* A decimal number; FIELD_MAX + 1 for one that is larger, or none. */
static size_t number(const char **text) {
  size_t value = 0;
  if (**text < '0' || **text > '9') return FIELD_MAX + 1;
  while (**text >= '0' && **text <= '9' && value <= FIELD_MAX)
    value = value * 10 + (size_t)(*(*text)++ - '0');
  return value <= FIELD_MAX ? value : FIELD_MAX + 1;
}

static bool read_structure(const char **text, size_t *size, size_t *alignment, int depth);

static bool holds_structures(char letter) {
  return letter == '{' || letter == '*' || letter == 'a' || letter == 'c';
}

/* The structure that a field holds, or points to. */
static bool read_held(const char **text, struct field *field, size_t *alignment, int depth) {
  size_t size = 0, within = 1;
  if (field->letter == '*' && (**text == 'u' || **text == 'v')) {
    field->letter = *(*text)++ == 'u' ? LETTER_TO_ULONG : LETTER_TO_VERSION;
    return true;
  }
  if (field->letter != '{' && *(*text)++ != '{') return false;
  field->within = *text;
  if (!read_structure(text, &size, &within, depth + 1)) return false;
  if (field->letter == '{') field->size = size, *alignment = within;
  return true;
}

/* What follows the letter. */
static bool read_rest(const char **text, struct field *field, size_t *alignment, int depth) {
  if (holds_structures(field->letter)) return read_held(text, field, alignment, depth);
  if (field->letter != 'b' && field->letter != 'f') return true;
  if (field->letter == 'b' && (**text == '@' || **text == '/' || **text == '~')) field->told = *(*text)++;
  field->number = number(text);
  return field->number <= FIELD_MAX;
}

/* The field at *text, whose place is not known yet. */
static bool read_field(const char **text, struct field *field, size_t *alignment, int depth) {
  *field = (struct field){0};
  *alignment = WORD;
  if (**text == '!' || **text == '>') field->mark = *(*text)++;
  if (**text == 0 || **text == '}') return false;
  field->letter = *(*text)++;
  switch (field->letter) {
    case 'u':
    case 'b':
    case '*': field->size = WORD; break;
    case 'p':
    case 'q':
    case 'r':
    case 's':
    case 't':
    case 'a':
    case 'c': field->size = 2 * WORD; break;
    case 'y': field->size = *alignment = 1; break;
    case 'v': field->size = sizeof(CK_VERSION), *alignment = 1; break;
    case 'f': *alignment = 1; break;
    case '{': break;
    default: return false;
  }
  if (!read_rest(text, field, alignment, depth)) return false;
  if (field->letter == 'f') field->size = field->number;
  return field->size > 0;
}

static size_t aligned(size_t at, size_t alignment) {
  return (at + alignment - 1) / alignment * alignment;
}

static bool place_field(struct walk *walk, struct field *field, int depth) {
  const char *text = walk->layout;
  size_t alignment;
  if (!read_field(&text, field, &alignment, depth)) return false;
  field->at = aligned(walk->end, alignment);
  walk->end = field->at + field->size;
  if (alignment > walk->alignment) walk->alignment = alignment;
  walk->layout = text;
  return true;
}

/* Reads up to the } that ends the structure, and that. */
static bool read_structure(const char **text, size_t *size, size_t *alignment, int depth) {
  struct walk walk = {*text, 0, 1};
  struct field field;
  if (depth > WIRE_STRUCTURES_DEEP_MAX) return false;
  while (place_field(&walk, &field, depth)) continue;
  if (*walk.layout != '}' || walk.end == 0) return false;
  *size = aligned(walk.end, walk.alignment);
  *alignment = walk.alignment;
  *text = walk.layout + 1;
  return true;
}

bool layout_is_keyless(const char *layout) {
  return *layout == '-';
}

struct walk walk_begin(const char *layout) {
  return (struct walk){layout_is_keyless(layout) ? layout + 1 : layout, 0, 1};
}

bool next_field(struct walk *walk, struct field *field) {
  /* How deep it goes was looked at when its size was. */
  return place_field(walk, field, 1);
}

size_t layout_size(const char *layout) {
  struct walk walk = walk_begin(layout);
  struct field field;
  while (place_field(&walk, &field, 1)) continue;
  return *walk.layout != 0 ? 0 : aligned(walk.end, walk.alignment);
}

size_t structure_size(const char *within) {
  size_t size = 0, alignment;
  return read_structure(&within, &size, &alignment, 1) ? size : 0;
}
