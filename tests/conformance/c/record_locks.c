/* fcntl record locks and open-file-description locks: ranges, conflicts, waiting, deadlock, and when they go. */
#include "case.h"
#include <pthread.h>

static int go[2], done[2];
static void tell(int *p) { must(write(p[1], "x", 1)); }
static void hear(int *p) { char c; must(read(p[0], &c, 1)); }

static int set(int fd, int command, int type, long start, long length)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
	return fcntl(fd, command, &lock);
}
static pid_t parent;
static void get(const char *text, int fd, int command, int type, long start, long length)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
	if (fcntl(fd, command, &lock))
		printf("%s: %s\n", text, error_name(errno));
	else if (lock.l_type == F_UNLCK)
		printf("%s: free\n", text);
	else
		printf("%s: type %d whence %d %ld+%ld %s\n", text, lock.l_type, lock.l_whence, (long)lock.l_start, (long)lock.l_len,
			lock.l_pid == parent ? "by parent" : lock.l_pid == -1 ? "by description" : lock.l_pid > 0 ? "by another" : "?");
}
static void child_map(const char *text, int fd)
{
	pid_t pid = in_child({
		printf("-- %s\n", text);
		long at = 0;
		for (int i = 0; i < 12; i++) { /* every lock of the parent, by asking from where the last ended */
			struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 0 };
			must(fcntl(fd, F_GETLK, &lock));
			if (lock.l_type == F_UNLCK)
				break;
			printf("%s %ld+%ld\n", lock.l_type == F_WRLCK ? "write" : "read", (long)lock.l_start, (long)lock.l_len);
			if (!lock.l_len)
				break;
			at = lock.l_start + lock.l_len;
		}
	});
	wait_for(pid);
}
static void nothing(int signal) { (void)signal; }
static void *other_thread(void *argument)
{
	printf("other thread: %d\n", set(*(int *)argument, F_SETLK, F_WRLCK, 0, 10));
	return NULL;
}

int main(void)
{
	parent = getpid();
	must(pipe(go));
	must(pipe(done));
	int fd = must(open("file", O_RDWR | O_CREAT, 0600));
	must(ftruncate(fd, 1000));
	get("at first", fd, F_GETLK, F_WRLCK, 0, 0);
	show(set(fd, F_SETLK, F_WRLCK, 0, 100));
	get("own locks are not in the way", fd, F_GETLK, F_WRLCK, 0, 0);
	child_map("one", fd);
	show(set(fd, F_SETLK, F_RDLCK, 40, 20));
	child_map("changed in the middle", fd);
	show(set(fd, F_SETLK, F_UNLCK, 45, 5));
	child_map("a hole", fd);
	show(set(fd, F_SETLK, F_WRLCK, 100, 50));
	child_map("neighbours join", fd);
	show(set(fd, F_SETLK, F_RDLCK, 45, 5));
	child_map("filled", fd);
	show(set(fd, F_SETLK, F_WRLCK, 10, 0));
	child_map("to the end", fd);
	show(set(fd, F_SETLK, F_UNLCK, 500, 10));
	child_map("cut", fd);
	show(set(fd, F_SETLK, F_UNLCK, 0, 0));
	child_map("none", fd);

	/* where ranges start */
	must(lseek(fd, 200, SEEK_SET));
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = -10, .l_len = 20 };
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -5, .l_len = 0 };
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 400, .l_len = -100 };
	show(fcntl(fd, F_SETLK, &lock));
	child_map("relative", fd);
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = -1, .l_len = 1 };
	show(fcntl(fd, F_SETLK, &lock));
	lock.l_whence = 7;
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = 9, .l_whence = SEEK_SET };
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = -20 };
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LONG_MAX, .l_len = 2 };
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_SET };
	show(fcntl(fd, F_GETLK, &lock));
	show(fcntl(fd, F_SETLK, NULL));
	show(fcntl(99, F_SETLK, &lock));
	int reader = must(open("file", O_RDONLY)), writer = must(open("file", O_WRONLY));
	show(set(reader, F_SETLK, F_WRLCK, 0, 1));
	show(set(writer, F_SETLK, F_RDLCK, 0, 1));
	show(set(reader, F_SETLK, F_RDLCK, 0, 1));
	show(set(writer, F_SETLK, F_WRLCK, 1, 1));
	child_map("before close", fd);
	close(reader); /* any descriptor of the file */
	child_map("after close of another descriptor", fd);
	show(set(fd, F_SETLK, F_WRLCK, 0, 1));
	must(dup2(go[0], writer));
	child_map("after dup2 over another descriptor", fd);
	close(writer);
	show(set(fd, F_SETLK, F_WRLCK, 0, 1));
	reader = must(open("file", O_RDONLY));
	show(syscall(SYS_close_range, reader, reader, 4));
	child_map("after marking", fd);
	show(syscall(SYS_close_range, reader, reader, 0));
	child_map("after close_range", fd);

	/* conflicts with another process; waiting; its end */
	pid_t pid = in_child({
		show(set(fd, F_SETLK, F_RDLCK, 0, 10));
		show(set(fd, F_SETLK, F_WRLCK, 20, 10));
		tell(done);
		hear(go);
		sleep_ms(60);
		_exit(3);
	});
	hear(done);
	get("child's", fd, F_GETLK, F_WRLCK, 0, 0);
	get("read is shared", fd, F_GETLK, F_RDLCK, 0, 15);
	show(set(fd, F_SETLK, F_RDLCK, 0, 10));
	show(set(fd, F_SETLK, F_WRLCK, 0, 10));
	show(set(fd, F_SETLK, F_RDLCK, 20, 1));
	tell(go);
	show(set(fd, F_SETLKW, F_WRLCK, 0, 100));
	show_status("child", wait_for(pid));
	/* a child does not inherit, threads share, exec keeps */
	pid = in_child({ show(set(fd, F_SETLK, F_WRLCK, 0, 10)); });
	wait_for(pid);
	pthread_t thread;
	pthread_create(&thread, NULL, other_thread, &fd);
	pthread_join(thread, NULL);
	/* killed while it holds */
	show(set(fd, F_SETLK, F_UNLCK, 0, 0));
	pid = in_child({ must(set(fd, F_SETLK, F_WRLCK, 0, 10)); tell(done); for (;;) pause(); });
	hear(done);
	show(set(fd, F_SETLK, F_WRLCK, 0, 10));
	kill(pid, SIGKILL);
	show(set(fd, F_SETLKW, F_WRLCK, 0, 10));
	show_status("killed", wait_for(pid));
	/* killed while it waits: nothing remains */
	pid = in_child({ tell(done); set(fd, F_SETLKW, F_WRLCK, 0, 10); });
	hear(done);
	sleep_ms(50);
	kill(pid, SIGKILL);
	show_status("killed waiting", wait_for(pid));
	show(set(fd, F_SETLK, F_UNLCK, 0, 0));
	pid = in_child({ get("after", fd, F_GETLK, F_WRLCK, 0, 0); });
	wait_for(pid);

	/* interrupted, then deadlock */
	struct sigaction action = { .sa_handler = nothing };
	sigaction(SIGALRM, &action, NULL);
	show(set(fd, F_SETLK, F_WRLCK, 100, 10));
	pid = in_child({
		must(set(fd, F_SETLK, F_WRLCK, 200, 10));
		struct itimerval timer = { .it_value = { 0, 60000 } };
		setitimer(ITIMER_REAL, &timer, NULL);
		show(set(fd, F_SETLKW, F_WRLCK, 100, 1));
		fflush(stdout);
		tell(done);
		hear(go);
		tell(done);
		show(set(fd, F_SETLKW, F_WRLCK, 100, 1)); /* until the parent gives up */
	});
	hear(done);
	tell(go);
	hear(done);
	sleep_ms(80);
	show(set(fd, F_SETLKW, F_WRLCK, 200, 1));
	show(set(fd, F_SETLK, F_UNLCK, 100, 10));
	wait_for(pid);

	/* of open file descriptions */
	int one = must(open("file", O_RDWR)), two = must(open("file", O_RDWR)), copy = must(dup(one));
	show(set(one, F_OFD_SETLK, F_WRLCK, 0, 10));
	show(set(two, F_OFD_SETLK, F_RDLCK, 0, 10));
	show(set(copy, F_OFD_SETLK, F_WRLCK, 5, 10));
	get("description's", two, F_OFD_GETLK, F_WRLCK, 0, 0);
	get("seen by a record lock", two, F_GETLK, F_WRLCK, 0, 0);
	show(set(fd, F_SETLK, F_WRLCK, 0, 1));
	close(two); /* not its */
	two = must(open("file", O_RDWR));
	get("still", two, F_OFD_GETLK, F_WRLCK, 0, 0);
	close(one);
	get("the duplicate keeps it", two, F_OFD_GETLK, F_WRLCK, 0, 0);
	pid = in_child({ tell(done); hear(go); });
	hear(done);
	close(copy);
	get("the child keeps it", two, F_OFD_GETLK, F_WRLCK, 0, 0);
	tell(go);
	wait_for(pid);
	show(set(two, F_OFD_SETLKW, F_WRLCK, 0, 0));
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_pid = 1 };
	show(fcntl(two, F_OFD_SETLK, &lock));
	show(set(two, F_OFD_SETLK, F_UNLCK, 0, 0));
	/* gone with exec where close-on-exec says so, else kept */
	show(set(fd, F_SETLK, F_WRLCK, 0, 10));
	must(fcntl(two, F_SETFD, FD_CLOEXEC));
	pid = in_child({
		must(set(fd, F_SETLK, F_RDLCK, 300, 10));
		close(two);
		must(set(fd, F_SETLK, F_RDLCK, 300, 10));
		must(dup2(go[0], 0));
		must(dup2(done[1], 1));
		execlp("busybox", "busybox", "sh", "-c", "echo; read x; exit 4", NULL);
	});
	hear(done); /* the shell runs, and holds the lock until it is killed */
	get("kept over exec", fd, F_GETLK, F_WRLCK, 300, 10);
	kill(pid, SIGKILL);
	wait_for(pid);
	return 0;
}
