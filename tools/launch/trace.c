/*
 * The kernel's trace (--ktrace FILE): the machine's memory is a memory file, in which a part is set aside that the kernel writes records to
 * (abi/trace.h). A thread of the launcher copies them to FILE while the machine runs, and what is left when it has stopped. So the guest does nothing
 * for the trace but write it, and the last records before a crash or a hang are there too. When records were overwritten before they were
 * copied, a record in their place says how many, and so does a line at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "abi/trace.h"
#include "tools/launch/launch.h"

#define CHUNK 4096u /* records copied at once */

static struct {
	const char *name;
	int file;
	struct trace_area *area;
	pthread_t thread;
	bool running;
	atomic_bool stop;
	int error;                          /* of writing FILE; it ends with that */
	uint64_t next[TRACE_PROCESSORS];    /* record to be copied */
	uint64_t lost;
} trace = { .file = -1 };

static void put(const void *bytes, size_t size)
{
	for (const char *at = bytes; size && !trace.error;) {
		ssize_t count = write(trace.file, at, size);
		if (count < 0 && errno != EINTR)
			trace.error = errno;
		if (count > 0) {
			at += count;
			size -= (size_t)count;
		}
	}
}

static void put_mark(enum trace_event event, unsigned processor, uint64_t time, uint64_t word, uint64_t second)
{
	put(&(struct trace_record){ .time = time, .event = (uint8_t)event, .processor = (uint8_t)processor, .word = { word, second } }, sizeof(struct trace_record));
}

/* Records below this are overwritten or about to be. */
static uint64_t oldest(unsigned processor, uint64_t records)
{
	atomic_thread_fence(memory_order_acquire);
	uint64_t head = trace.area->ring[processor].head;
	return head >= records ? head - records + 1 : 0;
}

/* Copies what processor has written; how many. */
static uint64_t drain(unsigned processor, uint64_t records)
{
	static struct trace_record copy[CHUNK];
	const struct trace_record *ring = (const struct trace_record *)((const char *)trace.area + PAGE_SIZE) + processor * records;
	uint64_t head = trace.area->ring[processor].head, *next = &trace.next[processor], begin = *next;
	atomic_thread_fence(memory_order_acquire);
	while (*next < head && !trace.error) {
		uint64_t place = *next & (records - 1), count = head - *next, skip = 0;
		count = count > CHUNK ? CHUNK : count;
		count = count > records - place ? records - place : count;
		memcpy(copy, ring + place, count * sizeof *copy);
		uint64_t good = oldest(processor, records);
		if (good > *next) {
			skip = good - *next;
			trace.lost += skip;
			put_mark(TRACE_LOST, processor, skip < count ? copy[skip].time : 0, skip, 0);
		}
		if (skip < count)
			put(copy + skip, (count - skip) * sizeof *copy);
		*next += skip > count ? skip : count;
	}
	return *next - begin;
}

static uint64_t drain_all(void)
{
	uint64_t records = trace.area->records, count = 0;
	unsigned processors = trace.area->processors;
	if (trace.area->magic != TRACE_MAGIC || !records || records & (records - 1) || !processors || processors > TRACE_PROCESSORS ||
		records > (KTRACE_SIZE - PAGE_SIZE) / sizeof(struct trace_record) / processors)
		return 0; /* the kernel has not begun */
	for (unsigned i = 0; i < processors; i++)
		count += drain(i, records);
	return count;
}

static void *drain_thread(void *argument)
{
	(void)argument;
	while (!atomic_load(&trace.stop))
		if (drain_all() < CHUNK)
			usleep(1000);
	return NULL;
}

int ktrace_prepare(const char *name, unsigned memory, unsigned elf_machine)
{
	trace.name = name;
	trace.file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (trace.file < 0)
		fail("cannot write %s: %s", name, strerror(errno));
	int descriptor = memfd_create("carillon-memory", 0);
	if (descriptor < 0 || ftruncate(descriptor, (off_t)memory << 20) < 0)
		fail("cannot make the machine's memory: %s", strerror(errno));
	trace.area = mmap(NULL, KTRACE_SIZE, PROT_READ, MAP_SHARED, descriptor, KTRACE_OFFSET);
	if (trace.area == MAP_FAILED)
		fail("cannot map the machine's memory: %s", strerror(errno));
	put_mark(TRACE_FILE, 0, 0, TRACE_MAGIC, elf_machine);
	return descriptor;
}

void ktrace_begin(void)
{
	sigset_t all, before;
	if (trace.file < 0)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the thread that relays */
	trace.running = pthread_create(&trace.thread, NULL, drain_thread, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!trace.running)
		fail("cannot start a thread");
}

void ktrace_end(void)
{
	if (trace.file < 0)
		return;
	if (trace.running) {
		atomic_store(&trace.stop, true);
		pthread_join(trace.thread, NULL);
		trace.running = false;
	}
	drain_all();
	if (trace.area->magic != TRACE_MAGIC)
		fprintf(stderr, "carillon: no trace: the kernel did not find the memory for it free\n");
	if (trace.lost)
		fprintf(stderr, "carillon: the trace lost %llu records: they came faster than they were copied\n", (unsigned long long)trace.lost);
	if (!trace.error && close(trace.file) < 0)
		trace.error = errno;
	if (trace.error)
		fprintf(stderr, "carillon: the trace is not complete: cannot write %s: %s\n", trace.name, strerror(trace.error));
	trace.file = -1;
}
