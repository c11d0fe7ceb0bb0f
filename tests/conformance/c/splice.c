/* splice, tee, vmsplice; sizes of pipes; preadv2 and pwritev2 with flags. */
#include "case.h"
#include <sys/ioctl.h>
#include <sys/uio.h>
#ifndef RWF_APPEND
#define RWF_HIPRI 1
#define RWF_DSYNC 2
#define RWF_SYNC 4
#define RWF_APPEND 16
#endif
#define preadv2(fd, vector, count, offset, flags) syscall(SYS_preadv2, fd, vector, count, (long)(offset), 0L, flags)
#define pwritev2(fd, vector, count, offset, flags) syscall(SYS_pwritev2, fd, vector, count, (long)(offset), 0L, flags)

static char buffer[200000], other[200000];
static int available(int fd)
{
	int number = -1;
	return ioctl(fd, FIONREAD, &number) ? -errno : number;
}
static void show_text(const char *text, int fd, size_t length)
{
	ssize_t count = read(fd, other, length);
	printf("%s: %zd [%.*s]\n", text, count, count > 0 ? (int)count : 0, other);
}
static void nothing(int signal) { (void)signal; }

int main(void)
{
	int p[2], q[2];
	loff_t in = 2, out = 1;
	must(pipe(p));
	must(pipe(q));
	put_file("file", "0123456789");
	int file = must(open("file", O_RDWR)), target = must(open("target", O_RDWR | O_CREAT, 0644));
	/* file to pipe */
	show(splice(file, NULL, p[1], NULL, 4, 0));
	printf("position %ld, in the pipe %d %d\n", (long)lseek(file, 0, SEEK_CUR), available(p[0]), available(p[1]));
	show(splice(file, &in, p[1], NULL, 3, SPLICE_F_MOVE));
	printf("offset %ld position %ld\n", (long)in, (long)lseek(file, 0, SEEK_CUR));
	/* pipe to pipe, tee */
	show(tee(p[0], q[1], 5, 0));
	printf("%d %d\n", available(p[0]), available(q[0]));
	show_text("tee'd", q[0], 100);
	show(splice(p[0], NULL, q[1], NULL, 6, 0));
	printf("%d %d\n", available(p[0]), available(q[0]));
	show_text("spliced", q[0], 100);
	/* pipe to file */
	show(splice(p[0], NULL, target, NULL, 100, 0));
	must(write(p[1], "abcdef", 6));
	show(splice(p[0], NULL, target, &out, 100, 0));
	printf("offset %ld position %ld\n", (long)out, (long)lseek(target, 0, SEEK_CUR));
	show_file("target");
	/* end of file, empty, full */
	must(lseek(file, 0, SEEK_END));
	show(splice(file, NULL, p[1], NULL, 4, 0));
	show(splice(p[0], NULL, q[1], NULL, 4, SPLICE_F_NONBLOCK));
	show(tee(p[0], q[1], 4, SPLICE_F_NONBLOCK));
	must(fcntl(p[1], F_SETFL, O_NONBLOCK));
	while (write(p[1], buffer, 4096) > 0)
		;
	must(lseek(file, 0, SEEK_SET));
	show(splice(file, NULL, p[1], NULL, 4, SPLICE_F_NONBLOCK));
	printf("full %d\n", available(p[0]));
	pid_t pid = in_child({ close(p[0]); close(p[1]); close(q[1]); sleep_ms(50); while (read(q[0], other, 8192) > 0) ; });
	size_t moved = 0;
	ssize_t count;
	close(q[0]);
	must(fcntl(p[0], F_SETFL, O_NONBLOCK));
	while ((count = splice(p[0], NULL, q[1], NULL, 100000, 0)) > 0)
		moved += count;
	printf("moved %zu, then %s\n", moved, error_name(errno));
	close(q[1]);
	wait_for(pid);
	must(fcntl(p[0], F_SETFL, 0));
	must(fcntl(p[1], F_SETFL, 0));
	/* a writer who comes late; none; no reader */
	must(pipe(q));
	pid = in_child({ sleep_ms(50); must(write(p[1], "late", 4)); });
	show(splice(p[0], NULL, q[1], NULL, 10, 0));
	wait_for(pid);
	show_text("late", q[0], 100);
	must(write(p[1], "last", 4));
	close(p[1]);
	show(splice(p[0], NULL, q[1], NULL, 10, 0));
	show(splice(p[0], NULL, q[1], NULL, 10, 0));
	show(tee(p[0], q[1], 10, 0));
	close(q[0]);
	signal(SIGPIPE, nothing);
	must(lseek(file, 0, SEEK_SET));
	show(splice(file, NULL, q[1], NULL, 10, 0));
	close(q[1]);
	close(p[0]);
	/* errors */
	must(pipe(p));
	show(splice(file, NULL, target, NULL, 4, 0));
	show(splice(file, NULL, p[0], NULL, 4, 0));
	show(splice(p[1], NULL, target, NULL, 4, 0));
	show(splice(p[0], NULL, p[1], NULL, 4, 0));
	show(splice(p[0], &in, target, NULL, 4, 0));
	show(splice(99, NULL, p[1], NULL, 4, 0));
	show(splice(file, NULL, p[1], NULL, 4, 0x100));
	show(splice(file, NULL, p[1], NULL, 0, 0));
	show(tee(file, p[1], 4, 0));
	show(tee(p[0], p[1], 4, 0));
	int appending = must(open("target", O_WRONLY | O_APPEND));
	must(write(p[1], "x", 1));
	show(splice(p[0], NULL, appending, NULL, 4, 0));
	/* vmsplice */
	struct iovec parts[2] = { { "first ", 6 }, { "second", 6 } };
	show(vmsplice(p[1], parts, 2, 0));
	char one[4], two[20];
	struct iovec into[2] = { { one, 4 }, { two, 20 } };
	show(vmsplice(p[0], into, 2, 0));
	printf("[%.4s] [%.9s]\n", one, two);
	show(vmsplice(p[0], into, 2, SPLICE_F_NONBLOCK));
	show(vmsplice(file, parts, 2, 0));

	/* sizes of pipes */
	show(fcntl(p[0], F_GETPIPE_SZ));
	show(fcntl(p[1], F_SETPIPE_SZ, 4096));
	show(fcntl(p[0], F_GETPIPE_SZ));
	show(fcntl(p[0], F_SETPIPE_SZ, 5000));
	show(fcntl(p[0], F_SETPIPE_SZ, 0));
	show(fcntl(p[0], F_SETPIPE_SZ, -1));
	must(fcntl(p[1], F_SETFL, O_NONBLOCK));
	show(write(p[1], buffer, 10000));
	show(fcntl(p[0], F_SETPIPE_SZ, 262144));
	show(write(p[1], buffer, 200000));
	show(fcntl(p[0], F_SETPIPE_SZ, 65536));
	printf("%d\n", available(p[0]));
	for (size_t i = 0; i < sizeof buffer; i++)
		buffer[i] = (char)(i * 7 + i / 1000);
	while (available(p[0]) > 0)
		must(read(p[0], other, sizeof other));
	must(write(p[1], buffer, 3000));
	must(read(p[0], other, 2000));
	must(write(p[1], buffer, 50000));
	show(fcntl(p[0], F_SETPIPE_SZ, 131072));
	must(read(p[0], other, 1000));
	check(!memcmp(other, buffer + 2000, 1000));
	must(write(p[1], buffer, 70000));
	show(read(p[0], other, 50000));
	check(!memcmp(other, buffer, 50000));
	show(read(p[0], other, 200000));
	check(!memcmp(other, buffer, 70000));
	show(fcntl(file, F_GETPIPE_SZ));
	show(fcntl(file, F_SETPIPE_SZ, 4096));
	show(fcntl(p[0], F_SETFL, O_NONBLOCK));

	/* vectors with flags */
	must(ftruncate(file, 0));
	must(lseek(file, 0, SEEK_SET));
	show(pwritev2(file, parts, 2, 0, 0));
	show(pwritev2(file, parts, 1, 0, RWF_APPEND));
	printf("position %ld\n", (long)lseek(file, 0, SEEK_CUR));
	show(pwritev2(file, parts + 1, 1, -1, RWF_APPEND | RWF_DSYNC));
	printf("position %ld\n", (long)lseek(file, 0, SEEK_CUR));
	show(pwritev2(file, parts, 2, 3, RWF_SYNC));
	show_file("file");
	show(preadv2(file, into, 2, 1, RWF_HIPRI));
	show(preadv2(file, into, 2, -1, 0));
	show(preadv2(file, into, 2, -2, 0));
	show(preadv2(file, into, 2, 0, 0x4000));
	show(preadv2(99, into, 2, 0, 0));
	return 0;
}
