/* Signals: handlers, masks, pending, restarting, waiting, alarms. */
#include "case.h"

static volatile sig_atomic_t count[65], depth, deepest;
static volatile siginfo_t last;
static void counting(int number)
{
	count[number]++;
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (number == SIGUSR1 && count[SIGUSR1] == 1)
		raise(SIGUSR2);
	depth--;
}
static void informed(int number, siginfo_t *information, void *context)
{
	(void)context;
	count[number]++;
	memcpy((void *)&last, information, sizeof last);
}
static void set(int number, void (*handler)(int), int flags, int masked)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	sigemptyset(&action.sa_mask);
	if (masked)
		sigaddset(&action.sa_mask, masked);
	must(sigaction(number, &action, NULL));
}

int main(void)
{
	sigset_t mask, old, pending;
	set(SIGUSR1, counting, 0, 0);
	set(SIGUSR2, counting, 0, 0);
	raise(SIGUSR1);
	printf("nested: USR1 %d USR2 %d deepest %d\n", (int)count[SIGUSR1], (int)count[SIGUSR2], (int)deepest);
	deepest = 0; count[SIGUSR1] = count[SIGUSR2] = 0;
	set(SIGUSR1, counting, 0, SIGUSR2);
	raise(SIGUSR1);
	printf("masked in the handler: USR1 %d USR2 %d deepest %d\n", (int)count[SIGUSR1], (int)count[SIGUSR2], (int)deepest);

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &mask, &old));
	count[SIGUSR1] = 5;
	raise(SIGUSR1);
	raise(SIGUSR1);
	must(sigpending(&pending));
	printf("blocked: %d pending %d\n", (int)count[SIGUSR1], sigismember(&pending, SIGUSR1));
	must(sigprocmask(SIG_SETMASK, &old, NULL));
	printf("unblocked: %d (ordinary signals do not queue)\n", (int)count[SIGUSR1]);
	show(sigprocmask(17, &mask, NULL));
	show(sigaction(SIGKILL, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL));
	show(sigaction(SIGSTOP, &(struct sigaction){ .sa_handler = counting }, NULL));
	show(syscall(SYS_kill, getpid(), 65));
	show(kill(getpid(), 0));
	show(kill(0x7ffffff0, 0));

	/* siginfo */
	struct sigaction action = { .sa_sigaction = informed, .sa_flags = SA_SIGINFO };
	must(sigaction(SIGTERM, &action, NULL));
	kill(getpid(), SIGTERM);
	printf("siginfo: signal %d code %d from itself %d\n", last.si_signo, last.si_code, last.si_pid == getpid());
	pid_t parent = getpid();
	pid_t pid = in_child({ kill(parent, SIGTERM); });
	pid_t sender = pid;
	wait_for(pid);
	printf("from the child: %d, count %d\n", last.si_pid == sender, (int)count[SIGTERM]);
	union sigval value = { .sival_int = 77 };
	must(sigaction(SIGRTMIN + 1, &action, NULL));
	show(sigqueue(getpid(), SIGRTMIN + 1, value));
	printf("queued: code %d value %d\n", last.si_code, last.si_value.sival_int);

	/* one-shot and re-entrant handlers */
	set(SIGUSR2, counting, SA_RESETHAND, 0);
	raise(SIGUSR2);
	must(sigaction(SIGUSR2, NULL, &action));
	check(action.sa_handler == SIG_DFL);
	signal(SIGUSR2, SIG_IGN);
	raise(SIGUSR2);

	/* interrupted and restarted calls */
	int p[2];
	char byte;
	must(pipe(p));
	set(SIGALRM, counting, 0, 0);
	count[SIGALRM] = 0;
	struct itimerval soon = { { 0, 0 }, { 0, 50000 } };
	must(setitimer(ITIMER_REAL, &soon, NULL));
	show(read(p[0], &byte, 1));
	set(SIGALRM, counting, SA_RESTART, 0);
	must(setitimer(ITIMER_REAL, &soon, NULL));
	pid = in_child({ sleep_ms(200); must(write(p[1], "r", 1)); });
	show(read(p[0], &byte, 1));
	printf("alarms %d\n", (int)count[SIGALRM]);
	wait_for(pid);
	/* a wait that an ignored signal does not end */
	signal(SIGALRM, SIG_IGN);
	must(setitimer(ITIMER_REAL, &soon, NULL));
	pid = in_child({ sleep_ms(150); must(write(p[1], "i", 1)); });
	show(read(p[0], &byte, 1));
	wait_for(pid);
	/* poll and nanosleep are not restarted even with SA_RESTART */
	set(SIGALRM, counting, SA_RESTART, 0);
	must(setitimer(ITIMER_REAL, &soon, NULL));
	show(poll(NULL, 0, 2000));
	must(setitimer(ITIMER_REAL, &soon, NULL));
	struct timespec request = { 2, 0 }, left = { 0, 0 };
	show(nanosleep(&request, &left));
	check(left.tv_sec == 1);
	must(setitimer(ITIMER_REAL, &soon, NULL));
	show(pause());

	/* sigsuspend, sigwait, sigtimedwait */
	must(sigprocmask(SIG_BLOCK, &mask, NULL));
	count[SIGUSR1] = 10;
	raise(SIGUSR1);
	printf("before sigsuspend %d\n", (int)count[SIGUSR1]);
	sigset_t empty;
	sigemptyset(&empty);
	show(sigsuspend(&empty));
	printf("after sigsuspend %d\n", (int)count[SIGUSR1]);
	raise(SIGUSR1);
	int taken = 0;
	show(sigwait(&mask, &taken));
	printf("sigwait took %d, handler count %d\n", taken, (int)count[SIGUSR1]);
	struct timespec brief = { 0, 30000000 };
	show(sigtimedwait(&mask, NULL, &brief));
	pid = in_child({ sleep_ms(50); kill(parent, SIGUSR1); });
	siginfo_t information;
	request = (struct timespec){ 5, 0 };
	show(sigtimedwait(&mask, &information, &request));
	check(information.si_pid == pid && information.si_code == SI_USER);
	wait_for(pid);
	/* real-time signals queue in order */
	sigset_t real;
	sigemptyset(&real);
	sigaddset(&real, SIGRTMIN + 2);
	must(sigprocmask(SIG_BLOCK, &real, NULL));
	for (int i = 0; i < 3; i++) {
		value.sival_int = i;
		must(sigqueue(getpid(), SIGRTMIN + 2, value));
	}
	for (int i = 0; i < 3; i++)
		printf("real-time signal with value %d\n", sigtimedwait(&real, &information, &request) > 0 ? information.si_value.sival_int : -1);

	/* timers that repeat; alarm */
	count[SIGALRM] = 0;
	struct itimerval repeat = { { 0, 10000 }, { 0, 10000 } }, stop = { { 0, 0 }, { 0, 0 } }, was;
	must(setitimer(ITIMER_REAL, &repeat, NULL));
	while (count[SIGALRM] < 5)
		pause();
	must(setitimer(ITIMER_REAL, &stop, &was));
	check(was.it_interval.tv_usec == 10000);
	check(count[SIGALRM] >= 5);
	show(alarm(100));
	unsigned rest = alarm(0);
	check(rest == 100 || rest == 99);
	show(alarm(0));

	/* what a child inherits */
	pid = in_child({ sigprocmask(SIG_BLOCK, NULL, &pending); printf("child: USR1 blocked %d\n", sigismember(&pending, SIGUSR1));
		sigpending(&pending); printf("child: USR1 pending %d\n", sigismember(&pending, SIGUSR1)); _exit(0); });
	wait_for(pid);
	/* default actions */
	static const int fatal[] = { SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGVTALRM, SIGXCPU };
	sigprocmask(SIG_SETMASK, &empty, NULL);
	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
		signal(fatal[i], SIG_DFL);
		pid = in_child({ raise(fatal[i]); _exit(1); });
		show_status("default action", wait_for(pid));
	}
	static const int harmless[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT };
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
		pid = in_child({ raise(harmless[i]); _exit(2); });
		show_status("ignored by default", wait_for(pid));
	}
	return 0;
}
