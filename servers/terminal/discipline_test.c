/*
 * Unit test of the line discipline: what is read, what appears, which signals come, byte for byte.
 * host-test: servers/terminal/discipline.c
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "servers/terminal/discipline.h"

static struct discipline d;
static int last_signal;
static void on_signal(void *context, int signal) { (void)context; last_signal = signal; }

static void start(void)
{
	discipline_start(&d);
	d.signal = on_signal;
	last_signal = 0;
}

static void type(const char *keys)
{
	for (; *keys; keys++)
		discipline_input(&d, (uint8_t)*keys);
}

static void expect_screen(const char *text)
{
	char screen[OUTPUT_MAX + 1];
	size_t total = 0, length;
	const uint8_t *bytes;
	while ((length = discipline_pending_output(&d, &bytes))) {
		memcpy(screen + total, bytes, length);
		total += length;
		discipline_sent(&d, length);
	}
	screen[total] = 0;
	if (strcmp(screen, text)) {
		fprintf(stderr, "screen \"%s\", expected \"%s\"\n", screen, text);
		assert(0);
	}
}

/* A read of size: expects text; "" with eof: an end of file */
static void expect_read(size_t size, const char *text, bool eof)
{
	uint8_t bytes[INPUT_MAX];
	size_t elements, count = discipline_peek(&d, bytes, size, &elements);
	assert(count == strlen(text) && !memcmp(bytes, text, count));
	assert(count || (elements > 0) == eof);
	discipline_consume(&d, elements);
}

static void mode(uint32_t clear_local, uint32_t set_local)
{
	struct terminal_attributes attributes = d.attributes;
	attributes.local = (attributes.local & ~clear_local) | set_local;
	discipline_set_attributes(&d, &attributes);
}

static void test_canonical(void)
{
	start();
	type("ab");
	assert(!discipline_readable(&d, 1));
	type("c\r");
	assert(discipline_readable(&d, 1) && discipline_available(&d) == 4);
	expect_screen("abc\r\n");
	expect_read(2, "ab", false);
	expect_read(10, "c\n", false);
	type("one\rtwo\r");
	expect_screen("one\r\ntwo\r\n");
	expect_read(100, "one\n", false);
	expect_read(100, "two\n", false);
	expect_read(100, "", false);
	type("x\x04");
	expect_read(1, "x", false); /* the end-of-file goes with it */
	expect_read(1, "", false);
	type("\x04");
	expect_screen("x");
	expect_read(10, "", true);
	assert(!discipline_readable(&d, 1));
}

static void test_editing(void)
{
	start();
	type("ab\x7f\x7f\x7f");
	expect_screen("ab\b \b\b \b");
	type("\x01\x7f");
	expect_screen("^A\b \b\b \b");
	type("a\tb\x7f\x7f");
	expect_screen("a\tb\b \b\b\b\b\b\b\b\b");
	type("\x15");
	expect_screen("\b \b");
	type("foo bar  \x17");
	expect_screen("foo bar  \b \b\b \b\b \b\b \b\b \b");
	type("\x12");
	expect_screen("^R\r\nfoo ");
	type("\x16\x03\r");
	expect_screen("^\b^C\r\n");
	assert(!last_signal);
	expect_read(100, "foo \x03\n", false);
	d.attributes.input |= T_IUTF8;
	type("\xc3\xa4\x7f\r");
	expect_screen("\xc3\xa4\b \b\r\n");
	expect_read(10, "\n", false);
	mode(T_ECHO, T_ECHONL);
	type("pw\r");
	expect_screen("\r\n");
	expect_read(10, "pw\n", false);
}

static void test_signals_and_flow(void)
{
	start();
	type("abc\x03");
	assert(last_signal == SIGINT);
	expect_screen("abc^C");
	type("\r");
	expect_read(10, "\n", false);
	type("\x1a");
	assert(last_signal == SIGTSTP);
	type("\x1c");
	assert(last_signal == SIGQUIT);
	expect_screen("\r\n^Z^\\");
	type("\x13");
	assert(discipline_write(&d, (const uint8_t *)"x\n", 2) == 2);
	expect_screen("");
	type("\x11");
	expect_screen("x\r\n");
	mode(T_ISIG, T_NOFLSH);
	last_signal = 0;
	type("\x03\r");
	assert(!last_signal);
	expect_read(10, "\x03\n", false);
}

static void test_raw(void)
{
	start();
	type("half");
	mode(T_ICANON | T_ECHO | T_ISIG | T_IEXTEN, 0);
	assert(discipline_readable(&d, 4) && !discipline_readable(&d, 5));
	expect_screen("half");
	type("\x03\x04\x7f\r");
	expect_screen("");
	expect_read(100, "half\x03\x04\x7f\n", false);
	d.attributes.input = 0;
	d.attributes.output = 0;
	type("\r\n\x13");
	expect_read(100, "\r\n\x13", false);
	assert(discipline_write(&d, (const uint8_t *)"\n\t\xff", 3) == 3);
	expect_screen("\n\t\xff");
	type("rest");
	mode(0, T_ICANON);
	assert(discipline_readable(&d, 1));
	expect_read(100, "rest", false);
}

static void test_limits(void)
{
	start();
	mode(T_ECHO, 0);
	for (unsigned i = 0; i < 3 * INPUT_MAX; i++)
		discipline_input(&d, 'x');
	assert(!discipline_readable(&d, 1) && discipline_input_room(&d));
	type("\r");
	assert(discipline_readable(&d, 1) && !discipline_input_room(&d));
	type("more\r");
	uint8_t bytes[INPUT_MAX];
	size_t elements, count = discipline_peek(&d, bytes, sizeof bytes, &elements);
	assert(count > INPUT_MAX - 8 && bytes[count - 1] == '\n');
	discipline_consume(&d, elements);
	discipline_flush_input(&d);
	size_t total = 0, part;
	while ((part = discipline_write(&d, bytes, 1000)))
		total += part;
	assert(total <= OUTPUT_MAX - OUTPUT_RESERVE && total > OUTPUT_MAX - OUTPUT_RESERVE - 16);
	mode(0, T_ECHO);
	for (unsigned i = 0; i < 2 * OUTPUT_MAX; i++)
		type("y\x7f");
	assert(d.output_count <= OUTPUT_MAX);
	/* any bytes at all, in any mode */
	unsigned seed = 1;
	for (unsigned i = 0; i < 300000; i++) {
		seed = seed * 1103515245 + 12345;
		if (seed >> 28 == 0) {
			struct terminal_attributes attributes = d.attributes;
			attributes.local = seed >> 8 & 0xffff;
			attributes.input = seed >> 4 & 0x7fff;
			attributes.output = seed >> 3 & 0x1fff;
			discipline_set_attributes(&d, &attributes);
		}
		discipline_input(&d, (uint8_t)(seed >> 16));
		if (seed >> 27 == 3) {
			count = discipline_peek(&d, bytes, seed >> 20 & 0xff, &elements);
			assert(count <= 0xff && elements <= d.ready_count);
			discipline_consume(&d, elements);
			const uint8_t *screen;
			discipline_sent(&d, discipline_pending_output(&d, &screen));
		}
		assert(d.ready_count <= INPUT_MAX && d.line_length < INPUT_MAX && d.output_count <= OUTPUT_MAX && d.lines <= d.ready_count);
	}
}

int main(void)
{
	test_canonical();
	test_editing();
	test_signals_and_flow();
	test_raw();
	test_limits();
	puts("ok");
	return 0;
}
