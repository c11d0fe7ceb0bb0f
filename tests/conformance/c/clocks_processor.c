/* Clocks of processor time: of threads, of other processes; timers and sleeping on them. */
#include "case.h"
#include <pthread.h>
#include <sched.h>

#define PROCESS_CLOCK(pid, which) ((clockid_t)(~(unsigned)(pid) << 3 | (which)))
#define THREAD_CLOCK(tid, which) ((clockid_t)(~(unsigned)(tid) << 3 | 4 | (which)))

static volatile int stop, started;
static volatile sig_atomic_t signals, code;
static volatile pid_t thread_id;
static void note(int number, siginfo_t *info, void *context) { (void)number, (void)context; signals++; code = info->si_code; }

static double value(clockid_t clock)
{
	struct timespec time;
	return clock_gettime(clock, &time) ? -1 : (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void burn(double seconds)
{
	volatile unsigned sum = 0;
	for (double end = value(CLOCK_THREAD_CPUTIME_ID) + seconds; value(CLOCK_THREAD_CPUTIME_ID) < end;)
		for (int i = 0; i < 20000; i++)
			sum++;
}

static void *burner(void *argument)
{
	(void)argument;
	thread_id = (pid_t)syscall(SYS_gettid);
	burn(0.1);
	started = 1;
	while (!stop)
		burn(0.01);
	return NULL;
}

static void *sleeper(void *argument)
{
	(void)argument;
	started = 1;
	while (!stop)
		sleep_ms(5);
	return NULL;
}

static long try_timer(clockid_t clock)
{
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	if (timer_create(clock, &event, &timer))
		return -1;
	timer_delete(timer);
	return 0;
}

/* Makes a timer that is due after so much of the clock, and tells how much of it had passed when the signal came. */
static double until_signal(clockid_t clock, double seconds, clockid_t measure)
{
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec when = { .it_value = { 0, (long)(seconds * 1e9) } }, left;
	signals = 0;
	must(timer_create(clock, &event, &timer));
	double start = value(measure);
	must(timer_settime(timer, 0, &when, NULL));
	must(timer_gettime(timer, &left));
	double first = (double)left.it_value.tv_nsec / 1e9;
	while (!signals && value(CLOCK_MONOTONIC) < 1e9)
		burn(0.005);
	double passed = value(measure) - start;
	must(timer_gettime(timer, &left));
	if (first > seconds || left.it_value.tv_sec || left.it_value.tv_nsec)
		printf("timer tells wrong times\n");
	timer_delete(timer);
	return passed;
}

int main(void)
{
	pthread_t thread;
	clockid_t clock, own;
	struct timespec time;
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART };
	sigaction(SIGUSR1, &action, NULL);

	/* the own ones, by every name */
	burn(0.1);
	must(pthread_getcpuclockid(pthread_self(), &own));
	must(clock_getcpuclockid(0, &clock));
	check(value(clock) > 0.09 && value(own) > 0.09);
	must(clock_getcpuclockid(getpid(), &clock));
	check(value(clock) >= 0.09 && value(clock) <= value(CLOCK_PROCESS_CPUTIME_ID));
	double user = value(PROCESS_CLOCK(0, 1)), both = value(PROCESS_CLOCK(0, 0));
	check(user > 0 && user <= both + 0.01);
	check(value(THREAD_CLOCK(0, 1)) > 0 && value(THREAD_CLOCK(getpid(), 2)) > 0.09);
	show(clock_getres(clock, &time));
	printf("resolution %ld\n", time.tv_nsec);

	/* another thread's */
	pthread_create(&thread, NULL, burner, NULL);
	while (!started)
		sleep_ms(2);
	must(pthread_getcpuclockid(thread, &clock));
	double before = value(clock);
	check(before >= 0.1);
	sleep_ms(50);
	check(value(clock) > before);
	check(value(THREAD_CLOCK(thread_id, 2)) >= before && value(THREAD_CLOCK(thread_id, 1)) > 0);
	check(value(CLOCK_PROCESS_CPUTIME_ID) >= value(clock) + 0.09);
	check(value(CLOCK_THREAD_CPUTIME_ID) < value(CLOCK_PROCESS_CPUTIME_ID) - 0.09);

	/* timers: of a thread, of another thread, of the process */
	double passed = until_signal(CLOCK_THREAD_CPUTIME_ID, 0.05, CLOCK_THREAD_CPUTIME_ID);
	check(passed >= 0.05 && passed < 1);
	printf("code %d\n", code == SI_TIMER);
	passed = until_signal(clock, 0.05, clock);
	check(passed >= 0.05 && passed < 1);
	passed = until_signal(CLOCK_PROCESS_CPUTIME_ID, 0.1, CLOCK_PROCESS_CPUTIME_ID);
	check(passed >= 0.1 && passed < 1);
	stop = 1;
	pthread_join(thread, NULL);
	while (!syscall(SYS_tgkill, getpid(), thread_id, 0)) /* joined before the kernel has done with it */
		sched_yield();
	show_result("of a thread that has ended", clock_gettime(clock, &time));
	show_result("timer of it", try_timer(clock));

	/* one that hardly uses any */
	stop = started = 0;
	pthread_create(&thread, NULL, sleeper, NULL);
	while (!started)
		sched_yield();
	must(pthread_getcpuclockid(thread, &clock));
	burn(0.1);
	check(value(clock) < 0.08);
	stop = 1;
	pthread_join(thread, NULL);

	/* another process's */
	pid_t pid = in_child(for (;;) burn(0.1));
	must(clock_getcpuclockid(pid, &clock));
	while (value(clock) < 0.1)
		sleep_ms(5);
	passed = until_signal(clock, 0.05, clock);
	check(passed >= 0.05 && passed < 2);
	before = value(clock);
	struct timespec some = { 0, 50000000 };
	show(clock_nanosleep(clock, 0, &some, NULL));
	check(value(clock) >= before + 0.05);
	before = value(clock);
	some.tv_sec = (long)(before + 0.05);
	some.tv_nsec = (long)((before + 0.05 - (double)some.tv_sec) * 1e9);
	show(clock_nanosleep(clock, TIMER_ABSTIME, &some, NULL));
	check(value(clock) >= before + 0.049);
	show_result("its main thread's, from outside", clock_gettime(THREAD_CLOCK(pid, 2), &time));
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	must(timer_create(clock, &event, &timer));
	kill(pid, SIGKILL);
	wait_for(pid);
	struct itimerspec when = { .it_value = { 1, 0 } };
	show_result("settime of the dead", timer_settime(timer, 0, &when, NULL));
	show_result("gettime of the dead", clock_gettime(clock, &time));
	printf("clock of the dead: %s\n", error_name(clock_getcpuclockid(pid, &clock)));

	/* refused */
	show_result("nobody's", clock_gettime(PROCESS_CLOCK(999999, 2), &time));
	show_result("no such thread", clock_gettime(THREAD_CLOCK(999999, 2), &time));
	show_result("no such kind", clock_gettime(PROCESS_CLOCK(0, 3), &time));
	show_result("timer of nobody", try_timer(PROCESS_CLOCK(999999, 2)));
	show_result("timer, coarse", try_timer(CLOCK_MONOTONIC_COARSE));
	show_result("timer, no clock", try_timer(77));
	show_result("set", clock_settime(CLOCK_PROCESS_CPUTIME_ID, &time));
	printf("sleep on the own thread: %s\n", error_name(-(int)syscall(SYS_clock_nanosleep, THREAD_CLOCK(0, 2), 0, &some, NULL) == 1 ? errno : 0));
	/* a sleep on the own process's clock goes on while another thread computes */
	stop = started = 0;
	pthread_create(&thread, NULL, burner, NULL);
	some = (struct timespec){ 0, 30000000 };
	before = value(CLOCK_PROCESS_CPUTIME_ID);
	show(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &some, NULL));
	check(value(CLOCK_PROCESS_CPUTIME_ID) >= before + 0.03);
	stop = 1;
	pthread_join(thread, NULL);
	return 0;
}
