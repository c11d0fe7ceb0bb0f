/*
 * The control port: lines of text from the host become events for init, and the end of a run is told to the host.
 *
 *   command EXIT --> draining (until both outputs are with the host) --> "drained", "exit N" --> sent --> event EXITED
 */
#include <stdlib.h>
#include <string.h>
#include "abi/errors.h"
#include "abi/message.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "carillon/server.h"
#include "drivers/console/console.h"

void event_send(uint64_t event, uint64_t first, uint64_t second)
{
	struct message message = { .word = { event, first, second } };
	int64_t result = channel_send(console.events, &message, CHANNEL_NON_BLOCKING, 0);
	if (result < 0)
		server_log("event %u for init is lost: error %d", (unsigned)event, (int)-result);
}

/* A decimal number after a blank; false when there is none or it is greater than limit. */
static bool number_read(const char **text, uint64_t limit, uint64_t *value)
{
	const char *c = *text;
	*value = 0;
	if (*c++ != ' ' || *c < '0' || *c > '9')
		return false;
	for (; *c >= '0' && *c <= '9'; c++) {
		unsigned digit = (unsigned)(*c - '0');
		if (*value > (limit - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	*text = c;
	return true;
}

static bool word_is(const char **line, const char *word)
{
	size_t length = strlen(word);
	if (strncmp(*line, word, length) != 0 || ((*line)[length] != ' ' && (*line)[length] != '\0'))
		return false;
	*line += length;
	return true;
}

static void line_handle(const char *line)
{
	uint64_t first, second;
	const char *rest = line;
	if (word_is(&rest, "end-of-input") && number_read(&rest, UINT64_MAX - 1, &first)) {
		kept_set(&console.kept->input_end, first);
		flow_input();
	} else if (word_is(&rest, "window") && number_read(&rest, 65535, &first) && number_read(&rest, 65535, &second)) {
		event_send(CONSOLE_EVENT_WINDOW, first, second);
	} else if (strcmp(line, "hangup output") == 0) {
		flow_hangup(ROLE_OUTPUT);
	} else if (strcmp(line, "hangup error") == 0) {
		flow_hangup(ROLE_ERROR);
	} else if (word_is(&rest, "interrupt") && number_read(&rest, 64, &first) && first > 0) {
		event_send(CONSOLE_EVENT_INTERRUPT, first, 0);
	} else {
		server_log("the host's line is not understood: %.60s", line);
	}
}

/* The state of kept->control: see kept.h */
static uint64_t control_pack(unsigned entry, unsigned offset, unsigned line_length, bool too_long)
{
	return (uint64_t)(uint16_t)entry << 32 | (uint64_t)(uint16_t)offset << 16 | (uint64_t)(line_length & 0x7fff) << 1 | too_long;
}

/* Takes one byte of a received buffer, and notes that it did. */
static void line_byte(char c, unsigned entry, unsigned offset)
{
	struct kept *kept = console.kept;
	unsigned length = kept->control >> 1 & 0x7fff;
	bool too_long = kept->control & 1;
	if (length >= sizeof kept->line)
		length = 0;
	if (c == '\n') {
		kept->line[length] = '\0';
		if (!too_long)
			line_handle(kept->line);
		length = 0;
		too_long = false;
	} else if (length + 1 < sizeof kept->line) {
		kept->line[length++] = c;
	} else {
		too_long = true;
	}
	kept_set(&kept->control, control_pack(entry, offset + 1, length, too_long));
}

static void buffer_handle(unsigned slot, uint32_t length, unsigned entry)
{
	const volatile uint8_t *bytes = buffer_at(&console.line_receive, slot);
	struct kept *kept = console.kept;
	for (unsigned i = (uint16_t)(kept->control >> 16); i < length; i++)
		line_byte((char)bytes[i], entry, i);
	kept_set(&kept->control, control_pack(entry + 1, 0, kept->control >> 1 & 0x7fff, kept->control & 1));
}

void control_recover(const uint8_t *rings)
{
	struct kept *kept = console.kept;
	uint16_t first = (uint16_t)(kept->control >> 32);
	for (unsigned i = 0, count = rings ? virtio_left_count(rings, first) : 0; i < count; i++) {
		unsigned slot;
		uint32_t length;
		virtio_left_entry(rings, (uint16_t)(first + i), &slot, &length);
		if (slot < console.line_receive.count && length <= console.line_receive.size)
			buffer_handle(slot, length, first + i);
	}
}

void control_open(int port)
{
	console.control_port = port;
	console.kept->port[ROLE_CONTROL] = port;
	buffers_offer(port_receive_queue(port), &console.line_receive);
}

void control_receive(void)
{
	if (console.control_port == PORT_NONE)
		return;
	struct virtio_queue *queue = port_receive_queue(console.control_port);
	uint32_t length;
	int slot;
	bool any = false;
	while ((slot = queue_take(queue, &length)) >= 0) {
		buffer_handle((unsigned)slot, length, (uint16_t)(queue->next_used - 1));
		virtio_offer(queue, (unsigned)slot, buffer_physical(&console.line_receive, (unsigned)slot), console.line_receive.size, true);
		any = true;
	}
	if (any)
		virtio_notify(queue);
}

/* The two last lines fit into one buffer, so there is nothing to queue. */
static void exit_send(void)
{
	struct virtio_queue *queue = port_send_queue(console.control_port);
	int slot = buffers_free_slot(queue, &console.line_send);
	if (slot < 0)
		device_failed("it does not take control lines");
	static const char ended[] = "drained\nexit ", failed[] = "drained\nfailed\nexit ";
	const char *drained = console.exit_failed ? failed : ended;
	char *text = (char *)buffer_at(&console.line_send, (unsigned)slot);
	size_t length = strlen(drained);
	memcpy(text, drained, length);
	uint32_t status = console.exit_status & 0xff;
	if (status >= 100)
		text[length++] = (char)('0' + status / 100);
	if (status >= 10)
		text[length++] = (char)('0' + status / 10 % 10);
	text[length++] = (char)('0' + status % 10);
	text[length++] = '\n';
	virtio_interrupts(queue, true);
	virtio_offer(queue, (unsigned)slot, buffer_physical(&console.line_send, (unsigned)slot), (uint32_t)length, false);
	virtio_notify(queue);
}

void control_exit_step(void)
{
	if (!console.exiting || console.exited)
		return;
	if (!console.exit_sent) {
		if (!flow_drained(ROLE_OUTPUT) || !flow_drained(ROLE_ERROR))
			return;
		console.exit_sent = true;
		if (console.control_port != PORT_NONE)
			exit_send();
	}
	if (console.control_port != PORT_NONE) {
		struct virtio_queue *queue = port_send_queue(console.control_port);
		uint32_t length;
		while (queue_take(queue, &length) >= 0)
			;
		if (queue->held)
			return;
	}
	console.exited = true;
	event_send(CONSOLE_EVENT_EXITED, 0, 0);
}

void control_command(void)
{
	struct message message = { 0 };
	int64_t result = channel_receive(console.commands, &message, CHANNEL_NON_BLOCKING, 0);
	if (result == -EAGAIN || result == -EINTR)
		return;
	if (result < 0)
		server_fail("init is gone");
	if (message.word[0] == CONSOLE_COMMAND_EXIT && !console.exiting) {
		console.exiting = true;
		console.exit_status = (uint32_t)message.word[1];
		console.exit_failed = message.word[2] != 0;
		control_exit_step();
	}
}
