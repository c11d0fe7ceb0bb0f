/* The three interval timers, alarm, and what fork and exec make of them. */
#include "case.h"
#include <sys/resource.h>

static volatile int alarms, virtuals, profiles;
static void note(int number)
{
	if (number == SIGALRM)
		alarms++;
	else if (number == SIGVTALRM)
		virtuals++;
	else
		profiles++;
}
static struct itimerval timer_of(long value_ms, long interval_ms)
{
	struct itimerval t = { { interval_ms / 1000, interval_ms % 1000 * 1000 }, { value_ms / 1000, value_ms % 1000 * 1000 } };
	return t;
}
static void burn_ms(long ms)
{
	struct timespec a, b;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	do {
		for (volatile int i = 0; i < 10000; i++)
			;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	} while ((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < ms);
}

int main(int argc, char **argv)
{
	struct itimerval set, old;
	if (argc > 1) {
		must(getitimer(ITIMER_REAL, &old));
		check(old.it_value.tv_sec >= 90 && old.it_value.tv_sec <= 100);
		signal(SIGALRM, note);
		set = timer_of(5, 0);
		must(setitimer(ITIMER_REAL, &set, NULL));
		pause();
		printf("alarms after exec: %d\n", alarms);
		return 0;
	}
	struct sigaction action = { .sa_handler = note };
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGVTALRM, &action, NULL);
	sigaction(SIGPROF, &action, NULL);

	for (int which = 0; which < 3; which++) {
		must(getitimer(which, &old));
		check(!old.it_value.tv_sec && !old.it_value.tv_usec && !old.it_interval.tv_usec);
	}
	show(getitimer(3, &old));
	set = timer_of(5, 5);
	set.it_value.tv_usec = 1000000;
	show(setitimer(ITIMER_REAL, &set, NULL));
	show(setitimer(4, &set, NULL));

	set = timer_of(10, 10);
	show(setitimer(ITIMER_REAL, &set, NULL));
	while (alarms < 5)
		pause();
	must(getitimer(ITIMER_REAL, &old));
	check(old.it_interval.tv_usec == 10000 && old.it_value.tv_sec == 0 && old.it_value.tv_usec <= 10000);
	set = timer_of(0, 0);
	show(setitimer(ITIMER_REAL, &set, &old));
	check(old.it_interval.tv_usec == 10000);

	/* user time: sleeping does not count */
	set = timer_of(20, 20);
	must(setitimer(ITIMER_VIRTUAL, &set, NULL));
	sleep_ms(60);
	check(virtuals == 0);
	double end = seconds_now() + 10;
	while (virtuals < 3 && seconds_now() < end)
		burn_ms(10);
	check(virtuals >= 3);
	set = timer_of(0, 0);
	must(setitimer(ITIMER_VIRTUAL, &set, &old));
	check(old.it_interval.tv_usec >= 20000 && old.it_interval.tv_usec < 25000);

	set = timer_of(30, 0);
	must(setitimer(ITIMER_PROF, &set, NULL));
	while (!profiles && seconds_now() < end)
		burn_ms(10);
	burn_ms(40);
	check(profiles == 1);
	must(getitimer(ITIMER_PROF, &old));
	check(!old.it_value.tv_sec && !old.it_value.tv_usec);

	/* alarm shares the real one */
	show(alarm(100));
	must(getitimer(ITIMER_REAL, &old));
	check(old.it_value.tv_sec == 99 || old.it_value.tv_sec == 100);
	int status = wait_for(in_child({
		getitimer(ITIMER_REAL, &old);
		check(!old.it_value.tv_sec && !old.it_value.tv_usec);
		show(alarm(0));
	}));
	show_status("child", status);
	status = wait_for(in_child({ alarm(99); execl("/proc/self/exe", "timers", "exec", (char *)NULL); }));
	show_status("exec", status);
	check(alarm(0) >= 98);
	show(alarm(0));

	/* default actions */
	status = wait_for(in_child({ signal(SIGALRM, SIG_DFL); set = timer_of(5, 0); setitimer(ITIMER_REAL, &set, NULL); for (;;) pause(); }));
	show_status("SIGALRM", status);
	status = wait_for(in_child({ signal(SIGVTALRM, SIG_DFL); set = timer_of(5, 0); setitimer(ITIMER_VIRTUAL, &set, NULL); for (;;) ; }));
	show_status("SIGVTALRM", status);

	/* a limit of processor time: SIGXCPU each second, SIGKILL at the hard one */
	status = wait_for(in_child({
		struct rlimit limit = { 1, 2 };
		static volatile int exceeded;
		signal(SIGXCPU, SIG_DFL);
		must(setrlimit(RLIMIT_CPU, &limit));
		for (;;)
			;
	}));
	show_status("RLIMIT_CPU", status);
	status = wait_for(in_child({
		struct rlimit limit = { 1, 2 };
		signal(SIGXCPU, SIG_IGN);
		must(setrlimit(RLIMIT_CPU, &limit));
		if (fork() == 0)
			_exit(0);
		for (;;)
			;
	}));
	show_status("hard RLIMIT_CPU", status);
	return 0;
}
