/* ioctls of terminals, by Linux's numbers and layouts. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "carillon/calls.h"
#include "terminal.h"

enum {
	TCGETS_ = 0x5401, TCSETS_, TCSETSW_, TCSETSF_, TCGETA_, TCSETA_, TCSETAW_, TCSETAF_, TCSBRK_, TCXONC_, TCFLSH_, TIOCEXCL_, TIOCNXCL_, TIOCSCTTY_,
	TIOCGPGRP_, TIOCSPGRP_, TIOCOUTQ_, TIOCSTI_, TIOCGWINSZ_, TIOCSWINSZ_, TIOCGSOFTCAR_ = 0x5419, FIONREAD_ = 0x541b, TIOCNOTTY_ = 0x5422,
	TIOCSETD_, TIOCGETD_, TCSBRKP_, TIOCGSID_ = 0x5429, TIOCVHANGUP_ = 0x5437,
};
#define TIOCGDEV_ 0x80045432u
#define TIOCGEXCL_ 0x80045440u
#define TCGETS2_ 0x802c542au
#define TCSETS2_ 0x402c542bu
#define TCSETSW2_ 0x402c542cu
#define TCSETSF2_ 0x402c542du

/* The older, shorter form (TCGETA) */
struct old_attributes { uint16_t input, output, control, local; uint8_t line, character[8], pad; };
/* The newer form with speeds (TCGETS2) */
struct new_attributes { struct terminal_attributes attributes; uint32_t input_speed, output_speed; };

static int64_t reply_bytes(struct server_request *request, const void *bytes, size_t size)
{
	memcpy(request->reply_buffer, bytes, size);
	server_reply_bytes(request, request->reply_buffer, size);
	return 0;
}

static int64_t reply_number(struct server_request *request, int32_t number)
{
	return reply_bytes(request, &number, sizeof number);
}

static int64_t set_attributes(struct terminal *terminal, struct server_request *request, const struct terminal_attributes *attributes, unsigned when)
{
	if (when) /* after the output; 2: and without unread input */
		return terminal_drain(terminal, request, attributes, when == 2);
	terminal_set_attributes(terminal, attributes);
	terminal_update(terminal);
	return 0;
}

/* What a speed's code in the attributes stands for, or what was set beside it */
static uint32_t speed(uint32_t code, uint32_t set)
{
	static const uint32_t slow[] = { 0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400 };
	static const uint32_t fast[] = { 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000,
		3500000, 4000000 };
	if (code < 16)
		return slow[code];
	return code == T_BOTHER ? set : fast[code - T_BOTHER - 1];
}

static int64_t get_new_attributes(struct terminal *terminal, struct server_request *request)
{
	uint32_t control = terminal->discipline.attributes.control, input = control >> 16 & T_CBAUD;
	struct new_attributes attributes = {
		terminal->discipline.attributes, speed(input ? input : control & T_CBAUD, terminal->input_speed), speed(control & T_CBAUD, terminal->output_speed),
	};
	return reply_bytes(request, &attributes, sizeof attributes);
}

static int64_t set_old_attributes(struct terminal *terminal, struct server_request *request, unsigned when)
{
	struct old_attributes old;
	struct terminal_attributes attributes = terminal->discipline.attributes;
	if (request->size < 17)
		return -EFAULT;
	memset(&old, 0, sizeof old);
	memcpy(&old, request->data, request->size < sizeof old ? request->size : sizeof old);
	attributes.input = (attributes.input & 0xffff0000) | old.input;
	attributes.output = (attributes.output & 0xffff0000) | old.output;
	attributes.control = (attributes.control & 0xffff0000) | old.control;
	attributes.local = (attributes.local & 0xffff0000) | old.local;
	memcpy(attributes.character, old.character, sizeof old.character);
	return set_attributes(terminal, request, &attributes, when);
}

static int64_t get_old_attributes(struct terminal *terminal, struct server_request *request)
{
	const struct terminal_attributes *attributes = &terminal->discipline.attributes;
	struct old_attributes old = {
		.input = (uint16_t)attributes->input, .output = (uint16_t)attributes->output, .control = (uint16_t)attributes->control,
		.local = (uint16_t)attributes->local, .line = attributes->line,
	};
	memcpy(old.character, attributes->character, sizeof old.character);
	return reply_bytes(request, &old, sizeof old);
}

static int64_t attributes_request(struct terminal *terminal, struct server_request *request, uint32_t number)
{
	struct terminal_attributes attributes;
	if (number >= TCSETA_ && number <= TCSETAF_)
		return set_old_attributes(terminal, request, number - TCSETA_);
	if (request->size < sizeof attributes)
		return -EFAULT;
	memcpy(&attributes, request->data, sizeof attributes);
	if (number >= TCSETS2_ && request->size >= sizeof(struct new_attributes)) {
		struct new_attributes all;
		memcpy(&all, request->data, sizeof all);
		terminal->input_speed = all.input_speed;
		terminal->output_speed = all.output_speed;
	}
	return set_attributes(terminal, request, &attributes, number <= TCSETSF_ ? number - TCSETS_ : number - TCSETS2_);
}

static bool is_controlling(struct terminal *terminal, const struct process_slot *caller)
{
	job_check_session(terminal);
	return caller && terminal->session && caller->session == terminal->session && caller->terminal == terminal->device;
}

static int64_t set_foreground(struct terminal *terminal, struct server_request *request)
{
	const struct process_slot *caller = job_caller(request->badge);
	int32_t group;
	if (request->size < sizeof group)
		return -EFAULT;
	memcpy(&group, request->data, sizeof group);
	if (!is_controlling(terminal, caller))
		return -ENOTTY;
	if (group < 0)
		return -EINVAL;
	bool found = false, other = false;
	for (unsigned i = 0; i < PROCESS_SLOTS; i++)
		if (terminal_slots[i].pid && terminal_slots[i].group == (uint32_t)group) {
			found = found || terminal_slots[i].session == terminal->session;
			other = true;
		}
	if (!found)
		return other ? -EPERM : -ESRCH;
	return job_set_foreground(terminal, (uint32_t)group);
}

static int64_t take_terminal(struct terminal *terminal, struct server_request *request)
{
	const struct process_slot *caller = job_caller(request->badge);
	if (is_controlling(terminal, caller) && (caller->flags & PROCESS_SLOT_LEADER))
		return 0;
	if (!caller || !(caller->flags & PROCESS_SLOT_LEADER) || caller->terminal)
		return -EPERM;
	if (terminal->session && request->word[2] != 1)
		return -EPERM;
	return job_attach(terminal, caller->session);
}

static int64_t leave_terminal(struct terminal *terminal, struct server_request *request)
{
	const struct process_slot *caller = job_caller(request->badge);
	if (!is_controlling(terminal, caller))
		return -ENOTTY;
	if (!(caller->flags & PROCESS_SLOT_LEADER))
		return job_leave(request->badge);
	job_signal_foreground(terminal, SIGHUP);
	job_signal_foreground(terminal, SIGCONT);
	return job_detach(terminal);
}

void terminal_set_window(struct terminal *terminal, const struct window_size *window)
{
	if (!memcmp(window, &terminal->window, sizeof *window))
		return;
	terminal->window = *window;
	job_signal_foreground(terminal, SIGWINCH);
}

static int64_t flow_control(struct terminal *terminal, uint64_t action)
{
	if (action > 3)
		return -EINVAL;
	if (action < 2)
		discipline_stop(&terminal->discipline, action == 0);
	else if (terminal->discipline.attributes.character[action == 2 ? C_STOP : C_START])
		discipline_send(&terminal->discipline, terminal->discipline.attributes.character[action == 2 ? C_STOP : C_START]);
	terminal_update(terminal);
	return 0;
}

/*
 * Of a pseudo terminal the slave's output is the master's input: what has been written can be read, and is not taken back from there; the master is
 * told in packet mode. The master's own input is dropped by its own flush.
 */
static int64_t flush(struct terminal *terminal, uint64_t which, bool master)
{
	if (which > 2)
		return -EINVAL;
	bool input = which != 1, output = which != 0;
	if (master) {
		if (input)
			discipline_flush_output(&terminal->discipline);
		if (output)
			pseudo_flush_queue(terminal);
		input = output = false;
	}
	if (input)
		terminal_flush_input(terminal);
	if (output && terminal->pseudo)
		pseudo_tell_status(terminal, 0, PACKET_FLUSH_WRITE);
	else if (output)
		discipline_flush_output(&terminal->discipline);
	terminal_update(terminal);
	return 0;
}

/* Those that change the terminal are for the foreground only */
static bool changes_terminal(uint32_t number)
{
	return (number >= TCSETS_ && number <= TCSETSF_) || (number >= TCSETA_ && number <= TCFLSH_) || number == TIOCSPGRP_ || number == TCSBRKP_ ||
		(number >= TCSETS2_ && number <= TCSETSF2_);
}

int64_t terminal_control(struct terminal *terminal, struct server_request *request, bool master)
{
	uint32_t number = (uint32_t)request->word[1];
	const struct process_slot *caller = job_caller(request->badge);
	if (terminal->hung_up)
		return number == TIOCSPGRP_ ? -ENOTTY : -EIO;
	if (master) {
		int64_t result = pseudo_control(terminal, request);
		if (result != -ENOTTY)
			return result;
	}
	if (changes_terminal(number)) {
		int64_t error = job_check(terminal, request->badge, SIGTTOU, request->word[3]);
		if (error)
			return error == -EIO && number == TIOCSPGRP_ ? -ENOTTY : error;
	}
	switch (number) {
	case TCGETS_:
		return reply_bytes(request, &terminal->discipline.attributes, sizeof(struct terminal_attributes));
	case TCGETS2_:
		return get_new_attributes(terminal, request);
	case TCGETA_:
		return get_old_attributes(terminal, request);
	case TCSETS_:
	case TCSETSW_:
	case TCSETSF_:
	case TCSETA_:
	case TCSETAW_:
	case TCSETAF_:
	case TCSETS2_:
	case TCSETSW2_:
	case TCSETSF2_:
		return attributes_request(terminal, request, number);
	case TCSBRK_:
	case TCSBRKP_:
		return number == TCSBRK_ && !request->word[2] ? 0 : terminal_drain(terminal, request, NULL, false);
	case TCXONC_:
		return master ? 0 : flow_control(terminal, request->word[2]);
	case TCFLSH_:
		return flush(terminal, request->word[2], master);
	case TIOCEXCL_:
	case TIOCNXCL_:
		return 0; /* root opens it all the same */
	case TIOCGEXCL_:
		return reply_number(request, 0);
	case TIOCGDEV_:
		return reply_number(request, (int32_t)terminal->device);
	case TIOCVHANGUP_:
		if (terminal->pseudo) {
			pseudo_hang_up(terminal, 0);
			job_hang_up(terminal);
		}
		return 0;
	case TIOCSCTTY_:
		return take_terminal(terminal, request);
	case TIOCNOTTY_:
		return master ? -ENOTTY : leave_terminal(terminal, request);
	case TIOCGPGRP_:
		job_check_session(terminal);
		return master || is_controlling(terminal, caller) ? reply_number(request, (int32_t)terminal->foreground) : -ENOTTY;
	case TIOCSPGRP_:
		return set_foreground(terminal, request);
	case TIOCGSID_:
		job_check_session(terminal);
		return (master && terminal->session) || is_controlling(terminal, caller) ? reply_number(request, (int32_t)terminal->session) : -ENOTTY;
	case TIOCOUTQ_:
		return reply_number(request, terminal->pseudo ? 0 : (int32_t)terminal->discipline.output_count);
	case FIONREAD_:
		return reply_number(request, master ? (int32_t)terminal->discipline.output_count : (int32_t)discipline_available(&terminal->discipline));
	case TIOCSTI_:
		if (request->size < 1)
			return -EFAULT;
		if (!is_controlling(terminal, caller))
			return -EPERM;
		discipline_input(&terminal->discipline, request->data[0]);
		terminal_update(terminal);
		return 0;
	case TIOCGWINSZ_:
		return reply_bytes(request, &terminal->window, sizeof terminal->window);
	case TIOCSWINSZ_: {
		struct window_size window;
		if (request->size < sizeof window)
			return -EFAULT;
		memcpy(&window, request->data, sizeof window);
		terminal_set_window(terminal, &window);
		return 0;
	}
	case TIOCGSOFTCAR_:
	case TIOCGETD_:
		return reply_number(request, 0);
	case TIOCSETD_:
		return request->size >= 1 && request->data[0] == 0 ? 0 : -EINVAL;
	default:
		return -ENOTTY;
	}
}
