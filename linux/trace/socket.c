/*
 * What calls on sockets say: addresses whose length the call changes, options by name and value, messages with what they carry beside their bytes.
 * A length that a call reads and writes is shown as [before => after]; structure_prepare keeps the value of before.
 */
#include "linux/trace/argument.h"

#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2
#define SO_PEERCRED 17
#define SO_LINGER 13
#define NUMBERS 16 /* descriptors of a message shown */
#define MESSAGES 8 /* of sendmmsg and recvmmsg shown */

#define FLAG(name, value) { value, #name }
static const struct trace_name levels[] = { FLAG(SOL_IP, 0), FLAG(SOL_SOCKET, 1), FLAG(SOL_TCP, 6), FLAG(SOL_UDP, 17), FLAG(SOL_IPV6, 41) };
static const struct trace_name options[] = {
	FLAG(SO_DEBUG, 1), FLAG(SO_REUSEADDR, 2), FLAG(SO_TYPE, 3), FLAG(SO_ERROR, 4), FLAG(SO_DONTROUTE, 5), FLAG(SO_BROADCAST, 6), FLAG(SO_SNDBUF, 7),
	FLAG(SO_RCVBUF, 8), FLAG(SO_KEEPALIVE, 9), FLAG(SO_OOBINLINE, 10), FLAG(SO_NO_CHECK, 11), FLAG(SO_PRIORITY, 12), FLAG(SO_LINGER, 13),
	FLAG(SO_BSDCOMPAT, 14), FLAG(SO_REUSEPORT, 15), FLAG(SO_PASSCRED, 16), FLAG(SO_PEERCRED, 17), FLAG(SO_RCVLOWAT, 18), FLAG(SO_SNDLOWAT, 19),
	FLAG(SO_RCVTIMEO_OLD, 20), FLAG(SO_SNDTIMEO_OLD, 21), FLAG(SO_PEERNAME, 28), FLAG(SO_TIMESTAMP_OLD, 29), FLAG(SO_ACCEPTCONN, 30), FLAG(SO_PEERSEC, 31),
	FLAG(SO_SNDBUFFORCE, 32), FLAG(SO_RCVBUFFORCE, 33), FLAG(SO_PASSSEC, 34), FLAG(SO_MARK, 36), FLAG(SO_PROTOCOL, 38), FLAG(SO_DOMAIN, 39),
	FLAG(SO_PEEK_OFF, 42), FLAG(SO_PEERGROUPS, 59),
};

static void field(struct trace_line *line, const char *name, bool first)
{
	line_text(line, first ? "{" : ", ");
	line_text(line, name);
	line_character(line, '=');
}

void socket_level(struct trace_line *line, uint32_t level)
{
	if (!line_name(line, level, levels, ARRAY_SIZE(levels)))
		line_decimal(line, (int32_t)level);
}

void socket_option(struct trace_line *line, uint32_t level, uint32_t option)
{
	if (level != SOL_SOCKET || !line_name(line, option, options, ARRAY_SIZE(options)))
		line_hex(line, option);
}

static bool credentials_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	static const char *const names[] = { "pid", "uid", "gid" };
	uint32_t word[3];
	if (user_read(t, word, address, sizeof word))
		return false;
	for (unsigned i = 0; i < 3; i++) {
		field(line, names[i], !i);
		line_unsigned(line, word[i]);
	}
	line_character(line, '}');
	return true;
}

void socket_value(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t length)
{
	uint32_t level = (uint32_t)line->argument[1], option = (uint32_t)line->argument[2], word[2];
	if (address && level == SOL_SOCKET && option == SO_PEERCRED && length == 12 && credentials_write(line, t, address))
		return;
	if (address && level == SOL_SOCKET && option == SO_LINGER && length == 8 && !user_read(t, word, address, 8)) {
		field(line, "l_onoff", true);
		line_decimal(line, (int32_t)word[0]);
		field(line, "l_linger", false);
		line_decimal(line, (int32_t)word[1]);
		line_character(line, '}');
	} else if (address && length == 4) {
		structure_write(line, t, FORMAT_NUMBER, address, 0);
	} else if (address && length) {
		line_bytes(line, t, address, length);
	} else {
		line_address(line, address);
	}
}

/* -- names */

bool socket_address(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t length)
{
	struct { uint16_t family; char path[109]; } name = { .family = 0 };
	if (length < 2 || user_read(t, &name, address, MINIMUM(length, 110ul)))
		return false;
	name.path[108] = 0;
	field(line, "sa_family", true);
	(void)names_write(line, FORMAT_FAMILY, name.family);
	if (name.family == 1 && length > 2) {
		bool unnamed = !name.path[0];
		field(line, unnamed ? "sun_path=@" : "sun_path", false);
		if (unnamed)
			line->length--; /* the sign of equality stands before the @ */
		line_quoted(line, name.path + unnamed, unnamed ? MINIMUM(length - 3, 107ul) : strnlen(name.path, MINIMUM(length - 2, 108ul)), false);
	}
	line_character(line, '}');
	return true;
}

/* The length as it is now, when it can be read */
static bool length_read(struct linux_thread *t, uint64_t address, uint32_t *length)
{
	return address && !user_read(t, length, address, sizeof *length);
}

void socket_peer(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t length_address)
{
	uint32_t length;
	if (line->result < 0 || !address || !length_read(t, length_address, &length) ||
		!socket_address(line, t, address, MINIMUM(length, line->length_before)))
		line_address(line, address);
}

static void lengths_write(struct trace_line *line, uint32_t after)
{
	line_unsigned(line, line->length_before);
	if (line->result >= 0 && after != line->length_before) {
		line_text(line, " => ");
		line_unsigned(line, after);
	}
}

void socket_length(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	uint32_t length;
	if (!length_read(t, address, &length)) {
		line_address(line, address);
		return;
	}
	line_character(line, '[');
	lengths_write(line, length);
	line_character(line, ']');
}

/* -- messages */

struct socket_header { uint64_t name; uint32_t name_length, pad; uint64_t vector, count, control, control_length; uint32_t flags; };

/* Every piece of what a message carries, from the program's memory */
static void control_write(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t length)
{
	struct { uint64_t length; uint32_t level, type; } head;
	bool first = true;
	line_character(line, '[');
	while (length >= sizeof head && !user_read(t, &head, address, sizeof head) && head.length >= sizeof head && head.length <= length) {
		uint64_t data = address + sizeof head, size = head.length - sizeof head;
		line_text(line, first ? "" : ", ");
		first = false;
		field(line, "cmsg_len", true);
		line_unsigned(line, head.length);
		field(line, "cmsg_level", false);
		socket_level(line, head.level);
		field(line, "cmsg_type", false);
		if (head.level == SOL_SOCKET && head.type == SCM_RIGHTS) {
			line_text(line, "SCM_RIGHTS");
			field(line, "cmsg_data", false);
			structure_numbers(line, t, data, (unsigned)MINIMUM(size / 4, (uint64_t)NUMBERS));
		} else if (head.level == SOL_SOCKET && head.type == SCM_CREDENTIALS) {
			line_text(line, "SCM_CREDENTIALS");
			field(line, "cmsg_data", false);
			(void)credentials_write(line, t, data);
		} else {
			line_hex(line, head.type);
			field(line, "cmsg_data", false);
			line_bytes(line, t, data, size);
		}
		line_character(line, '}');
		uint64_t step = (head.length + 7) & ~7ul;
		if (step >= length)
			break;
		address += step;
		length -= step;
	}
	line_character(line, ']');
}

bool socket_message(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	struct socket_header message;
	if (user_read(t, &message, address, sizeof message))
		return false;
	if (line->result < 0) { /* of a call that was to receive: nothing else is there */
		field(line, "msg_namelen", true);
		line_unsigned(line, message.name_length);
		line_character(line, '}');
		return true;
	}
	uint32_t named = line->entering ? message.name_length : MINIMUM(message.name_length, line->length_before);
	field(line, "msg_name", true);
	if (!message.name || !socket_address(line, t, message.name, named))
		line_address(line, message.name);
	field(line, "msg_namelen", false);
	if (line->entering)
		line_unsigned(line, message.name_length);
	else
		lengths_write(line, message.name_length);
	field(line, "msg_iov", false);
	structure_write(line, t, FORMAT_IOVEC, message.vector, message.count);
	field(line, "msg_iovlen", false);
	line_unsigned(line, message.count);
	if (message.control_length) {
		field(line, "msg_control", false);
		if (message.control)
			control_write(line, t, message.control, message.control_length);
		else
			line_text(line, "NULL");
	}
	field(line, "msg_controllen", false);
	line_unsigned(line, message.control_length);
	field(line, "msg_flags", false);
	(void)names_write(line, FORMAT_MESSAGEFLAGS, message.flags);
	line_character(line, '}');
	return true;
}

bool socket_messages(struct trace_line *line, struct linux_thread *t, uint64_t address, bool all, uint64_t count)
{
	int64_t result = line->result;
	uint64_t told = all ? count : result < 0 ? 0 : (uint64_t)result;
	struct { struct socket_header message; uint32_t length, pad; } item;
	_Static_assert(sizeof item == 64, "Linux's struct mmsghdr");
	if (result < 0 && !all)
		return false;
	line_character(line, '[');
	for (uint64_t i = 0; i < told && !user_read(t, &item, address + i * sizeof item, sizeof item); i++) {
		line_text(line, i ? ", " : "");
		if (i == MESSAGES) {
			line_text(line, "...");
			break;
		}
		line_text(line, "{msg_hdr=");
		line->result = all ? INT64_MAX : (int64_t)item.length; /* the bytes that this one's parts hold */
		line->length_before = item.message.name_length;
		(void)socket_message(line, t, address + i * sizeof item);
		line->result = result;
		if (result > (int64_t)i) {
			field(line, "msg_len", false);
			line_unsigned(line, item.length);
		}
		line_character(line, '}');
	}
	line_character(line, ']');
	return true;
}

void socket_prepare(struct trace_line *line, struct linux_thread *t, const struct trace_call *call)
{
	for (unsigned i = 0; i < 6; i++) {
		enum trace_format format = TRACE_FORMAT(call->kind[i]);
		uint64_t at = line->argument[i] + (format == FORMAT_MSGHDR ? offsetof(struct socket_header, name_length) : 0);
		if ((format == FORMAT_LENGTH || format == FORMAT_MSGHDR) && !length_read(t, line->argument[i] ? at : 0, &line->length_before))
			line->length_before = 0;
	}
}
