/* Nice values: who is nice gets clearly less of a processor that others want too. */
#include "case.h"
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

static double thread_time(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static volatile double *times;
static volatile int *end;

static void hog(int place, int nice_value)
{
	volatile unsigned sum = 0;
	setpriority(PRIO_PROCESS, 0, nice_value);
	for (;;) {
		for (int i = 0; i < 20000; i++)
			sum++;
		times[place] = thread_time();
	}
}

/* Two hogs of these nice values beside each other: the first one's time in that of the second. */
static double compare(int first, int second)
{
	int value[2] = { first, second };
	pid_t pid[2];
	times[0] = times[1] = 0;
	for (int i = 0; i < 2; i++)
		pid[i] = in_child(hog(i, value[i]));
	while (times[0] + times[1] < 0.1)
		sleep_ms(10);
	double start[2] = { times[0], times[1] };
	while (times[0] - start[0] + times[1] - start[1] < 0.8)
		sleep_ms(20);
	double got[2] = { times[0] - start[0], times[1] - start[1] };
	for (int i = 0; i < 2; i++) {
		kill(pid[i], SIGKILL);
		wait_for(pid[i]);
	}
	return got[1] > 0 ? got[0] / got[1] : 1000;
}

static void *thread_hog(void *argument)
{
	hog((int)(intptr_t)argument, argument ? 19 : 0);
	return NULL;
}

int main(void)
{
	cpu_set_t one;
	pthread_t thread;
	times = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof one, &one);
	double equal = compare(0, 0), nicest = compare(19, 0), nicer = compare(5, 0), both = compare(19, 19), urgent = compare(-5, 0);
	check(equal > 0.5 && equal < 2);
	check(nicest < 0.2);
	check(nicer > 0.1 && nicer < 0.7);
	check(both > 0.4 && both < 2.5);
	check(urgent > 1.4 && urgent < 10);

	/* inherited by fork and exec; alone it gets on */
	pid_t pid = in_child({
		setpriority(PRIO_PROCESS, 0, 19);
		pid_t inner = in_child({
			volatile unsigned sum = 0;
			while (thread_time() < 0.2)
				sum++;
			printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
			fflush(stdout);
			execl("/bin/busybox", "busybox", "nice", NULL);
		});
		wait_for(inner);
	});
	wait_for(pid);

	/* threads of one process */
	pid = in_child({
		pthread_create(&thread, NULL, thread_hog, (void *)1);
		hog(0, 0);
	});
	times[0] = times[1] = 0;
	while (times[0] + times[1] < 0.8)
		sleep_ms(20);
	check(times[1] < times[0] * 0.3);
	kill(pid, SIGKILL);
	wait_for(pid);
	/* another's, while it runs */
	pid = in_child({ hog(0, 0); });
	pid_t other = in_child({ hog(1, 0); });
	sleep_ms(50);
	must(setpriority(PRIO_PROCESS, pid, 19));
	times[0] = times[1] = 0;
	sleep_ms(20);
	double start[2] = { times[0], times[1] };
	while (times[0] - start[0] + times[1] - start[1] < 0.6)
		sleep_ms(20);
	check(times[0] - start[0] < (times[1] - start[1]) * 0.3);
	kill(pid, SIGKILL);
	kill(other, SIGKILL);
	wait_for(pid);
	wait_for(other);
	return 0;
}
