/*
 * Process descriptors (pidfd). A description of kind library with proc's event of the process's end; its word is pid | serial number << 32, which
 * proc compares, so it never names another process that got the same pid.
 */
#include "linux/fd/descriptor.h"
#include "linux/calls.h"
#include "linux/process/process.h"
#include "linux/signal/signal.h"

int64_t process_descriptor_create(struct linux_thread *t, uint32_t pid, uint32_t flags)
{
	struct message message = { .word = { PROC_DESCRIBE, pid } };
	int64_t result = proc_call(t, &message, 0);
	if (result < 0)
		return result;
	struct description_request request = {
		.kind = DESCRIPTION_LIBRARY, .flags = flags & LINUX_O_NONBLOCK ? DESCRIPTION_NON_BLOCKING : 0, .memobj = HANDLE_NONE,
		.sender = HANDLE_NONE, .receiver = HANDLE_NONE, .control = HANDLE_NONE, .event = message.handle[0],
		.rights = RIGHT_READ | RIGHT_WRITE, .cookie = FILE_COOKIE(FILE_KIND_PROCESS, LINUX_O_RDWR), .limit = pid | message.word[1] << 32,
	};
	result = message.handle_count ? description_create(&request) : -EIO;
	if (message.handle_count)
		(void)handle_close(message.handle[0]);
	return result < 0 ? result : descriptor_install((handle_t)result, 0, true);
}

int64_t process_descriptor(int fd, struct process_name *name)
{
	struct description_info info;
	if (descriptor_info(fd, &info) < 0 || FILE_COOKIE_KIND(info.cookie) != FILE_KIND_PROCESS)
		return -EBADF;
	*name = (struct process_name){ (uint32_t)info.limit, (uint32_t)(info.limit >> 32), info.flags & DESCRIPTION_NON_BLOCKING };
	return 0;
}

int64_t linux_pidfd_open(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t pid = (int32_t)argument[0];
	uint32_t flags = (uint32_t)argument[1];
	if (flags & ~LINUX_O_NONBLOCK || pid <= 0)
		return -EINVAL;
	if ((uint32_t)pid != t->process->pid && thread_exists(t, (uint32_t)pid))
		return -EINVAL; /* of a thread */
	return process_descriptor_create(t, (uint32_t)pid, flags);
}

int64_t linux_pidfd_send_signal(struct linux_thread *t, const uint64_t argument[6])
{
	struct process_name name;
	struct linux_siginfo info = { .code = LINUX_SI_USER };
	int signal = (int)argument[1];
	if ((uint32_t)argument[3])
		return -EINVAL;
	int64_t result = process_descriptor((int)argument[0], &name);
	if (result < 0)
		return result;
	if (argument[2]) {
		if (user_read(t, &info, argument[2], sizeof info))
			return -EFAULT;
		if (info.signal != signal)
			return -EINVAL;
		if ((info.code >= 0 || info.code == LINUX_SI_TKILL) && name.pid != t->process->pid)
			return -EPERM;
	}
	return signal_send_process(t, &name, signal, argument[2] ? &info : NULL);
}

int64_t linux_pidfd_getfd(struct linux_thread *t, const uint64_t argument[6])
{
	struct process_name name;
	if ((uint32_t)argument[2])
		return -EINVAL;
	int64_t result = process_descriptor((int)argument[0], &name);
	if (result < 0)
		return result;
	struct message message = { .word = { PROC_DESCRIPTOR, name.pid, (uint32_t)argument[1], name.serial } };
	result = proc_call(t, &message, 0);
	if (result < 0)
		return result;
	return message.handle_count ? descriptor_install(message.handle[0], 0, true) : -EIO;
}
