#include "parameter.h"

#include <string.h>

#include "template.h"
#include "wire.h"

/* The least number of bits that b~I tells; a smaller number tells bytes. */
#define BITS_MIN 64

/* A structure that is gone through, there or back. */
struct visit {
  struct call *call;
  /* Bytes that the function may only write, so far. */
  size_t written;
};

static CK_ULONG ulong_at(const void *at) {
  CK_ULONG value;
  memcpy(&value, at, sizeof value);
  return value;
}

static uint8_t *pointer_at(const void *at) {
  uint8_t *pointer;
  memcpy(&pointer, at, sizeof pointer);
  return pointer;
}

/* Pointed-to bytes, or structures: the pointer is NULL where that is so. */
struct pointed {
  uint8_t *at;
  CK_ULONG length;
};

/* The length that field I of the outermost structure tells; false where that is no CK_ULONG. */
static bool told_length(const struct parameter *outermost, const struct field *asked,
                        CK_ULONG *length) {
  struct walk walk = walk_begin(outermost->layout);
  struct field field;
  size_t i = 0;
  while (next_field(&walk, &field) && i < asked->number) i++;
  if (i != asked->number || field.letter != 'u') return false;
  CK_ULONG told = ulong_at(outermost->structure + field.at);
  bool bits = asked->told == '/' || (asked->told == '~' && told >= BITS_MIN);
  *length = bits ? told / 8 + (told % 8 != 0) : told;
  return true;
}

/*
 * Bytes and their length, or what points to their length: a number that is too large for a length and
 * lies as the address of a CK_ULONG does.
 */
static bool look_either(uint8_t *at, const uint8_t *after, struct pointed *pointed) {
  CK_ULONG length = ulong_at(after);
  bool is_pointer = length > WIRE_BODY_MAX && length % sizeof(CK_ULONG) == 0 && length >> 47 == 0;
  *pointed = (struct pointed){at, is_pointer ? ulong_at(pointer_at(after)) : length};
  return at != NULL || pointed->length == 0;
}

/* What a field points to; false where pointer and length contradict each other. */
static bool look(const struct visit *visit, const struct field *field, const uint8_t *place,
                 struct pointed *pointed) {
  const uint8_t *after = place + sizeof(CK_ULONG);
  const uint8_t *told;
  pointed->length = 1;
  switch (field->letter) {
    case 'q':
    case 'c': *pointed = (struct pointed){pointer_at(after), ulong_at(place)}; break;
    case 'p':
    case 't':
    case 'a': *pointed = (struct pointed){pointer_at(place), ulong_at(after)}; break;
    case 'r':
      told = pointer_at(after);
      *pointed = (struct pointed){pointer_at(place), told == NULL ? 0 : ulong_at(told)};
      if (told == NULL) pointed->at = NULL;
      return true;
    case 's': return look_either(pointer_at(place), after, pointed);
    case 'b':
      pointed->at = pointer_at(place);
      pointed->length = field->number;
      return field->told == 0 || told_length(&visit->call->parameter, field, &pointed->length);
    default: pointed->at = pointer_at(place); return true;
  }
  return pointed->at != NULL || pointed->length == 0;
}

static void put_structure(struct visit *visit, const uint8_t *structure, struct walk walk);

/* Bytes; of those that are only written, how many. */
static bool put_pointed(struct visit *visit, const struct field *field, const struct pointed *bytes) {
  struct message *message = &visit->call->message;
  if (bytes->at == NULL || field->mark != '>') {
    if (bytes->at != NULL && bytes->length > WIRE_BODY_MAX) return false;
    message_bytes(message, bytes->at, bytes->length);
    return true;
  }
  if (bytes->length > WIRE_WRITTEN_MAX - visit->written) return false;
  visit->written += bytes->length;
  message_u32(message, (uint32_t)bytes->length);
  return true;
}

static bool put_structures(struct visit *visit, const struct field *field,
                           const struct pointed *structures) {
  if (structures->length > WIRE_STRUCTURES_MAX) return false;
  size_t size = structure_size(field->within);
  message_u32(&visit->call->message, (uint32_t)structures->length);
  for (CK_ULONG i = 0; i < structures->length && call_is_well(visit->call); i++)
    put_structure(visit, structures->at + i * size, walk_begin(field->within));
  return true;
}

/* What a pointer that may be NULL points to. */
static void put_target(struct visit *visit, const struct field *field, const uint8_t *target) {
  struct message *message = &visit->call->message;
  message_u8(message, target != NULL);
  if (target == NULL) return;
  if (field->letter == '*')
    put_structure(visit, target, walk_begin(field->within));
  else if (field->mark != '>' && field->letter == LETTER_TO_ULONG)
    message_u64(message, ulong_at(target));
  else if (field->mark != '>')
    message_raw(message, target, sizeof(CK_VERSION));
}

static bool put_template_within(struct call *call, const struct pointed *attributes) {
  if (attributes->length > WIRE_ATTRIBUTES_MAX) return false;
  put_template(call, "pParameter", (const CK_ATTRIBUTE *)(const void *)attributes->at, attributes->length);
  return true;
}

/* False where pointer, length or count has no sense. */
static bool put_field(struct visit *visit, const struct field *field, const uint8_t *place) {
  struct message *message = &visit->call->message;
  struct pointed pointed;
  switch (field->letter) {
    case 'u':
      if (field->mark != '>') message_u64(message, ulong_at(place));
      return true;
    case 'y':
    case 'v':
    case 'f': message_raw(message, place, field->size); return true;
    case '{': put_structure(visit, place, walk_begin(field->within)); return true;
    default: break;
  }
  if (!look(visit, field, place, &pointed)) return false;
  switch (field->letter) {
    case 'a':
    case 'c': return put_structures(visit, field, &pointed);
    case 't': return put_template_within(visit->call, &pointed);
    case '*':
    case LETTER_TO_ULONG:
    case LETTER_TO_VERSION: put_target(visit, field, pointed.at); return true;
    default: return put_pointed(visit, field, &pointed);
  }
}

static void put_structure(struct visit *visit, const uint8_t *structure, struct walk walk) {
  struct field field;
  while (call_is_well(visit->call) && next_field(&walk, &field))
    if (!put_field(visit, &field, structure + field.at))
      call_fail(visit->call, CKR_MECHANISM_PARAM_INVALID,
                "a pointer of the parameter is NULL and its length is not 0, or a length cannot be");
}

void put_values(struct call *call, void *structure, const char *layout) {
  struct visit visit = {call, 0};
  call->parameter.structure = structure;
  strncpy(call->parameter.layout, layout, LAYOUT_LENGTH_MAX);
  call->parameter.layout[LAYOUT_LENGTH_MAX] = 0;
  put_structure(&visit, structure, walk_begin(call->parameter.layout));
}

static void fail(struct visit *visit) {
  visit->call->reader.failed = true;
}

static void set_ulong(uint8_t *at, CK_ULONG value) {
  memcpy(at, &value, sizeof value);
}

/* Bytes that come back: as many as there were, or (r) at most so many. */
static void take_bytes(struct visit *visit, const struct field *field, uint8_t *place) {
  struct pointed pointed;
  size_t length;
  const uint8_t *bytes = read_bytes(&visit->call->reader, &length);
  bool fits = look(visit, field, place, &pointed) && pointed.at != NULL && bytes != NULL &&
              (field->letter == 'r' ? length <= pointed.length : length == pointed.length);
  if (!fits) {
    fail(visit);
    return;
  }
  memcpy(pointed.at, bytes, length);
  if (field->letter == 'r') set_ulong(pointer_at(place + sizeof(CK_ULONG)), length);
}

static void take_target(struct visit *visit, const struct field *field, uint8_t *target) {
  struct reader *reader = &visit->call->reader;
  if (target == NULL) {
    fail(visit);
    return;
  }
  if (field->letter == LETTER_TO_ULONG) {
    CK_ULONG value = read_u64(reader);
    if (!reader->failed) set_ulong(target, value);
    return;
  }
  const uint8_t *version = read_raw(reader, sizeof(CK_VERSION));
  if (version != NULL) memcpy(target, version, sizeof(CK_VERSION));
}

/* The value of a field that the function writes, where one is given. */
static void take_value(struct visit *visit, const struct field *field, uint8_t *place) {
  struct reader *reader = &visit->call->reader;
  uint8_t given = read_u8(reader);
  if (given > 1) fail(visit);
  if (given == 0 || reader->failed) return;
  switch (field->letter) {
    case 'u': {
      CK_ULONG value = read_u64(reader);
      if (!reader->failed) set_ulong(place, value);
      return;
    }
    case LETTER_TO_ULONG:
    case LETTER_TO_VERSION: take_target(visit, field, pointer_at(place)); return;
    case 'p':
    case 'q':
    case 'r':
    case 'b': take_bytes(visit, field, place); return;
    default: fail(visit);
  }
}

static void take_structure(struct visit *visit, uint8_t *structure, struct walk walk);

/* The structures within a field, which there were already when they were sent. */
static void take_within(struct visit *visit, const struct field *field, uint8_t *place) {
  struct pointed pointed = {place, 1};
  if (field->letter != '{' && !look(visit, field, place, &pointed)) fail(visit);
  if (pointed.at == NULL) return;
  if (pointed.length > WIRE_STRUCTURES_MAX) fail(visit);
  size_t size = structure_size(field->within);
  for (CK_ULONG i = 0; i < pointed.length && !visit->call->reader.failed; i++)
    take_structure(visit, pointed.at + i * size, walk_begin(field->within));
}

static void take_structure(struct visit *visit, uint8_t *structure, struct walk walk) {
  struct field field;
  while (!visit->call->reader.failed && next_field(&walk, &field)) {
    if (field.mark != 0)
      take_value(visit, &field, structure + field.at);
    else if (field.within != NULL)
      take_within(visit, &field, structure + field.at);
  }
}

void take_back(struct call *call) {
  struct visit visit = {call, 0};
  read_exactly(&call->reader, "W");
  if (call->parameter.structure == NULL) fail(&visit);
  if (!call->reader.failed)
    take_structure(&visit, call->parameter.structure, walk_begin(call->parameter.layout));
  if (!read_to_end(&call->reader)) call_malformed(call);
}
