/* One argument of a call, by its format; argument.h. */
#include "linux/trace/argument.h"

#define F_DUPFD 0
#define F_SETFD 2
#define F_SETFL 4
#define F_SETLKW 7
#define F_DUPFD_CLOEXEC 1030
#define FD_CLOEXEC 1u
#define FUTEX_REQUEUE 3
#define FUTEX_WAKE_OP 5
#define EPOLL_DELETE 2u

static void descriptor_write(struct trace_line *line, int32_t fd)
{
	if (fd == LINUX_AT_FDCWD)
		line_text(line, "AT_FDCWD");
	else
		line_decimal(line, fd);
}

/* A NULL-terminated list of texts: those of execve */
static void strings_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	uint64_t word;
	if (!address || user_read(t, &word, address, 8)) {
		line_address(line, address);
		return;
	}
	line_character(line, '[');
	for (int count = 0; !user_read(t, &word, address, 8) && word; count++, address += 8) {
		line_text(line, count ? ", " : "");
		if (count == LINE_STRING) {
			line_text(line, "...");
			break;
		}
		line_string(line, t, word, LINE_STRING);
	}
	line_character(line, ']');
}

static void variables_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	uint64_t word, count = 0;
	line_address(line, address);
	if (!address)
		return;
	while (count < 100000 && !user_read(t, &word, address + 8 * count, 8) && word)
		count++;
	line_text(line, " /* ");
	line_unsigned(line, count);
	line_text(line, count == 1 ? " var */" : " vars */");
}

/* What fcntl's, ioctl's and prctl's third or second argument is, the command says; false: the command has none */
static bool command_write(struct trace_line *line, struct linux_thread *t, enum trace_format before, uint32_t command, uint64_t value)
{
	enum { TERMINAL_GROUP_GET = 0x540f, TERMINAL_GROUP_SET, WINDOW_GET = 0x5413, WINDOW_SET, BYTES_WAITING = 0x541b, NON_BLOCKING = 0x5421 };
	enum { SET_DEATH_SIGNAL = 1, SET_NAME = 15, GET_NAME = 16 };
	uint16_t window[4];
	uint32_t number;
	if (before == FORMAT_FCNTL) {
		static const uint64_t none = 1ul << 1 | 1ul << 3 | 1ul << 9 | 1ul << 11; /* F_GETFD F_GETFL F_GETOWN F_GETSIG */
		if ((command < 64 && none >> command & 1) || command == 1025 || command == 1032 || command == 1034)
			return false;
		line_text(line, ", ");
		if (command == F_SETFD && value == FD_CLOEXEC)
			line_text(line, "FD_CLOEXEC");
		else if (command == F_SETFL)
			names_open(line, (uint32_t)value);
		else if (command == F_DUPFD || command == F_DUPFD_CLOEXEC || command == F_SETFD)
			line_decimal(line, (int32_t)value);
		else
			line_hex(line, value);
		return true;
	}
	line_text(line, ", ");
	if (before == FORMAT_PRCTL) {
		if (command == SET_NAME || command == GET_NAME)
			line_string(line, t, value, 16);
		else if (command == SET_DEATH_SIGNAL)
			names_signal(line, (int)value, true);
		else
			line_hex(line, value);
	} else if ((command == WINDOW_GET || command == WINDOW_SET) && !user_read(t, window, value, sizeof window) && (command == WINDOW_SET || line->result >= 0)) {
		static const char *const names[] = { "{ws_row=", ", ws_col=", ", ws_xpixel=", ", ws_ypixel=" };
		for (int i = 0; i < 4; i++) {
			line_text(line, names[i]);
			line_unsigned(line, window[i]);
		}
		line_character(line, '}');
	} else if ((command == TERMINAL_GROUP_SET || command == NON_BLOCKING || ((command == TERMINAL_GROUP_GET || command == BYTES_WAITING) && line->result >= 0)) &&
		!user_read(t, &number, value, sizeof number)) {
		line_character(line, '[');
		line_decimal(line, (int32_t)number);
		line_character(line, ']');
	} else {
		line_address(line, value);
	}
	return true;
}

static void bytes_write(struct trace_line *line, struct linux_thread *t, const struct trace_call *call, unsigned index, uint64_t value)
{
	bool sized = index < 5 && TRACE_FORMAT(call->kind[index + 1]) == FORMAT_SIZE;
	uint64_t size = sized ? line->argument[index + 1] : 0;
	if (sized && (call->kind[index] & TRACE_INOUT) == TRACE_OUT)
		size = line->result < 0 ? 0 : MINIMUM((uint64_t)line->result, size);
	if (!sized || (!line->entering && line->result < 0))
		line_address(line, value);
	else
		line_bytes(line, t, value, size);
}

/* A socket option: what getsockopt gave, what setsockopt takes */
static void option_value_write(struct trace_line *line, struct linux_thread *t, const struct trace_call *call, unsigned index, uint64_t value)
{
	uint32_t length = (uint32_t)line->argument[index + 1];
	if (TRACE_FORMAT(call->kind[index + 1]) == FORMAT_LENGTH && (line->result < 0 || user_read(t, &length, line->argument[index + 1], sizeof length)))
		line_address(line, value);
	else
		socket_value(line, t, value, length);
}

static void value_write(struct trace_line *line, struct linux_thread *t, const struct trace_call *call, unsigned index, uint64_t value)
{
	enum trace_format format = TRACE_FORMAT(call->kind[index]);
	uint32_t before = index ? (uint32_t)line->argument[index - 1] : 0;
	switch (format) {
	case FORMAT_FD: line_decimal(line, (int32_t)value); return;
	case FORMAT_DIRFD: descriptor_write(line, (int32_t)value); return;
	case FORMAT_INT: case FORMAT_PID: line_decimal(line, (int32_t)value); return;
	case FORMAT_UINT:
		if ((uint32_t)value > 0xffffff00u) /* chown's "leave it" and the like */
			line_decimal(line, (int32_t)value);
		else
			line_unsigned(line, (uint32_t)value);
		return;
	case FORMAT_SIZE: line_unsigned(line, value); return;
	case FORMAT_OFF: line_decimal(line, (int64_t)value); return;
	case FORMAT_PTR: line_address(line, value); return;
	case FORMAT_PATH:
		if ((call->kind[index] & TRACE_INOUT) == TRACE_OUT && line->result < 0)
			line_address(line, value); /* nothing was written there */
		else
			line_string(line, t, value, LINE_PATH);
		return;
	case FORMAT_STR: line_string(line, t, value, LINE_STRING); return;
	case FORMAT_STRINGS: strings_write(line, t, value); return;
	case FORMAT_VARIABLES: variables_write(line, t, value); return;
	case FORMAT_BYTES: bytes_write(line, t, call, index, value); return;
	case FORMAT_DEVICE:
		line_text(line, "makedev(");
		line_hex(line, value >> 8 & 0xfff);
		line_text(line, ", ");
		line_hex(line, (value & 0xff) | (value >> 12 & 0xfff00));
		line_character(line, ')');
		return;
	case FORMAT_WAITTIME:
		before = (uint32_t)line->argument[1] & 0x7f; /* futex's operation */
		if (before >= FUTEX_REQUEUE && before <= FUTEX_WAKE_OP)
			line_unsigned(line, (uint32_t)value);
		else if (value)
			structure_write(line, t, FORMAT_TIMESPEC, value, 0);
		else
			line_text(line, "NULL");
		return;
	case FORMAT_LEVEL: socket_level(line, (uint32_t)value); return;
	case FORMAT_OPTION: socket_option(line, before, (uint32_t)value); return;
	case FORMAT_PEER: socket_peer(line, t, value, line->argument[index + 1]); return;
	case FORMAT_LENGTH: socket_length(line, t, value); return;
	case FORMAT_VALUE: option_value_write(line, t, call, index, value); return;
	default: break;
	}
	if (names_write(line, format, value))
		return;
	if (format == FORMAT_HEX || format == FORMAT_NONE)
		line_hex(line, value);
	else if (!value)
		line_text(line, "NULL");
	else if ((call->kind[index] & TRACE_INOUT) == TRACE_OUT && line->result < 0 && format != FORMAT_MSGHDR && format != FORMAT_MMSGHDR)
		line_address(line, value);
	else if (format == FORMAT_EPOLL && (uint32_t)line->argument[1] == EPOLL_DELETE)
		line_address(line, value); /* not looked at */
	else
		structure_write(line, t, format, value, index < 5 ? line->argument[index + 1] : 0);
}

/* Arguments that the call has only with others: the mode of open, what futex looks at */
static bool argument_absent(const struct trace_line *line, const struct trace_call *call, unsigned index)
{
	enum trace_format format = TRACE_FORMAT(call->kind[index]), before = index ? TRACE_FORMAT(call->kind[index - 1]) : FORMAT_NONE;
	uint64_t value = index ? line->argument[index - 1] : 0;
	if (format == FORMAT_MODE && before == FORMAT_OPEN)
		return !(value & LINUX_O_CREAT) && (value & LINUX_O_TMPFILE) != LINUX_O_TMPFILE;
	if (index >= 2 && TRACE_FORMAT(call->kind[1]) == FORMAT_FUTEX) {
		uint32_t operation = line->argument[1] & 0x7f;
		if (operation == 1 || operation == 7 || operation == 8) /* WAKE and the unlocking ones have the number only */
			return index >= 3;
		if (operation == 0 || operation == 6)
			return index >= 4;
	}
	/* beyond what prctl's option has */
	return index >= 2 && TRACE_FORMAT(call->kind[0]) == FORMAT_PRCTL && (uint32_t)line->argument[0] < 64;
}

bool argument_write(struct trace_line *line, struct linux_thread *t, const struct trace_call *call, unsigned index)
{
	if (argument_absent(line, call, index))
		return false;
	if (index >= 3 && TRACE_FORMAT(call->kind[1]) == FORMAT_FUTEX) {
		uint32_t operation = line->argument[1] & 0x7f;
		if ((operation == 9 && index == 4) || (operation == 10 && index < 5)) /* the bit set's operations have no second word */
			return true;
		if ((operation == 9 || operation == 10) && index == 5 && (uint32_t)line->argument[5] == UINT32_MAX) {
			line_text(line, ", FUTEX_BITSET_MATCH_ANY");
			return true;
		}
	}
	if (TRACE_FORMAT(call->kind[index]) == FORMAT_COMMAND)
		return command_write(line, t, TRACE_FORMAT(call->kind[index - 1]), (uint32_t)line->argument[index - 1], line->argument[index]);
	line_text(line, index ? ", " : "");
	value_write(line, t, call, index, line->argument[index]);
	return true;
}
