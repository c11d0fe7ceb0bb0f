/* Building a new program beside the old one: what execve, execveat and linux_spawn share. */
#ifndef LINUX_EXEC_H
#define LINUX_EXEC_H
#include "linux/linux.h"
#include "linux/process/elf.h"

#define EXEC_STRINGS (6ul << 20)     /* bytes of arguments and environment together */
#define EXEC_STRING (128ul << 10)    /* of one of them */
#define EXEC_POINTERS (EXEC_STRINGS / 8)  /* their number, at most: each has a pointer, which counts too */
#define EXEC_SCRIPTS 5               /* scripts run by scripts */
#define EXEC_FRONT (EXEC_SCRIPTS * 2u) /* room for the arguments that scripts put in front */

/*
 * Arguments and environment, copied out of the old program: text of all, and for each its offset. One mapping, mostly untouched.
 * argument[first .. first + count) in offset[] are the arguments, then the environment at environment.
 */
struct exec_strings {
	char text[EXEC_STRINGS + 4096];
	uint32_t offset[EXEC_POINTERS + EXEC_FRONT];
	uint64_t pointers[EXEC_POINTERS + EXEC_FRONT + 64]; /* the start of the program's stack */
	uint64_t used;
	uint32_t first, argument_count, environment_first, environment_count;
	char path[4096], header[ELF_HEADER_MAX + 8], interpreter[4096], resolved[4096];
	struct elf_image image, interpreter_image;
	struct process_record record;
};
struct exec_result {
	handle_t space;             /* owned by the caller */
	struct thread_start start;
};

/* 0, -E2BIG, -ENOMEM. */
int exec_string_add(struct exec_strings *strings, const char *text, size_t length, uint32_t *offset);
/*
 * Build a space that holds the program at strings->path (looked up from directory; or the open file `file` when it is not HANDLE_NONE),
 * the library, and strings->record, which the caller has filled but for the executable's name. On error nothing is left behind.
 */
int64_t linux_exec_build(struct linux_thread *t, int directory, handle_t file, struct exec_strings *strings, struct exec_result *result);
/* The record of a program that follows t's: directory, masks, limits, handles of t's own table. */
int exec_record(struct linux_thread *t, struct process_record *record);
#endif
