/* CLONE_FILES between processes: one table of descriptors, until one of them executes or unshares. */
#include "case.h"
#include <sched.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif

#define sharing(flags, ...) ({ fflush(stdout); long pid_ = must(syscall(SYS_clone, (flags) | SIGCHLD, 0, 0, 0, 0)); \
	if (pid_ == 0) { __VA_ARGS__; fflush(stdout); _exit(0); } (pid_t)pid_; })

static void is_open(const char *what, int fd)
{
	int flags = fcntl(fd, F_GETFD);
	printf("%s: %s\n", what, flags < 0 ? error_name(errno) : flags ? "open, close-on-exec" : "open");
}

static void close_range_of(int first, int last, unsigned flags)
{
	show(syscall(SYS_close_range, first, last, flags));
}

static int close_it(void *unused)
{
	return close(14);
}

int main(int count, char **argument)
{
	char byte;
	int end[2];
	if (count > 1) { /* executed: 10 stays, 11 was marked, 12 is closed here */
		is_open("executed, 10", 10);
		is_open("executed, 11", 11);
		close(12);
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	int null = must(open("/dev/null", O_RDWR));
	must(dup2(null, 5));
	wait_for(sharing(CLONE_FILES, {
		must(dup2(null, 10));
		close(5);
		must(fcntl(null, F_SETFD, FD_CLOEXEC));
		must(dup3(null, 11, O_CLOEXEC));
	}));
	is_open("made by the child", 10);
	is_open("closed by the child", 5);
	is_open("marked by the child", null);
	wait_for(sharing(0, { close(10); }));
	is_open("closed by a child that shares nothing", 10);

	puts("- lowest free numbers");
	int a = must(dup(null)), b;
	must(pipe(end));
	pid_t child = sharing(CLONE_FILES, {
		must(read(end[0], &byte, 1));
		printf("the child takes %d\n", must(dup(null)) - a);
	});
	b = must(dup(null));
	printf("the parent took %d\n", b - a);
	must(write(end[1], "x", 1));
	wait_for(child);
	is_open("the child's", b + 1);
	close(b + 1);
	close(b);

	puts("- the table outlives either");
	child = sharing(CLONE_FILES, {
		pid_t grandchild = sharing(CLONE_FILES, {
			must(read(end[0], &byte, 1));
			must(dup2(null, 20));
		});
		(void)grandchild;
		_exit(3);
	});
	show_status("child", wait_for(child));
	must(write(end[1], "x", 1));
	for (int i = 0; i < 100 && fcntl(20, F_GETFD) < 0; i++)
		sleep_ms(10);
	is_open("the grandchild's", 20);
	close(20);

	puts("- a reader's end that nobody has any more");
	int other[2];
	must(pipe(other));
	child = sharing(CLONE_FILES, {
		show(read(other[0], &byte, 1)); /* the only writer is closed by the parent */
	});
	sleep_ms(50);
	close(other[1]);
	wait_for(child);
	close(other[0]);

	puts("- exec");
	must(dup2(null, 12));
	child = sharing(CLONE_FILES, {
		execl("/proc/self/exe", "clone_files", "executed", NULL);
		_exit(9);
	});
	show_status("executed", wait_for(child));
	is_open("10", 10);
	is_open("11", 11);
	is_open("12", 12);

	puts("- unshare");
	wait_for(sharing(CLONE_FILES, {
		show(unshare(CLONE_FILES));
		show(unshare(CLONE_FILES));
		close(12);
		must(dup2(null, 13));
	}));
	is_open("12", 12);
	is_open("13", 13);
	wait_for(sharing(CLONE_FILES, {
		close_range_of(10, 20, CLOSE_RANGE_UNSHARE);
		is_open("in the child, 12", 12);
	}));
	is_open("12", 12);
	wait_for(sharing(CLONE_FILES, { close_range_of(10, 20, 0); }));
	is_open("12", 12);

	puts("- vfork");
	fflush(stdout);
	must(dup2(null, 14));
	static char stack[65536];
	wait_for(must(clone(close_it, stack + sizeof stack, CLONE_FILES | CLONE_VM | CLONE_VFORK | SIGCHLD, NULL)));
	is_open("closed by the vfork child", 14);

	puts("- unshare's flags");
	show(unshare(0));
	show(unshare(CLONE_FS));
	show(unshare(CLONE_FS | CLONE_FILES));
	show(unshare(1));
	return 0;
}
