/* Which thread a signal reaches: any that does not block it, in this process and in others; tgkill to threads of another process. */
#include "case.h"
#include <pthread.h>

static volatile int taken_by[8];
static __thread int me;
static volatile int ready, stop;
static void note(int number) { (void)number; __sync_fetch_and_add(&taken_by[me], 1); }
static pid_t ids[8];

static void *open_thread(void *argument)
{
	sigset_t set;
	me = (int)(intptr_t)argument;
	ids[me] = (pid_t)syscall(SYS_gettid);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	__sync_fetch_and_add(&ready, 1);
	while (!stop)
		sleep_ms(2);
	return NULL;
}
static void *spinning_thread(void *argument)
{
	sigset_t set;
	me = (int)(intptr_t)argument;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	__sync_fetch_and_add(&ready, 1);
	while (!stop)
		;
	return NULL;
}
static void *closed_thread(void *argument)
{
	me = (int)(intptr_t)argument;
	ids[me] = (pid_t)syscall(SYS_gettid);
	__sync_fetch_and_add(&ready, 1);
	while (!stop)
		sleep_ms(2);
	return NULL;
}
static void *late_thread(void *argument)
{
	sigset_t set;
	me = (int)(intptr_t)argument;
	sleep_ms(20);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* it waits for the process already */
	return NULL;
}
static void *waiting_thread(void *argument)
{
	sigset_t set;
	int number = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	__sync_fetch_and_add(&ready, 1);
	sigwait(&set, &number);
	*(int *)argument = number;
	return NULL;
}
static void wait_ready(int count)
{
	while (ready < count)
		sleep_ms(1);
}
static void wait_taken(int who, int count)
{
	for (int i = 0; i < 3000 && taken_by[who] < count; i++)
		sleep_ms(1);
}

int main(void)
{
	sigset_t all, old;
	struct sigaction action = { .sa_handler = note };
	must(sigaction(SIGUSR1, &action, NULL));
	must(sigaction(SIGUSR2, &action, NULL));
	must(sigaction(SIGHUP, &action, NULL));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_t thread[8];

	pthread_create(&thread[1], NULL, closed_thread, (void *)1);
	pthread_create(&thread[2], NULL, open_thread, (void *)2);
	pthread_create(&thread[3], NULL, closed_thread, (void *)3);
	wait_ready(3);
	for (int i = 0; i < 50; i++) {
		must(kill(getpid(), SIGUSR1));
		wait_taken(2, i + 1);
	}
	printf("only the open thread: %d %d %d %d\n", taken_by[0], taken_by[1], taken_by[2], taken_by[3]);

	/* from another process */
	pid_t child = in_child({
		for (int i = 0; i < 20; i++) {
			must(kill(getppid(), SIGUSR1));
			sleep_ms(3);
		}
	});
	show_status("sender", wait_for(child));
	wait_taken(2, 70);
	check(taken_by[2] > 50);
	printf("others: %d %d %d\n", taken_by[0], taken_by[1], taken_by[3]);

	/* to a certain thread, from outside */
	int before = taken_by[2];
	child = in_child({
		show_result("tgkill to a thread of the parent", syscall(SYS_tgkill, getppid(), ids[2], SIGUSR1));
		show_result("tkill", syscall(SYS_tkill, ids[2], 0));
		show_result("tgkill with a wrong process", syscall(SYS_tgkill, getpid(), ids[2], SIGUSR1));
		show_result("tgkill to a thread that blocks", syscall(SYS_tgkill, getppid(), ids[1], SIGUSR2));
		show_result("probe", syscall(SYS_tgkill, getppid(), ids[1], 0));
	});
	show_status("tgkill sender", wait_for(child));
	wait_taken(2, before + 1);
	printf("the thread took %d more\n", taken_by[2] - before);

	/* one that runs and never calls the system */
	stop = 1;
	for (int i = 1; i <= 3; i++)
		pthread_join(thread[i], NULL);
	child = in_child({ show_result("tgkill to a thread that has ended", syscall(SYS_tgkill, getppid(), ids[2], 0)); });
	wait_for(child);
	stop = ready = 0;
	pthread_create(&thread[4], NULL, spinning_thread, (void *)4);
	wait_ready(1);
	must(kill(getpid(), SIGUSR2));
	wait_taken(4, 1);
	printf("the spinning thread: %d\n", taken_by[4]);
	stop = 1;
	pthread_join(thread[4], NULL);

	/* pending for the process until somebody unblocks it */
	pthread_create(&thread[5], NULL, late_thread, (void *)5);
	must(kill(getpid(), SIGHUP));
	pthread_join(thread[5], NULL);
	printf("the late thread: %d\n", taken_by[5]);

	/* pending for a thread that ends dies with it; for the process it stays */
	ready = stop = 0;
	pthread_create(&thread[1], NULL, closed_thread, (void *)1);
	wait_ready(1);
	pthread_kill(thread[1], SIGHUP);
	stop = 1;
	pthread_join(thread[1], NULL);
	sigset_t pending;
	sigpending(&pending);
	check(!sigismember(&pending, SIGHUP));

	/* sigwait in one thread, blocked everywhere */
	int number = 0;
	ready = 0;
	pthread_create(&thread[6], NULL, waiting_thread, &number);
	wait_ready(1);
	must(kill(getpid(), SIGTERM));
	pthread_join(thread[6], NULL);
	printf("sigwait told %d\n", number);

	/* a new thread has the mask of its maker and nothing pending */
	must(kill(getpid(), SIGUSR1));
	sigpending(&pending);
	check(sigismember(&pending, SIGUSR1));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	printf("delivered here: %d\n", taken_by[0]);
	return 0;
}
