/* Children: every way to end and to be waited for, stop and continue, orphans, groups. */
#include "case.h"
#include <sys/resource.h>

static volatile sig_atomic_t children;
static void on_child(int number) { (void)number; children++; }

int main(void)
{
	int status;
	static const int codes[] = { 0, 1, 127, 128, 255, 256, -1 };
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		show_status("exit", wait_for(in_child({ _exit(codes[i]); })));
	show(waitpid(-1, &status, 0));
	show(wait(NULL));
	show(waitpid(getpid(), &status, 0));
	show(waitpid(-1, &status, WNOHANG));
	show(waitpid(-1, &status, 0x1000));
	pid_t pid = in_child({ sleep_ms(200); _exit(4); });
	show(waitpid(pid, &status, WNOHANG));
	show(waitpid(pid, &status, 0) == pid);
	show_status("then", status);
	show(waitpid(pid, &status, 0));

	/* a zombie can be signalled, and is there until waited for */
	pid = in_child({ _exit(5); });
	siginfo_t information = { 0 };
	show(waitid(P_PID, (id_t)pid, &information, WEXITED | WNOWAIT));
	printf("waitid: code %d status %d pid %d\n", information.si_code, information.si_status, information.si_pid == pid);
	show(kill(pid, 0));
	show(kill(pid, SIGKILL));
	show_status("zombie", wait_for(pid));
	show(kill(pid, 0));
	pid = in_child({ raise(SIGKILL); });
	show(waitid(P_ALL, 0, &information, WEXITED));
	printf("waitid: code %d status %d\n", information.si_code, information.si_status);

	/* stop and continue */
	/* in a group of its own: its parent is outside, so that the group is not orphaned and SIGTSTP stops it */
	pid = in_child({ setpgid(0, 0); raise(SIGSTOP); raise(SIGTSTP); _exit(6); });
	show(waitpid(pid, &status, WUNTRACED) == pid);
	show_status("child", status);
	show(waitpid(pid, &status, WNOHANG));
	must(kill(pid, SIGCONT));
	show(waitpid(pid, &status, WCONTINUED) == pid);
	show_status("child", status);
	show(waitpid(pid, &status, WUNTRACED) == pid);
	show_status("child", status);
	must(kill(pid, SIGCONT));
	show_status("child", wait_for(pid));
	pid = in_child({ for (;;) pause(); });
	must(kill(pid, SIGSTOP));
	show(waitpid(pid, &status, WUNTRACED) == pid);
	must(kill(pid, SIGTERM)); /* stays pending until it goes on */
	show(waitpid(pid, &status, WNOHANG));
	must(kill(pid, SIGCONT));
	show_status("terminated when continued", wait_for(pid));
	pid = in_child({ for (;;) pause(); });
	must(kill(pid, SIGSTOP));
	waitpid(pid, &status, WUNTRACED);
	must(kill(pid, SIGKILL));
	show_status("killed while stopped", wait_for(pid));

	/* many, in any order */
	for (int i = 0; i < 20; i++)
		in_child({ sleep_ms((i * 7) % 20); _exit(i); });
	unsigned seen = 0;
	while (wait(&status) > 0)
		seen |= 1u << WEXITSTATUS(status);
	printf("seen %05x, then %s\n", seen, error_name(errno));

	/* a grandchild belongs to init (or a reaper) once its parent has gone */
	int p[2];
	must(pipe(p));
	pid = in_child({ pid_t self = getpid(); in_child({ while (getppid() == self) sleep_ms(1); must(write(p[1], "orphan", 6)); }); });
	wait_for(pid);
	close(p[1]);
	char text[16] = "";
	show(read(p[0], text, sizeof text));
	printf("%s\n", text);
	close(p[0]);
	show(waitpid(-1, NULL, 0));

	/* SIGCHLD */
	signal(SIGCHLD, on_child);
	pid = in_child({ _exit(0); });
	while (!children)
		sleep_ms(1);
	wait_for(pid);
	printf("SIGCHLD came\n");
	signal(SIGCHLD, SIG_IGN);
	pid = in_child({ _exit(0); });
	show(waitpid(pid, &status, 0)); /* waits for the end, then there is nothing */
	signal(SIGCHLD, SIG_DFL);

	/* groups and sessions */
	pid = in_child({ setpgid(0, 0); pid_t self = getpid(); printf("own group %d\n", getpgrp() == self);
		fflush(stdout); for (;;) pause(); });
	while (getpgid(pid) != pid)
		sleep_ms(1);
	sleep_ms(50);
	show(waitpid(-pid, &status, WNOHANG));
	must(kill(-pid, SIGINT));
	show(waitpid(-pid, &status, 0) == pid);
	show_status("group", status);
	show(waitpid(0, &status, WNOHANG));
	pid = in_child({ show(setsid() == getpid()); show(getsid(0) == getpid()); show(setsid()); show(setpgid(0, 0)); });
	wait_for(pid);
	show(setpgid(1 << 29, 0));
	show(kill(-(1 << 29), 0));
	/* times of children */
	struct rusage usage;
	pid = in_child({ for (volatile long i = 0; i < 50000000; i++) ; });
	show(wait4(pid, &status, 0, &usage) == pid);
	check(usage.ru_utime.tv_sec > 0 || usage.ru_utime.tv_usec > 1000);
	return 0;
}
