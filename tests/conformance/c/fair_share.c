/* A process that makes calls without end does not keep the processor from one that computes: both get on. */
#include "case.h"
#include <sched.h>

static double seconds(int clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(void)
{
	volatile unsigned *calls = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof one, &one); /* share one processor on Linux too */
	pid_t child = fork();
	if (!child)
		for (;;) {
			struct stat status;
			stat("/", &status);
			kill(getpid(), 0);
			++*calls;
		}
	while (*calls < 100)
		sched_yield();
	double start = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_THREAD_CPUTIME_ID), now;
	unsigned before = *calls;
	while ((now = seconds(CLOCK_MONOTONIC)) < start + 0.5)
		;
	used = seconds(CLOCK_THREAD_CPUTIME_ID) - used;
	check(now < start + 3);
	check(used > 0.005 && used < 0.45);
	check(*calls > before + 20);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}
