/* /dev/null, zero, full, random, urandom; /proc/self as programs read it. */
#include "case.h"
#include <dirent.h>
#include <sys/random.h>

static void kind(const char *path)
{
	struct stat status;
	if (stat(path, &status) < 0)
		printf("%s: %s\n", path, error_name(errno));
	else
		printf("%s: %s\n", path, S_ISCHR(status.st_mode) ? "character device" : S_ISDIR(status.st_mode) ? "directory" : "other");
}
static bool varied(const unsigned char *bytes, size_t size)
{
	int seen[256] = { 0 }, different = 0;
	for (size_t i = 0; i < size; i++)
		different += !seen[bytes[i]]++;
	return different > 100;
}

int main(int argc, char **argv)
{
	static char block[100000], other[100000];
	(void)argc;
	static const char *const nodes[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev", "/proc", "/proc/self", "/tmp", "/dev/missing" };
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
		kind(nodes[i]);
	int null = must(open("/dev/null", O_RDWR)), zero = must(open("/dev/zero", O_RDWR)), full = must(open("/dev/full", O_RDWR));
	show(read(null, block, 10));
	show(write(null, block, sizeof block));
	memset(block, 1, sizeof block);
	show(read(zero, block, sizeof block));
	size_t sum = 0;
	for (size_t i = 0; i < sizeof block; i++)
		sum += (unsigned char)block[i];
	printf("sum %zu\n", sum);
	show(write(zero, block, 10));
	show(read(full, block, 10));
	show(write(full, block, 10));
	show(write(full, block, 0));
	int random = must(open("/dev/urandom", O_RDONLY));
	show(read(random, block, sizeof block));
	check(varied((unsigned char *)block, sizeof block));
	show(read(random, other, sizeof other));
	check(memcmp(block, other, sizeof block) != 0);
	show(getrandom(block, 200, 0));
	check(varied((unsigned char *)block, 200));
	random = must(open("/dev/random", O_RDONLY));
	show(read(random, block, 16));
	char *mapped = must(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0));
	printf("mapped zero: %d\n", mapped[5000]);
	mapped[5000] = 1;

	/* itself */
	char text[4096], path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
	check(length > 0);
	path[length > 0 ? length : 0] = 0;
	check(access(path, X_OK) == 0);
	const char *base = strrchr(path, '/'), *argument_base = strrchr(argv[0], '/');
	check(base && !strcmp(base + 1, argument_base ? argument_base + 1 : argv[0]));
	int fd = must(open("/proc/self/cmdline", O_RDONLY));
	length = read(fd, text, sizeof text);
	check(length == (ssize_t)strlen(argv[0]) + 1 && !strcmp(text, argv[0]));
	close(fd);
	FILE *file = fopen("/proc/self/stat", "r");
	int pid = 0, parent = 0;
	char state = 0;
	check(file && fscanf(file, "%d %4000s %c %d", &pid, text, &state, &parent) == 4);
	check(pid == getpid() && parent == getppid() && state == 'R');
	if (file)
		fclose(file);
	file = fopen("/proc/self/status", "r");
	int found = 0;
	while (file && fgets(text, sizeof text, file)) {
		int value;
		if (sscanf(text, "Pid: %d", &value) == 1)
			found += value == getpid();
		if (sscanf(text, "PPid: %d", &value) == 1)
			found += value == getppid();
		found += !strncmp(text, "Name:", 5) || !strncmp(text, "State:", 6);
	}
	printf("status lines %d\n", found);
	if (file)
		fclose(file);
	int known = must(open("/dev/null", O_RDONLY));
	snprintf(path, sizeof path, "/proc/self/fd/%d", known);
	length = readlink(path, text, sizeof text - 1);
	text[length > 0 ? length : 0] = 0;
	printf("descriptor: %s\n", text);
	DIR *directory = opendir("/proc/self/fd");
	int open_count = 0;
	for (struct dirent *entry; directory && (entry = readdir(directory)); )
		open_count += entry->d_name[0] != '.';
	check(open_count >= 8);
	if (directory)
		closedir(directory);
	length = readlink("/proc/self/cwd", path, sizeof path - 1);
	path[length > 0 ? length : 0] = 0;
	char here[PATH_MAX];
	check(getcwd(here, sizeof here) && !strcmp(here, path));
	file = fopen("/proc/meminfo", "r");
	long total = 0;
	check(file && fscanf(file, "MemTotal: %ld kB", &total) == 1 && total > 30000);
	if (file)
		fclose(file);
	file = fopen("/proc/uptime", "r");
	double uptime = 0;
	check(file && fscanf(file, "%lf", &uptime) == 1 && uptime > 0);
	if (file)
		fclose(file);
	show(open("/proc/self/missing", O_RDONLY));
	show(open("/proc/999999", O_RDONLY));
	show(isatty(null));
	return 0;
}
