/* The line discipline; discipline.h. Input follows Linux's n_tty: flow control, signals, line ends, editing, in that order. */
#include <signal.h>
#include <string.h>
#include "discipline.h"

#define IS(field, flag) (discipline->attributes.field & (flag))

static void set_initial(struct discipline *discipline)
{
	static const uint8_t characters[CONTROL_CHARACTERS] = { 3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0 };
	discipline->attributes = (struct terminal_attributes){
		.input = T_ICRNL | T_IXON, .output = T_OPOST | T_ONLCR, .control = 0xbf /* 38400 baud, 8 bits, CREAD */,
		.local = T_ISIG | T_ICANON | T_ECHO | T_ECHOE | T_ECHOK | T_ECHOCTL | T_ECHOKE | T_IEXTEN,
	};
	memcpy(discipline->attributes.character, characters, sizeof characters);
}

void discipline_start(struct discipline *discipline)
{
	memset(discipline, 0, sizeof *discipline);
	set_initial(discipline);
}

void discipline_reset(struct discipline *discipline)
{
	set_initial(discipline);
	discipline_flush_input(discipline);
	discipline->output_stopped = false;
}

static bool is_character(const struct discipline *discipline, unsigned which, uint8_t byte)
{
	return discipline->attributes.character[which] == byte && byte != 0;
}

/* -- output */

static bool output_room(const struct discipline *discipline, size_t length, bool echo)
{
	return OUTPUT_MAX - discipline->output_count >= length + (echo ? 0 : OUTPUT_RESERVE);
}

static void output_put(struct discipline *discipline, uint8_t byte)
{
	discipline->output[(discipline->output_head + discipline->output_count++) % OUTPUT_MAX] = byte;
}

/* One byte through output processing. False: no room, nothing happened. */
static bool output_process(struct discipline *discipline, uint8_t byte, bool echo)
{
	unsigned spaces = 8 - discipline->column % 8;
	if (!output_room(discipline, 8, echo))
		return false;
	if (IS(output, T_OPOST)) {
		switch (byte) {
		case '\n':
			if (IS(output, T_ONLRET))
				discipline->column = 0;
			if (IS(output, T_ONLCR)) {
				output_put(discipline, '\r');
				discipline->column = 0;
			}
			output_put(discipline, '\n');
			return true;
		case '\r':
			if (IS(output, T_ONOCR) && discipline->column == 0)
				return true;
			if (IS(output, T_OCRNL)) {
				if (IS(output, T_ONLRET))
					discipline->column = 0;
				output_put(discipline, '\n');
				return true;
			}
			discipline->column = 0;
			break;
		case '\t':
			discipline->column += spaces;
			if ((discipline->attributes.output & T_TABS) == T_TABS) {
				while (spaces--)
					output_put(discipline, ' ');
				return true;
			}
			break;
		case '\b':
			if (discipline->column > 0)
				discipline->column--;
			break;
		default:
			if (IS(output, T_OLCUC) && byte >= 'a' && byte <= 'z')
				byte = (uint8_t)(byte - 'a' + 'A');
			if (byte >= ' ' && byte != 127 && !(IS(input, T_IUTF8) && (byte & 0xc0) == 0x80))
				discipline->column++;
			break;
		}
	}
	output_put(discipline, byte);
	return true;
}

size_t discipline_write(struct discipline *discipline, const uint8_t *bytes, size_t length)
{
	size_t done = 0;
	if (discipline->hold_writes && discipline->output_stopped)
		return 0;
	while (done < length && output_process(discipline, bytes[done], false))
		done++;
	return done;
}

size_t discipline_pending_output(const struct discipline *discipline, const uint8_t **bytes)
{
	if (discipline->output_stopped && !discipline->hold_writes)
		return 0;
	size_t piece = OUTPUT_MAX - discipline->output_head;
	*bytes = discipline->output + discipline->output_head;
	return piece < discipline->output_count ? piece : discipline->output_count;
}

void discipline_sent(struct discipline *discipline, size_t length)
{
	discipline->output_head = (discipline->output_head + length) % OUTPUT_MAX;
	discipline->output_count -= length;
}

void discipline_flush_output(struct discipline *discipline)
{
	discipline->output_head = discipline->output_count = 0;
}

/* -- echo */

static void echo_raw(struct discipline *discipline, uint8_t byte)
{
	if (output_room(discipline, 1, true))
		output_put(discipline, byte);
}

void discipline_send(struct discipline *discipline, uint8_t byte)
{
	echo_raw(discipline, byte);
}

void discipline_stop(struct discipline *discipline, bool stop)
{
	if (discipline->output_stopped == stop)
		return;
	discipline->output_stopped = stop;
	if (discipline->flow)
		discipline->flow(discipline->context, stop);
}

static bool shows_as_pair(const struct discipline *discipline, uint8_t byte)
{
	return IS(local, T_ECHOCTL) && (byte < ' ' || byte == 127) && byte != '\t' && byte != '\n';
}

/* Whatever ECHO says: for characters that are always shown */
static void echo_always(struct discipline *discipline, uint8_t byte)
{
	if (shows_as_pair(discipline, byte)) {
		output_process(discipline, '^', true);
		output_process(discipline, byte ^ 0x40, true);
	} else
		output_process(discipline, byte, true);
}

static void echo(struct discipline *discipline, uint8_t byte)
{
	if (IS(local, T_ECHO) || (byte == '\n' && IS(local, T_ECHONL) && IS(local, T_ICANON)))
		echo_always(discipline, byte);
}

/* -- editing the line */

static bool is_continuation(const struct discipline *discipline, uint8_t byte)
{
	return IS(input, T_IUTF8) && (byte & 0xc0) == 0x80;
}

/* Columns from line_column to the end of the line as far as length */
static unsigned line_width(const struct discipline *discipline, size_t length)
{
	unsigned column = discipline->line_column;
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = discipline->line[i];
		if (byte == '\t')
			column += 8 - column % 8;
		else if (shows_as_pair(discipline, byte))
			column += 2;
		else if (byte >= ' ' && byte != 127 && !is_continuation(discipline, byte))
			column++;
	}
	return column - discipline->line_column;
}

/* Removes the last character (all its bytes) and wipes it from the screen if wipe */
static void erase_one(struct discipline *discipline, bool wipe)
{
	unsigned before = line_width(discipline, discipline->line_length);
	bool tab = discipline->line[discipline->line_length - 1] == '\t';
	do
		discipline->line_length--;
	while (discipline->line_length && is_continuation(discipline, discipline->line[discipline->line_length]));
	unsigned width = before - line_width(discipline, discipline->line_length);
	if (!wipe)
		return;
	while (width--) {
		output_process(discipline, '\b', true);
		if (!tab) {
			output_process(discipline, ' ', true);
			output_process(discipline, '\b', true);
		}
	}
}

static bool is_word(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_' || byte >= 0x80;
}

static void erase(struct discipline *discipline, uint8_t byte)
{
	if (discipline->line_length == 0)
		return;
	bool shown = IS(local, T_ECHO), wipe = shown && IS(local, T_ECHOE);
	if (is_character(discipline, C_KILL, byte)) {
		if (!shown || !IS(local, T_ECHOK) || !IS(local, T_ECHOKE) || !IS(local, T_ECHOE)) {
			discipline->line_length = 0;
			if (shown) {
				echo_always(discipline, byte);
				if (IS(local, T_ECHOK))
					output_process(discipline, '\n', true);
			}
			discipline->line_column = discipline->column;
			return;
		}
		while (discipline->line_length)
			erase_one(discipline, true);
	} else if (is_character(discipline, C_WERASE, byte)) {
		bool seen = false;
		while (discipline->line_length) {
			bool word = is_word(discipline->line[discipline->line_length - 1]);
			if (seen && !word)
				break;
			seen = seen || word;
			erase_one(discipline, wipe);
		}
		if (shown && !wipe)
			echo_always(discipline, byte);
	} else {
		erase_one(discipline, wipe);
		if (shown && !wipe)
			echo_always(discipline, byte);
	}
}

static void ready_put(struct discipline *discipline, unsigned element)
{
	discipline->ready[(discipline->ready_head + discipline->ready_count++) % INPUT_MAX] = (uint16_t)element;
	if (element & (END_OF_LINE | END_OF_FILE))
		discipline->lines++;
}

/* The edited line becomes readable, ended by end (a byte with END_OF_LINE, or END_OF_FILE; 0: by nothing) */
static void line_finish(struct discipline *discipline, unsigned end)
{
	for (size_t i = 0; i < discipline->line_length && discipline->ready_count < INPUT_MAX - 1; i++)
		ready_put(discipline, discipline->line[i]);
	if (end && discipline->ready_count < INPUT_MAX)
		ready_put(discipline, end);
	discipline->line_length = 0;
}

bool discipline_input_room(const struct discipline *discipline)
{
	/* a full line being edited must still take its end, so with ICANON input is always taken while whole lines are read on */
	return discipline->ready_count + discipline->line_length < INPUT_MAX - 2 || (IS(local, T_ICANON) && discipline->lines == 0);
}

/* An ordinary byte */
static void insert(struct discipline *discipline, uint8_t byte)
{
	if (discipline->ready_count + discipline->line_length >= INPUT_MAX - 2) {
		if (IS(input, T_IMAXBEL))
			echo_raw(discipline, '\a');
		return;
	}
	if (IS(local, T_ICANON)) {
		if (discipline->line_length == 0)
			discipline->line_column = discipline->column;
		echo(discipline, byte);
		discipline->line[discipline->line_length++] = byte;
	} else {
		echo(discipline, byte);
		ready_put(discipline, byte);
	}
}

static void reprint(struct discipline *discipline, uint8_t byte)
{
	echo_always(discipline, byte);
	output_process(discipline, '\n', true);
	discipline->line_column = discipline->column;
	for (size_t i = 0; i < discipline->line_length; i++)
		echo(discipline, discipline->line[i]);
}

static bool input_signal(struct discipline *discipline, uint8_t byte)
{
	int signal = is_character(discipline, C_INTR, byte) ? SIGINT : is_character(discipline, C_QUIT, byte) ? SIGQUIT :
		is_character(discipline, C_SUSP, byte) ? SIGTSTP : 0;
	if (!signal)
		return false;
	if (!IS(local, T_NOFLSH))
		discipline_flush_input(discipline);
	if (discipline->signal)
		discipline->signal(discipline->context, signal);
	if (IS(input, T_IXON))
		discipline_stop(discipline, false);
	if (IS(local, T_ECHO))
		echo_always(discipline, byte);
	return true;
}

/* Editing and line ends; false: an ordinary byte */
static bool input_canonical(struct discipline *discipline, uint8_t byte)
{
	bool extended = IS(local, T_IEXTEN);
	if (is_character(discipline, C_ERASE, byte) || is_character(discipline, C_KILL, byte) || (extended && is_character(discipline, C_WERASE, byte))) {
		erase(discipline, byte);
		return true;
	}
	if (extended && is_character(discipline, C_LNEXT, byte)) {
		discipline->literal = true;
		if (IS(local, T_ECHO) && IS(local, T_ECHOCTL)) {
			echo_raw(discipline, '^');
			echo_raw(discipline, '\b');
		}
		return true;
	}
	if (extended && IS(local, T_ECHO) && is_character(discipline, C_REPRINT, byte)) {
		reprint(discipline, byte);
		return true;
	}
	if (byte == '\n') {
		echo(discipline, byte);
		line_finish(discipline, '\n' | END_OF_LINE);
		return true;
	}
	if (is_character(discipline, C_EOF, byte)) {
		line_finish(discipline, END_OF_FILE);
		return true;
	}
	if (is_character(discipline, C_EOL, byte) || (extended && is_character(discipline, C_EOL2, byte))) {
		echo(discipline, byte);
		line_finish(discipline, byte | END_OF_LINE);
		return true;
	}
	return false;
}

void discipline_input(struct discipline *discipline, uint8_t byte)
{
	if (discipline->literal) {
		discipline->literal = false;
		insert(discipline, byte);
		return;
	}
	if (IS(input, T_ISTRIP))
		byte &= 0x7f;
	if (IS(input, T_IUCLC) && IS(local, T_IEXTEN) && byte >= 'A' && byte <= 'Z')
		byte = (uint8_t)(byte - 'A' + 'a');
	if (IS(input, T_IXON)) {
		if (is_character(discipline, C_STOP, byte) && !(discipline->output_stopped && is_character(discipline, C_START, byte))) {
			discipline_stop(discipline, true);
			return;
		}
		if (is_character(discipline, C_START, byte)) {
			discipline_stop(discipline, false);
			return;
		}
	}
	if (IS(local, T_ISIG) && input_signal(discipline, byte))
		return;
	if (discipline->output_stopped && IS(input, T_IXON) && IS(input, T_IXANY))
		discipline_stop(discipline, false);
	if (byte == '\r') {
		if (IS(input, T_IGNCR))
			return;
		if (IS(input, T_ICRNL))
			byte = '\n';
	} else if (byte == '\n' && IS(input, T_INLCR))
		byte = '\r';
	if (IS(local, T_ICANON) && input_canonical(discipline, byte))
		return;
	insert(discipline, byte);
	if (byte == 0xff && IS(input, T_PARMRK) && !IS(input, T_ISTRIP))
		insert(discipline, byte);
}

void discipline_flush_input(struct discipline *discipline)
{
	discipline->ready_head = discipline->ready_count = discipline->lines = discipline->line_length = 0;
	discipline->literal = false;
}

void discipline_set_attributes(struct discipline *discipline, const struct terminal_attributes *attributes)
{
	bool was_canonical = IS(local, T_ICANON);
	discipline->attributes = *attributes;
	if (was_canonical && !IS(local, T_ICANON)) {
		line_finish(discipline, 0);
		discipline->literal = false;
	} else if (!was_canonical && IS(local, T_ICANON) && discipline->ready_count) {
		/* what came raw is a line of its own now */
		uint16_t *last = &discipline->ready[(discipline->ready_head + discipline->ready_count - 1) % INPUT_MAX];
		if (!(*last & (END_OF_LINE | END_OF_FILE))) {
			*last |= END_OF_LINE;
			discipline->lines++;
		}
	}
	if (!IS(input, T_IXON))
		discipline_stop(discipline, false);
}

/* -- reading */

static unsigned ready_at(const struct discipline *discipline, size_t index)
{
	return discipline->ready[(discipline->ready_head + index) % INPUT_MAX];
}

size_t discipline_available(const struct discipline *discipline)
{
	size_t count = 0;
	for (size_t i = 0; i < discipline->ready_count; i++)
		if (!(ready_at(discipline, i) & END_OF_FILE))
			count++;
	return count;
}

bool discipline_readable(const struct discipline *discipline, size_t minimum)
{
	if (IS(local, T_ICANON))
		return discipline->lines > 0;
	return discipline_available(discipline) >= (minimum ? minimum : 1);
}

size_t discipline_peek(const struct discipline *discipline, uint8_t *bytes, size_t length, size_t *elements)
{
	bool canonical = IS(local, T_ICANON);
	size_t count = 0, index = 0;
	while (index < discipline->ready_count && (count < length || (canonical && (ready_at(discipline, index) & END_OF_FILE)))) {
		unsigned element = ready_at(discipline, index++);
		if (element & END_OF_FILE) {
			if (canonical)
				break;
			continue;
		}
		bytes[count++] = element & ELEMENT_BYTE;
		if (canonical && (element & END_OF_LINE))
			break;
	}
	*elements = index;
	return count;
}

void discipline_consume(struct discipline *discipline, size_t elements)
{
	for (; elements && discipline->ready_count; elements--) {
		if (ready_at(discipline, 0) & (END_OF_LINE | END_OF_FILE))
			discipline->lines--;
		discipline->ready_head = (discipline->ready_head + 1) % INPUT_MAX;
		discipline->ready_count--;
	}
}
