#include "mechanism.h"

#include <stdlib.h>
#include <string.h>

#include "marshal.h"
#include "module.h"
#include "parameter.h"
#include "wire.h"

#define PLAIN_MAX (64u << 10)
#define LAYOUTS_MAX 4096

enum form { FORM_NONE = 0, FORM_PLAIN = 1, FORM_VALUES = 2, FORM_NULL = 3 };

struct parameter_layout {
  CK_MECHANISM_TYPE type;
  enum parameter_use use;
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
    rows[i].use = read_u8(&call->reader);
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

static const struct parameter_layout *find_layout(CK_MECHANISM_TYPE type, enum parameter_use use) {
  const struct parameter_layouts *layouts = &module.layouts;
  for (size_t i = 0; i < layouts->count; i++)
    if (layouts->rows[i].type == type && layouts->rows[i].use == use) return &layouts->rows[i];
  return NULL;
}

/* The layout of a parameter of this length; NULL: plain bytes. */
static const char *layout_of(CK_MECHANISM_TYPE type, enum parameter_use use, CK_ULONG length) {
  const struct parameter_layout *row = find_layout(type, use);
  if (row == NULL) row = find_layout(type, USE_MECHANISM);
  return row != NULL && row->size == length && length > 0 ? row->layout : NULL;
}

static void put_plain(struct call *call, const void *parameter, CK_ULONG length) {
  if (length > PLAIN_MAX || (parameter == NULL && length > 0)) {
    call_fail(call, CKR_MECHANISM_PARAM_INVALID, "the parameter is NULL and its length is not 0, or it is too long");
    return;
  }
  message_u8(&call->message, parameter == NULL || length == 0 ? FORM_NONE : FORM_PLAIN);
  if (length > 0) message_bytes(&call->message, parameter, length);
}

static void put_typed(struct call *call, enum parameter_use use, CK_MECHANISM mechanism) {
  const char *layout = layout_of(mechanism.mechanism, use, mechanism.ulParameterLen);
  message_u64(&call->message, mechanism.mechanism);
  if (layout == NULL || mechanism.pParameter == NULL) {
    put_plain(call, mechanism.pParameter, mechanism.ulParameterLen);
    return;
  }
  message_u8(&call->message, FORM_VALUES);
  put_values(call, mechanism.pParameter, layout);
}

void put_mechanism(struct call *call, enum parameter_use use, const CK_MECHANISM *mechanism) {
  if (!call_is_well(call)) return;
  if (mechanism == NULL) {
    message_u64(&call->message, 0);
    message_u8(&call->message, FORM_NULL);
    return;
  }
  put_typed(call, use, *mechanism);
}

void put_parameter(struct call *call, enum message_operation operation, const char *name,
                   void *parameter, CK_ULONG length) {
  if (parameter == NULL && length > 0)
    call_refuse(call, CKR_ARGUMENTS_BAD, name, "is NULL and its length is not 0");
  if (!call_is_well(call)) return;
  CK_MECHANISM_TYPE type = message_mechanism(call->exchange.session, operation);
  put_typed(call, USE_MESSAGE, (CK_MECHANISM){type, parameter, length});
}

void want_key(struct call *call, const char *name, const CK_ULONG *key) {
  if (!layout_is_keyless(call->parameter.layout)) want(call, name, key);
}

void get_key(struct call *call, CK_ULONG_PTR key) {
  CK_ULONG none;
  get_ulong(call, key == NULL ? &none : key);
}

/* One value of a structure that tells something: u, or bytes in place. */
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
  struct walk walk = walk_begin(layout);
  struct field field;
  memset(structure, 0, size);
  while (next_field(&walk, &field)) get_value(&call->reader, &field, (uint8_t *)structure + field.at);
  if (call->reader.failed) call_malformed(call);
}
