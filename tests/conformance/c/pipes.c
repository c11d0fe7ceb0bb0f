/* Pipes: capacity, atomicity, end of file, EPIPE and SIGPIPE, non-blocking use. */
#include "case.h"
#include <sys/ioctl.h>

static volatile sig_atomic_t broken;
static void on_pipe(int number) { (void)number; broken++; }
static char block[1 << 20];

static void fill(size_t piece)
{
	int p[2], total = 0, fionread = 0;
	must(pipe2(p, O_NONBLOCK));
	for (ssize_t n; (n = write(p[1], block, piece)) > 0; )
		total += (int)n;
	printf("pieces of %zu: %d bytes, then %s\n", piece, total, error_name(errno));
	must(ioctl(p[0], FIONREAD, &fionread));
	printf("FIONREAD %d\n", fionread);
	show(read(p[0], block, 100));
	show(write(p[1], block, 1) >= -1 ? 0 : 1);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	int p[2];
	char text[64] = "";
	must(pipe(p));
	show(write(p[1], "hello", 5));
	show(write(p[1], " world", 6));
	show(read(p[0], text, 3));
	printf("[%s]\n", text);
	show(read(p[0], text, sizeof text));
	printf("[%.8s]\n", text);
	show(write(p[1], "", 0));
	show(lseek(p[0], 0, SEEK_SET));
	show(pread(p[0], text, 1, 0));
	show(pwrite(p[1], text, 1, 0));
	show(ftruncate(p[1], 0));
	show(read(p[1], text, 1));
	show(write(p[0], text, 1));
	struct stat status;
	must(fstat(p[0], &status));
	check(S_ISFIFO(status.st_mode));
	show(fcntl(p[0], F_GETFL) & O_ACCMODE);
	show(fcntl(p[1], F_GETFL) & O_ACCMODE);
	close(p[1]);
	show(read(p[0], text, 1));
	show(read(p[0], text, 1));
	close(p[0]);

	fill(4096);
	fill(1024);
	fill(65536);
	/* a write that does not fit goes in part; one that must be atomic not at all */
	must(pipe2(p, O_NONBLOCK));
	show(write(p[1], block, sizeof block));
	show(write(p[1], block, 4096));
	show(read(p[0], block, 4096));
	show(write(p[1], block, 4096));
	show(write(p[1], block, 1));
	while (read(p[0], block, sizeof block) > 0)
		;
	printf("emptied: %s\n", error_name(errno));
	close(p[1]);
	show(read(p[0], block, 1));
	close(p[0]);

	/* no reader */
	signal(SIGPIPE, on_pipe);
	must(pipe(p));
	close(p[0]);
	show(write(p[1], "x", 1));
	printf("SIGPIPE came %d times\n", (int)broken);
	signal(SIGPIPE, SIG_IGN);
	show(write(p[1], "x", 1));
	signal(SIGPIPE, SIG_DFL);
	pid_t pid = in_child({ write(p[1], "x", 1); _exit(1); });
	show_status("writer without a reader", wait_for(pid));
	close(p[1]);
	/* the reader goes while the writer sleeps */
	must(pipe(p));
	pid = in_child({ close(p[0]); ssize_t n = 0; size_t all = 0; signal(SIGPIPE, SIG_IGN);
		while ((n = write(p[1], block, 10000)) > 0) all += (size_t)n;
		printf("writer: %s after at least a pipe of bytes: %d\n", error_name(errno), all >= 60000); });
	close(p[1]);
	sleep_ms(100);
	close(p[0]);
	show_status("writer", wait_for(pid));

	/* a large blocking write reaches a slow reader whole */
	must(pipe(p));
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (char)(i * 7 + i / 251);
	pid = in_child({ close(p[0]); show(write(p[1], block, sizeof block)); });
	close(p[1]);
	static char copy[sizeof block];
	size_t done = 0;
	for (ssize_t n; (n = read(p[0], copy + done, done % 3 ? 777 : 30000)) > 0; )
		done += (size_t)n;
	printf("read %zu, equal %d\n", done, !memcmp(block, copy, sizeof block));
	show_status("writer", wait_for(pid));
	close(p[0]);

	/* writes of at most PIPE_BUF bytes by several writers are not mixed */
	must(pipe(p));
	pid_t writer[4];
	for (int w = 0; w < 4; w++)
		writer[w] = in_child({ memset(block, 'a' + w, 512); block[511] = '\n'; for (int i = 0; i < 200; i++) must(write(p[1], block, 512)); });
	close(p[1]);
	FILE *file = fdopen(p[0], "r");
	int lines[4] = { 0 }, mixed = 0;
	while (fgets(copy, 1024, file)) {
		bool pure = strlen(copy) == 512;
		for (int i = 1; i < 511 && pure; i++)
			pure = copy[i] == copy[0];
		if (pure && copy[0] >= 'a' && copy[0] <= 'd')
			lines[copy[0] - 'a']++;
		else
			mixed++;
	}
	printf("lines %d %d %d %d, mixed %d\n", lines[0], lines[1], lines[2], lines[3], mixed);
	for (int w = 0; w < 4; w++)
		wait_for(writer[w]);
	fclose(file);

	/* a FIFO in the file system */
	show(mkfifo("fifo", 0600));
	show(mkfifo("fifo", 0600));
	show(open("fifo", O_WRONLY | O_NONBLOCK));
	pid = in_child({ int fd = must(open("fifo", O_WRONLY)); must(write(fd, "through the fifo", 16)); });
	int fd = must(open("fifo", O_RDONLY));
	memset(text, 0, sizeof text);
	show(read(fd, text, sizeof text));
	printf("[%s]\n", text);
	show_status("writer", wait_for(pid));
	show(read(fd, text, sizeof text));
	close(fd);
	show(unlink("fifo"));
	return 0;
}
