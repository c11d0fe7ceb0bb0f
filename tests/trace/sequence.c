/* Does things whose traces are known: a fault at a place of its own, a file opened, a pipe between two processes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int ends[2];
	char bytes[16];
	if (argc > 1) { /* so many calls */
		for (long i = atol(argv[1]); i > 0; i--)
			getppid();
		return 0;
	}
	volatile char *page = mmap((void *)0x300000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	page[0x123] = 1;
	if (open("/no/such/file", O_RDONLY) >= 0 || pipe(ends))
		return 1;
	if (fork() == 0) {
		close(ends[0]);
		usleep(20000); /* the other one waits by now */
		_exit(write(ends[1], "hello", 5) != 5);
	}
	close(ends[1]);
	if (read(ends[0], bytes, sizeof bytes) != 5 || read(ends[0], bytes, sizeof bytes) != 0)
		return 2;
	wait(NULL);
	return 3;
}
