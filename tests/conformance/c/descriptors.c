/* dup, fcntl, flags, limits, vectors, sendfile. */
#include "case.h"
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

int main(void)
{
	char text[64] = "";
	put_file("file", "abcdefghijklmnopqrstuvwxyz");
	int fd = must(open("file", O_RDWR));
	printf("opened %d\n", fd);
	show(dup(fd));
	show(dup2(fd, 10));
	show(dup2(fd, fd));
	show(dup2(50, 11));
	show(dup2(fd, -1));
	show(dup3(fd, fd, 0));
	show(dup3(fd, 12, O_CLOEXEC));
	show(fcntl(12, F_GETFD));
	show(fcntl(10, F_GETFD));
	show(fcntl(fd, F_DUPFD, 20));
	show(fcntl(fd, F_DUPFD_CLOEXEC, 20));
	show(fcntl(21, F_GETFD));
	show(fcntl(fd, F_DUPFD, -1));
	show(fcntl(fd, F_SETFD, FD_CLOEXEC));
	show(fcntl(fd, F_GETFD));
	show(fcntl(fd, F_SETFD, 0));
	show(fcntl(99, F_GETFD));
	show(fcntl(fd, 12345));
	/* copies share position and status flags */
	show(read(fd, text, 5));
	show(lseek(10, 0, SEEK_CUR));
	show(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
	show(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	show(fcntl(10, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
	show(write(10, "!", 1));
	show(lseek(fd, 0, SEEK_CUR));
	show(fcntl(fd, F_SETFL, 0));
	/* the lowest free number */
	close(10);
	close(4);
	show(open("file", O_RDONLY));
	show(open("file", O_RDONLY));
	show(close(5));
	show(close(5));
	int second = must(open("file", O_RDONLY));
	lseek(fd, 3, SEEK_SET);
	printf("a second opening has its own position: %ld\n", (long)lseek(second, 0, SEEK_CUR));

	/* vectors */
	int out = must(open("out", O_RDWR | O_CREAT, 0644));
	struct iovec vector[3] = { { "one ", 4 }, { "", 0 }, { "two", 3 } };
	show(writev(out, vector, 3));
	show(pwritev(out, vector, 1, 20));
	char a[3] = "", b[10] = "";
	struct iovec into[2] = { { a, 2 }, { b, 9 } };
	lseek(out, 0, SEEK_SET);
	show(readv(out, into, 2));
	printf("[%s] [%s]\n", a, b);
	show(preadv(out, into, 1, 4));
	printf("[%s]\n", a);
	show(readv(out, into, -1));
	show(readv(out, into, 0));
	show(writev(99, vector, 1));
	vector[0].iov_len = (size_t)-1;
	show(writev(out, vector, 1));
	/* sendfile */
	off_t offset = 2;
	int p[2];
	must(pipe(p));
	show(sendfile(p[1], fd, &offset, 10));
	printf("offset %ld\n", (long)offset);
	memset(text, 0, sizeof text);
	show(read(p[0], text, sizeof text));
	printf("%s\n", text);
	lseek(fd, 20, SEEK_SET);
	show(sendfile(p[1], fd, NULL, 100));
	show(lseek(fd, 0, SEEK_CUR));
	show(sendfile(p[1], fd, NULL, 100));

	/* the limit */
	struct rlimit limit;
	must(getrlimit(RLIMIT_NOFILE, &limit));
	check(limit.rlim_cur >= 64);
	limit.rlim_cur = 30;
	show(setrlimit(RLIMIT_NOFILE, &limit));
	int last = -1, next;
	while ((next = dup(0)) >= 0)
		last = next;
	printf("last %d, then %s\n", last, error_name(errno));
	show(dup2(0, 30));
	show(dup2(0, 29));
	show(open("file", O_RDONLY));
	show(pipe(p));
	close(15);
	show(pipe(p));
	show(open("file", O_RDONLY));
	/* after fork everything is open in the child too, and closing there changes nothing here */
	wait_for(in_child({ for (int i = 3; i < 30; i++) close(i); }));
	show(fcntl(15, F_GETFD));
	/* record locks and whole-file locks */
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10 };
	show(fcntl(fd, F_SETLK, &lock));
	lock.l_type = F_UNLCK;
	show(fcntl(fd, F_SETLK, &lock));
	return 0;
}
