/* Regular files: opening, positions, sizes, names, links, attributes, and their errors. */
#include "case.h"

static void attributes(const char *path)
{
	struct stat status;
	if (lstat(path, &status) < 0)
		printf("%s: %s\n", path, error_name(errno));
	else
		printf("%s: mode %06o links %lu size %ld\n", path, status.st_mode, S_ISDIR(status.st_mode) ? 0 : (unsigned long)status.st_nlink,
			S_ISDIR(status.st_mode) ? 0 : (long)status.st_size);
}

int main(void)
{
	char text[256] = "";
	umask(022);
	int fd = must(open("a", O_RDWR | O_CREAT | O_EXCL, 0666));
	printf("first free descriptor %d\n", fd);
	show(open("a", O_RDWR | O_CREAT | O_EXCL, 0666));
	show(open("missing", O_RDONLY));
	show(open("missing/below", O_RDONLY | O_CREAT, 0666));
	show(open("a/below", O_RDONLY));
	show(open("a/", O_RDONLY));
	show(open(".", O_WRONLY));
	show(open("new/", O_CREAT | O_WRONLY, 0644));
	show(open("", O_RDONLY));
	show(open("a", O_RDONLY | O_DIRECTORY));
	static char long_name[300], long_path[5000];
	memset(long_name, 'l', 256);
	show(open(long_name, O_CREAT | O_WRONLY, 0644));
	long_name[255] = 0;
	succeeds(close(open(long_name, O_CREAT | O_WRONLY, 0644)));
	show(unlink(long_name));
	for (int i = 0; i < 4500; i += 2)
		memcpy(long_path + i, "./", 2);
	show(open(long_path, O_RDONLY));
	long_path[4000] = 'a';
	long_path[4001] = 0;
	succeeds(close(open(long_path, O_RDONLY)));
	attributes("a");

	show(write(fd, "0123456789", 10));
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(fd, -3, SEEK_END));
	show(read(fd, text, 10));
	show(read(fd, text, 10));
	show(lseek(fd, -20, SEEK_CUR));
	show(lseek(fd, 100, SEEK_SET));
	show(read(fd, text, 1));
	show(write(fd, "end", 3));
	attributes("a");
	show(pread(fd, text, 20, 5));
	check(!memcmp(text, "56789\0\0\0\0", 9));
	show(pwrite(fd, "PW", 2, 1));
	show(pread(fd, text, 5, -1));
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(fd, 0, 17));
	show(ftruncate(fd, 4));
	show(pread(fd, text, 100, 0));
	printf("%.4s\n", text);
	show(ftruncate(fd, 8));
	show(pread(fd, text, 100, 0));
	check(!memcmp(text, "0PW3\0\0\0\0", 8));
	show(truncate("a", -1));
	show(truncate("missing", 0));
	show(truncate("a", 1 << 20));
	attributes("a");
	close(fd);
	fd = must(open("a", O_WRONLY | O_TRUNC));
	attributes("a");
	show(read(fd, text, 1));
	close(fd);
	fd = must(open("a", O_RDONLY));
	show(write(fd, text, 1));
	show(ftruncate(fd, 0));
	close(fd);

	/* append */
	fd = must(open("log", O_WRONLY | O_CREAT | O_APPEND, 0600));
	int other = must(open("log", O_WRONLY | O_APPEND));
	must(write(fd, "one ", 4));
	must(write(other, "two ", 4));
	lseek(fd, 0, SEEK_SET);
	must(write(fd, "three", 5));
	show(lseek(fd, 0, SEEK_CUR));
	show_file("log");
	close(fd);
	close(other);

	/* a hole */
	fd = must(open("hole", O_RDWR | O_CREAT, 0644));
	show(pwrite(fd, "x", 1, 5000000));
	attributes("hole");
	char *zeros = calloc(1, 10000), *back = malloc(10000);
	show(pread(fd, back, 10000, 2000000));
	check(!memcmp(zeros, back, 10000));
	close(fd);

	/* names */
	put_file("b", "bee");
	show(link("b", "c"));
	attributes("b");
	show(link("b", "c"));
	show(link("missing", "d"));
	show(link(".", "d"));
	struct stat first, second;
	must(stat("b", &first));
	must(stat("c", &second));
	check(first.st_ino == second.st_ino && first.st_dev == second.st_dev);
	show(rename("c", "d"));
	show(rename("b", "d")); /* the same file: nothing happens */
	attributes("b");
	show(unlink("b"));
	attributes("d");
	show(unlink("b"));
	put_file("e", "eee");
	show(rename("e", "d"));
	show_file("d");
	show(rename("missing", "d"));
	must(mkdir("dir", 0755));
	must(mkdir("full", 0755));
	put_file("full/file", "f");
	show(rename("d", "dir"));
	show(rename("dir", "d"));
	show(rename("full", "dir"));
	show(rename("dir", "dir/below"));
	must(mkdir("full", 0755));
	put_file("full/other", "o");
	show(rename("full", "dir"));
	show(rename("d", "dir/moved"));
	show_file("dir/moved");
	show(unlink("dir"));
	show(unlink("dir/moved/x"));
	show(rmdir("dir/moved"));
	show(rename("dir/.", "x"));

	/* unlinked and open */
	fd = must(open("gone", O_RDWR | O_CREAT, 0644));
	must(write(fd, "still readable", 14));
	show(unlink("gone"));
	must(fstat(fd, &first));
	show(first.st_nlink);
	show(pread(fd, text, 100, 0));
	show(open("gone", O_RDONLY));
	put_file("gone", "another");
	show(pread(fd, text, 5, 0));
	printf("%.5s\n", text);
	close(fd);

	/* symbolic links */
	show(symlink("a", "s"));
	show(symlink("a", "s"));
	show(symlink("nowhere", "dangling"));
	show(symlink("loop2", "loop1"));
	show(symlink("loop1", "loop2"));
	memset(text, 0, sizeof text);
	show(readlink("s", text, sizeof text));
	printf("%s\n", text);
	show(readlink("dangling", text, 3));
	show(readlink("a", text, sizeof text));
	attributes("s");
	show(open("loop1", O_RDONLY));
	show(open("s", O_RDONLY | O_NOFOLLOW));
	show(open("dangling", O_RDONLY));
	show(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0644));
	succeeds(close(open("dangling", O_CREAT | O_WRONLY, 0644)));
	attributes("nowhere");
	must(symlink("dir", "dirlink"));
	show_file("dirlink/file");
	show_file("dirlink/../a");
	show(unlink("dirlink/"));
	show(rmdir("dirlink"));
	show(unlink("dirlink"));
	show(access("a", F_OK));
	show(access("missing", F_OK));
	show(access("dangling", R_OK));
	show(access("a", X_OK));

	/* modes, times, owners */
	show(chmod("a", 04751));
	attributes("a");
	show(chmod("missing", 0));
	umask(077);
	put_file("private", "");
	attributes("private");
	must(mkdir("private-dir", 0777));
	attributes("private-dir");
	struct timespec times[2] = { { 1000000000, 123456789 }, { 1234567890, 987654321 } };
	show(utimensat(AT_FDCWD, "a", times, 0));
	must(stat("a", &first));
	printf("%ld.%09ld %ld.%09ld\n", (long)first.st_atim.tv_sec, first.st_atim.tv_nsec, (long)first.st_mtim.tv_sec, first.st_mtim.tv_nsec);
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = UTIME_NOW;
	show(utimensat(AT_FDCWD, "a", times, 0));
	must(stat("a", &first));
	check(first.st_atim.tv_sec == 1000000000 && llabs((long long)first.st_mtim.tv_sec - (long long)time(NULL)) < 10);
	/* writing changes the time of modification, reading does not */
	times[0] = times[1] = (struct timespec){ 5, 0 };
	must(utimensat(AT_FDCWD, "a", times, 0));
	fd = must(open("a", O_RDWR));
	must(read(fd, text, 1) >= 0 ? 0 : -1);
	must(fstat(fd, &first));
	printf("after reading %ld\n", (long)first.st_mtim.tv_sec);
	must(write(fd, "w", 1));
	must(fstat(fd, &first));
	check(first.st_mtim.tv_sec > 1000000);
	show(fchmod(fd, 0600));
	show(fsync(fd));
	close(fd);
	attributes("a");
	show(close(fd));
	show(fsync(fd));
	return 0;
}
