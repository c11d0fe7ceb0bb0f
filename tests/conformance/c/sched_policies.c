/* Scheduling policies: kept, told, inherited; attributes; what SCHED_IDLE gets; affinity. */
#include "case.h"
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

/* Not every C library has these, and some answer for the system. */
struct attributes { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; uint32_t least, most; };
enum { OTHER, FIFO, BATCH = 3, IDLE = 5, RESET = 0x40000000 };
static int set(pid_t pid, int policy, int priority) { return (int)syscall(SYS_sched_setscheduler, pid, policy, &priority); }
static int get(pid_t pid) { return (int)syscall(SYS_sched_getscheduler, pid); }
static int set_attributes(pid_t pid, void *a, unsigned flags) { return (int)syscall(SYS_sched_setattr, pid, a, flags); }
static int get_attributes(pid_t pid, void *a, unsigned size, unsigned flags) { return (int)syscall(SYS_sched_getattr, pid, a, size, flags); }
static void *in_thread(void *argument) { *(int *)argument = get(0); return NULL; }

static volatile double *times;
static void hog(int place, int policy)
{
	struct timespec now;
	volatile unsigned sum = 0;
	must(set(0, policy, 0));
	for (;;) {
		for (int i = 0; i < 20000; i++)
			sum++;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
		times[place] = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	}
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int policy;
	if (argc > 1) {
		printf("after exec %#x, nice %d\n", get(0), getpriority(PRIO_PROCESS, 0));
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	show(get(0));
	show(get(getpid()));
	show(set(0, BATCH, 0));
	show(get(0));
	pthread_create(&thread, NULL, in_thread, &policy);
	pthread_join(thread, NULL);
	printf("a thread has %d\n", policy);
	wait_for(in_child({ printf("a child has %d\n", get(0)); }));
	show(set(0, BATCH | RESET, 0));
	printf("%#x\n", get(0));
	wait_for(in_child({ printf("a child has %#x\n", get(0)); }));
	pthread_create(&thread, NULL, in_thread, &policy);
	pthread_join(thread, NULL);
	printf("a thread has %#x\n", policy);
	wait_for(in_child({ set(0, IDLE, 0); fflush(stdout); execl(argv[0], "sched_policies", "x", NULL); }));
	show(set(0, OTHER, 0));

	/* refused */
	show(set(0, OTHER, 1));
	show(set(0, FIFO, 0));
	show(set(0, FIFO, 100));
	show(set(0, 6, 0));
	show(set(0, 77, 0));
	show(set(-1, OTHER, 0));
	show(set(999999, OTHER, 0));
	show(get(-1));
	show(get(999999));
	show(syscall(SYS_sched_setscheduler, 0, OTHER, NULL));
	int priority = 1;
	show(syscall(SYS_sched_setparam, 0, &priority));
	show(syscall(SYS_sched_setparam, -1, &priority));
	show(syscall(SYS_sched_getparam, 0, NULL));
	show(syscall(SYS_sched_getparam, 0, &priority));
	printf("priority %d\n", priority);

	/* attributes */
	struct attributes a = { 0 };
	show(get_attributes(0, &a, sizeof a, 0));
	printf("size %u policy %u flags %#lx nice %d priority %u\n", a.size, a.policy, (long)a.flags, a.nice, a.priority);
	memset(&a, 0, sizeof a);
	show(get_attributes(0, &a, 48, 0));
	printf("size %u\n", a.size);
	show(get_attributes(0, &a, 47, 0));
	show(get_attributes(0, &a, 48, 1));
	show(get_attributes(0, NULL, 48, 0));
	show(get_attributes(999999, &a, 48, 0));
	a = (struct attributes){ .size = 48, .policy = BATCH, .nice = 3, .flags = 1 };
	show(set_attributes(0, &a, 0));
	printf("policy %#x nice %d\n", get(0), getpriority(PRIO_PROCESS, 0));
	memset(&a, 0, sizeof a);
	show(get_attributes(getpid(), &a, 48, 0));
	printf("policy %u flags %#lx nice %d\n", a.policy, (long)a.flags, a.nice);
	a = (struct attributes){ .size = 48, .policy = IDLE, .flags = 16 };
	show(set_attributes(0, &a, 0));
	printf("policy %#x\n", get(0));
	a = (struct attributes){ .size = 48, .policy = OTHER, .nice = 5 };
	show(set_attributes(0, &a, 0));
	a.policy = 77;
	show(set_attributes(0, &a, 0));
	a.policy = OTHER;
	show(set_attributes(0, &a, 1));
	show(set_attributes(0, NULL, 0));
	a.size = 20;
	show(set_attributes(0, &a, 0));
	check(a.size >= 48);
	wait_for(in_child({ fflush(stdout); execl(argv[0], "sched_policies", "x", NULL); }));

	/* it weighs least */
	times = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	show(sched_setaffinity(0, sizeof one, &one));
	pid_t first = in_child(hog(0, IDLE)), second = in_child(hog(1, OTHER));
	while (times[0] + times[1] < 0.8)
		sleep_ms(20);
	check(times[0] < 0.3 * times[1]);
	kill(first, SIGKILL);
	kill(second, SIGKILL);
	wait_for(first);
	wait_for(second);
	cpu_set_t told;
	check(sched_getaffinity(0, sizeof told, &told) >= 0 && CPU_EQUAL(&one, &told));
	wait_for(in_child({ check(sched_getaffinity(0, sizeof told, &told) >= 0 && CPU_EQUAL(&one, &told)); }));
	CPU_ZERO(&told);
	CPU_SET(1000, &told);
	show(sched_setaffinity(0, sizeof told, &told));
	show(sched_setaffinity(999999, sizeof one, &one));
	show(syscall(SYS_sched_getaffinity, 0, 3, &told));
	return 0;
}
