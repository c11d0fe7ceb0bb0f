/* Formatting text: see format.h. No allocation, no locks, any context. */
#include "kernel/core/format.h"
#include "kernel/core/log.h"

struct output { char *buffer; size_t size, length; };
struct directive { bool left, zero, alternate, plus; int width, precision; unsigned longs; };

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->buffer[out->length] = c;
	out->length++;
}

static void put_padded(struct output *out, const struct directive *d, const char *prefix, const char *text, size_t length)
{
	size_t total = strlen(prefix) + length, pad = d->width > 0 && (size_t)d->width > total ? (size_t)d->width - total : 0;
	if (!d->left && !d->zero)
		for (; pad; pad--)
			put(out, ' ');
	for (; *prefix; prefix++)
		put(out, *prefix);
	if (!d->left)
		for (; pad; pad--)
			put(out, '0');
	for (size_t i = 0; i < length; i++)
		put(out, text[i]);
	for (; pad; pad--)
		put(out, ' ');
}

static void put_number(struct output *out, const struct directive *d, uint64_t value, unsigned base, const char *prefix, bool capital)
{
	const char *digits = capital ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24];
	unsigned at = sizeof(text);
	do {
		text[--at] = digits[value % base];
		value /= base;
	} while (value);
	put_padded(out, d, prefix, text + at, sizeof(text) - at);
}

static const char *directive_parse(const char *f, struct directive *d, va_list *arguments)
{
	*d = (struct directive){ .precision = -1 };
	for (;; f++) {
		if (*f == '-')
			d->left = true;
		else if (*f == '0')
			d->zero = true;
		else if (*f == '#')
			d->alternate = true;
		else if (*f == '+')
			d->plus = true;
		else
			break;
	}
	if (*f == '*')
		d->width = va_arg(*arguments, int), f++;
	else
		while (*f >= '0' && *f <= '9')
			d->width = d->width * 10 + (*f++ - '0');
	if (*f == '.') {
		d->precision = 0;
		if (*++f == '*')
			d->precision = va_arg(*arguments, int), f++;
		else
			while (*f >= '0' && *f <= '9')
				d->precision = d->precision * 10 + (*f++ - '0');
	}
	for (; *f == 'l' || *f == 'z' || *f == 'h'; f++)
		d->longs += *f != 'h';
	return f;
}

int format_arguments(char *buffer, size_t size, const char *format, va_list passed)
{
	struct output out = { buffer, size, 0 };
	va_list arguments;
	va_copy(arguments, passed);
	for (const char *f = format; *f; f++) {
		if (*f != '%') {
			put(&out, *f);
			continue;
		}
		struct directive d;
		f = directive_parse(f + 1, &d, &arguments);
		switch (*f) {
		case 'd': case 'i': {
			int64_t value = d.longs ? va_arg(arguments, int64_t) : va_arg(arguments, int);
			put_number(&out, &d, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0 ? "-" : d.plus ? "+" : "", false);
			break;
		}
		case 'u': case 'x': case 'X': {
			uint64_t value = d.longs ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned);
			put_number(&out, &d, value, *f == 'u' ? 10 : 16, *f != 'u' && d.alternate && value ? "0x" : "", *f == 'X');
			break;
		}
		case 'p':
			put_number(&out, &d, (uint64_t)va_arg(arguments, void *), 16, "0x", false);
			break;
		case 's': {
			const char *text = va_arg(arguments, const char *);
			size_t length = 0;
			if (!text)
				text = "(null)";
			while ((d.precision < 0 || length < (size_t)d.precision) && text[length])
				length++;
			d.zero = false;
			put_padded(&out, &d, "", text, length);
			break;
		}
		case 'c': {
			char c = (char)va_arg(arguments, int);
			d.zero = false;
			put_padded(&out, &d, "", &c, 1);
			break;
		}
		case '\0':
			f--;
			break;
		default:
			put(&out, *f);
		}
	}
	va_end(arguments);
	if (size)
		buffer[min(out.length, size - 1)] = '\0';
	return (int)out.length;
}

int format_string(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = format_arguments(buffer, size, format, arguments);
	va_end(arguments);
	return length;
}
