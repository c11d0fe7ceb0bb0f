/* mmap, mprotect, mremap, madvise and their kin. */
#include "case.h"
#include "machine.h"
#include <setjmp.h>

static sigjmp_buf back;
static void on_fault(int number) { siglongjmp(back, number); }
static const char *touch(volatile char *address, bool writing)
{
	int number = sigsetjmp(back, 1);
	if (number)
		return number == SIGBUS ? "SIGBUS" : "SIGSEGV";
	if (writing)
		*address = 'w';
	else
		(void)*address;
	return "fine";
}
#define PAGE 4096ul

int main(void)
{
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	/* errors */
	show((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	show((long)mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
	show((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
	show((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 77, 0));
	show((long)mmap(NULL, (size_t)1 << 62, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	show((long)mmap((void *)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	show(munmap((void *)1, PAGE));
	show(munmap((void *)PAGE, 0));
	int p[2];
	must(pipe(p));
	show((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0));
	put_file("ro", "read-only file");
	int fd = must(open("ro", O_RDONLY));
	show((long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	show((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100));
	char *private = must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	private[0] = 'R';
	printf("private: %s, ", private);
	show_file("ro");
	char *shared = must(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	show(mprotect(shared, PAGE, PROT_READ | PROT_WRITE));
	int writer = must(open("wo", O_WRONLY | O_CREAT, 0644));
	show((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, writer, 0));
	close(fd);
	printf("after close: %s\n", shared);

	/* a shared file mapping and the file are one */
	fd = must(open("rw", O_RDWR | O_CREAT, 0644));
	must(ftruncate(fd, 3 * PAGE));
	char *file = must(mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	char *second = must(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (off_t)PAGE));
	strcpy(file + PAGE, "through memory");
	char text[32] = "";
	show(pread(fd, text, 14, (off_t)PAGE));
	printf("%s, %s\n", text, second);
	must(pwrite(fd, "THROUGH", 7, (off_t)PAGE));
	printf("%s\n", file + PAGE);
	show(msync(file, 3 * PAGE, MS_SYNC));
	show(msync(file + 1, PAGE, MS_SYNC));
	must(unlink("rw"));
	close(fd);
	printf("after unlink and close: %s\n", file + PAGE);
	must(munmap(file, 3 * PAGE));
	printf("other mapping: %s\n", second);

	/* parts */
	char *area = must(mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < 10; i++)
		area[(unsigned)i * PAGE] = (char)('0' + i);
	show(munmap(area + 3 * PAGE, 2 * PAGE));
	show(mprotect(area + 6 * PAGE, PAGE, PROT_READ));
	show(mprotect(area + 7 * PAGE, PAGE, PROT_NONE));
	show(mprotect(area + 2 * PAGE, 2 * PAGE, PROT_READ)); /* in part not mapped */
	for (int i = 0; i < 10; i++)
		printf("page %d: read %s, write %s\n", i, touch(area + (unsigned)i * PAGE, false), touch(area + (unsigned)i * PAGE + 1, true));
	char *fixed = mmap(area + 3 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	check(fixed == area + 3 * PAGE && fixed[0] == 0);
	fixed = mmap(area + 5 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	check(fixed == area + 5 * PAGE && fixed[0] == 0);
	show((long)mmap(area, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	must(munmap(area + 8 * PAGE, 2 * PAGE));
	char *hinted = must(mmap(area + 8 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	check(hinted == area + 8 * PAGE);
	show(mprotect(area + 7 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	printf("page 7 kept %c\n", area[7 * PAGE]);

	/* dropping content */
	area[0] = area[PAGE] = 'x';
	show(madvise(area, PAGE, MADV_DONTNEED));
	printf("dropped %d, kept %c\n", area[0], area[PAGE]);
	show(madvise(area + 1, PAGE, MADV_DONTNEED));
	show(madvise(area, PAGE, 12345));
	private[0] = 'X';
	show(madvise(private, PAGE, MADV_DONTNEED));
	printf("file content again: %c\n", private[0]);

	/* moving and growing */
	char *moving = must(mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < 4; i++)
		moving[(unsigned)i * PAGE] = (char)('a' + i);
	char *grown = must(mremap(moving, 4 * PAGE, 400 * PAGE, MREMAP_MAYMOVE));
	printf("grown: %c%c%c%c %d\n", grown[0], grown[PAGE], grown[2 * PAGE], grown[3 * PAGE], grown[399 * PAGE]);
	grown[399 * PAGE] = 'z';
	char *shrunk = must(mremap(grown, 400 * PAGE, 2 * PAGE, 0));
	check(shrunk == grown);
	printf("behind: %s\n", touch(grown + 2 * PAGE, false));
	char *target = must(mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	char *moved = must(mremap(shrunk, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + 4 * PAGE));
	check(moved == target + 4 * PAGE);
	printf("moved: %c%c, old place %s, before %s\n", moved[0], moved[PAGE], touch(shrunk, false), touch(target, false));
	show((long)mremap(moved, PAGE, PAGE, 99));
	show((long)mremap((void *)PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE));

	/* code made at run time */
	unsigned char code[] = MACHINE_42;
	char *text_page = must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	memcpy(text_page, code, sizeof code);
	must(mprotect(text_page, PAGE, PROT_READ | PROT_EXEC));
	__builtin___clear_cache(text_page, text_page + sizeof code);
	printf("run: %d\n", ((int (*)(void))(uintptr_t)text_page)());
	/* much address space, few pages */
	size_t huge = 64ul << 30;
	char *sparse = must(mmap(NULL, huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	for (size_t at = 0; at < huge; at += huge / 64)
		sparse[at] = 's';
	int sum = 0;
	for (size_t at = 0; at < huge; at += huge / 64)
		sum += sparse[at] + sparse[at + PAGE];
	printf("sparse %d\n", sum);
	show(munmap(sparse, huge));
	/* many mappings */
	static char *piece[2000];
	for (int i = 0; i < 2000; i++) {
		piece[i] = must(mmap(NULL, PAGE, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		if (i % 2 == 0)
			piece[i][0] = 1;
	}
	for (int i = 0; i < 2000; i++)
		must(munmap(piece[i], PAGE));
	printf("many mappings made and removed\n");
	return 0;
}
