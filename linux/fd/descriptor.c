/* Checks and translations that all calls on descriptors share. */
#include "linux/fd/descriptor.h"

/* flags that matter only while opening, and those whose truth is in the description */
#define OPENING_FLAGS (LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_NOCTTY | LINUX_O_TRUNC | LINUX_O_CLOEXEC)
#define STATUS_FLAGS (LINUX_O_APPEND | LINUX_O_NONBLOCK)

int64_t descriptor_info(int fd, struct description_info *info)
{
	if (!descriptor_valid(fd))
		return -EBADF;
	return description_get(fd, info);
}

int64_t descriptor_kind(int fd)
{
	struct handle_info info;
	if (!descriptor_valid(fd) || handle_get(fd, &info) < 0)
		return -EBADF;
	return info.kind;
}

int64_t descriptor_install(handle_t handle, uint32_t minimum, bool close_on_exec)
{
	uint32_t options = close_on_exec ? HANDLE_CLOSE_ON_EXEC : 0;
	if ((uint32_t)handle >= minimum && (handle < HANDLE_HIGH || minimum >= HANDLE_HIGH)) {
		if (options)
			(void)handle_set_options(handle, options);
		return handle;
	}
	int64_t fd = handle_duplicate(handle, minimum, 0, options);
	handle_close(handle);
	return fd;
}

int64_t descriptor_pin(int fd)
{
	return descriptor_valid(fd) ? handle_duplicate(fd, HANDLE_HIGH, 0, HANDLE_CLOSE_ON_EXEC | HANDLE_NOT_COPIED) : -EBADF;
}

bool memory_file(int fd, const struct description_info *info)
{
	int64_t control = info->kind == DESCRIPTION_PLACE ? description_client(fd) : 0;
	if (control >= 0 && info->kind == DESCRIPTION_PLACE)
		handle_close((handle_t)control);
	return control == -ENOTCONN;
}

uint32_t descriptor_flags(const struct description_info *info)
{
	uint32_t flags = FILE_COOKIE_FLAGS(info->cookie) & ~(OPENING_FLAGS | STATUS_FLAGS);
	if (FILE_COOKIE_KIND(info->cookie) == FILE_KIND_PATH)
		return flags;
	/* the rights are the truth about the access mode: streams made by init carry no flags */
	flags &= ~LINUX_O_ACCMODE;
	if (info->rights & RIGHT_WRITE)
		flags |= info->rights & RIGHT_READ ? LINUX_O_RDWR : LINUX_O_WRONLY;
	if (info->flags & DESCRIPTION_APPEND)
		flags |= LINUX_O_APPEND;
	if (info->flags & DESCRIPTION_NON_BLOCKING)
		flags |= LINUX_O_NONBLOCK;
	if (info->flags & DESCRIPTION_PACKETS)
		flags |= LINUX_O_DIRECT;
	return flags;
}

int64_t transfer_error(struct linux_thread *t, int fd, int64_t error)
{
	struct description_info info;
	switch (error) {
	case -EACCES:
		return -EBADF;
	case -EPIPE: /* sockets that keep messages apart give no signal; the server of a service that is no pipe has died in the middle of the call */
		if (description_get(fd, &info) == 0 && info.kind == DESCRIPTION_SERVICE && FILE_COOKIE_KIND(info.cookie) != FILE_KIND_SOCKET &&
			FILE_COOKIE_KIND(info.cookie) != FILE_KIND_PIPE)
			return -EIO;
		if (description_get(fd, &info) < 0 || FILE_COOKIE_KIND(info.cookie) != FILE_KIND_SOCKET || FILE_COOKIE_SOCKET(info.cookie) == 1)
			signal_raise(t, LINUX_SIGPIPE, LINUX_SI_USER);
		return error;
	case -EFBIG:
		signal_raise(t, LINUX_SIGXFSZ, LINUX_SI_KERNEL);
		return error;
	case -EISDIR:
		if (description_get(fd, &info) == 0 && FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
			return -EBADF;
		return error;
	case -ENOTCONN: /* a service whose server gave up the object */
		return description_get(fd, &info) == 0 && info.kind == DESCRIPTION_LINK ? error : -EIO;
	default:
		return error;
	}
}
