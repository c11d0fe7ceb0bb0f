/*
 * What every conformance program shares. A program prints what it sees, one fact a line, and nothing that differs from run to run:
 * no pids, addresses, times, paths outside its own directory. It starts in an empty directory of its own.
 */
#ifndef CASE_H
#define CASE_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((unused)) static const char *error_name(int error)
{
	static char other[16];
	static const struct { int number; const char *name; } names[] = {
		{ 0, "0" }, { EPERM, "EPERM" }, { ENOENT, "ENOENT" }, { ESRCH, "ESRCH" }, { EINTR, "EINTR" }, { EIO, "EIO" }, { E2BIG, "E2BIG" },
		{ ENOEXEC, "ENOEXEC" }, { EBADF, "EBADF" }, { ECHILD, "ECHILD" }, { EAGAIN, "EAGAIN" }, { ENOMEM, "ENOMEM" }, { EACCES, "EACCES" },
		{ EFAULT, "EFAULT" }, { EBUSY, "EBUSY" }, { EEXIST, "EEXIST" }, { EXDEV, "EXDEV" }, { ENODEV, "ENODEV" }, { ENOTDIR, "ENOTDIR" },
		{ EISDIR, "EISDIR" }, { EINVAL, "EINVAL" }, { EMFILE, "EMFILE" }, { ENOTTY, "ENOTTY" }, { ETXTBSY, "ETXTBSY" }, { EFBIG, "EFBIG" },
		{ ENOSPC, "ENOSPC" }, { ESPIPE, "ESPIPE" }, { EROFS, "EROFS" }, { EMLINK, "EMLINK" }, { EPIPE, "EPIPE" }, { ERANGE, "ERANGE" },
		{ EDEADLK, "EDEADLK" }, { ENAMETOOLONG, "ENAMETOOLONG" }, { ENOSYS, "ENOSYS" }, { ENOTEMPTY, "ENOTEMPTY" }, { ELOOP, "ELOOP" },
		{ EOVERFLOW, "EOVERFLOW" }, { ETIMEDOUT, "ETIMEDOUT" }, { EOPNOTSUPP, "EOPNOTSUPP" }, { ENXIO, "ENXIO" }, { ESTALE, "ESTALE" },
		{ ENOTSOCK, "ENOTSOCK" }, { EDESTADDRREQ, "EDESTADDRREQ" }, { EMSGSIZE, "EMSGSIZE" }, { EPROTOTYPE, "EPROTOTYPE" },
		{ ENOPROTOOPT, "ENOPROTOOPT" }, { EPROTONOSUPPORT, "EPROTONOSUPPORT" }, { ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT" },
		{ EAFNOSUPPORT, "EAFNOSUPPORT" }, { EADDRINUSE, "EADDRINUSE" }, { ECONNRESET, "ECONNRESET" }, { EISCONN, "EISCONN" },
		{ ENOTCONN, "ENOTCONN" }, { ECONNREFUSED, "ECONNREFUSED" }, { ETOOMANYREFS, "ETOOMANYREFS" }, { ENOBUFS, "ENOBUFS" }, { EDOM, "EDOM" },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == error)
			return names[i].name;
	snprintf(other, sizeof other, "errno %d", error);
	return other;
}

/* Prints "TEXT = value", or the error's name when the value is -1. */
__attribute__((unused)) static long show_result(const char *text, long value)
{
	if (value == -1)
		printf("%s: %s\n", text, error_name(errno));
	else
		printf("%s = %ld\n", text, value);
	return value;
}
#define show(expression) show_result(#expression, (long)(expression))
/* The same for calls whose success is all that counts (descriptors, addresses). */
#define succeeds(expression) ({ __typeof__(expression) result_ = (expression); \
	printf("%s: %s\n", #expression, (long)result_ == -1 ? error_name(errno) : "succeeds"); result_; })
#define check(expression) printf("%s: %s\n", #expression, (expression) ? "yes" : "NO")
/* For what must work before anything can be shown. */
#define must(expression) ({ __typeof__(expression) result_ = (expression); \
	if ((long)result_ == -1) { printf("FAILED %s: %s\n", #expression, error_name(errno)); fflush(stdout); _exit(99); } result_; })

__attribute__((unused)) static void show_status(const char *text, int status)
{
	if (WIFEXITED(status))
		printf("%s: exited %d\n", text, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		printf("%s: killed by %d%s\n", text, WTERMSIG(status), WCOREDUMP(status) ? "" : "");
	else if (WIFSTOPPED(status))
		printf("%s: stopped by %d\n", text, WSTOPSIG(status));
	else if (WIFCONTINUED(status))
		printf("%s: continued\n", text);
	else
		printf("%s: status %#x\n", text, (unsigned)status);
}

/* Forks; the child runs the block and exits 0 unless it exits itself. The parent's buffers are empty, so nothing is printed twice. */
#define in_child(...) ({ fflush(stdout); pid_t pid_ = must(fork()); if (pid_ == 0) { __VA_ARGS__; fflush(stdout); _exit(0); } pid_; })
__attribute__((unused)) static int wait_for(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}
__attribute__((unused)) static void put_file(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	must(write(fd, text, strlen(text)));
	must(close(fd));
}
__attribute__((unused)) static void show_file(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY);
	ssize_t count = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (count < 0)
		printf("%s: %s\n", path, error_name(errno));
	else {
		text[count] = 0;
		printf("%s: [%s]\n", path, text);
	}
	if (fd >= 0)
		close(fd);
}
__attribute__((unused)) static void sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}
__attribute__((unused)) static double seconds_now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}
#endif
