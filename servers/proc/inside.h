/*
 * What a process's own Linux library knows and /proc tells: read from the process's memory, where the library keeps it (struct linux_process, at
 * the address that the record tells). The process may have written anything there: numbers are copied, lists have bounds, texts are ended here.
 */
#ifndef PROC_INSIDE_H
#define PROC_INSIDE_H
#include "abi/process.h"
#include "abi/memory.h"
#include "carillon/record.h"
#include "process.h"

#define INSIDE_THREADS 1024

struct inside_thread {
	uint32_t id;               /* as gettid tells it */
	uint64_t number;           /* the kernel's */
	uint64_t blocked, pending; /* signals */
	char name[16];
	struct thread_info info;   /* state and times; state THREAD_STATE_DEAD when the kernel knows it no more */
};

struct inside {
	handle_t space;            /* HANDLE_NONE: init, or dead */
	struct process_info process;
	struct space_info memory;
	bool known;                /* what follows is the process's own (it is not while a vfork child uses its parent's memory) */
	uint32_t umask;
	uint64_t caught, ignored, heap_start, heap_end, stack_start, vector_start;
	uint64_t arguments_start, arguments_end, environment_start, environment_end;
	uint64_t limits[16][2];
	uint64_t no_new_privileges;
	uint64_t mapped;           /* address of the first struct linux_mapped: inside_mapped */
	size_t thread_count;
	struct inside_thread *threads; /* the main thread first; at least one */
};

/* Fills *inside, for any process; free it with inside_put. False: no memory. */
bool inside_get(struct process *process, struct inside *inside);
void inside_put(struct inside *inside);
/* What the file of a region is called, "" if that is not known. */
void inside_mapped(const struct inside *inside, uint64_t identity, char name[232]);
/* Its limit of a resource, soft and hard, and then another if limit is not NULL. False: it cannot be had. */
bool inside_limit(const struct process *process, uint32_t resource, const uint64_t limit[2], uint64_t old[2]);
/* The thread of that id, or NULL. */
const struct inside_thread *inside_thread_find(const struct inside *inside, uint32_t id);
/* Linux's letter for it: R S T Z */
char inside_state(const struct process *process, const struct inside_thread *thread);
/* The path of its working directory, as it last knew it. False: it is not to be had, or only by climbing. */
bool inside_directory(const struct process *process, char path[RECORD_PATH]);
/* The process's record; NULL: there is none. To be freed. */
struct process_record *inside_record(const struct process *process);
#endif
