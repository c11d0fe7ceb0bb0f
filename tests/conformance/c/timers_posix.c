/* POSIX timers: notification by signal, to a thread, by a thread, none; periods and overruns; clocks; fork and exec. */
#include "case.h"
#include <pthread.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
static volatile int count, value, code, overruns, number_ok;
static timer_t the_timer;
static volatile pthread_t where;
static void note(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	count++;
	value = info->si_value.sival_int;
	code = info->si_code;
	overruns += info->si_overrun;
	where = pthread_self();
}
static struct itimerspec spec(long value_ms, long interval_ms)
{
	struct itimerspec s = { { interval_ms / 1000, interval_ms % 1000 * 1000000 }, { value_ms / 1000, value_ms % 1000 * 1000000 } };
	return s;
}
static bool near_ms(const struct timespec *t, long low, long high)
{
	long ms = t->tv_sec * 1000 + t->tv_nsec / 1000000;
	return ms >= low && ms <= high;
}
static void wait_count(int n)
{
	for (int i = 0; i < 2000 && count < n; i++)
		sleep_ms(1);
}
static volatile int in_thread;
static void by_thread(union sigval v) { in_thread += v.sival_int; }
static volatile pid_t target;
static volatile int stop;
static pthread_t target_thread;
static void *target_run(void *argument)
{
	target = (pid_t)syscall(SYS_gettid);
	while (!stop)
		sleep_ms(1);
	return argument;
}
static void burn_ms(long ms)
{
	struct timespec a, b;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	while ((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < ms);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL };
	struct itimerspec set, old;
	timer_t timer, second;
	if (argc > 1) {
		show_result("timer_gettime after exec", syscall(SYS_timer_gettime, 0, &old));
		return 0;
	}
	sigaction(SIGRTMIN, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGVTALRM, &action, NULL);

	event.sigev_signo = SIGRTMIN;
	event.sigev_value.sival_int = 77;
	must(timer_create(CLOCK_MONOTONIC, &event, &timer));
	show(timer_gettime(timer, &old));
	check(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
	set = spec(20, 0);
	show(timer_settime(timer, 0, &set, &old));
	show(timer_gettime(timer, &old));
	check(near_ms(&old.it_value, 0, 20));
	wait_count(1);
	printf("one shot: count %d value %d code %d\n", count, value, code == SI_TIMER);
	sleep_ms(20);
	show(timer_gettime(timer, &old));
	check(count == 1 && old.it_value.tv_nsec == 0);

	/* periodic */
	count = 0;
	set = spec(5, 5);
	show(timer_settime(timer, 0, &set, NULL));
	wait_count(5);
	check(count >= 5);
	show(timer_gettime(timer, &old));
	check(near_ms(&old.it_interval, 5, 5) && near_ms(&old.it_value, 0, 5));
	set = spec(0, 0);
	show(timer_settime(timer, 0, &set, &old));
	check(near_ms(&old.it_interval, 5, 5));
	sleep_ms(10);
	count = 0;
	sleep_ms(20);
	check(count == 0);

	/* blocked: one signal, the rest are overruns */
	sigset_t block, before;
	siginfo_t info;
	sigemptyset(&block);
	sigaddset(&block, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &block, &before);
	set = spec(10, 10);
	must(timer_settime(timer, 0, &set, NULL));
	sleep_ms(105);
	check(sigwaitinfo(&block, &info) == SIGRTMIN);
	check(info.si_overrun >= 7 && info.si_overrun <= 12 && info.si_code == SI_TIMER && info.si_value.sival_int == 77);
	check(timer_getoverrun(timer) == info.si_overrun);
	set = spec(0, 0);
	must(timer_settime(timer, 0, &set, NULL));
	struct timespec zero = { 0, 0 };
	while (sigtimedwait(&block, &info, &zero) > 0)
		;
	sigprocmask(SIG_SETMASK, &before, NULL);

	/* absolute, both clocks; in the past: at once */
	for (int i = 0; i < 2; i++) {
		clockid_t clock = i ? CLOCK_REALTIME : CLOCK_MONOTONIC;
		must(timer_create(clock, &event, &second));
		struct timespec now;
		clock_gettime(clock, &now);
		set = spec(0, 0);
		set.it_value = now;
		set.it_value.tv_nsec += 30000000;
		if (set.it_value.tv_nsec >= 1000000000)
			set.it_value.tv_sec++, set.it_value.tv_nsec -= 1000000000;
		count = 0;
		double start = seconds_now();
		show(timer_settime(second, TIMER_ABSTIME, &set, NULL));
		show(timer_gettime(second, &old));
		check(near_ms(&old.it_value, 0, 30));
		wait_count(1);
		double passed = seconds_now() - start;
		check(count == 1 && passed > 0.02 && passed < 1);
		count = 0;
		set.it_value = (struct timespec){ 1, 0 };
		show(timer_settime(second, TIMER_ABSTIME, &set, NULL));
		wait_count(1);
		check(count == 1);
		show(timer_delete(second));
	}
	show_result("deleted", syscall(SYS_timer_gettime, 12345, &old));

	/* without an event: SIGALRM with the timer's number */
	must(timer_create(CLOCK_REALTIME, NULL, &second));
	count = 0;
	set = spec(5, 0);
	must(timer_settime(second, 0, &set, NULL));
	wait_count(1);
	check(count == 1 && code == SI_TIMER);
	must(timer_delete(second));

	/* nobody is told */
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	must(timer_create(CLOCK_MONOTONIC, &none, &second));
	set = spec(1000, 100);
	must(timer_settime(second, 0, &set, NULL));
	must(timer_gettime(second, &old));
	check(near_ms(&old.it_value, 900, 1000) && near_ms(&old.it_interval, 100, 100));
	set = spec(10, 0);
	must(timer_settime(second, 0, &set, NULL));
	sleep_ms(15);
	must(timer_gettime(second, &old));
	check(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
	must(timer_delete(second));

	/* a thread of the C library's */
	struct sigevent thread_event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = by_thread, .sigev_value.sival_int = 3 };
	must(timer_create(CLOCK_MONOTONIC, &thread_event, &second));
	set = spec(5, 5);
	must(timer_settime(second, 0, &set, NULL));
	for (int i = 0; i < 1000 && in_thread < 9; i++)
		sleep_ms(1);
	check(in_thread >= 9);
	must(timer_delete(second));

	/* a certain thread */
	pthread_create(&target_thread, NULL, target_run, NULL);
	while (!target)
		sleep_ms(1);
	struct sigevent id_event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 5 };
	id_event.sigev_notify_thread_id = target;
	must(timer_create(CLOCK_MONOTONIC, &id_event, &second));
	count = 0;
	set = spec(5, 5);
	must(timer_settime(second, 0, &set, NULL));
	wait_count(4);
	check(count >= 4 && pthread_equal(where, target_thread));
	must(timer_delete(second));
	stop = 1;
	pthread_join(target_thread, NULL);
	id_event.sigev_notify_thread_id = 999999;
	show_result("no such thread", timer_create(CLOCK_MONOTONIC, &id_event, &second));

	/* processor time */
	event.sigev_value.sival_int = 99;
	must(timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &second));
	count = 0;
	set = spec(40, 0);
	must(timer_settime(second, 0, &set, NULL));
	sleep_ms(60);
	check(count == 0);
	burn_ms(80);
	wait_count(1);
	check(count == 1 && value == 99);
	must(timer_delete(second));

	/* errors */
	event.sigev_signo = 65;
	show_result("bad signal", timer_create(CLOCK_MONOTONIC, &event, &second));
	event.sigev_signo = SIGRTMIN;
	event.sigev_notify = 33;
	show_result("bad notification", timer_create(CLOCK_MONOTONIC, &event, &second));
	event.sigev_notify = SIGEV_SIGNAL;
	show_result("bad clock", timer_create(99, &event, &second));
	set = spec(1, 1);
	set.it_value.tv_nsec = 1000000000;
	show_result("bad time", timer_settime(timer, 0, &set, NULL));
	show_result("no timer", syscall(SYS_timer_delete, 12345));
	show_result("overruns of no timer", syscall(SYS_timer_getoverrun, 12345));

	/* a hundred of them */
	timer_t many[100];
	count = 0;
	event.sigev_signo = SIGRTMIN;
	for (int i = 0; i < 100; i++) {
		must(timer_create(CLOCK_MONOTONIC, &event, &many[i]));
		set = spec(5 + i % 10, 0);
		must(timer_settime(many[i], 0, &set, NULL));
	}
	wait_count(100);
	printf("a hundred: %d\n", count);
	for (int i = 0; i < 100; i++)
		must(timer_delete(many[i]));

	/* not inherited, and gone after exec */
	set = spec(5000, 0);
	must(timer_settime(timer, 0, &set, NULL));
	int status = wait_for(in_child({ show_result("timer_gettime in a child", syscall(SYS_timer_gettime, (long)0, &old)); }));
	status = wait_for(in_child({ execl("/proc/self/exe", "timers", "exec", (char *)NULL); }));
	show_status("exec", status);
	show(timer_delete(timer));
	return 0;
}
