/* Queued signals: real-time order and count, siginfo, to processes and to threads, sigwaitinfo and sigtimedwait. */
#include "case.h"
#include <pthread.h>

static void show_info(const char *text, int number, const siginfo_t *info)
{
	printf("%s: signal %d number %d code %d value %d from %s\n", text, number < 0 ? number : number >= SIGRTMIN ? number - SIGRTMIN + 100 : number,
		info->si_signo == number ? 0 : info->si_signo, info->si_code, info->si_value.sival_int,
		info->si_pid == getpid() ? "self" : info->si_pid == getppid() ? "parent" : info->si_pid == 0 ? "none" : "other");
}

static int seen[64], seen_code[64], seen_count;
static void note(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (seen_count < 64) {
		seen_code[seen_count] = info->si_code;
		seen[seen_count++] = (number - SIGRTMIN) * 1000 + info->si_value.sival_int;
	}
}
static void show_seen(const char *text)
{
	printf("%s:", text);
	for (int i = 0; i < seen_count; i++)
		printf(" %d(%d)", seen[i], seen_code[i]);
	printf("\n");
	seen_count = 0;
}

static int queue_to_thread(pid_t process, pid_t thread, int number, int value, int code)
{
	siginfo_t info;
	memset(&info, 0, sizeof info);
	info.si_signo = number;
	info.si_code = code;
	info.si_pid = getpid();
	info.si_value.sival_int = value;
	return (int)syscall(SYS_rt_tgsigqueueinfo, process, thread, number, &info);
}
static int thread_queue(pid_t thread, int number, int value)
{
	return queue_to_thread(getpid(), thread, number, value, SI_QUEUE);
}
static pid_t tid_of_waiter;
static void *waiter(void *argument)
{
	sigset_t set;
	siginfo_t info;
	tid_of_waiter = (pid_t)syscall(SYS_gettid);
	__atomic_store_n((int *)argument, 1, __ATOMIC_SEQ_CST);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	while (__atomic_load_n((int *)argument, __ATOMIC_SEQ_CST) != 2)
		sleep_ms(1);
	for (int i = 0; i < 5; i++) {
		int number = sigwaitinfo(&set, &info);
		show_info("thread", number, &info);
	}
	struct timespec zero = { 0, 0 };
	show_result("thread, no more", sigtimedwait(&set, &info, &zero));
	return NULL;
}

int main(void)
{
	sigset_t all, old, set, pending;
	siginfo_t info;
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	sigfillset(&action.sa_mask);
	for (int i = 0; i < 6; i++)
		must(sigaction(SIGRTMIN + i, &action, NULL));
	must(sigaction(SIGUSR1, &action, NULL));
	sigfillset(&all);
	must(sigprocmask(SIG_BLOCK, &all, &old));

	/* to the process: lower numbers first, first in first out within one */
	for (int i = 0; i < 4; i++) {
		must(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 20 + i }));
		must(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 10 + i }));
	}
	must(sigpending(&pending));
	check(sigismember(&pending, SIGRTMIN + 1) && sigismember(&pending, SIGRTMIN + 2) && !sigismember(&pending, SIGRTMIN));
	must(sigprocmask(SIG_SETMASK, &old, NULL));
	show_seen("queued to the process");

	/* a standard signal is kept once, with the first one's information */
	must(sigprocmask(SIG_BLOCK, &all, NULL));
	for (int i = 0; i < 3; i++)
		must(sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 7 + i }));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	show_info("standard", sigwaitinfo(&set, &info), &info);
	struct timespec zero = { 0, 0 }, little = { 0, 20000000 };
	show_result("standard again", sigtimedwait(&set, &info, &zero));
	show_result("and later", sigtimedwait(&set, &info, &little));

	/* to this thread: queued too */
	for (int i = 0; i < 4; i++)
		must(thread_queue((pid_t)syscall(SYS_gettid), SIGRTMIN + 3, 30 + i));
	for (int i = 0; i < 3; i++)
		must(thread_queue((pid_t)syscall(SYS_gettid), SIGUSR1, 40 + i));
	must(sigpending(&pending));
	check(sigismember(&pending, SIGRTMIN + 3) && sigismember(&pending, SIGUSR1));
	sigaddset(&set, SIGRTMIN + 3);
	for (int i = 0; i < 5; i++)
		show_info("thread queue", sigwaitinfo(&set, &info), &info);
	show_result("empty", sigtimedwait(&set, &info, &zero));

	/* thread's own first, then the process's; handlers */
	must(thread_queue((pid_t)syscall(SYS_gettid), SIGRTMIN + 4, 1));
	must(sigqueue(getpid(), SIGRTMIN + 4, (union sigval){ .sival_int = 2 }));
	must(thread_queue((pid_t)syscall(SYS_gettid), SIGRTMIN + 4, 3));
	must(pthread_kill(pthread_self(), SIGRTMIN + 4));
	sigaddset(&set, SIGRTMIN + 4);
	for (int i = 0; i < 4; i++)
		show_info("mixed", sigwaitinfo(&set, &info), &info);

	/* another thread of this process, many at once */
	pthread_t thread;
	int state = 0;
	must(pthread_create(&thread, NULL, waiter, &state));
	while (__atomic_load_n(&state, __ATOMIC_SEQ_CST) != 1)
		sleep_ms(1);
	for (int i = 0; i < 5; i++)
		must(thread_queue(tid_of_waiter, SIGRTMIN + 3, 50 + i));
	__atomic_store_n(&state, 2, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);

	/* what may not be forged */
	show_result("negative code to oneself", queue_to_thread(getpid(), (pid_t)syscall(SYS_gettid), SIGRTMIN + 3, 9, SI_QUEUE));
	show_result("any code to oneself", queue_to_thread(getpid(), (pid_t)syscall(SYS_gettid), SIGRTMIN + 3, 9, SI_USER));
	show_result("SI_USER to the parent", queue_to_thread(getppid(), getppid(), 0, 9, SI_USER));
	show_result("no such thread", queue_to_thread(getpid(), 999999, SIGRTMIN + 3, 9, SI_QUEUE));
	show_result("bad signal", queue_to_thread(getpid(), (pid_t)syscall(SYS_gettid), 65, 9, SI_QUEUE));
	show_result("tgkill with a wrong process", syscall(SYS_tgkill, getppid(), syscall(SYS_gettid), 0));
	show_result("tgkill probes", syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0));
	show_result("tkill 0", syscall(SYS_tkill, 0, 0));
	show_result("tgkill -1", syscall(SYS_tgkill, -1, 1, 0));
	for (int i = 0; i < 2; i++)
		show_info("forged", sigtimedwait(&set, &info, &zero), &info);

	/* 500 to a child that blocks them, then takes them all in order */
	int ready[2], go[2];
	must(pipe(ready)), must(pipe(go));
	pid_t child = in_child({
		char byte = 0;
		int count = 0, wrong = 0;
		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN + 5);
		must(write(ready[1], &byte, 1));
		must(read(go[0], &byte, 1));
		while (sigtimedwait(&set, &info, &zero) > 0) {
			wrong += info.si_value.sival_int != count || info.si_code != SI_QUEUE || info.si_pid != getppid();
			count++;
		}
		printf("the child took %d, wrong %d\n", count, wrong);
	});
	char byte;
	must(read(ready[0], &byte, 1));
	for (int i = 0; i < 500; i++)
		must(sigqueue(child, SIGRTMIN + 5, (union sigval){ .sival_int = i }));
	must(write(go[1], &byte, 1));
	show_status("child", wait_for(child));
	return 0;
}
