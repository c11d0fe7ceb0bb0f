/* Wild pointers: every call that takes an address answers EFAULT and harms nothing. Raw calls, so that libc does not look first. */
#include "legacy.h"
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/utsname.h>

static void *wild[6];
static const char *const wild_name[6] = { "null", "one", "unmapped", "kernel", "non-canonical", "top" };
#define try_each(call) do { \
	printf("%s:", #call); \
	for (int w = 0; w < 6; w++) { void *bad = wild[w]; (void)bad; errno = 0; long r = (call); printf(" %s", r == -1 ? error_name(errno) : "no error"); } \
	printf("\n"); } while (0)

int main(void)
{
	char *read_only = must(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	char *none = must(mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	/* last, so that none of the others is put into it */
	char *hole = must(mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	must(munmap(hole + 4096, 4096));
	wild[0] = NULL; wild[1] = (void *)1; wild[2] = hole + 4096; wild[3] = (void *)0xffffffff80100000ul;
	wild[4] = (void *)0x0000900000000000ul; wild[5] = (void *)0x7ffffffffff8ul;
	for (int i = 0; i < 6; i++)
		printf("%s ", wild_name[i]);
	printf("\n");
	put_file("file", "some content of the file");
	int file = must(open("file", O_RDWR)), p[2], directory = must(open(".", O_RDONLY | O_DIRECTORY)), dev_zero = must(open("/dev/zero", O_RDONLY));
	must(pipe(p));
	try_each(syscall(SYS_read, file, bad, 10));
	try_each(syscall(SYS_read, dev_zero, bad, 10));
	try_each(syscall(SYS_write, file, bad, 10));
	try_each(syscall(SYS_write, p[1], bad, 10));
	must(write(p[1], "in the pipe", 11));
	try_each(syscall(SYS_read, p[0], bad, 11));
	try_each(syscall(SYS_pread64, file, bad, 10, 0));
	try_each(syscall(SYS_pwrite64, file, bad, 10, 0));
	try_each(legacy(open, bad, O_RDONLY));
	try_each(syscall(SYS_openat, AT_FDCWD, bad, O_RDONLY | O_CREAT, 0644));
	try_each(legacy(stat, "file", bad));
	try_each(legacy(stat, bad, hole));
	try_each(syscall(SYS_fstat, file, bad));
	try_each(legacy(lstat, "file", bad));
	try_each(legacy(access, bad, 0));
	try_each(legacy(mkdir, bad, 0755));
	try_each(legacy(rmdir, bad));
	try_each(legacy(unlink, bad));
	try_each(legacy(rename, bad, "x"));
	try_each(legacy(rename, "file", bad));
	try_each(legacy(link, "file", bad));
	try_each(legacy(symlink, bad, "x"));
	try_each(syscall(SYS_chdir, bad));
	try_each(legacy(chmod, bad, 0));
	try_each(syscall(SYS_truncate, bad, 0));
	must(symlink("target", "link"));
	try_each(legacy(readlink, "link", bad, 10));
	try_each(syscall(SYS_getcwd, bad, 4096));
	try_each(syscall(SYS_getdents64, directory, bad, 4096));
	try_each(legacy(pipe, bad));
	try_each(syscall(SYS_pipe2, bad, 0));
	try_each(syscall(SYS_readv, file, bad, 1));
	try_each(syscall(SYS_writev, file, bad, 2));
	struct iovec vector = { hole, 10 };
	try_each((vector.iov_base = bad, syscall(SYS_writev, file, &vector, 1)));
	try_each((vector.iov_base = bad, lseek(file, 0, SEEK_SET), syscall(SYS_readv, file, &vector, 1)));
	try_each(syscall(SYS_uname, bad));
	try_each(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad));
	try_each(bad ? syscall(SYS_gettimeofday, bad, NULL) : (errno = EFAULT, -1));
	try_each(syscall(SYS_nanosleep, bad, NULL));
	try_each(bad ? syscall(SYS_rt_sigaction, SIGUSR1, bad, NULL, 8) : (errno = EFAULT, -1));
	try_each(bad ? syscall(SYS_rt_sigaction, SIGUSR1, NULL, bad, 8) : (errno = EFAULT, -1));
	try_each(bad ? syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad, NULL, 8) : (errno = EFAULT, -1));
	try_each(syscall(SYS_rt_sigpending, bad, 8));
	try_each(syscall(SYS_rt_sigsuspend, bad, 8));
	try_each(legacy(poll, bad, 1, 0));
	try_each(bad ? legacy(select, 5, bad, NULL, NULL, NULL) : (errno = EFAULT, -1));
	try_each(syscall(SYS_getrlimit, RLIMIT_NOFILE, bad));
	try_each(syscall(SYS_getrusage, RUSAGE_SELF, bad));
	try_each(syscall(SYS_sysinfo, bad));
	try_each(syscall(SYS_getrandom, bad, 16, 0));
	try_each(syscall(SYS_execve, bad, NULL, NULL));
	try_each(bad ? syscall(SYS_execve, "/bin/busybox", bad, NULL) : (errno = EFAULT, -1));
	try_each(syscall(SYS_statfs, ".", bad));
	try_each(bad ? syscall(SYS_utimensat, AT_FDCWD, "file", bad, 0) : (errno = EFAULT, -1));
	try_each(({ pid_t pid = in_child({ _exit(3); }); sleep_ms(10); long r = bad ? syscall(SYS_wait4, pid, bad, 0, NULL) : (errno = EFAULT, -1); int e = errno;
		waitpid(pid, NULL, 0); errno = e; r; }));
	/* half of the range is there */
	printf("across the end of a mapping:\n");
	char *edge = hole + 4096 - 5;
	memcpy(edge, "edge", 5);
	show(legacy(open, edge, O_RDONLY));
	memcpy(edge, "file!", 5);
	show(legacy(open, edge, O_RDONLY));
	show(syscall(SYS_fstat, file, edge));
	show(syscall(SYS_uname, edge));
	show(legacy(pipe, edge + 1));
	/* memory that may be read but not written, and none at all */
	printf("read-only and inaccessible memory:\n");
	lseek(file, 0, SEEK_SET);
	show(read(file, read_only, 5));
	show(read(file, none, 5));
	show(write(file, none, 5));
	show(syscall(SYS_fstat, file, read_only));
	show(legacy(pipe, read_only));
	show(syscall(SYS_getcwd, none, 100));
	show(syscall(SYS_read, file, (void *)main, 5));
	/* lengths that wrap */
	show(syscall(SYS_read, p[0], hole, -1L));
	/* no descriptor was made by the failed calls, and nothing was harmed */
	succeeds(dup(0) == p[1] + 1 ? 0 : 1);
	lseek(file, 0, SEEK_SET);
	char text[32] = "";
	show(read(file, text, 31));
	printf("%s\n", text);
	show(read(p[0], text, 31));
	return 0;
}
