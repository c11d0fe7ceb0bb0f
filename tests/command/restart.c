/*
 * The terminal server dies while a program uses it: whoever waits gets an answer, pairs of the dead server are hung up, and new ones can be made.
 * The test has broken the server so that tcflush kills it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void show(const char *what, long result)
{
	printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : result ? "some" : "0");
	fflush(stdout);
}

static int open_pair(int *master)
{
	char name[64];
	*master = posix_openpt(O_RDWR | O_NOCTTY);
	if (*master < 0 || unlockpt(*master) || ptsname_r(*master, name, sizeof name))
		exit(1);
	return open(name, O_RDWR | O_NOCTTY);
}

int main(void)
{
	int master, slave = open_pair(&master), status;
	char byte;
	struct termios settings;
	signal(SIGHUP, SIG_IGN);
	pid_t reader = fork();
	if (reader == 0) {
		show("waiting read", read(slave, &byte, 1));
		_exit(0);
	}
	pid_t poller = fork();
	if (poller == 0) {
		struct pollfd item = { .fd = master, .events = POLLIN };
		poll(&item, 1, -1);
		_exit(!(item.revents & POLLHUP));
	}
	int terminal = open("/dev/console", O_RDWR | O_NOCTTY);
	struct termios console, before;
	memset(&console, 0, sizeof console); /* also what lies between fields: they are compared whole */
	memset(&before, 0, sizeof before);
	if (tcgetattr(terminal, &console))
		return 2;
	console.c_lflag &= ~(tcflag_t)ECHO;
	console.c_cc[VINTR] = 7;
	if (tcsetattr(terminal, TCSANOW, &console) || tcgetattr(terminal, &before))
		return 3;
	usleep(300000);
	long result = tcflush(slave, TCIFLUSH);
	waitpid(reader, &status, 0);
	show("reader", status);
	waitpid(poller, &status, 0);
	show("poller", status);
	show("the call that killed it", result < 0 ? -1 : 0);
	show("read", read(slave, &byte, 1));
	show("write", write(slave, "x", 1));
	show("settings", tcgetattr(slave, &settings));
	int second_master, second = open_pair(&second_master);
	show("second pair, write", write(second, "x", 1));
	show("second pair, read", read(second_master, &byte, 1));
	close(slave);
	close(master);
	usleep(100000);
	show("second pair, write", write(second, "x", 1));
	show("console", open("/dev/console", O_RDWR | O_NOCTTY) >= 0);
	show("console's settings as before", tcgetattr(terminal, &console) ? -1 : !memcmp(&console, &before, sizeof console));
	return 0;
}
