/*
 * The functions of the Baseline Provider that no application hands on, since the module answers them
 * itself: C_GetFunctionList, C_GetInterfaceList and C_GetInterface, and what C_GetInfo tells beside them.
 * usage: interfaces MODULE
 */
#include "../module/check.h"

typedef CK_RV (*get_interface_list)(CK_INTERFACE *, CK_ULONG *);
typedef CK_RV (*get_interface)(CK_UTF8CHAR *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS);

static void *symbol(void *library, const char *name) {
  void *found = dlsym(library, name);
  CHECK(found != NULL);
  return found;
}

/* Every interface of the list is found by its name and version, and the first of them by nothing. */
static void check_found(get_interface get, const CK_INTERFACE *list, CK_ULONG count) {
  CK_INTERFACE *found;
  CK_VERSION none = {1, 99};
  for (CK_ULONG i = 0; i < count; i++) {
    CK_VERSION version = *(CK_VERSION *)list[i].pFunctionList;
    ANSWERS(get(list[i].pInterfaceName, &version, &found, list[i].flags), CKR_OK);
    CHECK(found->pFunctionList == list[i].pFunctionList);
  }
  ANSWERS(get(NULL, NULL, &found, 0), CKR_OK);
  CHECK(found->pFunctionList == list[0].pFunctionList);
  CHECK(get((CK_UTF8CHAR *)"PKCS 11", &none, &found, 0) != CKR_OK);
  CHECK(get((CK_UTF8CHAR *)"Another", NULL, &found, 0) != CKR_OK);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  void *library = load(argv[1]);
  get_interface_list list = NULL;
  get_interface get = NULL;
  *(void **)&list = symbol(library, "C_GetInterfaceList");
  *(void **)&get = symbol(library, "C_GetInterface");

  CK_INTERFACE interfaces[8];
  CK_ULONG count = 0;
  ANSWERS(list(NULL, &count), CKR_OK);
  CHECK(count > 0 && count <= 8);
  CK_ULONG less = count - 1;
  ANSWERS(list(interfaces, &less), CKR_BUFFER_TOO_SMALL);
  CHECK(less == count);
  ANSWERS(list(interfaces, &count), CKR_OK);
  check_found(get, interfaces, count);

  CK_FUNCTION_LIST *functions = functions_of(library);
  printf("{\"functionList\":\"%d.%d\"}\n", functions->version.major, functions->version.minor);
  printf("{\"interfaces\":[");
  for (CK_ULONG i = 0; i < count; i++) {
    CK_VERSION *version = interfaces[i].pFunctionList;
    printf("%s[\"%s\",\"%d.%d\"]", i > 0 ? "," : "", (char *)interfaces[i].pInterfaceName,
           version->major, version->minor);
  }
  printf("]}\n");

  CK_INFO info;
  ANSWERS(functions->C_Initialize(NULL), CKR_OK);
  ANSWERS(functions->C_GetInfo(&info), CKR_OK);
  printf("{\"cryptoki\":\"%d.%d\"}\n", info.cryptokiVersion.major, info.cryptokiVersion.minor);
  ANSWERS(functions->C_Finalize(NULL), CKR_OK);
  return 0;
}
