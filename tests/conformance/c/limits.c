/* Resource limits that programs meet, usage and times, nice values, affinity, and memory that grows downwards. */
#include "case.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/times.h>

static volatile int exceeded;
static void note(int number) { (void)number; exceeded++; }
static void limit(int resource, long soft, long hard)
{
	struct rlimit l = { (rlim_t)soft, (rlim_t)hard };
	must(setrlimit(resource, &l));
}
static void burn_ms(long ms)
{
	double end = seconds_now() + (double)ms / 1000;
	while (seconds_now() < end)
		getppid();
}
static long microseconds(struct timeval t) { return t.tv_sec * 1000000 + t.tv_usec; }
static int down(int n) { volatile char room[8192]; room[0] = (char)n; return n ? down(n - 1) + room[0] : 0; }

int main(void)
{
	struct rlimit l;
	struct rusage usage;
	int status;

	/* what setrlimit checks */
	l = (struct rlimit){ 10, 5 };
	show_result("soft above hard", setrlimit(RLIMIT_NOFILE, &l));
	show_result("bad resource", getrlimit(99, &l));
	show_result("null", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL));

	/* files */
	status = wait_for(in_child({
		limit(RLIMIT_NOFILE, 10, 20);
		int last = -1;
		int fd;
		while ((fd = dup(0)) >= 0)
			last = fd;
		printf("descriptors: last %d, %s\n", last, error_name(errno));
		show_result("dup2 beyond", dup2(0, 15));
		show_result("F_DUPFD beyond", fcntl(0, F_DUPFD, 12));
		int fds[2];
		show_result("pipe", pipe(fds));
		close(9);
		show_result("pipe with one left", pipe(fds));
		fd = dup(0);
		printf("the one left: %d\n", fd);
		limit(RLIMIT_NOFILE, 5, 20);
		show_result("those above stay", fcntl(8, F_GETFD));
		getrlimit(RLIMIT_NOFILE, &l);
		printf("limits %ld %ld\n", (long)l.rlim_cur, (long)l.rlim_max);
	}));

	/* file size */
	status = wait_for(in_child({
		limit(RLIMIT_FSIZE, 1000, 1000);
		signal(SIGXFSZ, note);
		char block[600];
		memset(block, 'x', sizeof block);
		int fd = must(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
		show_result("first", write(fd, block, 600));
		show_result("to the limit", write(fd, block, 600));
		show_result("beyond", write(fd, block, 600));
		printf("signals %d\n", exceeded);
		show_result("pwrite beyond", pwrite(fd, block, 1, 5000));
		show_result("ftruncate", ftruncate(fd, 2000));
		show_result("ftruncate below", ftruncate(fd, 500));
		show_result("append", write(fd, block, 0));
		printf("signals %d\n", exceeded);
		struct stat s;
		fstat(fd, &s);
		printf("size %ld\n", (long)s.st_size);
		int fds[2];
		pipe(fds);
		show_result("a pipe has no such limit", write(fds[1], block, 600) + write(fds[1], block, 600));
	}));
	status = wait_for(in_child({
		limit(RLIMIT_FSIZE, 10, 10);
		int fd = must(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
		write(fd, "0123456789", 10);
		write(fd, "x", 1);
	}));
	show_status("SIGXFSZ", status);

	/* address space and data */
	status = wait_for(in_child({
		limit(RLIMIT_AS, 64 << 20, 64 << 20);
		void *p = mmap(NULL, 128 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		show_result("mmap of much", p == MAP_FAILED ? -1 : 0);
		p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		show_result("of a little", p == MAP_FAILED ? -1 : 0);
		p = mremap(p, 8 << 20, 128 << 20, MREMAP_MAYMOVE);
		show_result("mremap", p == MAP_FAILED ? -1 : 0);
		p = malloc(200 << 20);
		show_result("malloc", p ? 0 : -1);
		char *end = sbrk(0);
		show_result("brk", syscall(SYS_brk, end + (128 << 20)) == (long)(end + (128 << 20)) ? 1 : 0);
	}));
	status = wait_for(in_child({
		limit(RLIMIT_DATA, 16 << 20, 16 << 20);
		char *end = sbrk(0);
		show_result("brk beyond data", syscall(SYS_brk, end + (32 << 20)) == (long)(end + (32 << 20)) ? 1 : 0);
	}));

	/* inherited, kept by exec, told to the shell */
	status = wait_for(in_child({
		limit(RLIMIT_CORE, 0, 0);
		limit(RLIMIT_NOFILE, 33, 44);
		fflush(stdout);
		char *const arguments[] = { "busybox", "sh", "-c", "ulimit -n; ulimit -Hn; ulimit -c", NULL };
		execv("/bin/busybox", arguments);
	}));
	show_status("shell", status);

	/* usage */
	burn_ms(60);
	must(getrusage(RUSAGE_SELF, &usage));
	check(microseconds(usage.ru_utime) + microseconds(usage.ru_stime) > 5000);
	check(usage.ru_maxrss > 100);
	status = wait_for(in_child({ burn_ms(60); }));
	must(getrusage(RUSAGE_CHILDREN, &usage));
	check(microseconds(usage.ru_utime) + microseconds(usage.ru_stime) > 5000);
	struct tms times_now;
	check(times(&times_now) != -1);
	check(times_now.tms_cutime + times_now.tms_cstime > 0);
	must(getrusage(RUSAGE_THREAD, &usage));
	show_result("bad who", getrusage(7, &usage));
	pid_t child = in_child({ burn_ms(60); _exit(3); });
	must(wait4(child, &status, 0, &usage));
	show_status("wait4", status);
	check(microseconds(usage.ru_utime) + microseconds(usage.ru_stime) > 5000);

	/* nice values */
	errno = 0;
	printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
	show_result("nice", nice(5));
	setpgid(0, 0); /* a leader of a session is in its own group already */
	printf("nice %d of the group %d\n", getpriority(PRIO_PROCESS, getpid()), getpriority(PRIO_PGRP, 0));
	child = in_child({ printf("inherited %d\n", getpriority(PRIO_PROCESS, 0)); fflush(stdout); for (;;) pause(); });
	sleep_ms(20);
	show_result("of a child", setpriority(PRIO_PROCESS, child, 100));
	printf("child %d\n", getpriority(PRIO_PROCESS, child));
	printf("best of the group %d\n", getpriority(PRIO_PGRP, 0));
	show_result("nobody", setpriority(PRIO_PROCESS, 999999, 1));
	show_result("bad which", setpriority(9, 0, 1));
	kill(child, SIGKILL);
	wait_for(child);

	/* affinity */
	cpu_set_t set;
	CPU_ZERO(&set);
	check(sched_getaffinity(0, sizeof set, &set) >= 0 && CPU_ISSET(0, &set));
	CPU_ZERO(&set);
	show_result("no processor", sched_setaffinity(0, sizeof set, &set));
	CPU_SET(0, &set);
	show_result("the first", sched_setaffinity(0, sizeof set, &set));
	check(sched_getaffinity(0, sizeof set, &set) >= 0 && CPU_COUNT(&set) == 1);
	show_result("of nobody", sched_getaffinity(999999, sizeof set, &set));
	show_result("of a negative process", sched_getaffinity(-1, sizeof set, &set));

	/* memory that grows downwards when it is touched below its start */
	char *area = must(mmap(NULL, 4 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	munmap(area, 4 << 20);
	char *top = area + (4 << 20);
	char *low = must(mmap(top - 8192, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0));
	low[0] = 1;
	low[-1] = 2;
	for (long i = 0; i < 100; i++)
		low[-4096 * i] = (char)i;
	long sum = 0;
	for (long i = 0; i < 100; i++)
		sum += low[-4096 * i];
	printf("grown: %ld\n", sum);
	status = wait_for(in_child({ low[-(8 << 20)] = 1; }));
	printf("far below: %s\n", WIFSIGNALED(status) || WIFEXITED(status) ? "decided" : "?");
	printf("deep: %d\n", down(500));
	return 0;
}
