/* O_TMPFILE: files without a name, which may get one. */
#include "case.h"
#include <dirent.h>

static void names(void)
{
	DIR *directory = opendir(".");
	int count = 0;
	for (struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	printf("%d names\n", count);
}

int main(void)
{
	char path[64], bytes[16] = { 0 };
	struct stat status;
	umask(022);
	int fd = must(open(".", O_TMPFILE | O_RDWR, 0666));
	must(fstat(fd, &status));
	printf("mode %o links %d size %ld\n", status.st_mode, (int)status.st_nlink, (long)status.st_size);
	printf("flags %x\n", fcntl(fd, F_GETFL));
	names();
	show(write(fd, "content", 7));
	show(pread(fd, bytes, sizeof bytes, 0));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	show(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	must(fstat(fd, &status));
	printf("links %d\n", (int)status.st_nlink);
	show_file("named");
	names();
	show(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	show(linkat(AT_FDCWD, path, AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
	must(fstat(fd, &status));
	printf("links %d\n", (int)status.st_nlink);
	show(unlink("named"));
	show(unlink("again"));
	show(linkat(AT_FDCWD, path, AT_FDCWD, "third", AT_SYMLINK_FOLLOW)); /* it had a name */
	close(fd);
	names();

	fd = must(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	show(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	close(fd);
	fd = must(open(".", O_TMPFILE | O_WRONLY, 0600));
	must(fstat(fd, &status));
	printf("mode %o\n", status.st_mode);
	show(read(fd, bytes, 1));
	show(linkat(fd, "", AT_FDCWD, "by descriptor", AT_EMPTY_PATH));
	close(fd);
	show_file("by descriptor");
	put_file("file", "x");
	fd = must(open("file", O_RDONLY));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	show(linkat(AT_FDCWD, path, AT_FDCWD, "other name", AT_SYMLINK_FOLLOW));
	must(unlink("file"));
	must(unlink("other name"));
	show(linkat(AT_FDCWD, path, AT_FDCWD, "too late", AT_SYMLINK_FOLLOW));
	show(open(".", O_TMPFILE | O_RDONLY, 0600));
	show(open(".", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600));
	show(open(".", O_TMPFILE | O_RDWR | O_CREAT, 0600));
	show(open("by descriptor", O_TMPFILE | O_RDWR, 0600));
	show(open("none", O_TMPFILE | O_RDWR, 0600));
	return 0;
}
