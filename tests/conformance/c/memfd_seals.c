/* Seals of memory files: what each forbids, when one is refused, and that they hold for every process and mapping. */
#include "case.h"

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC 16u
#endif

static int make(unsigned flags)
{
	int fd = must(memfd_create("sealed", flags));
	must(ftruncate(fd, 8192));
	must(pwrite(fd, "content", 7, 0));
	return fd;
}

static void *map(int fd, int protection, int flags) { return mmap(NULL, 8192, protection, flags, fd, 0); }

static void try_all(int fd)
{
	static char block[8192];
	show(fcntl(fd, F_GET_SEALS));
	show(ftruncate(fd, 4096));
	show(ftruncate(fd, 8192));
	show(ftruncate(fd, 16384));
	must(lseek(fd, 0, SEEK_SET));
	show(write(fd, "x", 1));
	show(pwrite(fd, block, 8192, 8192));
	show(pwrite(fd, block, 8192, 4096));
	show(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	show(fallocate(fd, 0, 0, 32768));
	void *shared = succeeds(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
	if (shared != MAP_FAILED)
		munmap(shared, 8192);
	void *read_only = succeeds(map(fd, PROT_READ, MAP_SHARED));
	if (read_only != MAP_FAILED) {
		show(mprotect(read_only, 4096, PROT_READ | PROT_WRITE));
		munmap(read_only, 8192);
	}
	char *private = succeeds(map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE));
	private[0] = 'p';
	munmap(private, 8192);
}

static void basics(void)
{
	int fd = make(MFD_CLOEXEC);
	puts("- without MFD_ALLOW_SEALING");
	show(fcntl(fd, F_GET_SEALS));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	show(fcntl(fd, F_ADD_SEALS, 0));
	show(fcntl(fd, F_ADD_SEALS, 0x1000));
	try_all(fd);
	close(fd);
	puts("- with");
	fd = make(MFD_ALLOW_SEALING);
	show(fcntl(fd, F_GET_SEALS));
	show(fcntl(fd, F_ADD_SEALS, 0));
	show(fcntl(fd, F_ADD_SEALS, 0x1000));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	try_all(fd);
	close(fd);
	puts("- what is no memory file");
	int ends[2];
	must(pipe(ends));
	show(fcntl(ends[0], F_GET_SEALS));
	show(fcntl(ends[0], F_ADD_SEALS, F_SEAL_GROW));
	show(fcntl(ends[1], F_ADD_SEALS, F_SEAL_GROW));
	show(fcntl(ends[1], F_ADD_SEALS, 0x1000));
	show(fcntl(-1, F_GET_SEALS));
	close(ends[0]);
	close(ends[1]);
	puts("- flags");
	show(memfd_create("x", 0x40u));
	show(memfd_create("x", MFD_NOEXEC_SEAL | MFD_EXEC));
	struct stat status;
	fd = make(MFD_EXEC);
	must(fstat(fd, &status));
	printf("mode %o seals %d\n", status.st_mode, fcntl(fd, F_GET_SEALS));
	close(fd);
	fd = make(MFD_NOEXEC_SEAL);
	must(fstat(fd, &status));
	printf("mode %o seals %d\n", status.st_mode, fcntl(fd, F_GET_SEALS));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	show(fcntl(fd, F_GET_SEALS));
	close(fd);
	fd = make(MFD_ALLOW_SEALING);
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
	show(fcntl(fd, F_GET_SEALS));
	close(fd);
}

static void each(void)
{
	static const struct { const char *name; int seal; } seals[] = {
		{ "SHRINK", F_SEAL_SHRINK }, { "GROW", F_SEAL_GROW }, { "WRITE", F_SEAL_WRITE }, { "FUTURE_WRITE", F_SEAL_FUTURE_WRITE },
		{ "GROW and WRITE", F_SEAL_GROW | F_SEAL_WRITE }, { "all", F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE },
	};
	for (size_t i = 0; i < sizeof seals / sizeof *seals; i++) {
		int fd = make(MFD_ALLOW_SEALING);
		printf("- %s\n", seals[i].name);
		show(fcntl(fd, F_ADD_SEALS, seals[i].seal));
		try_all(fd);
		close(fd);
	}
}

static void mappings(void)
{
	puts("- mappings that are there");
	int fd = make(MFD_ALLOW_SEALING);
	char *shared = must(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW)); /* nothing is added */
	show(fcntl(fd, F_GET_SEALS));
	show(mprotect(shared, 8192, PROT_READ));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)); /* it could be made writable again */
	show(munmap(shared, 4096));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	show(munmap(shared + 4096, 4096));
	char *private = must(map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE));
	private[0] = 'p';
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	show(fcntl(fd, F_GET_SEALS));
	private[1] = 'p';
	printf("%.7s\n", private);
	close(fd);

	puts("- read-only mappings");
	fd = make(MFD_ALLOW_SEALING);
	shared = must(map(fd, PROT_READ, MAP_SHARED));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(shared, 8192);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	close(fd);

	puts("- a mapping survives FUTURE_WRITE");
	fd = make(MFD_ALLOW_SEALING);
	shared = must(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
	char *later = must(map(fd, PROT_READ, MAP_SHARED));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	shared[0] = 'C';
	show(write(fd, "x", 1));
	show(mprotect(later, 8192, PROT_READ | PROT_WRITE));
	later[1] = 'O';
	printf("%.7s\n", shared);
	succeeds(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	close(fd);
}

static void processes(void)
{
	puts("- another process");
	int fd = make(MFD_ALLOW_SEALING), ready[2], go[2];
	char byte;
	must(pipe(ready));
	must(pipe(go));
	pid_t child = in_child({
		char *shared = must(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
		must(write(ready[1], "x", 1));
		must(read(go[0], &byte, 1));
		munmap(shared, 8192);
		must(write(ready[1], "x", 1));
		must(read(go[0], &byte, 1));
		show(pwrite(fd, "x", 1, 0));
		succeeds(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
		show(fcntl(fd, F_GET_SEALS));
	});
	must(read(ready[0], &byte, 1));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	must(write(go[1], "x", 1));
	must(read(ready[0], &byte, 1));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	fflush(stdout);
	must(write(go[1], "x", 1));
	wait_for(child);
	/* a mapping inherited over fork counts, too, and goes with its process */
	fd = make(MFD_ALLOW_SEALING);
	char *shared = must(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
	child = in_child({ must(read(go[0], &byte, 1)); });
	munmap(shared, 8192);
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	must(write(go[1], "x", 1));
	wait_for(child);
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	basics();
	each();
	mappings();
	processes();
	return 0;
}
