/*
 * Uses the module where no service runs yet, with a file open that no other program is to inherit.
 * usage: autostart MODULE FILE
 */
#include <fcntl.h>

#include "program.h"

int main(int argc, char **argv) {
  CK_SLOT_ID slots[16];
  CK_ULONG count = COUNT(slots);
  CHECK(argc == 3 && open(argv[2], O_RDWR | O_CREAT, 0600) >= 0);
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  puts("ready");
  fflush(stdout);
  while (getchar() != EOF) continue;
  ANSWERS(p11->C_GetSlotList(CK_FALSE, slots, &count), CKR_OK);
  CHECK(count > 0);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
