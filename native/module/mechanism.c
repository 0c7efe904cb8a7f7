#include "mechanism.h"

#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "module.h"
#include "wire.h"

#define PLAIN_MAX (64u << 10)
#define LAYOUTS_MAX 4096
#define LAYOUT_LENGTH_MAX 63

#define UNFIT "a pointer of the parameter is NULL and its length is not 0, or the length cannot be"

enum form { FORM_NONE = 0, FORM_PLAIN = 1, FORM_VALUES = 2, FORM_NULL = 3 };

struct parameter_layout {
  CK_MECHANISM_TYPE type;
  size_t size;
  char layout[LAYOUT_LENGTH_MAX + 1];
};

void get_layouts(struct call *call, struct parameter_layouts *layouts) {
  if (!call_is_well(call)) return;
  uint32_t count = read_u32(&call->reader);
  if (call->reader.failed || count > LAYOUTS_MAX) {
    call_malformed(call);
    return;
  }
  struct parameter_layout *rows = calloc(count + 1u, sizeof *rows);
  if (rows == NULL) {
    call_fail(call, CKR_HOST_MEMORY, "no memory for the layouts");
    return;
  }
  for (uint32_t i = 0; i < count; i++) {
    size_t length;
    rows[i].type = read_u64(&call->reader);
    const uint8_t *text = read_bytes(&call->reader, &length);
    if (text == NULL || length > LAYOUT_LENGTH_MAX)
      call->reader.failed = true;
    else
      memcpy(rows[i].layout, text, length);
    rows[i].size = layout_size(rows[i].layout);
  }
  layouts->rows = rows;
  layouts->count = count;
  if (call->reader.failed) call_malformed(call);
}

void layouts_free(struct parameter_layouts *layouts) {
  struct parameter_layout *rows = layouts->rows;
  layouts->count = 0;
  layouts->rows = NULL;
  free(rows);
}

/* The layout of a mechanism's parameter of this length; NULL: plain bytes. */
static const char *layout_of(CK_MECHANISM_TYPE type, CK_ULONG length) {
  const struct parameter_layouts *layouts = &module.layouts;
  for (size_t i = 0; i < layouts->count; i++)
    if (layouts->rows[i].type == type)
      return layouts->rows[i].size == length && length > 0 ? layouts->rows[i].layout : NULL;
  return NULL;
}

static CK_ULONG ulong_at(const uint8_t *bytes) {
  CK_ULONG value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

static const void *pointer_at(const uint8_t *bytes) {
  const void *pointer;
  memcpy(&pointer, bytes, sizeof pointer);
  return pointer;
}

/* A pointer and its length within a parameter. */
static void put_pointed(struct call *call, const void *bytes, CK_ULONG length) {
  if (length > WIRE_BODY_MAX || (bytes == NULL && length > 0))
    call_fail(call, CKR_MECHANISM_PARAM_INVALID, UNFIT);
  else
    message_bytes(&call->message, bytes, length);
}

static void put_values(struct call *call, const uint8_t *structure, const char *layout) {
  struct walk walk = {layout, 0, 1};
  struct field field;
  while (call_is_well(call) && next_field(&walk, &field)) {
    const uint8_t *at = structure + field.at, *after = at + sizeof(CK_ULONG);
    switch (field.letter) {
      case 'u': message_u64(&call->message, ulong_at(at)); break;
      case 'p': put_pointed(call, pointer_at(at), ulong_at(after)); break;
      case 'q': put_pointed(call, pointer_at(after), ulong_at(at)); break;
      default: message_raw(&call->message, at, field.size);
    }
  }
}

static void put_plain(struct call *call, const void *parameter, CK_ULONG length) {
  if (length > PLAIN_MAX || (parameter == NULL && length > 0)) {
    call_fail(call, CKR_MECHANISM_PARAM_INVALID, UNFIT);
    return;
  }
  message_u8(&call->message, parameter == NULL || length == 0 ? FORM_NONE : FORM_PLAIN);
  if (length > 0) message_bytes(&call->message, parameter, length);
}

void put_mechanism(struct call *call, const CK_MECHANISM *mechanism) {
  if (!call_is_well(call)) return;
  if (mechanism == NULL) {
    message_u64(&call->message, 0);
    message_u8(&call->message, FORM_NULL);
    return;
  }
  CK_ULONG length = mechanism->ulParameterLen;
  const char *layout = layout_of(mechanism->mechanism, length);
  message_u64(&call->message, mechanism->mechanism);
  if (layout == NULL || mechanism->pParameter == NULL) {
    put_plain(call, mechanism->pParameter, length);
    return;
  }
  message_u8(&call->message, FORM_VALUES);
  put_values(call, mechanism->pParameter, layout);
}

void put_parameter(struct call *call, const char *name, const void *parameter, CK_ULONG length) {
  if (parameter == NULL && length > 0)
    call_refuse(call, CKR_ARGUMENTS_BAD, name, "is NULL and its length is not 0");
  if (call_is_well(call)) put_plain(call, parameter, length);
}

void get_parameter(struct call *call, void *parameter, CK_ULONG length) {
  if (!call_is_well(call)) return;
  uint8_t form = read_u8(&call->reader);
  size_t given = 0;
  const uint8_t *bytes = form == FORM_PLAIN ? read_bytes(&call->reader, &given) : NULL;
  if (form > FORM_PLAIN || call->reader.failed || given > length)
    call_malformed(call);
  else if (given > 0)
    memcpy(parameter, bytes, given);
}

/* One value of a structure; p and q do not come from the service. */
static void get_value(struct reader *reader, const struct field *field, uint8_t *to) {
  if (field->letter == 'u') {
    CK_ULONG value = read_u64(reader);
    memcpy(to, &value, sizeof value);
    return;
  }
  const uint8_t *bytes = read_raw(reader, field->size);
  if (bytes != NULL) memcpy(to, bytes, field->size);
}

void get_structure(struct call *call, void *structure, size_t size, const char *layout) {
  if (!call_is_well(call)) return;
  struct walk walk = {layout, 0, 1};
  struct field field;
  memset(structure, 0, size);
  while (next_field(&walk, &field)) get_value(&call->reader, &field, (uint8_t *)structure + field.at);
  if (call->reader.failed) call_malformed(call);
}
