/*
 * The host's terminal while a machine uses it. With a terminal as standard input the guest's terminal server does all
 * line editing, echo and signals, so ours is raw. Where only the output is a terminal, just its output processing is off.
 */
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>
#include "tools/launch/launch.h"

static struct termios saved[3];
static bool changed[3];
static pid_t owner; /* a child that ends must not touch the terminal */

/* Whether both are one pipe, socket or device, or one open file with one offset (not one file opened twice). */
static bool one_stream(int first, int second)
{
	struct stat one, other;
	if (fstat(first, &one) < 0 || fstat(second, &other) < 0 || one.st_dev != other.st_dev || one.st_ino != other.st_ino)
		return false;
	return !S_ISREG(one.st_mode) || syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, first, second) == 0;
}

void terminal_describe(char stdio[4])
{
	for (int i = 0; i < 3; i++)
		stdio[i] = isatty(i) ? 't' : 'p';
	if (stdio[1] == 'p' && stdio[2] == 'p' && one_stream(1, 2))
		stdio[2] = 's';
	stdio[3] = 0;
}

bool terminal_utf8(void)
{
	struct termios settings;
	return tcgetattr(0, &settings) == 0 && (settings.c_iflag & IUTF8);
}

void terminal_restore(void)
{
	if (owner != getpid())
		return;
	for (int i = 2; i >= 0; i--)
		if (changed[i])
			tcsetattr(i, TCSADRAIN, &saved[i]);
	memset(changed, 0, sizeof changed);
}

void terminal_enter(const char *stdio)
{
	static bool registered;
	if (!registered)
		atexit(terminal_restore);
	registered = true;
	owner = getpid();
	for (int i = 0; i < 3; i++) {
		struct termios settings;
		if (stdio[i] != 't' || tcgetattr(i, &settings) < 0)
			continue;
		if (!changed[i])
			saved[i] = settings;
		if (i == 0)
			cfmakeraw(&settings);
		/* With the output going elsewhere, others may be writing to the terminal and need it as it was. */
		if (stdio[1] == 't')
			settings.c_oflag &= ~(tcflag_t)OPOST;
		else
			settings.c_oflag = saved[i].c_oflag;
		changed[i] = tcsetattr(i, TCSADRAIN, &settings) == 0;
	}
}

bool terminal_window(unsigned short *rows, unsigned short *columns)
{
	for (int i = 0; i < 3; i++) {
		struct winsize size;
		if (isatty(i) && ioctl(i, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
			*rows = size.ws_row;
			*columns = size.ws_col;
			return true;
		}
	}
	return false;
}
