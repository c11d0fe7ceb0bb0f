/*
 * signalfd. Its description is of kind library: the kernel keeps the mask (as the description's word, so dup and fork share it) and an event that
 * tells readiness; reads come here and take signals of the calling thread and process like sigwait.
 *
 * Readiness is told by the process that made the descriptor: whenever it learns that a signal came or has been taken (signalfds_tell). A child that
 * inherits the descriptor can read its own signals from it, but poll and epoll show it its parent's.
 */
#include "linux/fd/descriptor.h"
#include "linux/calls.h"
#include "linux/signal/signal.h"

/* What this process tells about; lives until the description has gone */
struct linux_signalfd {
	struct linux_signalfd *next;
	uint64_t identity;      /* of the description */
	uint64_t mask;
	handle_t event;
	bool told;              /* ready, as the event says */
};

struct linux_signalfd_info {
	uint32_t signal;
	int32_t error, code;
	uint32_t pid, user;
	int32_t descriptor;
	uint32_t thread, band, overrun, trap;
	int32_t status, number;
	uint64_t pointer, user_time, system_time, address;
	uint16_t address_bits, padding;
	int32_t call;
	uint64_t call_address;
	uint32_t arch;
	uint8_t room[28];
};
_Static_assert(sizeof(struct linux_signalfd_info) == 128, "as Linux has it");

void signalfds_tell_now(struct linux_thread *t)
{
	struct linux_process *p = t->process;
	lock_take(&p->lock);
	uint64_t pending = signal_pending(t);
	for (const struct linux_thread *other = p->threads; other; other = other->next)
		pending |= __atomic_load_n(&other->pending, __ATOMIC_ACQUIRE);
	for (struct linux_signalfd *one = p->signalfds; one; one = one->next) {
		bool ready = pending & one->mask;
		if (ready != one->told) {
			one->told = ready;
			(void)event_update(one->event, ~0ul, ready ? READY_IN : 0);
		}
	}
	lock_release(&p->lock);
}

void signalfds_forget(struct linux_process *p)
{
	while (p->signalfds) { /* the event's handle is not copied */
		struct linux_signalfd *one = p->signalfds;
		p->signalfds = one->next;
		linux_free(p, one, sizeof *one);
	}
}

/* Forgets those whose descriptions have gone: nobody but us has the event then. */
static void sweep(struct linux_process *p)
{
	struct linux_signalfd *gone = NULL;
	lock_take(&p->lock);
	for (struct linux_signalfd **place = &p->signalfds, *one; (one = *place);) {
		struct handle_info info;
		if (handle_get(one->event, &info) == 0 && info.references > 1) {
			place = &one->next;
			continue;
		}
		*place = one->next;
		one->next = gone;
		gone = one;
	}
	lock_release(&p->lock);
	while (gone) {
		struct linux_signalfd *one = gone;
		gone = one->next;
		handle_close(one->event);
		linux_free(p, one, sizeof *one);
	}
}

static int64_t create(struct linux_thread *t, uint64_t mask, uint32_t flags)
{
	struct linux_process *p = t->process;
	struct description_info info;
	sweep(p);
	struct linux_signalfd *one = linux_alloc(p, sizeof *one);
	int64_t event = one ? event_create(0, EVENT_MASK) : -ENOMEM, description = event;
	if (event >= 0) {
		struct description_request request = {
			.kind = DESCRIPTION_LIBRARY, .flags = flags & LINUX_O_NONBLOCK ? DESCRIPTION_NON_BLOCKING : 0, .memobj = HANDLE_NONE,
			.sender = HANDLE_NONE, .receiver = HANDLE_NONE, .control = HANDLE_NONE, .event = (handle_t)event,
			.rights = RIGHT_READ | RIGHT_WRITE, .cookie = FILE_COOKIE(FILE_KIND_SIGNAL, LINUX_O_RDWR), .limit = mask,
		};
		(void)handle_set_options((handle_t)event, HANDLE_NOT_COPIED | HANDLE_CLOSE_ON_EXEC);
		description = description_create(&request);
		if (description >= 0 && description_get((handle_t)description, &info) == 0)
			description = descriptor_install((handle_t)description, 0, flags & LINUX_O_CLOEXEC);
	}
	if (description < 0) {
		if (event >= 0)
			handle_close((handle_t)event);
		linux_free(p, one, sizeof *one);
		return description;
	}
	*one = (struct linux_signalfd){ .identity = info.identity, .mask = mask, .event = (handle_t)event };
	lock_take(&p->lock);
	one->next = p->signalfds;
	p->signalfds = one;
	lock_release(&p->lock);
	return description;
}

static int64_t change(struct linux_thread *t, int fd, uint64_t mask)
{
	struct description_info info;
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result;
	if (FILE_COOKIE_KIND(info.cookie) != FILE_KIND_SIGNAL)
		return -EINVAL;
	result = description_set_limit(fd, mask);
	if (result < 0)
		return result;
	lock_take(&t->process->lock);
	for (struct linux_signalfd *one = t->process->signalfds; one; one = one->next)
		if (one->identity == info.identity)
			one->mask = mask;
	lock_release(&t->process->lock);
	return fd;
}

static int64_t signalfd(struct linux_thread *t, int fd, uint64_t address, uint64_t size, uint32_t flags)
{
	uint64_t mask;
	if (flags & ~(LINUX_O_NONBLOCK | LINUX_O_CLOEXEC) || size != sizeof mask)
		return -EINVAL;
	if (user_read(t, &mask, address, sizeof mask))
		return -EFAULT;
	mask &= ~SIGNAL_UNBLOCKABLE;
	int64_t result = fd == -1 ? create(t, mask, flags) : change(t, fd, mask);
	if (result >= 0) {
		signal_keep(t, mask);
		signalfds_tell(t);
	}
	return result;
}

int64_t linux_signalfd(struct linux_thread *t, const uint64_t argument[6])
{
	return signalfd(t, (int)argument[0], argument[1], argument[2], 0);
}

int64_t linux_signalfd4(struct linux_thread *t, const uint64_t argument[6])
{
	return signalfd(t, (int)argument[0], argument[1], argument[2], (uint32_t)argument[3]);
}

static void info_convert(const struct linux_siginfo *from, struct linux_signalfd_info *to)
{
	*to = (struct linux_signalfd_info){ .signal = (uint32_t)from->signal, .error = from->error, .code = from->code };
	if (from->code == LINUX_SI_TIMER) {
		to->thread = (uint32_t)from->sent.pid;
		to->overrun = from->sent.user;
		to->pointer = from->sent.value;
		to->number = (int32_t)from->sent.value;
	} else if (from->code <= 0 || from->code == LINUX_SI_KERNEL) {
		to->pid = (uint32_t)from->sent.pid;
		to->user = from->sent.user;
		if (from->code < 0) {
			to->pointer = from->sent.value;
			to->number = (int32_t)from->sent.value;
		}
	} else if (from->signal == LINUX_SIGCHLD) {
		to->pid = (uint32_t)from->child.pid;
		to->user = from->child.user;
		to->status = from->child.status;
		to->user_time = from->child.user_time;
		to->system_time = from->child.system_time;
	} else {
		to->address = from->fault.address;
		to->address_bits = from->fault.bits;
	}
}

int64_t signalfd_read(struct linux_thread *t, uint64_t mask, bool may_wait, uint64_t address, uint64_t length)
{
	uint64_t done = 0;
	if (length < sizeof(struct linux_signalfd_info))
		return -EINVAL;
	while (length - done >= sizeof(struct linux_signalfd_info)) {
		struct linux_siginfo info;
		struct linux_signalfd_info converted;
		int64_t signal = done || !may_wait ? signal_take(t, ~mask, &info) : signal_await(t, mask, DEADLINE_NEVER, &info);
		if (signal == 0 && signal_fetch_needed(t->process))
			continue;
		if (signal <= 0)
			return done ? (int64_t)done : signal ? signal : -EAGAIN;
		info_convert(&info, &converted);
		if (user_write(t, address + done, &converted, sizeof converted))
			return done ? (int64_t)done : -EFAULT;
		done += sizeof converted;
	}
	return (int64_t)done;
}
