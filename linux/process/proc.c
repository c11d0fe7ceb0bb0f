/* Calls of the proc server, and what is read from its table without a call: pids, groups, sessions, waiting for children, times. */
#include "linux/calls.h"
#include "linux/process/process.h"

int64_t proc_call(struct linux_thread *t, struct message *message, uint32_t options)
{
	handle_t port = t->process->record->process_port;
	if (port == HANDLE_NONE)
		return -ENOSYS;
	int64_t result = port_call(port, message, options);
	return result < 0 ? result : (int64_t)message->word[0];
}

int64_t linux_getpid(struct linux_thread *t, const uint64_t argument[6])
{
	(void)argument;
	return t->process->pid;
}

int64_t linux_getppid(struct linux_thread *t, const uint64_t argument[6])
{
	(void)argument;
	return t->process->slot ? t->process->slot->parent : 0;
}

int64_t linux_getpgrp(struct linux_thread *t, const uint64_t argument[6])
{
	(void)argument;
	return t->process->slot ? t->process->slot->group : 0;
}

/* PROC_GET of another process: word `which` of the reply. */
static int64_t process_word(struct linux_thread *t, int32_t pid, unsigned which)
{
	if (pid < 0)
		return -ESRCH;
	struct message message = { .word = { PROC_GET, (uint64_t)pid } };
	int64_t result = proc_call(t, &message, 0);
	return result < 0 ? result : (int64_t)message.word[which];
}

int64_t linux_getpgid(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t pid = (int32_t)argument[0];
	if (t->process->slot && (!pid || (uint32_t)pid == t->process->pid))
		return t->process->slot->group;
	return process_word(t, pid, 2);
}

int64_t linux_getsid(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t pid = (int32_t)argument[0];
	if (t->process->slot && (!pid || (uint32_t)pid == t->process->pid))
		return t->process->slot->session;
	return process_word(t, pid, 3);
}

int64_t linux_setpgid(struct linux_thread *t, const uint64_t argument[6])
{
	if ((int32_t)argument[1] < 0 || (int32_t)argument[0] < 0)
		return (int32_t)argument[1] < 0 ? -EINVAL : -ESRCH;
	struct message message = { .word = { PROC_SET_GROUP, (uint32_t)argument[0], (uint32_t)argument[1] } };
	return proc_call(t, &message, 0);
}

int64_t linux_setsid(struct linux_thread *t, const uint64_t argument[6])
{
	(void)argument;
	struct message message = { .word = { PROC_SET_SESSION } };
	return proc_call(t, &message, 0);
}

/* -- waiting */

struct linux_rusage {
	struct linux_timeval user, system;
	int64_t greatest_size, sizes[3]; /* in KiB; the others are not counted, on Linux neither */
	int64_t minor_faults, major_faults, swaps, input, output, sent, received, signals, waits, preemptions;
};

/* pages, faults, waits, preemptions: count[0..3] */
static void usage_fill(struct linux_rusage *usage, uint64_t user, uint64_t system, const uint64_t count[4])
{
	*usage = (struct linux_rusage){
		.user = { (int64_t)(user / NANOSECONDS), (int64_t)(user % NANOSECONDS / 1000) },
		.system = { (int64_t)(system / NANOSECONDS), (int64_t)(system % NANOSECONDS / 1000) },
		.greatest_size = (int64_t)(count[0] * (PAGE_SIZE / 1024)), .minor_faults = (int64_t)count[1], .waits = (int64_t)count[2],
		.preemptions = (int64_t)count[3],
	};
}

/* __WNOTHREAD, which changes nothing here: a child is its process's; __WALL and __WCLONE */
#define WHICH_CHILDREN 0xe0000000u

/* The server answers when a child has changed; interruptible. exact: only what options names (waitid), else also ends (wait4). */
static int64_t wait_child(struct linux_thread *t, int64_t pid, uint32_t serial, uint32_t options, bool exact, struct message *message)
{
	for (;;) {
		*message = (struct message){ .word = { PROC_WAIT, (uint64_t)pid, options, exact, serial } };
		int64_t result = proc_call(t, message, CALL_INTERRUPTIBLE);
		if (!wait_again(t, result))
			return result;
	}
}

int64_t linux_wait4(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t pid = (int32_t)argument[0];
	uint32_t options = (uint32_t)argument[2];
	struct message message;
	if (options & ~(LINUX_WNOHANG | LINUX_WUNTRACED | LINUX_WCONTINUED | WHICH_CHILDREN))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	int64_t result = wait_child(t, pid, 0, options, false, &message);
	if (result <= 0)
		return result;
	int32_t status = (int32_t)message.word[1];
	if (argument[1] && user_write(t, argument[1], &status, sizeof status))
		return -EFAULT;
	if (argument[3]) {
		struct linux_rusage usage;
		usage_fill(&usage, message.word[2], message.word[3], &message.word[4]);
		if (user_write(t, argument[3], &usage, sizeof usage))
			return -EFAULT;
	}
	return result;
}

int64_t linux_waitid(struct linux_thread *t, const uint64_t argument[6])
{
	enum { TYPE_ALL, TYPE_PID, TYPE_GROUP, TYPE_DESCRIPTOR };
	enum { CHILD_EXITED = 1, CHILD_KILLED, CHILD_DUMPED, CHILD_TRAPPED, CHILD_STOPPED, CHILD_CONTINUED };
	int32_t id = (int32_t)argument[1];
	uint32_t options = (uint32_t)argument[3];
	int64_t pid;
	struct message message;
	struct process_name name = { 0 };
	switch ((int)argument[0]) {
	case TYPE_ALL:
		pid = -1;
		break;
	case TYPE_PID:
		if (id <= 0)
			return -EINVAL;
		pid = id;
		break;
	case TYPE_GROUP:
		if (id < 0)
			return -EINVAL;
		pid = id ? -(int64_t)id : 0;
		break;
	case TYPE_DESCRIPTOR:
		if (id < 0)
			return -EINVAL;
		if (process_descriptor(id, &name) < 0)
			return -EBADF;
		pid = name.pid;
		break;
	default:
		return -EINVAL;
	}
	if (!(options & (LINUX_WEXITED | LINUX_WSTOPPED | LINUX_WCONTINUED)) ||
		(options & ~(LINUX_WNOHANG | LINUX_WEXITED | LINUX_WSTOPPED | LINUX_WCONTINUED | LINUX_WNOWAIT | WHICH_CHILDREN)))
		return -EINVAL;
	int64_t result = wait_child(t, pid, name.serial, options | (name.non_blocking ? LINUX_WNOHANG : 0), true, &message);
	if (result < 0)
		return result;
	if (!result && name.non_blocking && !(options & LINUX_WNOHANG))
		return -EAGAIN;
	struct linux_siginfo info = { 0 };
	if (result > 0) {
		uint32_t status = (uint32_t)message.word[1];
		info.signal = LINUX_SIGCHLD;
		info.child.pid = (int32_t)result;
		if (status == 0xffff) {
			info.code = CHILD_CONTINUED;
			info.child.status = LINUX_SIGCONT;
		} else if ((status & 0xff) == 0x7f) {
			info.code = CHILD_STOPPED;
			info.child.status = (int32_t)(status >> 8 & 0xff);
		} else if (status & 0x7f) {
			info.code = status & 0x80 ? CHILD_DUMPED : CHILD_KILLED;
			info.child.status = (int32_t)(status & 0x7f);
		} else {
			info.code = CHILD_EXITED;
			info.child.status = (int32_t)(status >> 8 & 0xff);
		}
	}
	if (argument[2] && user_write(t, argument[2], &info, sizeof info))
		return -EFAULT;
	if (argument[4] && result > 0) {
		struct linux_rusage usage;
		usage_fill(&usage, message.word[2], message.word[3], &message.word[4]);
		if (user_write(t, argument[4], &usage, sizeof usage))
			return -EFAULT;
	}
	return 0;
}

/* -- times */

int64_t thread_find(struct linux_thread *t, uint64_t number, struct thread_info *info)
{
	uint64_t room = t->process->thread_count + 8ul, size = room * sizeof *info;
	struct thread_info *list = linux_map_pages(page_round_up(size));
	int64_t result = list ? thread_list(HANDLE_SELF_PROCESS, list, room) : -ENOMEM, count = MINIMUM(result, (int64_t)room);
	if (result >= 0)
		result = -ESRCH;
	for (int64_t i = 0; i < count && result; i++)
		if (list[i].number == number) {
			*info = list[i];
			result = 0;
		}
	if (list)
		linux_unmap_pages(list, page_round_up(size));
	return result;
}

static uint64_t pages_peak(void)
{
	struct space_info space = { 0 };
	(void)space_get(HANDLE_SELF_SPACE, &space);
	return space.resident + space.private_peak - space.private_pages;
}

int64_t linux_getrusage(struct linux_thread *t, const uint64_t argument[6])
{
	enum { USAGE_CHILDREN = -1, USAGE_SELF, USAGE_THREAD };
	struct linux_rusage usage = { 0 };
	struct message message = { .word = { PROC_TIMES } };
	struct process_info process;
	struct thread_info thread;
	int64_t result;
	switch ((int)argument[0]) {
	case USAGE_SELF:
		result = process_get(HANDLE_SELF_PROCESS, &process);
		if (!result)
			usage_fill(&usage, process.user_time, process.system_time,
				(uint64_t[]){ pages_peak(), process.page_faults, process.waits, process.preemptions });
		break;
	case USAGE_THREAD:
		result = thread_find(t, t->number, &thread);
		if (!result)
			usage_fill(&usage, thread.user_time, thread.system_time,
				(uint64_t[]){ pages_peak(), thread.page_faults, thread.waits, thread.preemptions });
		break;
	case USAGE_CHILDREN:
		result = proc_call(t, &message, 0);
		usage_fill(&usage, message.word[3], message.word[4],
			(uint64_t[]){ message.word[5], message.word[6], (uint32_t)message.word[7], message.word[7] >> 32 });
		break;
	default:
		return -EINVAL;
	}
	return result < 0 ? result : user_write(t, argument[1], &usage, sizeof usage);
}

int64_t linux_times(struct linux_thread *t, const uint64_t argument[6])
{
	const uint64_t tick = NANOSECONDS / 100;
	struct message message = { .word = { PROC_TIMES } };
	if (argument[0]) {
		int64_t result = proc_call(t, &message, 0);
		if (result < 0)
			return result;
		uint64_t buffer[4] = { message.word[1] / tick, message.word[2] / tick, message.word[3] / tick, message.word[4] / tick };
		if (user_write(t, argument[0], buffer, sizeof buffer))
			return -EFAULT;
	}
	return (int64_t)(time_monotonic(t) / tick);
}
