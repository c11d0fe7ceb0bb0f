/* Text of a line; line.h. */
#include "linux/trace/line.h"

void line_character(struct trace_line *line, char character)
{
	if (line->length < LINE_ROOM - 1)
		line->text[line->length++] = character;
	line->text[line->length] = 0;
}

void line_text(struct trace_line *line, const char *text)
{
	while (*text)
		line_character(line, *text++);
}

void line_unsigned(struct trace_line *line, uint64_t value)
{
	char digits[24];
	text_decimal(digits, value);
	line_text(line, digits);
}

void line_decimal(struct trace_line *line, int64_t value)
{
	if (value < 0)
		line_character(line, '-');
	line_unsigned(line, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void line_octal(struct trace_line *line, uint64_t value)
{
	int shift = 63;
	line_character(line, '0');
	while (shift > 0 && !(value >> shift))
		shift -= 3;
	for (; value && shift >= 0; shift -= 3)
		line_character(line, (char)('0' + (value >> shift & 7)));
}

void line_hex(struct trace_line *line, uint64_t value)
{
	int shift = 60;
	if (value)
		line_text(line, "0x");
	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		line_character(line, "0123456789abcdef"[value >> shift & 15]);
}

void line_address(struct trace_line *line, uint64_t value)
{
	if (value)
		line_hex(line, value);
	else
		line_text(line, "NULL");
}

static void line_escaped(struct trace_line *line, uint8_t byte, bool digit_follows)
{
	static const char letters[] = "\nn\tt\rr\"\"\\\\\vv\ff";
	for (const char *pair = letters; *pair; pair += 2)
		if (byte == (uint8_t)*pair) {
			line_character(line, '\\');
			line_character(line, pair[1]);
			return;
		}
	if (byte >= ' ' && byte < 127) {
		line_character(line, (char)byte);
		return;
	}
	/* the shortest octal form, but all three digits when a digit follows */
	line_character(line, '\\');
	if (byte >= 0100 || digit_follows)
		line_character(line, (char)('0' + (byte >> 6)));
	if (byte >= 010 || digit_follows)
		line_character(line, (char)('0' + (byte >> 3 & 7)));
	line_character(line, (char)('0' + (byte & 7)));
}

void line_quoted(struct trace_line *line, const char *bytes, size_t count, bool more)
{
	line_character(line, '"');
	for (size_t i = 0; i < count; i++)
		line_escaped(line, (uint8_t)bytes[i], i + 1 < count && bytes[i + 1] >= '0' && bytes[i + 1] <= '9');
	line_text(line, more ? "\"..." : "\"");
}

void line_bytes(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t count)
{
	char bytes[LINE_STRING];
	size_t shown = MINIMUM(count, (uint64_t)sizeof bytes);
	if (!address || user_read(t, bytes, address, shown))
		line_address(line, address);
	else
		line_quoted(line, bytes, shown, shown < count);
}

void line_string(struct trace_line *line, struct linux_thread *t, uint64_t address, size_t limit)
{
	char bytes[LINE_PATH + 1];
	int64_t length = address ? user_string(t, bytes, address, limit + 1) : -EFAULT;
	if (length == -EFAULT)
		line_address(line, address);
	else
		line_quoted(line, bytes, length < 0 ? limit : (size_t)length, length < 0);
}

void line_flags(struct trace_line *line, uint64_t value, const struct trace_name *names, size_t count, const char *none)
{
	bool any = false;
	for (size_t i = 0; i < count; i++)
		if (names[i].value && (value & names[i].value) == names[i].value) {
			if (any)
				line_character(line, '|');
			line_text(line, names[i].name);
			value &= ~names[i].value;
			any = true;
		}
	if (any && value)
		line_character(line, '|');
	if (value)
		line_hex(line, value);
	else if (!any)
		line_text(line, none ? none : "0");
}

bool line_name(struct trace_line *line, uint64_t value, const struct trace_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].value == value) {
			line_text(line, names[i].name);
			return true;
		}
	return false;
}
