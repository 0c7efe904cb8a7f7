/* A shared object that uses the module in its destructor, as providers and engines do. */
#include "../module/check.h"

static CK_FUNCTION_LIST *kept;

__attribute__((visibility("default"))) void keep(CK_FUNCTION_LIST *p11);

void keep(CK_FUNCTION_LIST *p11) {
  kept = p11;
}

/* The module's own destructor may have run before: then Cryptoki is not initialized any more. */
__attribute__((destructor)) static void unloaded(void) {
  CK_INFO info;
  if (kept == NULL) return;
  CK_RV rv = kept->C_GetInfo(&info);
  if (rv != CKR_OK) ANSWERS(rv, CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(kept->C_Finalize(NULL), rv);
  CHECK(write(STDOUT_FILENO, "finalized\n", 10) == 10);
}
