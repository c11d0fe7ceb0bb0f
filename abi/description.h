/* Open file descriptions (calls 110-123). */
#ifndef ABI_DESCRIPTION_H
#define ABI_DESCRIPTION_H
#include "abi/types.h"

enum description_kind {
	DESCRIPTION_PLACE,   /* a memory object and a cursor */
	DESCRIPTION_FLOW,    /* channel ends: in, out or both */
	DESCRIPTION_SERVICE, /* each read and write is a call on the control port */
	DESCRIPTION_ZERO,    /* reads as zero for ever, swallows writes (/dev/zero) */
	DESCRIPTION_NULL,    /* reads as end of file, swallows writes (/dev/null) */
	DESCRIPTION_FULL,    /* reads as zero, writes fail with ENOSPC (/dev/full) */
	DESCRIPTION_EVENT,   /* an event of kind EVENT_COUNTER: 8-byte reads take its value (or wait), 8-byte writes add (eventfd) */
	DESCRIPTION_TIMER,   /* a timer: 8-byte reads take its expirations (or wait); timer_set and timer_get take the description's handle */
	DESCRIPTION_LIBRARY, /* reads and writes are the personality's own: here they fail with EACCES, which reflects routed calls; an event tells readiness */
	DESCRIPTION_LINK,    /* a flow of segments or messages whose ends may come later: abi/link.h */
	DESCRIPTION_CHANNEL, /* ends of packet channels: in, out or both; each write and read is one packet */
};

/* Status flags */
#define DESCRIPTION_APPEND 0x1u
#define DESCRIPTION_NON_BLOCKING 0x2u
#define DESCRIPTION_INTERRUPTIBLE 0x4u /* service calls wait interruptibly (terminals); else killably */
#define DESCRIPTION_SEEKABLE 0x8u      /* services: keep a cursor; else offset -1 is sent and seek fails with ESPIPE */
#define DESCRIPTION_NO_IO 0x10u        /* services: read and write fail with EISDIR (directories) */
#define DESCRIPTION_SEMAPHORE 0x20u    /* events: a read takes 1, not all */
#define DESCRIPTION_PACKETS 0x40u      /* flows of bytes: each write of up to a page is a packet, which one read takes, losing what does not fit */

/* description_pwrite: at the end, whatever the flags say; the cursor stays */
#define DESCRIPTION_OFFSET_END INT64_MIN

struct description_request {
	uint32_t kind;
	uint32_t flags;
	int32_t memobj;   /* place */
	int32_t sender, receiver; /* flow: either may be HANDLE_NONE; their references move into the description */
	int32_t control;  /* client port to the server's open object, or HANDLE_NONE */
	int32_t event;    /* service, library: an event of kind EVENT_MASK that tells readiness; HANDLE_NONE: always ready. event: the counter. timer: the timer */
	uint32_t rights;  /* RIGHT_READ, RIGHT_WRITE of the resulting handle; others are added */
	uint64_t cookie;  /* a word for the library on the other side (FILE_KIND_* of the file protocol) */
	uint64_t limit;   /* place: greatest size writes may make; 0 none. channel: nanoseconds that non-blocking reads and writes wait. library: a word that description_set_limit changes */
};

struct description_info {
	uint32_t kind;
	uint32_t flags;
	uint64_t cookie;
	int64_t cursor;     /* flow: bytes read of the stream so far, of a flow without receiver: written to it */
	uint32_t ready;
	uint32_t rights;
	uint64_t identity;
	uint64_t available; /* flow: bytes waiting to be read, of either end (FIONREAD); place: bytes from the cursor to the end */
	uint64_t capacity;  /* flow: bytes the channel can hold */
	uint64_t limit;     /* as created or set */
	uint64_t content;   /* the same for two descriptions of one memory object or channel, else different while both live; 0: neither */
};
#endif
