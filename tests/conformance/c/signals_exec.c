/* Signals across exec: what is pending stays pending, for the process and for the thread that executes; queued ones keep their values. */
#include "case.h"

int main(int argc, char **argv)
{
	sigset_t set, pending;
	siginfo_t info;
	sigfillset(&set);
	if (argc > 1) {
		struct timespec zero = { 0, 0 };
		int standard = 0, values = 0, number;
		must(sigpending(&pending));
		printf("pending %d %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2), sigismember(&pending, SIGRTMIN));
		while ((number = sigtimedwait(&set, &info, &zero)) > 0) {
			standard += number == SIGUSR1 || number == SIGUSR2;
			if (number == SIGRTMIN)
				values = values * 10 + info.si_value.sival_int;
		}
		printf("standard %d, values %d\n", standard, values);
		return 0;
	}
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	must(raise(SIGUSR1));
	must(kill(getpid(), SIGUSR2));
	memset(&info, 0, sizeof info);
	info.si_code = SI_QUEUE;
	info.si_signo = SIGRTMIN;
	for (int i = 1; i <= 3; i++) {
		info.si_value.sival_int = i;
		must(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGRTMIN, &info));
	}
	char *const failing[] = { "x", NULL };
	show_result("failing exec", execv("/nonexistent", failing));
	must(sigpending(&pending));
	printf("still pending %d %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2), sigismember(&pending, SIGRTMIN));
	fflush(stdout);
	execl("/proc/self/exe", "signals_exec", "again", (char *)NULL);
	return 1;
}
