/* What the files of user/start share. */
#ifndef START_INTERNAL_H
#define START_INTERNAL_H
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include "carillon/record.h"

/* libc.c: starts the Linux library if it is linked and the program was given a proc server. 0 or a negative error. */
int library_start(struct process_record *record);
/* call.c: Linux calls behind libc without the Linux library. Result as Linux's. */
int64_t native_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

/* ARCH/call.c: calls that only this architecture has */
int64_t native_call_port(uint64_t number, uint64_t a, uint64_t b);

/* memory.c */
int64_t memory_unmap(uint64_t address, uint64_t length);
int64_t memory_break(uint64_t address);
int64_t memory_map(uint64_t address, uint64_t length, uint64_t protection, uint64_t flags, int64_t descriptor);
int64_t memory_remap(uint64_t address, uint64_t length, uint64_t new_length, uint64_t flags, uint64_t new_address);
int64_t memory_advise(uint64_t address, uint64_t length, int advice);
/* thread.c */
_Noreturn void native_thread_finish(int status);
int64_t thread_futex(uint64_t address, uint64_t operation, uint64_t value, uint64_t timeout, uint64_t target, uint64_t value3);
/* log.c: bytes written to descriptors 1 and 2 become lines of the kernel log */
void log_bytes(const char *text, size_t size);
#endif
