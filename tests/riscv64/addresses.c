/*
 * Where user addresses end: stack, mappings and a program that lies anywhere are below 1 << BITS (the argument), memory up to it can be used and
 * nothing above. Writes what is wrong and "addresses: done".
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define CHECK(condition) ((condition) ? (void)0 : (void)printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno))

static sigjmp_buf back;
static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static int faults(uint64_t address)
{
	if (sigsetjmp(back, 1))
		return 1;
	(void)*(volatile char *)address;
	return 0;
}

static char *map(uint64_t address, uint64_t length, int flags)
{
	return mmap((void *)address, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
}

int main(int argc, char **argv)
{
	uint64_t end = 1ul << (argc > 1 ? atoi(argv[1]) : 47);
	char local;
	signal(SIGSEGV, on_fault);
	CHECK((uint64_t)&local < end && (uint64_t)&local > end - (4ul << 30) && (uint64_t)main < end);

	char *plain = map(0, 8 * PAGE, 0), *hinted = map(end + (1ul << 30), PAGE, 0);
	CHECK(plain != MAP_FAILED && (uint64_t)plain < end && hinted != MAP_FAILED && (uint64_t)hinted < end);
	plain[PAGE] = hinted[0] = 1;
	errno = 0;
	CHECK(map(end, PAGE, MAP_FIXED) == MAP_FAILED && errno == ENOMEM);
	CHECK(map(0, end, 0) == MAP_FAILED);
	uint64_t high = end - (6ul << 30); /* below what is above the stack */
	CHECK(map(high, PAGE, MAP_FIXED_NOREPLACE) == (char *)high && (*(char *)high = 7));
	uint64_t size = end / 8; /* much more than memory is */
	char *large = map(0, size, 0);
	CHECK(large != MAP_FAILED && (uint64_t)large + size <= end);
	if (large != MAP_FAILED)
		large[0] = large[size / 2] = large[size - 1] = 1;

	/* what lies beyond, and in the kernel's half */
	CHECK(faults(end) && faults(end + PAGE) && faults(3 * end) && faults(1ul << 55) && faults(~0ul << 38) && faults(~0ul - 7));
	int pipes[2];
	CHECK(!pipe(pipes) && write(pipes[1], (void *)end, 1) < 0 && errno == EFAULT);
	CHECK(write(pipes[1], (void *)(end - PAGE / 2), PAGE) < 0 && errno == EFAULT);
	CHECK(write(pipes[1], (void *)(~0ul << 38), 1) < 0 && errno == EFAULT);

	/* a fork copies what lies at both ends */
	pid_t child = fork();
	if (!child) {
		*(char *)high = 8;
		_exit(plain[PAGE] == 1 && (large == MAP_FAILED || large[size / 2] == 1) ? 5 : 6);
	}
	int status;
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 5 && *(char *)high == 7);
	puts("addresses: done");
	return 0;
}
