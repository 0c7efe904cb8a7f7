/* Templates and parameters that cannot travel. */
#include "check.h"

static CK_FUNCTION_LIST *p11;

static CK_RV find(CK_ATTRIBUTE *attributes, CK_ULONG count) {
  return p11->C_FindObjectsInit(1, attributes, count);
}

static CK_RV read_values(CK_ATTRIBUTE *attributes, CK_ULONG count) {
  return p11->C_GetAttributeValue(1, 1, attributes, count);
}

static void templates(void) {
  static CK_ATTRIBUTE many[1025];
  char byte = 0;
  ANSWERS(find(NULL, 1), CKR_ARGUMENTS_BAD);
  ANSWERS(find(many, 1025), CKR_ARGUMENTS_BAD);
  ANSWERS(read_values(NULL, 1), CKR_ARGUMENTS_BAD);
  ANSWERS(read_values(many, 1025), CKR_ARGUMENTS_BAD);

  CK_ATTRIBUTE without_value = {CKA_LABEL, NULL, 1};
  ANSWERS(find(&without_value, 1), CKR_ATTRIBUTE_VALUE_INVALID);
  CK_ATTRIBUTE unavailable = {CKA_LABEL, &byte, CK_UNAVAILABLE_INFORMATION};
  ANSWERS(find(&unavailable, 1), CKR_ATTRIBUTE_VALUE_INVALID);
  CK_ATTRIBUTE uneven = {CKA_WRAP_TEMPLATE, many, sizeof *many + 1};
  ANSWERS(find(&uneven, 1), CKR_ATTRIBUTE_VALUE_INVALID);
  ANSWERS(read_values(&uneven, 1), CKR_ARGUMENTS_BAD);
  CK_ATTRIBUTE crowded = {CKA_WRAP_TEMPLATE, many, sizeof many};
  ANSWERS(find(&crowded, 1), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void depth(void) {
  CK_ATTRIBUTE nested[9];
  for (int i = 0; i < 8; i++)
    nested[i] = (CK_ATTRIBUTE){CKA_DERIVE_TEMPLATE, &nested[i + 1], sizeof *nested};
  nested[8] = (CK_ATTRIBUTE){CKA_LABEL, "x", 1};
  ANSWERS(find(nested, 1), CKR_ATTRIBUTE_VALUE_INVALID);
  CK_ATTRIBUTE itself = {CKA_DERIVE_TEMPLATE, &itself, sizeof itself};
  ANSWERS(find(&itself, 1), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void breadth(void) {
  static CK_ATTRIBUTE outer[1024], inner[1024];
  for (int i = 0; i < 1024; i++) {
    outer[i] = (CK_ATTRIBUTE){CKA_WRAP_TEMPLATE, inner, sizeof inner};
    inner[i] = (CK_ATTRIBUTE){CKA_LABEL, "", 0};
  }
  ANSWERS(find(outer, 1024), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void too_long(void) {
  static CK_BYTE value[12 << 20];
  CK_ATTRIBUTE two[] = {{CKA_VALUE, value, sizeof value}, {CKA_VALUE, value, sizeof value}};
  ANSWERS(find(two, 2), CKR_HOST_MEMORY);
  ANSWERS(p11->C_SeedRandom(1, value, 17 << 20), CKR_HOST_MEMORY);
}

static void parameters(void) {
  static CK_BYTE bytes[(64 << 10) + 1];
  CK_MECHANISM missing = {CKM_AES_CBC, NULL, 16}, long_one = {CKM_AES_CBC, bytes, sizeof bytes};
  ANSWERS(p11->C_DigestInit(1, &missing), CKR_MECHANISM_PARAM_INVALID);
  ANSWERS(p11->C_DigestInit(1, &long_one), CKR_MECHANISM_PARAM_INVALID);

  CK_GCM_PARAMS gcm = {NULL, 12, 96, bytes, 0, 128};
  CK_MECHANISM without_iv = {CKM_AES_GCM, &gcm, sizeof gcm};
  ANSWERS(p11->C_DigestInit(1, &without_iv), CKR_MECHANISM_PARAM_INVALID);
  gcm.pIv = bytes;
  gcm.ulAADLen = CK_UNAVAILABLE_INFORMATION;
  ANSWERS(p11->C_DigestInit(1, &without_iv), CKR_MECHANISM_PARAM_INVALID);
}

int main(int count, char **arguments) {
  CHECK(count == 2);
  p11 = functions_of(load(arguments[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  templates();
  depth();
  breadth();
  too_long();
  parameters();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
