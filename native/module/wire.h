/* The numbers of docs/WIRE.md. */
#ifndef SOFTOKI_WIRE_H
#define SOFTOKI_WIRE_H

#define WIRE_VERSION 0x53
#define WIRE_HEADER 12
#define WIRE_OPTIONS_MAX 4096
#define WIRE_BODY_MAX (16u << 20)

/* Data up to this many bytes travels with the call; one READ asks for no more than this. */
#define WIRE_DATA_MAX (1u << 20)

/* Where the data of a call is: with the application, in the call, or in a slot of the channel. */
#define WIRE_DATA_STAYS 0
#define WIRE_DATA_HERE 1
#define WIRE_DATA_LENT 2

/* Attributes in one array, and in all arrays of a message; arrays within arrays; bytes of a text. */
#define WIRE_ATTRIBUTES_MAX 1024
#define WIRE_ATTRIBUTES_TOTAL_MAX 16384
#define WIRE_DEPTH_MAX 8
#define WIRE_TEXT_MAX 4096

/* Structures within a parameter: in one array, within each other; bytes of all that is only written. */
#define WIRE_STRUCTURES_MAX 256
#define WIRE_STRUCTURES_DEEP_MAX 4
#define WIRE_WRITTEN_MAX (64u << 10)
#define WIRE_NULL 0xffffffffu

/* What the service takes at once: calls, and bytes of their requests. */
#define WIRE_CALLS_MAX 1024
#define WIRE_REQUESTS_MAX (256u << 20)

/* Milliseconds between callbacks that an application may wish, and what tells that it wishes none. */
#define WIRE_PACE_MAX 3600000
#define WIRE_PACE_NONE UINT64_MAX

/* Indices of functions are below this. */
#define WIRE_FUNCTIONS_MAX 128

#define WIRE_CALL_ERROR 0u
#define WIRE_CALL_FIRST 0x53000000u
#define WIRE_CALL_SURRENDER 0x53010000u
#define WIRE_CALL_READ 0x53010001u
#define WIRE_CALL_PUT 0x53010002u
#define WIRE_CALL_BACK 0x53010004u
#define WIRE_CALL_TRACE 0x53010005u
#define WIRE_CALL_END 0x53010006u
#define WIRE_CALL_LENT 0x53010007u
#define WIRE_CALL_TAKE 0x53010008u
#define WIRE_CALL_OFFER 0x53030000u
#define WIRE_CALL_SHARE 0x53030001u

#endif
