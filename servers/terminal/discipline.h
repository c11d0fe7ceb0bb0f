/*
 * The line discipline: what a terminal does to bytes on their way in and out. Pure; it never blocks and never allocates.
 *
 *   keys --discipline_input--> [line being edited] --Enter, EOF--> [ready] --discipline_peek/consume--> readers
 *   writers --discipline_write--> [output] --discipline_pending_output/sent--> screen
 *                 echo of keys ------^
 *
 * Behaviour is Linux's N_TTY. With ICANON, ready holds whole lines: an element with END_OF_LINE ends one, and an element END_OF_FILE stands for
 * the end-of-file character (it is no byte). Without ICANON it holds bytes as they came. A full input buffer drops what comes (and rings
 * with IMAXBEL). The last OUTPUT_RESERVE bytes of the output ring are for echo, so a writer who fills it cannot hide what is typed.
 * Reading is in two steps, so that bytes leave only when the reader has got them.
 */
#ifndef TERMINAL_DISCIPLINE_H
#define TERMINAL_DISCIPLINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_MAX 4096u
#define OUTPUT_MAX 32768u
#define OUTPUT_RESERVE 4096u
#define CONTROL_CHARACTERS 19

/* Linux's struct termios as TCGETS tells it (36 bytes) */
struct terminal_attributes {
	uint32_t input, output, control, local;
	uint8_t line, character[CONTROL_CHARACTERS];
};
_Static_assert(sizeof(struct terminal_attributes) == 36, "the layout programs see");

/* A bit more than termios.h has under one name in every libc: values are Linux's */
enum { /* input */
	T_IGNBRK = 1, T_BRKINT = 2, T_IGNPAR = 4, T_PARMRK = 8, T_INPCK = 16, T_ISTRIP = 32, T_INLCR = 64, T_IGNCR = 128, T_ICRNL = 256, T_IUCLC = 512,
	T_IXON = 1024, T_IXANY = 2048, T_IXOFF = 4096, T_IMAXBEL = 8192, T_IUTF8 = 16384,
};
enum { T_OPOST = 1, T_OLCUC = 2, T_ONLCR = 4, T_OCRNL = 8, T_ONOCR = 16, T_ONLRET = 32, T_TABS = 0x1800 };
enum { T_CSIZE = 0x30, T_CS8 = 0x30, T_CREAD = 0x80, T_PARENB = 0x100, T_CBAUD = 0x100f, T_BOTHER = 0x1000 }; /* control */
enum { /* local */
	T_ISIG = 1, T_ICANON = 2, T_ECHO = 8, T_ECHOE = 16, T_ECHOK = 32, T_ECHONL = 64, T_NOFLSH = 128, T_TOSTOP = 256, T_ECHOCTL = 512,
	T_ECHOPRT = 1024, T_ECHOKE = 2048, T_IEXTEN = 0x8000, T_EXTPROC = 0x10000,
};
enum { /* character[] */
	C_INTR, C_QUIT, C_ERASE, C_KILL, C_EOF, C_TIME, C_MIN, C_SWTC, C_START, C_STOP, C_SUSP, C_EOL, C_REPRINT, C_DISCARD, C_WERASE, C_LNEXT, C_EOL2,
};

#define ELEMENT_BYTE 0xffu
#define END_OF_LINE 0x100u
#define END_OF_FILE 0x200u

struct discipline {
	struct terminal_attributes attributes;
	/* called for INTR, QUIT and SUSP characters, with the signal's number, before they are echoed */
	void (*signal)(void *context, int signal);
	/* called when output is stopped or started; may be NULL */
	void (*flow)(void *context, bool stopped);
	/* While stopped nothing more is taken (a pseudo terminal: what its master could have read stays readable). Else: nothing is sent. */
	bool hold_writes;
	void *context;

	uint16_t ready[INPUT_MAX];  /* ring */
	size_t ready_head, ready_count, lines; /* lines: elements with an end mark */
	uint8_t line[INPUT_MAX];
	size_t line_length;
	bool literal;               /* LNEXT came: the next character is taken as it is */
	uint8_t output[OUTPUT_MAX]; /* ring */
	size_t output_head, output_count;
	bool output_stopped;        /* ^S, TCOOFF */
	unsigned column;            /* of the cursor */
	unsigned line_column;       /* where the edited line starts */
};

/* Linux's initial settings (sane cooked mode). signal and context are the caller's to set. */
void discipline_start(struct discipline *discipline);
/* Linux's initial settings again, without input; output that is there stays. */
void discipline_reset(struct discipline *discipline);
/* Changes the attributes; what was typed stays readable in the new mode. */
void discipline_set_attributes(struct discipline *discipline, const struct terminal_attributes *attributes);
/* One byte from the keyboard. */
void discipline_input(struct discipline *discipline, uint8_t byte);
/* Whether another byte of input may be taken without being dropped. */
bool discipline_input_room(const struct discipline *discipline);
/* ^S and ^Q, TCXONC */
void discipline_stop(struct discipline *discipline, bool stop);
/* A byte to the screen past all processing (TCIOFF, TCION). */
void discipline_send(struct discipline *discipline, uint8_t byte);
/* Drops input that nobody has read. */
void discipline_flush_input(struct discipline *discipline);
void discipline_flush_output(struct discipline *discipline);

/* Bytes a read could have now (FIONREAD); with ICANON those of complete lines. */
size_t discipline_available(const struct discipline *discipline);
/* Whether a read would get something (bytes, or an end of file) now; minimum: VMIN, used without ICANON. */
bool discipline_readable(const struct discipline *discipline, size_t minimum);
/*
 * Copies what a read of length gets, without taking it. Returns bytes; *elements for discipline_consume. 0 bytes with *elements > 0 is an end of
 * file; 0 and 0: nothing there.
 */
size_t discipline_peek(const struct discipline *discipline, uint8_t *bytes, size_t length, size_t *elements);
void discipline_consume(struct discipline *discipline, size_t elements);

/* Processes a program's output into the ring; returns how many of its bytes fitted. */
size_t discipline_write(struct discipline *discipline, const uint8_t *bytes, size_t length);
/* The bytes to send next, in one piece; 0 when there are none or output is stopped. */
size_t discipline_pending_output(const struct discipline *discipline, const uint8_t **bytes);
void discipline_sent(struct discipline *discipline, size_t length);
#endif
