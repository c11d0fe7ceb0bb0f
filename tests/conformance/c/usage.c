/* What processes and threads used: user and system time, page faults, switches, the greatest size; of children too, and what times tells. */
#include "case.h"
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/times.h>

static double of(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }
static double used(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void compute(double seconds)
{
	volatile unsigned long sum = 0;
	for (double end = used() + seconds; used() < end;)
		for (int i = 0; i < 200000; i++)
			sum += (unsigned long)i;
}

static void call(double seconds)
{
	static char block[65536];
	int fd = must(open("/dev/zero", O_RDONLY));
	for (double end = used() + seconds; used() < end;)
		for (int i = 0; i < 20; i++)
			read(fd, block, sizeof block);
	close(fd);
}

static void touch(long pages)
{
	char *area = must(mmap(NULL, (size_t)pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	madvise(area, (size_t)pages * 4096, MADV_NOHUGEPAGE);
	for (long i = 0; i < pages; i++)
		area[i * 4096] = 1;
	munmap(area, (size_t)pages * 4096);
}

static void *in_thread(void *argument)
{
	struct rusage usage;
	(void)argument;
	for (int i = 0; i < 20; i++)
		sleep_ms(1);
	touch(300);
	must(getrusage(RUSAGE_THREAD, &usage));
	check(usage.ru_nvcsw >= 20);
	check(usage.ru_minflt >= 250 && usage.ru_minflt < 1000);
	check(of(usage.ru_utime) + of(usage.ru_stime) < 0.2);
	return NULL;
}

int main(void)
{
	struct rusage before, after, child;
	int status;
	pthread_t thread;

	must(getrusage(RUSAGE_SELF, &before));
	compute(0.3);
	must(getrusage(RUSAGE_SELF, &after));
	double user = of(after.ru_utime) - of(before.ru_utime), system = of(after.ru_stime) - of(before.ru_stime);
	check(user + system > 0.28 && user + system < 0.6);
	check(user > 2 * system);
	before = after;
	call(0.3);
	must(getrusage(RUSAGE_SELF, &after));
	user = of(after.ru_utime) - of(before.ru_utime), system = of(after.ru_stime) - of(before.ru_stime);
	check(user + system > 0.28 && user + system < 0.6);
	check(system > 2 * user);
	struct tms ticks;
	times(&ticks);
	double hertz = (double)sysconf(_SC_CLK_TCK);
	check((double)ticks.tms_utime / hertz > of(after.ru_utime) - 0.05 && (double)ticks.tms_stime / hertz > of(after.ru_stime) - 0.05);
	check(ticks.tms_cutime == 0 && ticks.tms_cstime == 0);

	/* neither goes back */
	bool good = true;
	for (int i = 0; i < 3000; i++) {
		before = after;
		must(getrusage(RUSAGE_SELF, &after));
		good &= of(after.ru_utime) >= of(before.ru_utime) && of(after.ru_stime) >= of(before.ru_stime);
	}
	check(good);
	double cpu = used();
	check(of(after.ru_utime) + of(after.ru_stime) <= cpu + 0.011 && of(after.ru_utime) + of(after.ru_stime) > cpu - 0.1);

	/* counters */
	must(getrusage(RUSAGE_SELF, &before));
	touch(1000);
	for (int i = 0; i < 10; i++)
		sleep_ms(1);
	must(getrusage(RUSAGE_SELF, &after));
	check(after.ru_minflt - before.ru_minflt >= 900 && after.ru_minflt - before.ru_minflt < 2000);
	check(after.ru_nvcsw - before.ru_nvcsw >= 10);
	check(after.ru_majflt - before.ru_majflt == 0 && after.ru_nswap == 0);
	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, NULL);

	/* children */
	must(getrusage(RUSAGE_CHILDREN, &before));
	printf("no children yet: %d\n", of(before.ru_utime) + of(before.ru_stime) == 0 && before.ru_maxrss == 0 && before.ru_minflt == 0);
	pid_t pid = in_child({
		touch(3000);
		compute(0.1);
		for (int i = 0; i < 10; i++)
			sleep_ms(1);
		wait_for(in_child({ touch(500); compute(0.1); }));
		_exit(5);
	});
	must(wait4(pid, &status, 0, &child));
	show_status("child", status);
	user = of(child.ru_utime) + of(child.ru_stime);
	check(user > 0.18 && user < 0.7);
	check(child.ru_maxrss > 11000 && child.ru_minflt >= 3400 && child.ru_nvcsw >= 10);
	must(getrusage(RUSAGE_CHILDREN, &after));
	check(of(after.ru_utime) == of(child.ru_utime) && of(after.ru_stime) == of(child.ru_stime));
	check(after.ru_maxrss == child.ru_maxrss && after.ru_minflt == child.ru_minflt && after.ru_nvcsw == child.ru_nvcsw);
	pid = in_child({ touch(2000); compute(0.1); });
	siginfo_t info;
	must(syscall(SYS_waitid, P_PID, pid, &info, WEXITED, &child));
	check(of(child.ru_utime) + of(child.ru_stime) > 0.08 && child.ru_minflt >= 1900 && child.ru_maxrss > 7000);
	must(getrusage(RUSAGE_CHILDREN, &before));
	check(of(before.ru_utime) + of(before.ru_stime) > of(after.ru_utime) + of(after.ru_stime) + 0.08 && before.ru_maxrss == after.ru_maxrss);
	times(&ticks);
	check((double)(ticks.tms_cutime + ticks.tms_cstime) / hertz > of(before.ru_utime) + of(before.ru_stime) - 0.05);

	/* against its will */
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof one, &one);
	must(getrusage(RUSAGE_SELF, &before));
	pid = in_child(compute(10));
	sleep_ms(20);
	compute(0.3);
	must(getrusage(RUSAGE_SELF, &after));
	kill(pid, SIGKILL);
	check(after.ru_nivcsw - before.ru_nivcsw >= 3);
	must(wait4(pid, &status, 0, &child));
	check(child.ru_nivcsw >= 3);
	return 0;
}
