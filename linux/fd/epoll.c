/* epoll on waitsets. A waitset's handle in the low range is the descriptor; F_GETFD, close and dup need nothing more. */
#include "linux/fd/descriptor.h"
#include "layout.h"

#define EPOLL_CLOEXEC LINUX_O_CLOEXEC
#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLL_EXCLUSIVE (1u << 28)
#define EPOLL_WAKEUP (1u << 29)
#define EPOLL_ONCE (1u << 30)
#define EPOLL_EDGE (1u << 31)
#define EPOLL_READY (READY_IN | READY_PRIORITY | READY_OUT | READY_ERROR | READY_HANGUP | READY_READ_HANGUP | READY_READ_NORMAL | READY_WRITE_NORMAL)
#define EPOLL_WITH_EXCLUSIVE (READY_IN | READY_OUT | READY_ERROR | READY_HANGUP | EPOLL_WAKEUP | EPOLL_EDGE | EPOLL_EXCLUSIVE)
#define RESULTS 64u

static int64_t create(uint32_t flags)
{
	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	int64_t waitset = waitset_create();
	return waitset < 0 ? waitset : descriptor_install((handle_t)waitset, 0, flags & EPOLL_CLOEXEC);
}

int64_t linux_epoll_create(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	return (int)argument[0] > 0 ? create(0) : -EINVAL;
}

int64_t linux_epoll_create1(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	return create((uint32_t)argument[0]);
}

int64_t linux_epoll_ctl(struct linux_thread *t, const uint64_t argument[6])
{
	int epoll = (int)argument[0], operation = (int)argument[1], fd = (int)argument[2];
	struct linux_epoll_event event = { 0, 0 };
	struct waitset_entry entry = { 0 };
	struct description_info info;
	uint32_t native;

	if (operation != EPOLL_CTL_DEL && user_read(t, &event, argument[3], sizeof event))
		return -EFAULT;
	int64_t kind = descriptor_kind(epoll), target = descriptor_kind(fd);
	if (kind < 0 || target < 0)
		return -EBADF;
	if (target == KIND_DESCRIPTION && descriptor_info(fd, &info) == 0 && FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
		return -EBADF;
	if (target == KIND_DESCRIPTION && descriptor_info(fd, &info) == 0 &&
		(info.kind == DESCRIPTION_PLACE || info.flags & DESCRIPTION_NO_IO))
		return -EPERM; /* files are always ready: Linux refuses them */
	if (epoll == fd || kind != KIND_WAITSET)
		return -EINVAL;
	switch (operation) {
	case EPOLL_CTL_ADD: native = WAITSET_ADD; break;
	case EPOLL_CTL_DEL: native = WAITSET_REMOVE; break;
	case EPOLL_CTL_MOD: native = WAITSET_CHANGE; break;
	default: return -EINVAL;
	}
	if (event.events & EPOLL_EXCLUSIVE && operation != EPOLL_CTL_DEL && (operation == EPOLL_CTL_MOD || event.events & ~EPOLL_WITH_EXCLUSIVE))
		return -EINVAL; /* one or more waiters may be woken: that all are is allowed */
	entry.events = (event.events & EPOLL_READY) | READY_ERROR | READY_HANGUP;
	entry.options = (event.events & EPOLL_EDGE ? WAITSET_EDGE : 0) | (event.events & EPOLL_ONCE ? WAITSET_ONCE : 0) |
		(event.events & EPOLL_EXCLUSIVE ? WAITSET_FIXED : 0);
	entry.word = event.word;
	return waitset_control(epoll, native, fd, &entry);
}

static int64_t wait(struct linux_thread *t, int epoll, uint64_t address, int count, uint64_t deadline)
{
	struct waitset_result results[RESULTS];
	struct linux_epoll_event events[RESULTS];

	if (count <= 0 || (uint64_t)count > INT32_MAX / sizeof events[0])
		return -EINVAL;
	if (!user_range(address, (uint64_t)count * sizeof events[0]))
		return -EFAULT;
	if ((uint32_t)epoll >= HANDLE_HIGH)
		return -EBADF;
	int64_t found; /* EBADF and EINVAL are told by the kernel */
	/* A signal that waited for the mask of this call ends it like one that comes now, unless something is ready. */
	bool signal_waits = t->restore_mask && deadline != 0 && interrupt_deliverable(t);
	do
		found = waitset_wait(epoll, results, MINIMUM((uint32_t)count, RESULTS), signal_waits ? 0 : deadline);
	while (wait_again(t, found));
	if (found == 0 && signal_waits)
		return -EINTR;
	if (found <= 0)
		return found;
	for (int64_t i = 0; i < found; i++) {
		events[i].events = results[i].ready;
		events[i].word = results[i].word;
	}
	return user_write(t, address, events, (size_t)found * sizeof events[0]) ? -EFAULT : found;
}

int64_t linux_epoll_wait(struct linux_thread *t, const uint64_t argument[6])
{
	return wait(t, (int)argument[0], argument[1], (int)argument[2], deadline_from_milliseconds(t, (int)argument[3]));
}

int64_t linux_epoll_pwait(struct linux_thread *t, const uint64_t argument[6])
{
	int64_t result = signal_mask_temporary(t, argument[4], argument[5]);
	return result < 0 ? result : linux_epoll_wait(t, argument);
}

int64_t linux_epoll_pwait2(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t deadline;
	int64_t result = deadline_from_timespec(t, argument[3], &deadline);
	if (result == 0)
		result = signal_mask_temporary(t, argument[4], argument[5]);
	return result < 0 ? result : wait(t, (int)argument[0], argument[1], (int)argument[2], deadline);
}
