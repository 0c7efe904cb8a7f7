/*
 * The plain kinds of arguments, into the message and out of the answer. A pointer that must not be
 * NULL and is: CKR_ARGUMENTS_BAD. `name` is the argument's. The letters are those of docs/WIRE.md.
 */
#ifndef SOFTOKI_MARSHAL_H
#define SOFTOKI_MARSHAL_H

#include "call.h"

void want(struct call *call, const char *name, const void *pointer);
void want_null(struct call *call, const char *name, const void *pointer);

void put_session(struct call *call, CK_SESSION_HANDLE session);
void put_ulong(struct call *call, CK_ULONG value);
void put_bool(struct call *call, CK_BBOOL value);
void put_bytes(struct call *call, const char *name, const CK_BYTE *bytes, CK_ULONG length);
void put_data(struct call *call, const char *name, const CK_BYTE *data, CK_ULONG length);
void put_text(struct call *call, const char *name, const CK_UTF8CHAR *text);
void put_label(struct call *call, const char *name, const CK_UTF8CHAR *label);
/* Here the name is that of the length, which alone must not be NULL. */
void put_room(struct call *call, const char *name, CK_BYTE_PTR room, CK_ULONG_PTR length);
/* The room of C_SignMessageNext: given where `length` is; with NULL more data follow. */
void put_last_room(struct call *call, CK_BYTE_PTR room, const CK_ULONG *length);
void put_fill(struct call *call, const char *name, CK_BYTE_PTR room, CK_ULONG length);
void put_list(struct call *call, const char *name, CK_ULONG_PTR list, CK_ULONG_PTR count);
void put_found(struct call *call, const char *name, const CK_ULONG *found, CK_ULONG most);

void get_ulong(struct call *call, CK_ULONG_PTR value);
void get_room(struct call *call, CK_BYTE_PTR room, CK_ULONG_PTR length);
/* A filled of any form but 0, into room for `most` bytes; false where it is malformed. */
bool get_filled(struct call *call, uint8_t form, CK_BYTE_PTR room, size_t most, size_t *filled);
void get_last_room(struct call *call, CK_BYTE_PTR room, CK_ULONG_PTR length);
void get_fill(struct call *call, CK_BYTE_PTR room, CK_ULONG length);
void get_list(struct call *call, CK_ULONG_PTR list, CK_ULONG_PTR count);
void get_found(struct call *call, CK_ULONG_PTR found, CK_ULONG most, CK_ULONG_PTR count);

#endif
