/* Who and where a process is: numbers, names, limits, priorities, unknown calls. */
#include "case.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>

int main(int argc, char **argv)
{
	struct utsname name;
	struct rusage usage;
	struct rlimit limit;
	(void)argv;
	printf("argc %d\n", argc);
	check(getpid() > 0 && getppid() > 0);
	check(syscall(SYS_gettid) == getpid());
	pid_t parent = getpid();
	wait_for(in_child({ check(getppid() == parent); check(getpid() != parent); check(syscall(SYS_gettid) == getpid()); }));
	show(uname(&name));
	printf("%s on %s\n", name.sysname, name.machine);
	show(sysconf(_SC_PAGESIZE));
	check(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	check(getuid() == geteuid() && getgid() == getegid());
	show(setuid(getuid()));
	show(setgid(getgid()));
	check(getpgrp() == getpgid(0) && getpgrp() > 0);
	check(getsid(0) > 0);
	show(getrusage(RUSAGE_SELF, &usage));
	show(getrusage(99, &usage));
	show(getrlimit(RLIMIT_STACK, &limit));
	show(getrlimit(99, &limit));
	limit.rlim_cur = 10;
	limit.rlim_max = 5;
	show(setrlimit(RLIMIT_CORE, &limit));
	show(sched_yield());
	errno = 0;
	show(getpriority(PRIO_PROCESS, 0));
	cpu_set_t set;
	check(sched_getaffinity(0, sizeof set, &set) >= 0 && CPU_COUNT(&set) >= 1);
	show(umask(0123) >= 0 ? 0 : -1);
	show(umask(022));
	/* calls that do not exist */
	show(syscall(1000));
	show(syscall(-1));
	show(syscall(511));
	show(syscall(0x40000000));
	/* an environment that can be changed */
	setenv("NEW", "value", 1);
	show_status("environment", system("test \"$NEW\" = value"));
	unsetenv("NEW");
	show_status("environment", system("test -z \"$NEW\""));
	show(getgroups(0, NULL) >= 0 ? 0 : -1);
#ifdef SYS_arch_prctl
	show(syscall(SYS_arch_prctl, 0x9999, 0));
#endif
	show(isatty(0));
	return 0;
}
