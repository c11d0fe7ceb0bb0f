/* Job control: who is in the foreground, and what happens to who is not. terminal.h has the rules. */
#include <errno.h>
#include <signal.h>
#include "terminal.h"

handle_t terminal_proc = HANDLE_NONE;
const struct process_slot *terminal_slots;

#define SIGNAL_BIT(signal) (1ul << ((signal) - 1))

const struct process_slot *job_caller(uint64_t badge)
{
	uint32_t slot = PROCESS_BADGE_SLOT(badge);
	if (!badge || slot >= PROCESS_SLOTS || terminal_slots[slot].pid != PROCESS_BADGE_PID(badge))
		return NULL;
	return &terminal_slots[slot];
}

void job_check_session(struct terminal *terminal)
{
	if (!terminal->session)
		return;
	const struct process_slot *slot = &terminal_slots[terminal->session_slot];
	if (slot->pid != terminal->session || (slot->flags & PROCESS_SLOT_ZOMBIE) || slot->terminal != terminal->device)
		terminal->session = terminal->foreground = 0;
}

static int64_t proc_group(uint64_t operation, uint32_t group, uint64_t argument)
{
	uint64_t words[] = { operation, group, argument };
	return server_call(terminal_proc, words, 3, NULL, 0, NULL, 0, NULL);
}

void job_signal_foreground(struct terminal *terminal, int signal)
{
	job_check_session(terminal);
	if (terminal->foreground)
		proc_group(PROC_SIGNAL_GROUP, terminal->foreground, (uint64_t)signal);
}

/* Whether the badge is among those last sent a signal; it is from now on. */
static bool refused_before(struct terminal *terminal, uint64_t badge)
{
	unsigned count = sizeof terminal->refused / sizeof *terminal->refused;
	for (unsigned i = 0; i < count; i++)
		if (terminal->refused[i] == badge)
			return true;
	terminal->refused[terminal->refused_next++ % count] = badge;
	return false;
}

static void refused_forget(struct terminal *terminal, uint64_t badge)
{
	for (unsigned i = 0; i < sizeof terminal->refused / sizeof *terminal->refused; i++)
		if (terminal->refused[i] == badge)
			terminal->refused[i] = 0;
}

int64_t job_check(struct terminal *terminal, uint64_t badge, int signal, uint64_t blocked)
{
	const struct process_slot *caller = job_caller(badge);
	job_check_session(terminal);
	if (!caller || !terminal->session || caller->session != terminal->session || !terminal->foreground || caller->group == terminal->foreground)
		return 0;
	struct message reply;
	uint64_t words[] = { PROC_GET, PROCESS_BADGE_PID(badge) };
	if (server_call(terminal_proc, words, 2, NULL, 0, NULL, 0, &reply) < 0)
		return -EIO;
	if (blocked == JOB_BLOCKED_UNKNOWN) {
		/* one that was sent the signal, has it still pending, and calls again, blocks it */
		blocked = (caller->pending & SIGNAL_BIT(signal)) && refused_before(terminal, badge) ? SIGNAL_BIT(signal) : 0;
		if (!blocked)
			(void)refused_before(terminal, badge);
	}
	if ((reply.word[5] | blocked) & SIGNAL_BIT(signal)) {
		refused_forget(terminal, badge);
		return signal == SIGTTIN ? -EIO : 0;
	}
	uint32_t group = caller->group;
	if (proc_group(PROC_GROUP_ORPHANED, group, 0) != 0)
		return -EIO;
	proc_group(PROC_SIGNAL_GROUP, group, (uint64_t)signal);
	return -EINTR;
}

int64_t job_set_foreground(struct terminal *terminal, uint32_t group)
{
	uint64_t words[] = { PROC_SET_TERMINAL, terminal->session, terminal->device, group };
	int64_t error = server_call(terminal_proc, words, 4, NULL, 0, NULL, 0, NULL);
	if (error >= 0)
		terminal->foreground = group;
	return error < 0 ? error : 0;
}

int64_t job_detach(struct terminal *terminal)
{
	uint64_t words[] = { PROC_SET_TERMINAL, terminal->session, 0, 0 };
	if (terminal->session)
		server_call(terminal_proc, words, 4, NULL, 0, NULL, 0, NULL);
	terminal->session = terminal->foreground = 0;
	return 0;
}

void job_hang_up(struct terminal *terminal)
{
	job_check_session(terminal);
	if (!terminal->session)
		return;
	uint64_t session = terminal->session;
	uint64_t clear[] = { PROC_SET_TERMINAL, session, 0, terminal->foreground };
	uint64_t hang_up[] = { PROC_KILL, session, SIGHUP, 0, 0, 0 }, resume[] = { PROC_KILL, session, SIGCONT, 0, 0, 0 };
	server_call(terminal_proc, clear, 4, NULL, 0, NULL, 0, NULL);
	server_call(terminal_proc, hang_up, 6, NULL, 0, NULL, 0, NULL);
	server_call(terminal_proc, resume, 6, NULL, 0, NULL, 0, NULL);
	terminal->session = terminal->foreground = 0;
}

int64_t job_leave(uint64_t badge)
{
	uint64_t words[] = { PROC_SET_TERMINAL, 0, 0, 0, PROCESS_BADGE_PID(badge) };
	int64_t error = server_call(terminal_proc, words, 5, NULL, 0, NULL, 0, NULL);
	return error < 0 ? error : 0;
}

void job_adopt(struct terminal *console_terminal)
{
	static struct terminal lost;
	for (uint32_t i = 0; i < PROCESS_SLOTS; i++) {
		const struct process_slot *slot = &terminal_slots[i];
		if (!slot->pid || !slot->terminal || !(slot->flags & PROCESS_SLOT_LEADER) || (slot->flags & PROCESS_SLOT_ZOMBIE))
			continue;
		uint64_t words[] = { PROC_GET, slot->pid };
		struct message reply;
		if (server_call(terminal_proc, words, 2, NULL, 0, NULL, 0, &reply) < 0)
			continue;
		lost.session = slot->session;
		lost.session_slot = i;
		lost.foreground = (uint32_t)reply.word[6];
		lost.device = slot->terminal;
		if (slot->terminal != console_terminal->device) {
			job_hang_up(&lost);
			continue;
		}
		console_terminal->session = lost.session;
		console_terminal->session_slot = i;
		console_terminal->foreground = lost.foreground;
	}
}

int64_t job_attach(struct terminal *terminal, uint32_t session)
{
	uint32_t slot = 0;
	while (slot < PROCESS_SLOTS && (session == 0 || terminal_slots[slot].pid != session))
		slot++;
	if (slot == PROCESS_SLOTS || terminal_slots[slot].session != session)
		return -ESRCH;
	job_check_session(terminal);
	if (terminal->session && terminal->session != session)
		job_detach(terminal);
	terminal->session = session;
	terminal->session_slot = slot;
	int64_t error = job_set_foreground(terminal, session);
	if (error)
		terminal->session = terminal->foreground = 0;
	return error;
}
