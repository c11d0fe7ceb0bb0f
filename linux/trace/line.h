/*
 * A line of the trace while it is made: text in a fixed room, cut off at its end. The numbers and names of arguments are put into it by the other
 * files of this folder. No allocation: lines live on the library's stack.
 */
#ifndef LINUX_TRACE_LINE_H
#define LINUX_TRACE_LINE_H
#include "linux/linux.h"

#define LINE_ROOM 1400
#define LINE_STRING 32 /* bytes of a buffer that are shown; strace's default */
#define LINE_PATH 256

struct trace_line {
	uint64_t argument[6];
	uint32_t number;            /* of the call */
	uint32_t next;              /* arguments [0, next) are in the text */
	uint32_t length;
	bool ended;                 /* no more arguments: the rest means nothing for this call */
	bool entering;              /* now before the call, else after it */
	int64_t result;             /* after the call */
	uint32_t length_before;     /* of the address that a call on a socket fills; socket.c */
	char text[LINE_ROOM];
};

struct trace_name { uint64_t value; const char *name; };

void line_character(struct trace_line *line, char character);
void line_text(struct trace_line *line, const char *text);
void line_decimal(struct trace_line *line, int64_t value);
void line_unsigned(struct trace_line *line, uint64_t value);
void line_octal(struct trace_line *line, uint64_t value); /* with a leading 0 */
void line_hex(struct trace_line *line, uint64_t value);   /* with 0x; 0 is 0 */
void line_address(struct trace_line *line, uint64_t value); /* 0 is NULL */
/* `count` bytes of the library's own memory in quotes, escaped as in C. */
void line_quoted(struct trace_line *line, const char *bytes, size_t count, bool more);
/* `count` bytes of the program in quotes, LINE_STRING of them at most; the address when they cannot be read. */
void line_bytes(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t count);
/* A NUL-terminated text of the program, at most limit bytes of it (<= LINE_PATH). */
void line_string(struct trace_line *line, struct linux_thread *t, uint64_t address, size_t limit);
/* Names of all bits that are set, joined by |; the rest in hexadecimal. none: what 0 is called, NULL for 0. */
void line_flags(struct trace_line *line, uint64_t value, const struct trace_name *names, size_t count, const char *none);
/* The one name of a value; false, and nothing is written, when it has none. */
bool line_name(struct trace_line *line, uint64_t value, const struct trace_name *names, size_t count);
#endif
