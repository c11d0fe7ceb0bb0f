/* Writes to terminals that signals interrupt: what was taken is told, nothing is shown twice and nothing is lost. */
#include "case.h"
#include <sys/ioctl.h>
#include <termios.h>

#define TOTAL 60000

static volatile sig_atomic_t interrupts;
static void interrupted(int signal) { (void)signal; interrupts++; }

static char element(size_t at) { return (char)('a' + at % 23); }

static void handle(int flags)
{
	struct sigaction action = { .sa_handler = interrupted, .sa_flags = flags };
	must(sigaction(SIGALRM, &action, NULL));
}

static void storm(long microseconds)
{
	struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };
	must(setitimer(ITIMER_REAL, &timer, NULL));
}

static int open_pair(int *master)
{
	char name[64];
	struct termios raw;
	*master = must(posix_openpt(O_RDWR | O_NOCTTY));
	must(grantpt(*master));
	must(unlockpt(*master));
	must(ptsname_r(*master, name, sizeof name));
	int slave = must(open(name, O_RDWR | O_NOCTTY));
	must(tcgetattr(slave, &raw));
	cfmakeraw(&raw);
	must(tcsetattr(slave, TCSANOW, &raw));
	return slave;
}

/* Reads slowly until the end mark; how many bytes were not the next of the sequence */
static void reader(int fd)
{
	char buffer[256];
	size_t at = 0, wrong = 0;
	for (bool ended = false; !ended;) {
		ssize_t count = read(fd, buffer, sizeof buffer);
		if (count <= 0)
			break;
		for (ssize_t i = 0; i < count && !(ended = buffer[i] == '!'); i++)
			wrong += buffer[i] != element(at++);
		if (at % 5 == 0)
			usleep(1000);
	}
	printf("read %zu, wrong %zu\n", at, wrong);
}

/* Writes the sequence while signals come; each call's result says how far it got. */
static void write_all(int fd, size_t piece)
{
	static char text[TOTAL];
	size_t done = 0;
	for (size_t i = 0; i < TOTAL; i++)
		text[i] = element(i);
	while (done < TOTAL) {
		ssize_t count = write(fd, text + done, done + piece < TOTAL ? piece : TOTAL - done);
		if (count < 0 && errno != EINTR) {
			printf("write: %s\n", error_name(errno));
			break;
		}
		done += count > 0 ? (size_t)count : 0;
	}
	storm(0);
	must(write(fd, "!", 1));
}

static void run(const char *name, bool from_master, int flags, size_t piece)
{
	int master, slave = open_pair(&master);
	printf("%s\n", name);
	pid_t child = in_child(reader(from_master ? slave : master));
	handle(flags);
	storm(700);
	write_all(from_master ? master : slave, piece);
	show_status("reader", wait_for(child));
	close(master);
	close(slave);
}

/* A write that nobody reads: interrupted, it tells what went out; the next one could put out nothing. */
static void test_stuck(void)
{
	static char text[1 << 18], buffer[4096];
	int master, slave = open_pair(&master);
	memset(text, 'x', sizeof text);
	handle(0);
	must(ualarm(200000, 0) != (useconds_t)-1 ? 0 : -1);
	ssize_t written = write(slave, text, sizeof text);
	check(written > 0 && written < (ssize_t)sizeof text);
	must(fcntl(slave, F_SETFL, O_NONBLOCK)); /* Linux moves bytes on in a thread of its own, which makes room again */
	for (int full = 0; full < 10;) {
		ssize_t count = write(slave, text, 100);
		written += count > 0 ? count : 0;
		full = count > 0 ? 0 : full + 1;
		if (count <= 0)
			usleep(5000);
	}
	must(fcntl(slave, F_SETFL, 0));
	must(ualarm(200000, 0) != (useconds_t)-1 ? 0 : -1);
	show(write(slave, text, 100));
	must(fcntl(master, F_SETFL, O_NONBLOCK));
	ssize_t total = 0;
	for (int quiet = 0; quiet < 20;) {
		ssize_t count = read(master, buffer, sizeof buffer);
		total += count > 0 ? count : 0;
		quiet = count > 0 ? 0 : quiet + 1;
		if (count <= 0)
			usleep(5000);
	}
	check(total == written);
	close(master);
	close(slave);
}

int main(void)
{
	run("slave writes, calls restart", false, SA_RESTART, TOTAL);
	run("slave writes, calls are interrupted", false, 0, TOTAL);
	run("slave writes little", false, SA_RESTART, 700);
	run("master writes", true, SA_RESTART, TOTAL);
	test_stuck();
	check(interrupts > 10);
	return 0;
}
