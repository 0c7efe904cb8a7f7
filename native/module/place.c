#include "place.h"

#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define SOCKET_NAME "/service.sock"

/* A variable that is set and not empty; none in a set-uid program. */
static const char *variable(const char *name) {
  const char *value = secure_getenv(name);
  return value != NULL && *value != 0 ? value : NULL;
}

/* Writes `start` and `end` one after the other; false where they do not fit in PATH_MAX. */
static bool join(char path[PATH_MAX], const char *start, const char *end) {
  return snprintf(path, PATH_MAX, "%s%s", start, end) < PATH_MAX;
}

static bool users_home(char home[PATH_MAX]) {
  struct passwd entry, *found = NULL;
  char text[4096];
  const char *given = variable("HOME");
  if (given != NULL) return join(home, given, "");
  if (getpwuid_r(geteuid(), &entry, text, sizeof text, &found) != 0 || found == NULL) return false;
  return join(home, found->pw_dir, "");
}

static void drop_slashes(char *path) {
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/') path[--length] = 0;
}

static bool home_of_service(char home[PATH_MAX]) {
  const char *own = variable("SOFTOKI_HOME"), *data = variable("XDG_DATA_HOME");
  if (own != NULL) {
    bool fits = *own == '/' && join(home, own, "");
    if (fits) drop_slashes(home);
    if (!fits) complain("SOFTOKI_HOME is \"%s\": set it to an absolute path", own);
    return fits;
  }
  if (data != NULL && *data == '/' && join(home, data, "/softoki")) return true;

  char users[PATH_MAX];
  bool found = users_home(users) && join(home, users, "/.local/share/softoki");
  if (!found) complain("no folder for the tokens: set SOFTOKI_HOME to an absolute path");
  return found;
}

/* FNV-1a of 64 bits. */
static uint64_t hash_of(const char *text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (; *text != 0; text++) hash = (hash ^ (uint8_t)*text) * 0x100000001b3;
  return hash;
}

/* The place for a home whose path is too long for the address of a socket. */
static bool short_place(char path[PATH_MAX], const char *home) {
  char folder[PATH_MAX];
  const char *temporary = variable("TMPDIR");
  if (!join(folder, temporary != NULL ? temporary : "/tmp", "")) return false;
  drop_slashes(folder);
  return snprintf(path, PATH_MAX, "%s/softoki-%ju/%016" PRIx64 ".sock", folder,
                  (uintmax_t)geteuid(), hash_of(home)) < PATH_MAX;
}

bool place_of_service(struct sockaddr_un *address) {
  char home[PATH_MAX], path[PATH_MAX];
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (!home_of_service(home)) return false;
  bool fits = join(path, home, SOCKET_NAME) && strlen(path) < sizeof address->sun_path;
  if (!fits) fits = short_place(path, home) && strlen(path) < sizeof address->sun_path;
  if (!fits) {
    complain("the path of the socket is too long: set SOFTOKI_HOME or TMPDIR to a shorter folder");
    return false;
  }
  memcpy(address->sun_path, path, strlen(path));
  return true;
}

bool place_is_private(const struct sockaddr_un *address) {
  char folder[sizeof address->sun_path + 1] = "";
  struct stat status;
  memcpy(folder, address->sun_path, sizeof address->sun_path);
  *strrchr(folder, '/') = 0;
  return stat(folder, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
         (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}
