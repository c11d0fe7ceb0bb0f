/*
 * Between init and the console driver. The driver knows nothing of terminals or programs: it moves bytes between the host's ports and
 * descriptions of stream channels, and exchanges small packets with init. Neither side ever waits for the other.
 *
 * The driver's record holds:
 *   window     memobj of the page with the device's registers; value: their offset in it
 *   interrupt  the device's interrupt object
 *   memory     physically contiguous memobj of CONSOLE_MEMORY bytes; value: its bus address
 *   input      non-blocking description, for writing what comes from the host
 *   output     non-blocking description, for reading what goes to the host's standard output; absent: nothing does
 *   error      the same for standard error
 *   events     sender of a packet channel: word[0] = CONSOLE_EVENT_*
 *   commands   receiver of a packet channel: word[0] = CONSOLE_COMMAND_*
 *
 * Lines on the host's control port, from the host: "end-of-input N" (N bytes in all were sent on the input port), "window ROWS COLUMNS",
 * "hangup output" and "hangup error" (nobody reads there any more), "interrupt SIGNAL". To the host: "drained", "failed" if the status is the
 * system's and not the program's (the host then shows the end of the kernel's log), and last "exit STATUS".
 */
#ifndef CARILLON_CONSOLE_PROTOCOL_H
#define CARILLON_CONSOLE_PROTOCOL_H
#include <stdint.h>

#define CONSOLE_MEMORY (96u << 10)

enum console_event {
	CONSOLE_EVENT_WINDOW = 1,  /* word1 = rows, word2 = columns */
	CONSOLE_EVENT_INPUT_ENDED, /* all input was delivered and the input description closed */
	CONSOLE_EVENT_HANGUP,      /* word1 = 1 output, 2 error: the description was closed */
	CONSOLE_EVENT_INTERRUPT,   /* word1 = signal number, 1..64 */
	CONSOLE_EVENT_EXITED,      /* after CONSOLE_COMMAND_EXIT: the host has everything */
};
enum console_command {
	CONSOLE_COMMAND_EXIT = 1,  /* word1 = status 0..255, word2 = 1: the system failed. Hand over all output that is there, then tell the host */
};
#endif
