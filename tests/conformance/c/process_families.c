/* Parents, orphans and heirs: PDEATHSIG, child subreapers, waitid with all its options, stopping and continuing, sessions. */
#include "case.h"
#include <sys/prctl.h>

static int up[2], down[2]; /* from children to this process, and from their parent to children */
static void say(char byte) { must(write(up[1], &byte, 1)); }
static char hear(void) { char byte = '?'; must(read(up[0], &byte, 1)); return byte; }
static void tell(char byte) { must(write(down[1], &byte, 1)); }
static char told(void) { char byte = '?'; must(read(down[0], &byte, 1)); return byte; }
static void show_child(const char *text, int result, const siginfo_t *info, pid_t child)
{
	if (result < 0)
		printf("%s: %s\n", text, error_name(errno));
	else
		printf("%s: %d signal %d code %d status %d pid %s uid %d\n", text, result, info->si_signo, info->si_code, info->si_status,
			info->si_pid == child ? "the child's" : info->si_pid == 0 ? "0" : "another", (int)info->si_uid);
}
static siginfo_t last_child;
static volatile int child_signals;
static void note_child(int number, siginfo_t *info, void *context) { (void)number, (void)context; last_child = *info; child_signals++; }

int main(void)
{
	siginfo_t info;
	int value = -1, status;
	must(pipe(up));
	must(pipe(down));

	/* -- waitid */
	pid_t child = in_child({ _exit(42); });
	memset(&info, 0, sizeof info);
	show_child("WNOWAIT", waitid(P_PID, child, &info, WEXITED | WNOWAIT), &info, child);
	memset(&info, 0, sizeof info);
	show_child("once more", waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG), &info, child);
	memset(&info, 0, sizeof info);
	show_child("reaped", waitid(P_PID, child, &info, WEXITED), &info, child);
	show_child("gone", waitid(P_PID, child, &info, WEXITED), &info, child);
	child = in_child({ for (;;) pause(); });
	memset(&info, 0xff, sizeof info);
	show_child("WNOHANG of a running one", waitid(P_PID, child, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG), &info, child);
	kill(child, SIGSTOP);
	show_child("stopped", waitid(P_PID, child, &info, WSTOPPED), &info, child);
	memset(&info, 0, sizeof info);
	show_child("told once", waitid(P_PID, child, &info, WSTOPPED | WNOHANG), &info, child);
	kill(child, SIGCONT);
	show_child("continued, kept", waitid(P_PID, child, &info, WCONTINUED | WNOWAIT), &info, child);
	show_child("continued", waitid(P_PID, child, &info, WCONTINUED), &info, child);
	memset(&info, 0, sizeof info);
	show_child("not again", waitid(P_PID, child, &info, WCONTINUED | WNOHANG), &info, child);
	kill(child, SIGTERM);
	show_child("killed", waitid(P_PGID, getpgrp(), &info, WEXITED), &info, child);
	show_child("no children", waitid(P_ALL, 0, &info, WEXITED), &info, child);
	show_child("no options", waitid(P_ALL, 0, &info, 0), &info, child);
	show_child("bad type", waitid(77, 0, &info, WEXITED), &info, child);
	show_child("bad option", waitid(P_ALL, 0, &info, WEXITED | 0x100), &info, child);
	show_result("wait4 bad option", waitpid(-1, &status, 0x100));

	/* -- SIGCHLD for stops, and without */
	struct sigaction action = { .sa_sigaction = note_child, .sa_flags = SA_SIGINFO | SA_RESTART };
	sigaction(SIGCHLD, &action, NULL);
	child = in_child({ for (;;) pause(); });
	kill(child, SIGSTOP);
	while (child_signals < 1)
		sleep_ms(1);
	show_child("SIGCHLD", 0, &last_child, child);
	kill(child, SIGCONT);
	while (child_signals < 2)
		sleep_ms(1);
	show_child("SIGCHLD", 0, &last_child, child);
	kill(child, SIGKILL);
	while (child_signals < 3)
		sleep_ms(1);
	show_child("SIGCHLD", 0, &last_child, child);
	wait_for(child);
	action.sa_flags |= SA_NOCLDSTOP;
	sigaction(SIGCHLD, &action, NULL);
	child_signals = 0;
	child = in_child({ for (;;) pause(); });
	kill(child, SIGSTOP);
	must(waitpid(child, &status, WUNTRACED));
	show_status("stopped", status);
	kill(child, SIGCONT);
	must(waitpid(child, &status, WCONTINUED));
	show_status("went on", status);
	check(child_signals == 0);
	kill(child, SIGKILL);
	wait_for(child);
	signal(SIGCHLD, SIG_DFL);

	/* stop signals a program can handle or ignore */
	child = in_child({ signal(SIGTSTP, SIG_IGN); say('r'); told(); _exit(5); });
	hear();
	kill(child, SIGTSTP);
	show_result("an ignored SIGTSTP", waitpid(child, &status, WUNTRACED | WNOHANG));
	tell('x');
	show_status("then", wait_for(child));
	/* stopped by itself, killed while stopped */
	setpgid(0, 0);
	child = in_child({ raise(SIGSTOP); raise(SIGSTOP); _exit(3); });
	must(waitpid(child, &status, WUNTRACED));
	show_status("first", status);
	kill(child, SIGCONT);
	must(waitpid(child, &status, WUNTRACED));
	show_status("second", status);
	kill(child, SIGTERM); /* waits until it continues */
	sleep_ms(10);
	show_result("still stopped", waitpid(child, &status, WNOHANG));
	kill(child, SIGCONT);
	show_status("end", wait_for(child));
	child = in_child({ raise(SIGSTOP); });
	must(waitpid(child, &status, WUNTRACED));
	kill(child, SIGKILL);
	show_status("killed while stopped", wait_for(child));

	/* -- the death of a parent */
	must(prctl(PR_GET_PDEATHSIG, &value));
	printf("PDEATHSIG %d\n", value);
	show_result("bad PDEATHSIG", prctl(PR_SET_PDEATHSIG, 65));
	child = in_child({
		pid_t grandchild = fork();
		if (grandchild == 0) {
			sigset_t set;
			int number = 0;
			sigemptyset(&set);
			sigaddset(&set, SIGUSR1);
			sigprocmask(SIG_BLOCK, &set, NULL);
			must(prctl(PR_SET_PDEATHSIG, SIGUSR1));
			must(prctl(PR_GET_PDEATHSIG, &value));
			int inner = fork();
			if (inner == 0) {
				int inherited = -1;
				prctl(PR_GET_PDEATHSIG, &inherited);
				_exit(inherited);
			}
			waitpid(inner, &status, 0);
			tell('r');
			sigwait(&set, &number);
			say(value == SIGUSR1 && number == SIGUSR1 && status == 0 ? 'y' : 'n');
			_exit(0);
		}
		_exit(told() == 'r' ? 0 : 1);
	});
	show_status("parent", wait_for(child));
	printf("the orphan was told: %c\n", hear());
	child = in_child({
		pid_t grandchild = fork();
		if (grandchild == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			tell('r');
			sleep(2);
			say('n');
			_exit(0);
		}
		told();
		_exit(0);
	});
	wait_for(child);
	sleep_ms(20);
	say('e');
	printf("killed with its parent: %c\n", hear());

	/* -- orphans come to the nearest subreaper */
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	must(prctl(PR_GET_CHILD_SUBREAPER, &value));
	printf("subreaper %d\n", value);
	child = in_child({
		prctl(PR_GET_CHILD_SUBREAPER, &value);
		pid_t parent = getpid();
		if (fork() == 0) {
			say('0' + value);
			while (getppid() == parent)
				sleep_ms(1);
			_exit(17);
		}
		_exit(0);
	});
	wait_for(child);
	printf("in the child %c\n", hear());
	pid_t orphan = must(waitpid(-1, &status, 0));
	check(orphan != child);
	show_status("the orphan", status);
	/* one that is dead already when it is inherited */
	child = in_child({
		if (fork() == 0)
			_exit(18);
		sleep_ms(20);
		_exit(0);
	});
	int seen = 0;
	for (int i = 0; i < 2; i++) {
		must(waitpid(-1, &status, 0));
		seen += WEXITSTATUS(status);
	}
	printf("both reaped: %d\n", seen);
	show_result("nobody left", waitpid(-1, &status, 0));
	must(prctl(PR_SET_CHILD_SUBREAPER, 0));

	/* -- sessions and groups */
	child = in_child({
		check(getsid(0) == getsid(getppid()));
		show_result("setsid", setsid() == getpid() ? 1 : -1);
		check(getpgrp() == getpid() && getsid(0) == getpid());
		show_result("setsid again", setsid());
		show_result("setpgid of a leader", setpgid(0, 0));
		fflush(stdout);
		pid_t inner = fork();
		if (inner == 0) {
			check(getsid(0) == getppid() && getpgrp() == getppid());
			check(setpgid(0, 0) == 0 && getpgrp() == getpid());
			show_result("into a group of another session", setpgid(0, getpgid(getsid(0)) == 0 ? 0 : 1));
			fflush(stdout);
			_exit(0);
		}
		waitpid(inner, NULL, 0);
		show_result("getpgid of nobody", getpgid(999999));
		show_result("getsid of nobody", getsid(999999));
		show_result("setpgid of nobody", setpgid(999999, 0));
		show_result("negative group", setpgid(0, -1));
	});
	wait_for(child);
	child = in_child({ for (;;) pause(); });
	show_result("setpgid of a child", setpgid(child, child));
	check(getpgid(child) == child);
	show_result("kill the group", kill(-child, SIGTERM));
	show_status("its member", wait_for(child));
	show_result("the group is gone", kill(-child, 0));
	child = in_child({ char *const arguments[] = { "busybox", "sleep", "5", NULL }; execv("/bin/busybox", arguments); });
	sleep_ms(100);
	show_result("setpgid after its exec", setpgid(child, child));
	kill(child, SIGKILL);
	wait_for(child);
	return 0;
}
