/* ioctls of terminals, by Linux's numbers and layouts. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "carillon/calls.h"
#include "terminal.h"

enum {
	TCGETS_ = 0x5401, TCSETS_, TCSETSW_, TCSETSF_, TCGETA_, TCSETA_, TCSETAW_, TCSETAF_, TCSBRK_, TCXONC_, TCFLSH_, TIOCEXCL_, TIOCNXCL_, TIOCSCTTY_,
	TIOCGPGRP_, TIOCSPGRP_, TIOCOUTQ_, TIOCSTI_, TIOCGWINSZ_, TIOCSWINSZ_, TIOCGSOFTCAR_ = 0x5419, FIONREAD_ = 0x541b, TIOCNOTTY_ = 0x5422,
	TIOCSETD_, TIOCGETD_, TCSBRKP_, TIOCGSID_ = 0x5429,
};
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
	discipline_set_attributes(&terminal->discipline, attributes);
	terminal_update(terminal);
	return 0;
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
	if (is_controlling(terminal, caller))
		return caller->flags & PROCESS_SLOT_LEADER ? 0 : -EPERM;
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
		return -EPERM; /* Linux would take it from this process alone; here a session has one terminal or none */
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
		terminal->discipline.output_stopped = action == 0;
	terminal_update(terminal);
	return 0;
}

static int64_t flush(struct terminal *terminal, uint64_t which)
{
	if (which > 2)
		return -EINVAL;
	if (which != 1)
		discipline_flush_input(&terminal->discipline);
	if (which != 0)
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

int64_t terminal_control(struct terminal *terminal, struct server_request *request)
{
	uint32_t number = (uint32_t)request->word[1];
	const struct process_slot *caller = job_caller(request->badge);
	if (terminal->hung_up)
		return -EIO;
	if (changes_terminal(number)) {
		int64_t error = job_check(terminal, request->badge, SIGTTOU, request->word[3]);
		if (error)
			return error;
	}
	switch (number) {
	case TCGETS_:
		return reply_bytes(request, &terminal->discipline.attributes, sizeof(struct terminal_attributes));
	case TCGETS2_: {
		struct new_attributes attributes = { terminal->discipline.attributes, 38400, 38400 };
		return reply_bytes(request, &attributes, sizeof attributes);
	}
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
		return flow_control(terminal, request->word[2]);
	case TCFLSH_:
		return flush(terminal, request->word[2]);
	case TIOCEXCL_:
	case TIOCNXCL_:
		return 0; /* root opens it all the same */
	case TIOCSCTTY_:
		return take_terminal(terminal, request);
	case TIOCNOTTY_:
		return leave_terminal(terminal, request);
	case TIOCGPGRP_:
		return is_controlling(terminal, caller) ? reply_number(request, (int32_t)terminal->foreground) : -ENOTTY;
	case TIOCSPGRP_:
		return set_foreground(terminal, request);
	case TIOCGSID_:
		return is_controlling(terminal, caller) ? reply_number(request, (int32_t)terminal->session) : -ENOTTY;
	case TIOCOUTQ_:
		return reply_number(request, (int32_t)terminal->discipline.output_count);
	case FIONREAD_:
		return reply_number(request, (int32_t)discipline_available(&terminal->discipline));
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
