/*
 * The few Linux calls that libc needs under a server: memory, threads, clocks, randomness, exit, and output to the kernel log. Everything
 * else is -ENOSYS (docs/decisions/0001).
 */
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include "abi/errors.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "user/start/internal.h"

static int64_t clock_read(int clock, struct timespec *time)
{
	static const uint8_t kernel_clock[] = { CLOCK_REALTIME_ID, CLOCK_MONOTONIC_ID, CLOCK_PROCESS_ID, CLOCK_THREAD_ID, CLOCK_MONOTONIC_ID,
		CLOCK_REALTIME_ID, CLOCK_MONOTONIC_ID, CLOCK_MONOTONIC_ID };
	if (clock < 0 || clock >= (int)sizeof kernel_clock)
		return -EINVAL;
	int64_t now = clock_get(kernel_clock[clock]);
	if (now < 0)
		return now;
	time->tv_sec = now / 1000000000;
	time->tv_nsec = now % 1000000000;
	return 0;
}

static int64_t sleep_until(int clock, bool absolute, const struct timespec *time)
{
	uint64_t deadline = (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
	uint64_t now = (uint64_t)clock_get(CLOCK_MONOTONIC_ID);
	if (!absolute) {
		deadline += now;
	} else if (clock == CLOCK_REALTIME) {
		uint64_t real = (uint64_t)clock_get(CLOCK_REALTIME_ID);
		deadline = deadline > real ? now + (deadline - real) : now;
	}
	uint32_t word = 0;
	int64_t result;
	do
		result = futex_wait((uint64_t)&word, 0, deadline, FUTEX_ANY_BITS, 0);
	while (result == 0 || result == -EAGAIN);
	return result == -ETIMEDOUT ? 0 : result;
}

static int64_t output(int descriptor, const struct iovec *vector, int count)
{
	if (descriptor != 1 && descriptor != 2)
		return -EBADF;
	int64_t total = 0;
	for (int i = 0; i < count; i++) {
		log_bytes(vector[i].iov_base, vector[i].iov_len);
		total += (int64_t)vector[i].iov_len;
	}
	return total;
}

int64_t native_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	switch (number) {
	case SYS_write:
		return output((int)a, &(struct iovec){ (void *)b, c }, 1);
	case SYS_writev:
		return output((int)a, (const struct iovec *)b, (int)c);
	case SYS_brk:
		return memory_break(a);
	case SYS_mmap:
		return memory_map(a, b, c, d, (int64_t)e);
	case SYS_munmap:
		return memory_unmap(a, b);
	case SYS_mprotect:
		return space_protect(HANDLE_SELF_SPACE, a, (b + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1), (uint32_t)c & 7);
	case SYS_mremap:
		return memory_remap(a, b, c, d, e);
	case SYS_madvise:
		return memory_advise(a, b, (int)c);
	case SYS_exit_group:
		return process_exit((uint32_t)(a & 0xff) << 8);
	case SYS_exit:
		native_thread_finish((int)a);
	case SYS_clock_gettime:
		return clock_read((int)a, (struct timespec *)b);
	case SYS_nanosleep:
		return sleep_until(CLOCK_MONOTONIC, false, (const struct timespec *)a);
	case SYS_clock_nanosleep:
		return sleep_until((int)a, b & TIMER_ABSTIME, (const struct timespec *)c);
	case SYS_futex:
		return thread_futex(a, b, c, d, e, f);
	case SYS_sched_yield:
		return thread_yield();
	case SYS_getrandom:
		return random_get((void *)a, b) < 0 ? -EFAULT : (int64_t)b;
	case SYS_getpid:
		return process_record()->pid;
	case SYS_getuid:
	case SYS_geteuid:
	case SYS_getgid:
	case SYS_getegid:
		return 0;
	case SYS_set_tid_address:
	case SYS_gettid:
		return (int)thread_self();
	/* nobody sends signals to such a program: masks and handlers can be set, and never matter */
	case SYS_rt_sigprocmask:
	case SYS_rt_sigaction:
	case SYS_set_robust_list:
		return 0;
	/* raise() of abort(): the program ends as if by the signal */
	case SYS_tkill:
		return process_exit((uint32_t)b & 0x7f);
	case SYS_tgkill:
		return process_exit((uint32_t)c & 0x7f);
	case SYS_ioctl:
		return -ENOTTY;
	}
	return native_call_port(number, a, b);
}
