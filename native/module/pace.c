#include "pace.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "wire.h"

#define DIGITS_MAX 9

bool pace_of_application(uint64_t *pace) {
  const char *text = secure_getenv("SOFTOKI_SURRENDER_MS");
  *pace = WIRE_PACE_NONE;
  if (text == NULL || *text == 0) return true;

  size_t digits = strspn(text, "0123456789");
  bool is_number = text[digits] == 0 && digits <= DIGITS_MAX;
  if (is_number) *pace = strtoull(text, NULL, 10);
  if (is_number && *pace <= WIRE_PACE_MAX) return true;
  complain("SOFTOKI_SURRENDER_MS is \"%s\": give milliseconds from 0 to %d", text, WIRE_PACE_MAX);
  return false;
}
