/* Flags of clone and clone3: what each does, which go together, and what is refused. */
#include "case.h"
#include <sched.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#endif
struct clone_arguments { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; };

#define STACK 65536
static char stacks[8][STACK] __attribute__((aligned(64)));
static volatile int stage, value;
static int ids[4];

static void *top(int i) { return stacks[i] + STACK; }

static long fork_with(unsigned long flags, int *parent, int *child)
{
	fflush(stdout);
	return syscall(SYS_clone, flags, 0, parent, child, 0);
}

static int beside(void *argument)
{
	value = *(int *)argument;
	stage = 1;
	while (stage != 2)
		sched_yield();
	value++;
	return 7;
}

static int grows_heap(void *argument)
{
	(void)argument;
	char *end = (char *)syscall(SYS_brk, 0);
	value = (char *)syscall(SYS_brk, end + 8192) == end + 8192;
	end[0] = 1;
	end[8191] = 2;
	return 0;
}

static int executes(void *argument)
{
	char *const words[] = { "busybox", "true", NULL };
	(void)argument;
	execv("/bin/busybox", words);
	return 9;
}

static int ends(void *argument) { (void)argument; return 3; }
static int sleeps(void *argument) { sleep_ms(100); return (int)(intptr_t)argument; }
static void handler(int number) { value = number; }

static void show_clone3(const char *text, struct clone_arguments *arguments, size_t size)
{
	fflush(stdout);
	long pid = syscall(SYS_clone3, arguments, size);
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		printf("%s: %s\n", text, error_name(errno));
	else {
		int status = -1;
		printf("%s: a child\n", text);
		waitpid((pid_t)pid, &status, __WALL);
	}
}

int main(void)
{
	int status, number = 41;
	pid_t pid;
	setvbuf(stdout, NULL, _IOLBF, 0);

	/* beside the caller in its memory */
	pid = must(clone(beside, top(0), CLONE_VM | SIGCHLD, &number));
	while (!stage)
		sched_yield();
	printf("value %d\n", value);
	check(getpid() != pid);
	stage = 2;
	show_status("beside", wait_for(pid));
	printf("value %d\n", value);
	char *before = (char *)((syscall(SYS_brk, 0) + 4095) & ~4095);
	syscall(SYS_brk, before);
	value = 0;
	pid = must(clone(grows_heap, top(0), CLONE_VM | SIGCHLD, NULL));
	show_status("heap", wait_for(pid));
	check(value && (char *)syscall(SYS_brk, 0) == before + 8192);
	check((char *)syscall(SYS_brk, before + 12288) == before + 12288 && before[0] == 1 && before[12287] == 0);
	pid = must(clone(executes, top(0), CLONE_VM | SIGCHLD, NULL));
	show_status("executes", wait_for(pid));
	bool good = true;
	for (int i = 0; i < 100; i++) { /* their structures do not add up */
		pid = must(clone(ends, top(0), CLONE_VM | SIGCHLD, NULL));
		good &= wait_for(pid) == 3 << 8;
	}
	check(good);
	for (int i = 0; i < 8; i++)
		ids[i % 4] = must(clone(sleeps, top(i), CLONE_VM | SIGCHLD, (void *)(intptr_t)(i + 1))), good &= i < 4 || ids[i % 4] > 0;
	int sum = 0;
	while (wait(&status) > 0)
		sum += WEXITSTATUS(status);
	printf("eight at once: %d\n", sum);
	pid = must(clone(beside, top(0), CLONE_VM | SIGCHLD, &number));
	kill(pid, SIGKILL);
	show_status("killed", wait_for(pid));

	/* ids told and cleared */
	ids[0] = ids[1] = ids[2] = -1;
	pid = must(clone(ends, top(0), CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, &ids[0], NULL, &ids[1]));
	check(ids[0] == pid);
	show_status("with ids", wait_for(pid));
	check(ids[1] == 0);
	ids[1] = -1;
	pid = must(clone(sleeps, top(0), CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL, &ids[1]));
	while (ids[1] == pid && syscall(SYS_futex, &ids[1], 0, pid, NULL) < 0 && errno == EINTR)
		;
	check(ids[1] == 0 || ids[1] == -1);
	wait_for(pid);
	pid = (pid_t)fork_with(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, &ids[0], &ids[2]);
	if (!pid)
		_exit(ids[2] == getpid() && ids[2] == syscall(SYS_gettid) ? 5 : 6);
	check(ids[0] == pid && ids[2] == -1);
	show_status("forked", wait_for(pid));
	pid = (pid_t)fork_with(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, (int *)8, (int *)8);
	if (!pid)
		_exit(4);
	show_status("nowhere to tell", wait_for(pid));

	/* a fork that is waited for */
	double start = seconds_now();
	pid = (pid_t)fork_with(CLONE_VFORK | SIGCHLD, NULL, NULL);
	if (!pid) {
		value = 77;
		sleep_ms(120);
		_exit(1);
	}
	check(seconds_now() - start > 0.1 && value != 77);
	show_status("waited for", wait_for(pid));
	start = seconds_now();
	pid = (pid_t)fork_with(CLONE_VFORK | SIGCHLD, NULL, NULL);
	if (!pid) {
		if (fork() == 0) { /* not waited for */
			sleep_ms(3000);
			_exit(0);
		}
		execl("/bin/busybox", "busybox", "false", NULL);
	}
	check(seconds_now() - start < 2.5);
	show_status("executed", wait_for(pid));

	/* whose child it is, and what it ends with */
	pid = in_child({
		pid_t inner = (pid_t)fork_with(CLONE_PARENT | SIGUSR1, NULL, NULL);
		if (!inner) {
			sleep_ms(60);
			_exit(getppid() == 1 ? 1 : 8);
		}
		printf("not my child: %d\n", (int)waitpid(inner, NULL, 0));
	});
	wait_for(pid);
	show_status("a child's sibling", wait_for(-1));
	signal(SIGUSR1, handler);
	pid = (pid_t)fork_with(SIGUSR1, NULL, NULL);
	if (!pid)
		_exit(2);
	sleep_ms(100);
	printf("signal %d\n", value);
	show_result("not by wait", waitpid(pid, &status, 0));
	show_result("by __WCLONE", waitpid(pid, &status, __WCLONE) == pid);
	show_status("ended", status);
	pid = (pid_t)fork_with(0, NULL, NULL);
	if (!pid)
		_exit(2);
	show_result("nor silent ones", wait(&status));
	siginfo_t info;
	show_result("by __WALL", waitid(P_PID, pid, &info, WEXITED | __WALL));
	pid = in_child(_exit(1));
	show_result("an ordinary one by __WCLONE", waitpid(pid, &status, __WCLONE));
	show_result("by __WALL", waitpid(pid, &status, __WALL) == pid);

	/* refused */
	show(fork_with(CLONE_THREAD | SIGCHLD, NULL, NULL));
	show(fork_with(CLONE_SIGHAND | SIGCHLD, NULL, NULL));
	show(fork_with(CLONE_THREAD | CLONE_VM | SIGCHLD, NULL, NULL));
	struct clone_arguments a = { .exit_signal = SIGCHLD };
	show_clone3("clone3", &a, sizeof a);
	show_clone3("short", &a, 32);
	show_clone3("first version", &a, 64);
	struct { struct clone_arguments a; long more[4]; } longer = { a };
	show_clone3("longer", &longer.a, sizeof longer);
	longer.more[3] = 1;
	show_clone3("from the future", &longer.a, sizeof longer);
	show_clone3("much too long", &longer.a, 8192);
	a = (struct clone_arguments){ .flags = SIGCHLD };
	show_clone3("signal in the flags", &a, sizeof a);
	a = (struct clone_arguments){ .flags = 1ull << 40 };
	show_clone3("unknown flag", &a, sizeof a);
	a = (struct clone_arguments){ .exit_signal = 65 };
	show_clone3("signal 65", &a, sizeof a);
	a = (struct clone_arguments){ .flags = CLONE_DETACHED };
	show_clone3("CLONE_DETACHED", &a, sizeof a);
	a = (struct clone_arguments){ .flags = CLONE_PARENT, .exit_signal = SIGCHLD };
	show_clone3("CLONE_PARENT with a signal", &a, sizeof a);
	a = (struct clone_arguments){ .stack_size = 4096 };
	show_clone3("size without stack", &a, sizeof a);
	a = (struct clone_arguments){ .stack = (uintptr_t)stacks[0] };
	show_clone3("stack without size", &a, sizeof a);
	show_result("clone3 of nothing", syscall(SYS_clone3, NULL, sizeof a));

	/* handlers of the child */
	signal(SIGUSR2, SIG_IGN);
	a = (struct clone_arguments){ .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	fflush(stdout);
	pid = (pid_t)syscall(SYS_clone3, &a, sizeof a);
	if (!pid) {
		struct sigaction one, two;
		sigaction(SIGUSR1, NULL, &one);
		sigaction(SIGUSR2, NULL, &two);
		_exit((one.sa_handler == SIG_DFL) + 2 * (two.sa_handler == SIG_IGN));
	}
	show_status("handlers cleared", wait_for(pid));
	return 0;
}
