/* fork: private memory is copied on write in both directions, shared memory is one, descriptors are shared. */
#include "case.h"

static int data = 1, zero;
static void chain(int depth, volatile char *private, volatile int *shared)
{
	if (depth == 0)
		return;
	fflush(stdout);
	pid_t pid = must(fork());
	if (pid == 0) {
		private[depth * 4096] = (char)depth;
		__sync_fetch_and_add(shared, depth);
		chain(depth - 1, private, shared);
		int sum = 0;
		for (int i = 0; i < 12; i++)
			sum += private[i * 4096];
		printf("depth %d sees %d\n", depth, sum);
		fflush(stdout);
		_exit(0);
	}
	wait_for(pid);
}

int main(void)
{
	size_t size = 4 << 20;
	char *private = must(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int *shared = must(mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	char *heap = malloc(100000);
	int local = 5, to_child[2], to_parent[2];
	char byte;
	must(pipe(to_child));
	must(pipe(to_parent));
	memset(private, 'p', size);
	memset(heap, 'h', 100000);
	pid_t pid = in_child({
		data = 2; zero = 3; local = 6;
		memset(heap, 'H', 100000);
		for (size_t i = 0; i < size; i += 8192)
			private[i] = 'c';
		shared[0] = 42;
		must(write(to_parent[1], "1", 1));
		must(read(to_child[0], &byte, 1));
		/* the parent has written meanwhile */
		size_t ours = 0; size_t old = 0; size_t theirs = 0;
		for (size_t i = 0; i < size; i += 4096)
			*(private[i] == 'c' ? &ours : private[i] == 'p' ? &old : &theirs) += 1;
		printf("child: %zu changed, %zu old, %zu of the parent\n", ours, old, theirs);
		printf("child: %d %d %d %c %d %d\n", data, zero, local, heap[99999], shared[0], shared[1]);
		fflush(stdout);
		_exit(7);
	});
	must(read(to_parent[0], &byte, 1));
	size_t changed = 0;
	for (size_t i = 0; i < size; i++)
		changed += private[i] != 'p';
	printf("parent: %zu changed, %d %d %d %c\n", changed, data, zero, local, heap[99999]);
	printf("parent: shared %d\n", shared[0]);
	shared[1] = 43;
	memset(private, 'P', size);
	must(write(to_child[1], "2", 1));
	show_status("child", wait_for(pid));

	memset(private, 0, size);
	volatile int *counter = &shared[100];
	chain(10, private, counter);
	printf("counter %d, private %d\n", *counter, private[4096 * 5]);

	/* a file mapped shared, and one mapped privately */
	put_file("file", "0123456789");
	int fd = must(open("file", O_RDWR));
	char *file = must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	char *copy = must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	copy[1] = 'x';
	wait_for(in_child({ file[0] = 'F'; copy[2] = 'y'; printf("child copy %.10s\n", copy); }));
	printf("parent file %.10s copy %.10s\n", file, copy);
	show_file("file");

	/* the file position belongs to both */
	lseek(fd, 0, SEEK_SET);
	wait_for(in_child({ char four[5] = ""; must(read(fd, four, 4)); printf("child read %s\n", four); }));
	char rest[5] = "";
	must(read(fd, rest, 4));
	printf("parent read %s\n", rest);

	/* many children at once */
	pid_t child[50];
	for (int i = 0; i < 50; i++)
		child[i] = in_child({ private[i * 4096] = 1; __sync_fetch_and_add(&shared[200], i); _exit(i); });
	int sum = 0;
	for (int i = 0; i < 50; i++)
		sum += WEXITSTATUS(wait_for(child[i]));
	printf("statuses %d, shared %d, private %d\n", sum, shared[200], private[49 * 4096]);
	/* memory unmapped and protected in the child stays as it was in the parent */
	wait_for(in_child({ must(munmap(private, size)); must(mprotect(heap - ((uintptr_t)heap & 4095), 4096, PROT_READ)); }));
	private[size - 1] = 'e';
	printf("still mapped: %c\n", private[size - 1]);
	return 0;
}
