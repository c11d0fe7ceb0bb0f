/* Pseudo terminals: making pairs, the two directions, ends, window sizes, packet mode. */
#include "case.h"
#include <sys/ioctl.h>
#include <termios.h>

#define require(condition) do { if (!(condition)) { printf("FAILED %s: %s\n", #condition, error_name(errno)); fflush(stdout); _exit(99); } } while (0)

static char name[64];

static int open_pair(int *master)
{
	*master = posix_openpt(O_RDWR | O_NOCTTY);
	must(*master >= 0);
	require(grantpt(*master) == 0 && unlockpt(*master) == 0);
	require(ptsname_r(*master, name, sizeof name) == 0);
	int slave = open(name, O_RDWR | O_NOCTTY);
	require(slave >= 0);
	return slave;
}

static void show_read(const char *what, int fd, size_t size)
{
	char buffer[256];
	ssize_t count = read(fd, buffer, size < sizeof buffer ? size : sizeof buffer);
	printf("%s: ", what);
	if (count < 0) {
		printf("%s\n", error_name(errno));
		return;
	}
	printf("%zd \"", count);
	for (ssize_t i = 0; i < count; i++)
		if (buffer[i] >= ' ' && buffer[i] < 127)
			putchar(buffer[i]);
		else
			printf("\\%o", (unsigned char)buffer[i]);
	printf("\"\n");
}

static void show_poll(const char *what, int fd)
{
	struct pollfd item = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI };
	int count = poll(&item, 1, 0);
	printf("%s: %d%s%s%s%s%s\n", what, count, item.revents & POLLIN ? " in" : "", item.revents & POLLPRI ? " priority" : "",
		item.revents & POLLOUT ? " out" : "", item.revents & POLLERR ? " error" : "", item.revents & POLLHUP ? " hangup" : "");
}

static void settle(void) { usleep(30000); } /* Linux moves bytes between the sides in a thread of its own */

static void test_names(void)
{
	int locked, master = posix_openpt(O_RDWR | O_NOCTTY), number;
	struct stat status;
	require(master >= 0);
	show(ioctl(master, TIOCGPTN, &number));
	show(ioctl(master, TIOCGPTLCK, &locked));
	check(locked == 1);
	require(ptsname_r(master, name, sizeof name) == 0);
	check(!strncmp(name, "/dev/pts/", 9) && atoi(name + 9) == number);
	show(open(name, O_RDWR | O_NOCTTY));
	show(unlockpt(master));
	show(ioctl(master, TIOCGPTLCK, &locked));
	check(locked == 0);
	require(stat(name, &status) == 0);
	check(S_ISCHR(status.st_mode));
	check(status.st_rdev == (dev_t)(136 << 8 | number));
	check(status.st_ino == (ino_t)number + 3);
	require(fstat(master, &status) == 0);
	check(status.st_rdev == (dev_t)(5 << 8 | 2));
	int slave = open(name, O_RDWR | O_NOCTTY);
	require(slave >= 0);
	struct stat opened;
	require(fstat(slave, &opened) == 0 && stat(name, &status) == 0);
	check(opened.st_ino == status.st_ino && opened.st_dev == status.st_dev && opened.st_rdev == status.st_rdev);
	show(isatty(slave));
	show(isatty(master));
	show(ioctl(slave, TIOCGPTN, &number));
	show(ioctl(slave, TIOCPKT, &locked));
	int second = posix_openpt(O_RDWR | O_NOCTTY), other;
	require(second >= 0);
	show(ioctl(second, TIOCGPTN, &other));
	check(other != number);
	close(second);
	int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	check(peer >= 0);
	check(fcntl(peer, F_GETFD) == FD_CLOEXEC);
	require(fstat(peer, &opened) == 0);
	check(opened.st_rdev == status.st_rdev);
	close(peer);
	close(master);
	show(stat(name, &status));
	show(open(name, O_RDWR | O_NOCTTY));
	close(slave);
}

static void test_data(void)
{
	int master, slave = open_pair(&master), count;
	struct termios settings;
	show_poll("master, nothing there", master);
	show_poll("slave, nothing there", slave);
	show(write(master, "hello\n", 6));
	settle();
	show_poll("slave, a line there", slave);
	show(ioctl(slave, FIONREAD, &count));
	printf("%d there\n", count);
	show_read("slave", slave, 100);
	show_poll("master, echo there", master);
	show_read("master", master, 100);
	show(write(slave, "one\ntwo\n", 8));
	settle();
	show(ioctl(master, FIONREAD, &count));
	printf("%d there\n", count);
	show_read("master, four bytes", master, 4);
	show_read("master, the rest", master, 100);
	show(write(master, "half", 4));
	settle();
	show_poll("slave, half a line", slave);
	fcntl(slave, F_SETFL, fcntl(slave, F_GETFL) | O_NONBLOCK);
	show_read("slave, half a line", slave, 100);
	show(write(master, "\177\177ndle\n", 7));
	settle();
	show_read("slave, edited", slave, 100);
	show_read("master, the echo", master, 100);
	show(write(master, "x\4\4", 3));
	settle();
	show_read("slave, before EOF", slave, 100);
	show_read("slave, EOF", slave, 100);
	show_read("slave, after EOF", slave, 100);
	show_read("master, the echo", master, 100);
	fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
	show_read("master, nothing", master, 100);
	/* raw */
	require(tcgetattr(slave, &settings) == 0);
	cfmakeraw(&settings);
	require(tcsetattr(master, TCSANOW, &settings) == 0); /* the master's settings are the slave's */
	require(tcgetattr(slave, &settings) == 0);
	check(!(settings.c_lflag & ICANON));
	show(write(master, "\3\4\r\n", 4));
	settle();
	show_read("slave, raw", slave, 100);
	show(write(slave, "a\nb", 3));
	settle();
	show_read("master, raw", master, 100);
	settings.c_cflag = (settings.c_cflag & ~(CSIZE | CBAUD)) | CS7 | PARENB | B9600;
	require(tcsetattr(slave, TCSADRAIN, &settings) == 0 && tcgetattr(slave, &settings) == 0);
	printf("control %o, speed %d\n", settings.c_cflag & ~CBAUD, cfgetospeed(&settings) == B9600);
	close(master);
	close(slave);
}

static void test_large(void)
{
	int master, slave = open_pair(&master);
	struct termios settings;
	static char sent[10000], got[10000];
	require(tcgetattr(slave, &settings) == 0);
	cfmakeraw(&settings);
	require(tcsetattr(slave, TCSANOW, &settings) == 0);
	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (char)(i * 7 + i / 256);
	show(write(master, sent, sizeof sent)); /* nobody reads yet */
	size_t done = 0;
	while (done < sizeof got) {
		ssize_t count = read(slave, got + done, sizeof got - done);
		require(count > 0);
		done += (size_t)count;
	}
	check(!memcmp(sent, got, sizeof got));
	fflush(stdout);
	pid_t writer = fork();
	if (writer == 0)
		_exit(write(slave, sent, sizeof sent) != sizeof sent);
	for (done = 0; done < sizeof got;) {
		ssize_t count = read(master, got + done, sizeof got - done);
		require(count > 0);
		done += (size_t)count;
	}
	check(!memcmp(sent, got, sizeof got));
	int status;
	waitpid(writer, &status, 0);
	check(status == 0);
	close(master);
	close(slave);
}

static void test_ends(void)
{
	int master, slave = open_pair(&master);
	show(write(slave, "last", 4));
	close(slave);
	settle();
	show_poll("master, slave closed", master);
	show_read("master", master, 100);
	show_poll("master, all read", master);
	show_read("master", master, 100);
	show(write(master, "typed\n", 6));
	settle();
	slave = open(name, O_RDWR | O_NOCTTY);
	require(slave >= 0);
	show_read("slave, opened again", slave, 100);
	show_read("master, the echo", master, 100);
	fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	show_read("master, slave open again", master, 100);
	/* the master goes */
	show(write(master, "lost\n", 5));
	settle();
	close(master);
	settle();
	show_poll("slave, master closed", slave);
	show_read("slave", slave, 100);
	show(write(slave, "x", 1));
	struct termios settings;
	struct winsize window;
	show(tcgetattr(slave, &settings));
	show(ioctl(slave, TIOCGWINSZ, &window));
	show(tcsetpgrp(slave, getpgrp()));
	close(slave);
	/* a reader that waits */
	slave = open_pair(&master);
	fflush(stdout);
	pid_t reader = fork();
	if (reader == 0) {
		close(master);
		show_read("waiting reader", slave, 100);
		show_read("its next read", slave, 100);
		fflush(stdout);
		_exit(0);
	}
	settle();
	close(master);
	waitpid(reader, NULL, 0);
	close(slave);
	slave = open_pair(&master);
	fflush(stdout);
	reader = fork();
	if (reader == 0) {
		close(slave);
		show_read("waiting master", master, 100);
		fflush(stdout);
		show_read("its next read", master, 100);
		fflush(stdout);
		_exit(0);
	}
	settle();
	require(write(slave, "!", 1) == 1);
	settle();
	close(slave);
	waitpid(reader, NULL, 0);
	close(master);
}

static void test_window(void)
{
	int master, slave = open_pair(&master);
	struct winsize window = { 0 };
	show(ioctl(slave, TIOCGWINSZ, &window));
	printf("%d x %d\n", window.ws_row, window.ws_col);
	window = (struct winsize){ 33, 99, 1, 2 };
	show(ioctl(master, TIOCSWINSZ, &window));
	memset(&window, 0, sizeof window);
	show(ioctl(slave, TIOCGWINSZ, &window));
	printf("%d x %d, %d x %d\n", window.ws_row, window.ws_col, window.ws_xpixel, window.ws_ypixel);
	window.ws_row = 10;
	show(ioctl(slave, TIOCSWINSZ, &window));
	memset(&window, 0, sizeof window);
	show(ioctl(master, TIOCGWINSZ, &window));
	printf("%d x %d\n", window.ws_row, window.ws_col);
	close(slave);
	close(master);
}

static void test_packets(void)
{
	int master, slave = open_pair(&master), on = 1, off = 0;
	struct termios settings;
	show(ioctl(master, TIOCPKT, &on));
	show(write(slave, "data", 4));
	settle();
	show_poll("data", master);
	show_read("data", master, 100);
	show(tcflush(slave, TCIFLUSH));
	settle();
	show_poll("flushed", master);
	show_read("flushed", master, 100);
	show(tcflow(slave, TCOOFF));
	show_read("stopped", master, 100);
	show(tcflow(slave, TCOON));
	show_read("started", master, 100);
	require(tcgetattr(slave, &settings) == 0);
	settings.c_iflag &= ~IXON;
	show(tcsetattr(slave, TCSANOW, &settings));
	show_read("no flow control", master, 100);
	settings.c_iflag |= IXON;
	show(tcsetattr(slave, TCSANOW, &settings));
	show_read("flow control", master, 100);
	show(write(slave, "abc", 3));
	settle();
	show_read("two bytes of packet", master, 3);
	show_read("the rest", master, 100);
	show(ioctl(master, TIOCPKT, &off));
	show(write(slave, "plain", 5));
	settle();
	show_read("plain", master, 100);
	close(slave);
	close(master);
}

static void test_times(void)
{
	int master, slave = open_pair(&master);
	struct termios settings;
	struct timespec before, after;
	require(tcgetattr(slave, &settings) == 0);
	cfmakeraw(&settings);
	settings.c_cc[VMIN] = 0;
	settings.c_cc[VTIME] = 2;
	require(tcsetattr(slave, TCSANOW, &settings) == 0);
	clock_gettime(CLOCK_MONOTONIC, &before);
	show_read("VTIME, nothing", slave, 100);
	clock_gettime(CLOCK_MONOTONIC, &after);
	long passed = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	check(passed >= 150);
	show(write(master, "now", 3));
	show_read("VTIME, something", slave, 100);
	settings.c_cc[VMIN] = 5;
	require(tcsetattr(slave, TCSANOW, &settings) == 0);
	show(write(master, "abc", 3));
	show_read("VMIN 5 and VTIME", slave, 100);
	show(write(master, "abcdefgh", 8));
	show_read("VMIN 5, eight there", slave, 100);
	settings.c_cc[VTIME] = 0;
	settings.c_cc[VMIN] = 3;
	require(tcsetattr(slave, TCSANOW, &settings) == 0);
	show(write(master, "ab", 2));
	settle();
	show_poll("VMIN 3, two there", slave);
	show(write(master, "c", 1));
	settle();
	show_poll("VMIN 3, three there", slave);
	show_read("VMIN 3", slave, 100);
	settings.c_cc[VMIN] = 0;
	require(tcsetattr(slave, TCSANOW, &settings) == 0);
	show_read("VMIN 0", slave, 100);
	show(tcdrain(slave));
	show(tcsendbreak(slave, 0));
	show(write(master, "typed", 5));
	settle();
	show(tcflush(slave, TCIFLUSH));
	show_read("flushed", slave, 100);
	show(tcflush(slave, 7));
	close(master);
	close(slave);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGHUP, SIG_IGN);
	test_names();
	test_data();
	test_large();
	test_ends();
	test_window();
	test_packets();
	test_times();
	return 0;
}
