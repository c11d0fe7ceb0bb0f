/*
 * The trace of the kernel (ktrace): records of fixed size in memory that whoever started the machine set aside, and reads from outside while the
 * machine runs and after it has stopped, however it stopped. The command line names that memory: ktrace=ADDRESS:SIZE, bytes, decimal.
 *
 * It begins with struct trace_area in a page of its own; behind it lie the rings of the processors, one after the other. A processor writes record
 * `head` modulo `records` of its ring and then raises `head`. It never waits: a reader that is slower finds that records were overwritten,
 * and knows from `head` how many. The record that is being written is the one that has been there longest.
 *
 * A file of a trace (tools/launch writes it, tools/ktrace reads it) begins with a record TRACE_FILE and has records of all processors, those of one in
 * their order, with TRACE_LOST where some are missing.
 */
#ifndef ABI_TRACE_H
#define ABI_TRACE_H
#include "abi/types.h"

#define TRACE_MAGIC 0x6b74726163650001ull /* with the version of what stands here */
#define TRACE_PROCESSORS 63
#define TRACE_NAME 16                      /* bytes of a process's name, NUL included */

struct trace_record {
	uint64_t time;      /* monotonic nanoseconds */
	uint32_t thread;    /* the running thread's number (its low half); 0 none of a process */
	uint8_t event;      /* enum trace_event */
	uint8_t processor;
	uint16_t number;    /* of a system call */
	uint64_t word[6];
};

struct trace_area {
	uint64_t magic;     /* written last */
	uint64_t records;   /* in each ring; a power of two */
	uint32_t processors, record_size;
	uint64_t reserved[5];
	struct { volatile uint64_t head; uint64_t reserved[7]; } ring[TRACE_PROCESSORS];
};

/* What the words of a record are. Objects (ports, calls, channels, processes) are told apart by a number that is good while they live. */
enum trace_event {
	TRACE_FILE = 1,     /* magic, ELF's number of the kind of processor */
	TRACE_LOST,         /* how many records of this processor are missing here */
	TRACE_CALL,         /* Carillon's system call `number`: its arguments */
	TRACE_LINUX,        /* Linux's call `number`, of the program: its arguments */
	TRACE_RETURN,       /* ... has returned: result */
	TRACE_REFLECT,      /* ... was given to the process's library, which returns to the program without the kernel */
	TRACE_SWITCH,       /* the processor goes to another thread: its number, its process, why (enum trace_switch) */
	TRACE_READY,        /* a thread was made ready to run: its number */
	TRACE_FAULT,        /* a page fault was handled: address, access (PROTECT_), instruction (0: a copy of the kernel's), result */
	TRACE_SEND,         /* a call was made on a port: call, port, data of the client, word[0] of the message, bytes, handles */
	TRACE_RECEIVE,      /* ... was received by this thread: call, port, data, word[0], number of its reply */
	TRACE_REPLY,        /* ... was answered by this thread: call, port, word[0] of the answer, bytes, handles */
	TRACE_ANSWERED,     /* ... has ended for this thread: call, port, result */
	TRACE_NOTIFY,       /* a notification was received: port, data, word[0], word[1], word[2] */
	TRACE_WRITE,        /* this thread put something into a channel: channel, bytes, then in the queue (bytes, packets or cost) */
	TRACE_READ,         /* ... took something out: channel, bytes, then in the queue */
	TRACE_THREAD,       /* a thread was made: its number, process */
	TRACE_PROCESS,      /* a process was made, or got another name or badge: process, badge, name (16 bytes) */
	TRACE_EXIT,         /* this thread ends: process, whether it was its last */
	TRACE_EVENTS,
};
enum trace_switch { TRACE_SWITCH_PREEMPTED, TRACE_SWITCH_SLEEPS, TRACE_SWITCH_ENDS };
#endif
