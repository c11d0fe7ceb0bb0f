/*
 * What the terminal server takes beside the file protocol. All are privileged: they come through a port whose data word is FILE_PORT_SYSTEM.
 * The server exports a directory with the nodes console, ptmx, tty, tty0 and tty1 (init places forwarding nodes of these names into /dev), and through
 * FILE_PORT_PSEUDO the directory that is /dev/pts: ptmx and the pseudo terminals there are, by number.
 * word[0] = operation; word[1] = terminal number (0: the console).
 */
#ifndef CARILLON_TERMINAL_PROTOCOL_H
#define CARILLON_TERMINAL_PROTOCOL_H
#include <stdint.h>

enum terminal_operation {
	TERMINAL_SET_WINDOW = 128, /* word2 = rows, word3 = columns; SIGWINCH to the foreground group if they differ */
	TERMINAL_ATTACH,           /* word2 = session: makes the terminal that session's controlling terminal and group `session` its foreground group;
	                              the server tells proc. Takes the terminal away from a session that had it. */
	TERMINAL_HANGUP,           /* the line is gone: SIGHUP and SIGCONT to the session's leader; reads give end of file, writes EIO */
	TERMINAL_DRAIN,            /* the reply comes when all output so far has been handed to the console channel */
	TERMINAL_INPUT_END,        /* the host's input has ended: once all input is read, reads give end of file (for a console fed by a file) */
};

/* Linux's device numbers of the nodes: st_rdev, and slot.terminal in the process table */
#define TERMINAL_DEVICE(major, minor) ((uint64_t)(major) << 8 | (minor))
#define TERMINAL_DEVICE_TTY TERMINAL_DEVICE(5, 0)
#define TERMINAL_DEVICE_CONSOLE TERMINAL_DEVICE(5, 1)
#define TERMINAL_DEVICE_MULTIPLEXER TERMINAL_DEVICE(5, 2)
#define TERMINAL_DEVICE_PSEUDO(number) (136ul << 8 | ((number) & 0xff) | ((uint64_t)(number) & ~0xfful) << 12)
#define TERMINAL_DEVICE_VIRTUAL(number) TERMINAL_DEVICE(4, number)
#endif
