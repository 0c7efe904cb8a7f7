#include "template.h"

#include <string.h>

#include "wire.h"

#define UNFIT "an attribute's pValue is NULL, or its length cannot be"

enum value_form { VALUE_BYTES = 0, VALUE_NESTED = 1 };
enum query_form { QUERY_LENGTH = 0, QUERY_ROOM = 1, QUERY_NESTED = 2 };
enum answer_form { ANSWER_NONE = 0, ANSWER_BYTES = 1, ANSWER_NESTED = 2 };

/* The attributes whose value is an array of attributes; two have a second number in later drafts. */
static bool is_nested(CK_ATTRIBUTE_TYPE type) {
  switch (type) {
    case CKA_WRAP_TEMPLATE:
    case CKA_UNWRAP_TEMPLATE:
    case CKA_DERIVE_TEMPLATE:
    case CKA_ENCAPSULATE_TEMPLATE:
    case CKA_DECAPSULATE_TEMPLATE:
    case CKA_ENCAPSULATE_TEMPLATE | CKF_ARRAY_ATTRIBUTE:
    case CKA_DECAPSULATE_TEMPLATE | CKF_ARRAY_ATTRIBUTE: return true;
    default: return false;
  }
}

/* Whether the value of an attribute at `depth` may be an array, and counts what it holds. */
static bool takes_array(struct call *call, const CK_ATTRIBUTE *attribute, int depth) {
  CK_ULONG count = attribute->ulValueLen / sizeof *attribute;
  if (attribute->ulValueLen % sizeof *attribute != 0 || count > WIRE_ATTRIBUTES_MAX) return false;
  call->attributes += count;
  return depth < WIRE_DEPTH_MAX && call->attributes <= WIRE_ATTRIBUTES_TOTAL_MAX;
}

static bool want_attributes(struct call *call, const char *name, const CK_ATTRIBUTE *attributes,
                            CK_ULONG count) {
  if (attributes == NULL && count > 0)
    call_refuse(call, CKR_ARGUMENTS_BAD, name, "is NULL and its count is not 0");
  else if (count > WIRE_ATTRIBUTES_MAX)
    call_refuse(call, CKR_ARGUMENTS_BAD, name, "has too many attributes");
  call->attributes += count;
  return call_is_well(call);
}

static void put_attributes(struct call *call, const CK_ATTRIBUTE *attributes, CK_ULONG count,
                           int depth);

static void put_attribute(struct call *call, const CK_ATTRIBUTE *attribute, int depth) {
  bool nested = is_nested(attribute->type);
  CK_ULONG length = attribute->ulValueLen;
  if ((attribute->pValue == NULL && length > 0) || length > WIRE_BODY_MAX ||
      (nested && !takes_array(call, attribute, depth))) {
    call_fail(call, CKR_ATTRIBUTE_VALUE_INVALID, UNFIT);
    return;
  }
  message_u64(&call->message, attribute->type);
  message_u8(&call->message, nested ? VALUE_NESTED : VALUE_BYTES);
  if (nested)
    put_attributes(call, attribute->pValue, length / sizeof *attribute, depth + 1);
  else
    message_bytes(&call->message, length == 0 ? "" : attribute->pValue, length);
}

static void put_attributes(struct call *call, const CK_ATTRIBUTE *attributes, CK_ULONG count,
                           int depth) {
  message_u32(&call->message, (uint32_t)count);
  for (CK_ULONG i = 0; i < count && call_is_well(call); i++)
    put_attribute(call, &attributes[i], depth);
}

void put_template(struct call *call, const char *name, const CK_ATTRIBUTE *attributes,
                  CK_ULONG count) {
  if (want_attributes(call, name, attributes, count)) put_attributes(call, attributes, count, 1);
}

/*
 * The type of an attribute within an array is the service's to tell (PKCS #11 3.2, 5.7.5: ignored on
 * input, set on output), so none of them is read, and none is taken for an array itself.
 */
static void put_queries_within(struct call *call, const CK_ATTRIBUTE *attributes, CK_ULONG count) {
  message_u32(&call->message, (uint32_t)count);
  for (CK_ULONG i = 0; i < count; i++) {
    bool given = attributes[i].pValue != NULL;
    message_u64(&call->message, 0);
    message_u8(&call->message, given ? QUERY_ROOM : QUERY_LENGTH);
    if (given) message_u64(&call->message, attributes[i].ulValueLen);
  }
}

static void put_one_query(struct call *call, const CK_ATTRIBUTE *attribute) {
  bool given = attribute->pValue != NULL, nested = given && is_nested(attribute->type);
  message_u64(&call->message, attribute->type);
  message_u8(&call->message, nested ? QUERY_NESTED : given ? QUERY_ROOM : QUERY_LENGTH);
  if (nested && !takes_array(call, attribute, 1))
    call_fail(call, CKR_ARGUMENTS_BAD, UNFIT);
  else if (nested)
    put_queries_within(call, attribute->pValue, attribute->ulValueLen / sizeof *attribute);
  else if (given)
    message_u64(&call->message, attribute->ulValueLen);
}

void put_query(struct call *call, const char *name, const CK_ATTRIBUTE *attributes,
               CK_ULONG count) {
  if (!want_attributes(call, name, attributes, count)) return;
  message_u32(&call->message, (uint32_t)count);
  for (CK_ULONG i = 0; i < count && call_is_well(call); i++) put_one_query(call, &attributes[i]);
}

/* Bytes for an attribute with room for them; false where they do not fit. */
static bool get_value(struct reader *reader, const CK_ATTRIBUTE *attribute, CK_ULONG length) {
  size_t filled;
  const uint8_t *bytes = read_bytes(reader, &filled);
  if (reader->failed || attribute->pValue == NULL || filled != length ||
      filled > attribute->ulValueLen)
    return false;
  if (filled > 0) memcpy(attribute->pValue, bytes, filled);
  return true;
}

/* Answers within an array, at most as many as there were queries. */
static bool get_answers_within(struct reader *reader, const CK_ATTRIBUTE *array) {
  CK_ATTRIBUTE *attributes = array->pValue;
  uint32_t count = read_u32(reader);
  if (reader->failed || attributes == NULL || count > array->ulValueLen / sizeof *attributes)
    return false;
  for (uint32_t i = 0; i < count; i++) {
    CK_ATTRIBUTE *attribute = &attributes[i];
    CK_ATTRIBUTE_TYPE type = read_u64(reader);
    CK_ULONG length = read_u64(reader);
    uint8_t form = read_u8(reader);
    if (form > ANSWER_BYTES || reader->failed) return false;
    if (form == ANSWER_BYTES && !get_value(reader, attribute, length)) return false;
    attribute->type = type;
    attribute->ulValueLen = length;
  }
  return true;
}

/* One answer into the attribute it was asked with; false where the two do not fit. */
static bool get_answer(struct reader *reader, CK_ATTRIBUTE *attribute) {
  bool nested = is_nested(attribute->type), fits;
  if (read_u64(reader) != attribute->type) return false;
  CK_ULONG length = read_u64(reader);
  switch (read_u8(reader)) {
    case ANSWER_NONE: fits = true; break;
    case ANSWER_BYTES: fits = !nested && get_value(reader, attribute, length); break;
    case ANSWER_NESTED: fits = nested && get_answers_within(reader, attribute); break;
    default: fits = false;
  }
  if (fits && !reader->failed) attribute->ulValueLen = length;
  return fits && !reader->failed;
}

static bool get_answers(struct reader *reader, CK_ATTRIBUTE *attributes, CK_ULONG count) {
  if (read_u32(reader) != count) return false;
  for (CK_ULONG i = 0; i < count; i++)
    if (!get_answer(reader, &attributes[i])) return false;
  return true;
}

void get_query(struct call *call, CK_ATTRIBUTE *attributes, CK_ULONG count) {
  if (!call_is_well(call)) return;
  bool fit = get_answers(&call->reader, attributes, count);
  CK_RV rv = read_u64(&call->reader);
  if (!fit || !read_to_end(&call->reader))
    call_malformed(call);
  else if (rv != CKR_OK)
    call_fail(call, rv, NULL);
}
