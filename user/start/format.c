/* A small vsnprintf for log lines: no floating point, no locale, no allocation. */
#include <stdbool.h>
#include "carillon/runtime.h"

struct output { char *buffer; size_t size, used; };

static void put(struct output *output, char c)
{
	if (output->used + 1 < output->size)
		output->buffer[output->used] = c;
	output->used++;
}

static void put_padded(struct output *output, const char *text, size_t length, size_t width, bool left, char fill)
{
	size_t padding = width > length ? width - length : 0;
	for (size_t i = 0; !left && i < padding; i++)
		put(output, fill);
	for (size_t i = 0; i < length; i++)
		put(output, text[i]);
	for (size_t i = 0; left && i < padding; i++)
		put(output, ' ');
}

static void put_number(struct output *output, uint64_t value, bool negative, unsigned base, bool capitals, const char *prefix, size_t width, bool left,
	bool zero, size_t precision)
{
	char text[72];
	size_t at = sizeof text;
	size_t digits = 0;
	const char *set = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
	do {
		text[--at] = set[value % base];
		value /= base;
		digits++;
	} while (value);
	size_t prefix_length = 0;
	while (prefix[prefix_length])
		prefix_length++;
	if (negative)
		prefix_length++;
	if (zero && !left && width > prefix_length && width - prefix_length > precision)
		precision = width - prefix_length;
	while (digits < precision && at > 4) {
		text[--at] = '0';
		digits++;
	}
	for (size_t i = prefix_length - negative; i-- > 0;)
		text[--at] = prefix[i];
	if (negative)
		text[--at] = '-';
	put_padded(output, text + at, sizeof text - at, width, left, ' ');
}

int format_text(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct output output = { buffer, size, 0 };
	for (; *format; format++) {
		if (*format != '%') {
			put(&output, *format);
			continue;
		}
		bool left = false, zero = false, alternate = false;
		for (format++; *format == '-' || *format == '0' || *format == '+' || *format == ' ' || *format == '#'; format++) {
			left = left || *format == '-';
			zero = zero || *format == '0';
			alternate = alternate || *format == '#';
		}
		size_t width = 0, precision = 0;
		bool limited = false;
		if (*format == '*') {
			int value = va_arg(arguments, int);
			left = left || value < 0;
			width = (size_t)(value < 0 ? -value : value);
			format++;
		}
		for (; *format >= '0' && *format <= '9'; format++)
			width = width * 10 + (size_t)(*format - '0');
		if (*format == '.') {
			limited = true;
			format++;
			if (*format == '*') {
				int value = va_arg(arguments, int);
				limited = value >= 0;
				precision = limited ? (size_t)value : 0;
				format++;
			}
			for (; *format >= '0' && *format <= '9'; format++)
				precision = precision * 10 + (size_t)(*format - '0');
		}
		bool wide = false;
		for (; *format == 'l' || *format == 'z' || *format == 'h' || *format == 'j'; format++)
			wide = wide || *format != 'h';
		switch (*format) {
		case 'd':
		case 'i': {
			int64_t value = wide ? va_arg(arguments, long) : va_arg(arguments, int);
			put_number(&output, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0, 10, false, "", width, left, zero, precision);
			break;
		}
		case 'u':
		case 'x':
		case 'X':
		case 'o': {
			uint64_t value = wide ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);
			put_number(&output, value, false, *format == 'u' ? 10 : *format == 'o' ? 8 : 16, *format == 'X',
				alternate && value && *format == 'x' ? "0x" : "", width, left, zero, precision);
			break;
		}
		case 'p':
			put_number(&output, (uint64_t)va_arg(arguments, void *), false, 16, false, "0x", width, left, zero, precision);
			break;
		case 'c': {
			char c = (char)va_arg(arguments, int);
			put_padded(&output, &c, 1, width, left, ' ');
			break;
		}
		case 's': {
			const char *text = va_arg(arguments, const char *);
			if (!text)
				text = "(null)";
			size_t length = 0;
			while ((!limited || length < precision) && text[length])
				length++;
			put_padded(&output, text, length, width, left, ' ');
			break;
		}
		case '\0':
			format--;
			break;
		default:
			put(&output, *format);
		}
	}
	if (size > 0)
		buffer[output.used < size ? output.used : size - 1] = '\0';
	return (int)output.used;
}
