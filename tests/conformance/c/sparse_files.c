/* Holes: lseek finds data and holes of files made by seeking, by truncation and by punching. */
#include "case.h"

#define K 4096

static void walk(const char *what, int fd)
{
	off_t at = 0;
	printf("%s:", what);
	for (;;) {
		off_t data = lseek(fd, at, SEEK_DATA);
		if (data < 0) {
			printf(" %s\n", error_name(errno));
			return;
		}
		off_t hole = lseek(fd, data, SEEK_HOLE);
		printf(" %ld-%ld", (long)data, (long)hole);
		at = hole;
	}
}

static void one(int fd)
{
	must(ftruncate(fd, 0));
	show(lseek(fd, 0, SEEK_DATA));
	show(lseek(fd, 0, SEEK_HOLE));
	must(ftruncate(fd, 100 * K));
	walk("only a size", fd);
	must(pwrite(fd, "x", 1, 10 * K + 5));
	must(pwrite(fd, "x", 1, 11 * K));
	must(pwrite(fd, "x", 1, 50 * K));
	walk("three pages", fd);
	show(lseek(fd, 10 * K + 7, SEEK_DATA));
	show(lseek(fd, 10 * K + 7, SEEK_HOLE));
	show(lseek(fd, 12 * K, SEEK_HOLE));
	show(lseek(fd, 12 * K + 1, SEEK_HOLE));
	show(lseek(fd, 51 * K, SEEK_DATA));
	show(lseek(fd, 100 * K - 1, SEEK_HOLE));
	show(lseek(fd, 100 * K, SEEK_HOLE));
	show(lseek(fd, 100 * K, SEEK_DATA));
	show(lseek(fd, -1, SEEK_DATA));
	show(lseek(fd, 7, SEEK_SET));
	show(lseek(fd, 200 * K, SEEK_HOLE)); /* a failure leaves the cursor */
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(fd, 3, 5));
	must(ftruncate(fd, 50 * K + 100));
	walk("cut in a page", fd);
	must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10 * K, K));
	walk("punched", fd);
	char block[64 * K];
	memset(block, 'b', sizeof block);
	must(pwrite(fd, block, sizeof block, 64 * K));
	must(ftruncate(fd, 1 << 20));
	walk("a run", fd);
	must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 70 * K + 10, 2 * K)); /* one whole page lies in it */
	walk("punched off the pages", fd);
	struct stat status;
	must(fstat(fd, &status));
	check(status.st_blocks < status.st_size / 512);
}

int main(void)
{
	int fd = must(open("file", O_RDWR | O_CREAT, 0600));
	one(fd);
	close(fd);
	puts("- a memory file");
	one(must(memfd_create("sparse", 0)));
	int ends[2];
	must(pipe(ends));
	show(lseek(ends[0], 0, SEEK_DATA));
	int directory = must(open(".", O_RDONLY));
	fd = must(open("file", O_PATH));
	show(lseek(fd, 0, SEEK_DATA));
	return 0;
}
