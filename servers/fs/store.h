/*
 * The store: what a successor of this server goes on from. Fixed-size records in a memory object that the supervisor keeps, which outlives this process
 * as its handle table does (user/init/servers.c). Pure: no system calls but through store_handle_close.
 *
 * The tree, locks, FIFOs and watches live in ordinary memory; each has a record here, written from it. A request marks what it changes (stored_changed,
 * stored_gone), and store_commit, before the request is answered, brings all of it into the records as one step:
 *
 *   compose the changed records --> log of words --> "the log holds N words" --> words into the records --> "the log is empty"
 *                                                     ^ the step that counts: a successor does the rest again
 *
 * So a successor finds each request done or not done, wherever this process died. Handles of what is gone are closed after the commit only.
 * A request that changes more than the log holds (thousands of watches at once) becomes several steps.
 *
 * A record's first word is its seal: 0 while free, else its kind and a checksum of the other words. What does not check is not believed:
 * recovery (recover.c) drops and reports it. Open objects (opened.c) are written in place, without seal, at each open and close.
 */
#ifndef FS_STORE_H
#define FS_STORE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"

enum store_kind {
	STORE_NODE,
	STORE_NAME_SHORT, STORE_NAME, STORE_NAME_LONG, /* entries of directories, by length */
	STORE_TARGET, STORE_TARGET_LONG,               /* where symbolic links lead */
	STORE_OPENED, STORE_LOCK, STORE_FIFO, STORE_FIFO_FILE, STORE_QUEUE, STORE_WATCH,
	STORE_KINDS
};

/* Embedded in what has a record. All zero: it has none. */
struct stored {
	struct stored *next, **place; /* place: it is on the list of what has changed */
	uint32_t index;
	uint8_t kind;
	bool has_record;
};

/* memory: the state object, mapped. True: it holds the records of a predecessor. */
bool store_start(void *memory);
/* How words 1.. of a record are written from its owner; the rest of the record is zero before. */
typedef void store_compose(const struct stored *stored, uint64_t *words);
void store_set_composer(enum store_kind kind, store_compose *compose);

/* From now on records may be taken for so many bytes more, what they are records of included (store_cost); 0: no limit. */
void store_limit(uint64_t more);
/* Bytes that a record of the kind and its owner take, about. */
uint64_t store_cost(enum store_kind kind);
/* How many bytes there are before the limit. */
uint64_t store_room(void);
/* Gives it a record, and marks it changed. False: there is none left, the limit is reached, or no memory. */
bool stored_take(struct stored *stored, enum store_kind kind);
/* The same with the record number that the owner chose (nodes); it must be free. */
bool stored_take_at(struct stored *stored, enum store_kind kind, uint32_t index);
void stored_changed(struct stored *stored);
/* Its record is free from the next commit on; the structure may be freed now. */
void stored_gone(struct stored *stored);
/* Everything marked is in the records. Cheap when nothing is. */
void store_commit(void);
/* Closes a handle once what referred to it has left the records. */
void store_handle_close_later(handle_t handle);
/* Provided by content.c (and by the unit test). */
void store_handle_close(handle_t handle);

/* -- for recovery and for kinds that are written in place */
uint32_t store_capacity(enum store_kind kind);
size_t store_record_size(enum store_kind kind);
/* Records from this number on have never been used. */
uint32_t store_used(enum store_kind kind);
/* A record's words, the seal first. */
uint64_t *store_record(enum store_kind kind, uint32_t index);
enum store_check { STORE_FREE, STORE_GOOD, STORE_BAD };
enum store_check store_check(enum store_kind kind, uint32_t index);
/* A good record that has an owner again. */
void stored_adopt(struct stored *stored, enum store_kind kind, uint32_t index);
/* Recovery found nobody for it (or it is bad): free from the next commit on. */
void store_drop(enum store_kind kind, uint32_t index);
/* Which of the used records are free, after recovery has adopted or dropped all others: may be taken from now on. */
void store_collect_free(void);
/* Number index has been used (kinds written in place, nodes). */
void store_touch(enum store_kind kind, uint32_t index);
/* One word outside the records, with the next commit. */
enum store_word {
	STORE_FILLED,      /* the archive is in the tree; before, a successor begins anew */
	STORE_NEXT_INODE,  /* the number given last */
	STORE_REAL_OFFSET, /* real time - monotonic time */
	STORE_WORDS
};
uint64_t store_word(enum store_word word);
void store_set_word(enum store_word word, uint64_t value);
/* The bytes of a FIFO. */
#define STORE_RING_SIZE 65536u
unsigned char *store_ring(uint32_t fifo);
uint64_t store_ring_offset(uint32_t fifo); /* in the memory object */
/* For the unit test: called before each word that is written to the memory. */
extern void (*store_write_hook)(void);
#endif
