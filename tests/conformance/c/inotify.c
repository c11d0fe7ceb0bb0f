/* inotify: what is told of names, attributes, content, opening and closing; queues and watches themselves. */
#include "case.h"
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

static int queue;
static struct { uint32_t cookie; int number; } cookies[32];
static int cookie_count;

static const char *wd_names[64];

static void print_mask(uint32_t mask)
{
	static const struct { uint32_t bit; const char *name; } names[] = {
		{ IN_ACCESS, "ACCESS" }, { IN_MODIFY, "MODIFY" }, { IN_ATTRIB, "ATTRIB" }, { IN_CLOSE_WRITE, "CLOSE_WRITE" }, { IN_CLOSE_NOWRITE, "CLOSE_NOWRITE" },
		{ IN_OPEN, "OPEN" }, { IN_MOVED_FROM, "MOVED_FROM" }, { IN_MOVED_TO, "MOVED_TO" }, { IN_CREATE, "CREATE" }, { IN_DELETE, "DELETE" },
		{ IN_DELETE_SELF, "DELETE_SELF" }, { IN_MOVE_SELF, "MOVE_SELF" }, { IN_Q_OVERFLOW, "OVERFLOW" }, { IN_IGNORED, "IGNORED" }, { IN_ISDIR, "ISDIR" },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (mask & names[i].bit)
			printf(" %s", names[i].name);
}

static int cookie_number(uint32_t cookie)
{
	if (!cookie)
		return 0;
	for (int i = 0; i < cookie_count; i++)
		if (cookies[i].cookie == cookie)
			return cookies[i].number;
	cookies[cookie_count].cookie = cookie;
	cookies[cookie_count].number = cookie_count + 1;
	return ++cookie_count;
}

/* Everything that is queued until nothing comes for a while. */
static void show_events(const char *text)
{
	char buffer[4096] __attribute__((aligned(8)));
	struct pollfd item = { queue, POLLIN, 0 };
	printf("-- %s\n", text);
	while (poll(&item, 1, 30) == 1) {
		ssize_t count = read(queue, buffer, sizeof buffer);
		for (char *at = buffer; at < buffer + count;) {
			struct inotify_event *event = (struct inotify_event *)at;
			printf("%s:", event->wd < 0 ? "none" : wd_names[event->wd]);
			print_mask(event->mask);
			if (event->cookie)
				printf(" cookie %d", cookie_number(event->cookie));
			if (event->len)
				printf(" %s (%u)", event->name, event->len);
			printf("\n");
			at += sizeof *event + event->len;
		}
	}
}

static int watch(const char *path, uint32_t mask)
{
	int number = must(inotify_add_watch(queue, path, mask));
	wd_names[number] = path;
	return number;
}

#define INTERESTING (IN_ALL_EVENTS & ~IN_ACCESS)

int main(void)
{
	int available;
	char buffer[64];
	must(queue = inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	printf("flags %#x %#x\n", fcntl(queue, F_GETFL), fcntl(queue, F_GETFD));
	show(read(queue, buffer, sizeof buffer));
	must(mkdir("d", 0755));
	must(mkdir("e", 0755));
	show(watch("d", INTERESTING));
	show(watch("e", INTERESTING));
	show(inotify_add_watch(queue, "d", INTERESTING));

	int fd = must(open("d/file", O_CREAT | O_RDWR, 0644));
	show_events("create");
	must(write(fd, "hello", 5));
	show_events("write");
	must(write(fd, "hello", 5));
	must(write(fd, "hello", 5));
	show_events("two writes");
	must(fchmod(fd, 0600));
	must(write(fd, "x", 1));
	must(fchmod(fd, 0640));
	show_events("mode, write, mode");
	must(ftruncate(fd, 3));
	show_events("cut");
	must(write(fd, "y", 1));
	must(close(fd));
	show_events("write and close");
	fd = must(open("d/file", O_RDONLY));
	must(close(fd));
	show_events("open for reading");
	must(mkdir("d/sub", 0755));
	must(symlink("file", "d/link"));
	must(mkfifo("d/fifo", 0600));
	must(link("d/file", "d/hard"));
	show_events("others");
	must(rename("d/file", "d/renamed"));
	show_events("rename");
	must(rename("d/renamed", "e/moved"));
	show_events("move");
	must(rename("d/hard", "hard"));
	show_events("move away");
	must(rename("d/sub", "e/sub"));
	show_events("move a directory");
	must(chmod("e/moved", 0600));
	must(chmod("e/sub", 0700));
	show_events("modes");
	struct timespec times[2] = { { 100, 0 }, { 200, 0 } };
	must(utimensat(AT_FDCWD, "e/moved", times, 0));
	show_events("times");
	must(unlink("d/link"));
	must(unlink("d/fifo"));
	must(rmdir("e/sub"));
	show_events("removed");
	put_file("outside", "1");
	must(rename("outside", "d/inside"));
	must(rename("d/inside", "outside"));
	show_events("in and out");

	/* a file of its own, with a name in a watched directory */
	show(watch("e/moved", INTERESTING));
	fd = must(open("e/moved", O_WRONLY));
	must(write(fd, "z", 1));
	show_events("own and parent");
	must(rename("e/moved", "e/again"));
	show_events("own rename");
	must(close(fd));
	must(unlink("hard"));
	show_events("a link less");
	must(unlink("e/again"));
	show_events("the last link");
	put_file("e/one", "1");
	put_file("e/two", "2");
	show_events("made");
	show(watch("e/two", INTERESTING));
	must(rename("e/one", "e/two"));
	show_events("replaced");
	must(rename("e", "f"));
	show_events("the directory itself");
	must(unlink("f/two"));
	must(rmdir("f"));
	show_events("the directory goes");

	/* queue and watches */
	show(inotify_rm_watch(queue, 2));
	put_file("d/a", "a");
	show(ioctl(queue, FIONREAD, &available));
	printf("available %d\n", available);
	show(read(queue, buffer, 20));
	show(read(queue, buffer, 32));
	show_events("the rest");
	show(inotify_rm_watch(queue, 1));
	show_events("given up");
	put_file("d/a", "b");
	show_events("nothing");
	show(watch("d/a", IN_OPEN | IN_ONESHOT));
	show_file("d/a");
	show_file("d/a");
	show_events("once");
	int number = watch("d", IN_CREATE);
	show(inotify_add_watch(queue, "d", IN_DELETE | IN_MASK_ADD) == number);
	show(inotify_add_watch(queue, "d", IN_DELETE | IN_MASK_CREATE));
	put_file("d/n", "");
	must(unlink("d/n"));
	show_events("two kinds");
	show(inotify_add_watch(queue, "d", IN_DELETE) == number);
	put_file("d/n", "");
	must(unlink("d/n"));
	show_events("one kind");
	show(inotify_rm_watch(queue, number));
	show_events("end");
	show(inotify_add_watch(queue, "d/a", IN_OPEN | IN_ONLYDIR));
	show(inotify_add_watch(queue, "nowhere", IN_OPEN));
	show(inotify_add_watch(queue, "d", 0));
	show(inotify_add_watch(99, "d", IN_OPEN));
	show(inotify_add_watch(0, "d", IN_OPEN));
	show(inotify_rm_watch(queue, 1000));
	show(inotify_rm_watch(0, 1));
	show(inotify_init1(1));
	show(write(queue, buffer, 1));
	must(symlink("a", "d/s"));
	number = watch("d/s", IN_ATTRIB | IN_DELETE_SELF | IN_DONT_FOLLOW);
	must(unlink("d/s"));
	show_events("a link itself");

	/* another process; a blocking read; epoll; the child's copy is the same queue */
	number = watch("d", IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE);
	must(fcntl(queue, F_SETFL, 0));
	pid_t pid = in_child({ sleep_ms(50); must(mkdir("d/made", 0755)); });
	show(read(queue, buffer, sizeof buffer));
	printf("name %s\n", ((struct inotify_event *)buffer)->name);
	wait_for(pid);
	int set = must(epoll_create1(0));
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 1 };
	must(epoll_ctl(set, EPOLL_CTL_ADD, queue, &event));
	show(epoll_wait(set, &event, 1, 0));
	pid = in_child({
		int own = must(open("d/a", O_WRONLY));
		sleep_ms(50);
		must(write(own, "1", 1));
		sleep_ms(100);
	});
	show(epoll_wait(set, &event, 1, 5000));
	show(read(queue, buffer, sizeof buffer));
	printf("mask %#x name %s\n", ((struct inotify_event *)buffer)->mask, ((struct inotify_event *)buffer)->name);
	wait_for(pid);
	show_events("closed by its end");
	/* overflow: identical neighbours are one, so alternate */
	int limit = 0;
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	if (file && fscanf(file, "%d", &limit) == 1)
		fclose(file);
	else
		limit = 16384;
	number = watch("d", IN_ATTRIB);
	for (int i = 0; i < limit / 2 + 20; i++) {
		must(chmod("d/a", 0600));
		must(chmod("d/made", 0700));
	}
	must(fcntl(queue, F_SETFL, O_NONBLOCK));
	static char large[1 << 20] __attribute__((aligned(8)));
	ssize_t count;
	int events = 0, overflows = 0;
	while ((count = read(queue, large, sizeof large)) > 0)
		for (char *at = large; at < large + count;) {
			struct inotify_event *one = (struct inotify_event *)at;
			events++;
			overflows += one->mask == IN_Q_OVERFLOW && one->wd == -1;
			at += sizeof *one + one->len;
		}
	check(events == limit + 1);
	printf("overflows %d\n", overflows);
	close(queue);
	return 0;
}
