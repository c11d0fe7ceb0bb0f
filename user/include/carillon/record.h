/*
 * The process record: what a process finds mapped (private, writable) at LIBRARY_RECORD when it starts, and passes on through exec.
 * Written by init for the first processes and by the library's exec for all others. Handles in it are numbers in the process's own table
 * (high range); HANDLE_NONE where absent.
 */
#ifndef CARILLON_RECORD_H
#define CARILLON_RECORD_H
#include <stdint.h>
#include "abi/types.h"

#define RECORD_VERSION 1u
#define RECORD_MOUNTS 32
#define RECORD_NAMES 24
#define RECORD_PATH 1024

/*
 * A mount: at the place (device, qid) stands the directory behind port, whose root node has (root_device, root_qid).
 * mount 0 is the root: its place is unused. path is how the place was named, for /proc/self/mounts only.
 */
struct record_mount {
	uint64_t device, qid;             /* the place covered */
	uint64_t root_device, root_qid;   /* what stands there now */
	int32_t port;                     /* node port of the mounted root */
	int32_t parent;                   /* index of the mount that holds the place, -1 for the root */
	int32_t parent_port;              /* node port of the directory that contains the place, for ".." */
	uint32_t flags;
	char path[64];
	char type[16];
};

struct record_name { char name[24]; int32_t handle; uint32_t reserved; uint64_t value; };

/*
 * How proc finds the threads of a dead process in its memory, for the locks that die with them (robust futexes). All zero: not told.
 * first is the address of a pointer to the first thread's structure; the rest are offsets in it, and lists_head is struct robust_list_head's address.
 */
struct record_threads { uint64_t first; uint32_t next, id, lists_head, reserved; };

struct process_record {
	uint32_t version, size;
	uint32_t pid, slot;
	int32_t process_port;   /* client port to proc, or HANDLE_NONE (servers) */
	int32_t library_image;  /* memobj of the personality image (what exec maps at LIBRARY_IMAGE) */
	int32_t process_table;  /* memobj of struct process_slot[] */
	int32_t time_page;      /* memobj */
	int32_t budget;
	uint32_t umask;
	uint64_t signal_mask, signal_ignored; /* bit n-1 is signal n */
	uint64_t limits[16][2]; /* rlimits: soft, hard, by Linux number */
	int32_t nice;
	uint32_t personality_flags; /* RECORD_TRACE ... */
	/* working directory */
	int32_t directory_port; /* node port; HANDLE_NONE: the root */
	int32_t directory_mount;/* index of the mount it lies in */
	char directory_path[RECORD_PATH]; /* as getcwd tells it */
	uint32_t mount_count, name_count;
	struct record_mount mount[RECORD_MOUNTS];
	struct record_name name[RECORD_NAMES]; /* handles and values for servers, by name: record_handle("listener") */
	/* native programs: arguments and environment, as offsets from the record's start to NUL-terminated strings that follow it */
	uint32_t argument_count, environment_count;
	uint32_t argument_offset, environment_offset; /* arrays of uint32_t offsets */
	uint32_t total_size;    /* bytes of the whole record with strings, page rounding excluded */
	uint32_t image_base_set;
	uint64_t state;         /* of Linux programs: address of their struct linux_process, for /proc (servers/proc/inside.c) */
	int32_t trace_stream;   /* with RECORD_TRACE: the description that lines of the trace are written to; HANDLE_NONE */
	int32_t socket_port;    /* client port to the socket server, or HANDLE_NONE */
	uint64_t image_start, image_end; /* a native program's own text, for backtraces */
	char executable[256];   /* path of the running file, for /proc/self/exe */
	struct record_threads threads;
	uint64_t user_top;      /* where user addresses end (struct boot_info) */
	uint32_t policy;        /* of scheduling, as the library keeps it */
	uint32_t vector_bytes;  /* of a vector register (struct boot_info) */
};
#define RECORD_TRACE 0x1u
#define RECORD_LOCK_PLACES 0x8u /* it may have some on what is no file (FILE_LOCK_PLACE) */
#define RECORD_LOCKS 0x4u /* the process may have record locks: each close must be told to the file's server */
#define RECORD_SIGNALS_TOLD 0x2u /* exec: proc knows which signals this program ignores */
#endif
