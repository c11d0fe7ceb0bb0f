/* Directories: making, reading, walking, the working directory, the *at calls. */
#include "case.h"
#include <dirent.h>
#include <ftw.h>

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static void list(const char *path)
{
	char *name[64];
	int count = 0;
	DIR *directory = opendir(path);
	if (!directory) {
		printf("%s: %s\n", path, error_name(errno));
		return;
	}
	for (struct dirent *entry; (entry = readdir(directory)) && count < 64; ) {
		name[count] = malloc(300);
		snprintf(name[count++], 300, "%s(%s)", entry->d_name, entry->d_type == DT_DIR ? "directory" : entry->d_type == DT_REG ? "file" :
			entry->d_type == DT_LNK ? "link" : entry->d_type == DT_FIFO ? "fifo" : "other");
	}
	closedir(directory);
	qsort(name, (size_t)count, sizeof *name, compare);
	printf("%s:", path);
	for (int i = 0; i < count; i++)
		printf(" %s", name[i]);
	printf("\n");
}
static long files, folders, bytes;
static int visit(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)path; (void)walk;
	if (type == FTW_DP || type == FTW_D)
		folders++;
	else
		files++, bytes += status->st_size;
	return 0;
}

int main(void)
{
	char start[PATH_MAX], text[PATH_MAX];
	must(getcwd(start, sizeof start) ? 0 : -1);
	show(mkdir("d", 0755));
	show(mkdir("d", 0755));
	show(mkdir("missing/d", 0755));
	show(mkdir("d/sub/", 0700));
	put_file("d/file", "f");
	show(mkdir("d/file/x", 0755));
	show(mkdir("d/file", 0755));
	must(symlink("file", "d/link"));
	must(mkfifo("d/fifo", 0600));
	list("d");
	list("d/file");
	list("missing");
	show(rmdir("d"));
	show(rmdir("d/file"));
	show(rmdir("missing"));
	show(rmdir("d/sub/."));
	show(rmdir("d/sub"));
	show(rmdir("."));

	/* a thousand names, each read once, also while they are being removed */
	must(mkdir("many", 0755));
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "many/a-name-of-some-length-%04d", i);
		put_file(text, "");
	}
	static int seen[1000];
	DIR *directory = opendir("many");
	int dots = 0, others = 0;
	for (struct dirent *entry; (entry = readdir(directory)); ) {
		int number = -1;
		if (sscanf(entry->d_name, "a-name-of-some-length-%d", &number) == 1 && number >= 0 && number < 1000)
			seen[number]++;
		else if (entry->d_name[0] == '.')
			dots++;
		else
			others++;
	}
	int once = 0;
	for (int i = 0; i < 1000; i++)
		once += seen[i] == 1;
	printf("once %d, dots %d, others %d\n", once, dots, others);
	rewinddir(directory);
	int removed = 0;
	for (struct dirent *entry; (entry = readdir(directory)); )
		if (entry->d_name[0] == 'a')
			removed += unlinkat(dirfd(directory), entry->d_name, 0) == 0;
	closedir(directory);
	printf("removed %d\n", removed);
	show(rmdir("many"));
	/* seeking */
	must(mkdir("seek", 0755));
	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof text, "seek/%d", i);
		put_file(text, "");
	}
	directory = opendir("seek");
	for (int i = 0; i < 5; i++)
		readdir(directory);
	long place = telldir(directory);
	char name[256];
	strcpy(name, readdir(directory)->d_name);
	while (readdir(directory))
		;
	seekdir(directory, place);
	check(!strcmp(name, readdir(directory)->d_name));
	closedir(directory);

	/* the working directory */
	must(mkdir("w", 0755));
	must(mkdir("w/x", 0755));
	show(chdir("w/x"));
	must(getcwd(text, sizeof text) ? 0 : -1);
	printf("now in [%s]\n", text + strlen(start));
	show(chdir("../x/.././x"));
	must(getcwd(text, sizeof text) ? 0 : -1);
	printf("now in [%s]\n", text + strlen(start));
	show(getcwd(text, 3) ? 0 : -1);
	show(chdir("missing"));
	show(chdir("../../d/file"));
	int up = must(open("..", O_RDONLY | O_DIRECTORY));
	show(chdir(start));
	show(fchdir(up));
	must(getcwd(text, sizeof text) ? 0 : -1);
	printf("now in [%s]\n", text + strlen(start));
	close(up);
	show(chdir("x"));
	show(rmdir("../x"));
	show(getcwd(text, sizeof text) ? 0 : -1);
	show(open("new", O_CREAT | O_WRONLY, 0644));
	show(chdir(".."));
	show(chdir(start));
	show(chdir("/"));
	show(chdir(".."));
	printf("root is [%s]\n", getcwd(text, sizeof text));
	show(chdir(start));
	/* the child's working directory is its own */
	wait_for(in_child({ must(chdir("w")); must(mkdir("of-child", 0755)); }));
	show(access("w/of-child", F_OK));

	/* relative to descriptors */
	int fd = must(open("w", O_RDONLY | O_DIRECTORY));
	show(mkdirat(fd, "m", 0755));
	int file = must(openat(fd, "m/f", O_CREAT | O_RDWR, 0644));
	show(symlinkat("m/f", fd, "l"));
	struct stat status;
	show(fstatat(fd, "l", &status, AT_SYMLINK_NOFOLLOW));
	check(S_ISLNK(status.st_mode));
	show(fstatat(fd, "l", &status, 0));
	check(S_ISREG(status.st_mode));
	show(linkat(fd, "m/f", AT_FDCWD, "linked", 0));
	show(renameat(AT_FDCWD, "linked", fd, "renamed"));
	show(faccessat(fd, "renamed", R_OK, 0));
	show(fstatat(file, "x", &status, 0));
	show(fstatat(99, "x", &status, 0));
	show(fstatat(99, start, &status, 0));
	show(fstatat(file, "", &status, AT_EMPTY_PATH));
	show(unlinkat(fd, "m", 0));
	show(unlinkat(fd, "m", AT_REMOVEDIR));
	show(unlinkat(fd, "m/f", 0));
	show(unlinkat(fd, "m", AT_REMOVEDIR));
	show(read(fd, text, 10));
	show(write(fd, text, 10));
	close(fd);
	close(file);
	list("w");

	must(mkdir("tree", 0755));
	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof text, "tree/%d", i);
		must(mkdir(text, 0755));
		for (int k = 0; k < 5; k++) {
			snprintf(text, sizeof text, "tree/%d/%d", i, k);
			put_file(text, "12345");
		}
	}
	nftw("tree", visit, 10, FTW_PHYS | FTW_DEPTH);
	printf("walk: %ld files, %ld folders, %ld bytes\n", files, folders, bytes);
	return 0;
}
