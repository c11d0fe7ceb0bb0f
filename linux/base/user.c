/* User memory through the copy window of the entry code (linux.h), and messages for the kernel log. */
#include "linux/linux.h"
#include "machine.h"

bool user_range(uint64_t address, uint64_t size)
{
	return size <= USER_TOP_MAX && address <= USER_TOP_MAX - size;
}

int user_read(struct linux_thread *t, void *to, uint64_t from, size_t size)
{
	(void)t;
	if (!user_range(from, size) || copy_bytes(to, (const void *)(uintptr_t)from, size))
		return -EFAULT;
	return 0;
}

int user_write(struct linux_thread *t, uint64_t to, const void *from, size_t size)
{
	(void)t;
	if (!user_range(to, size) || copy_bytes((void *)(uintptr_t)to, from, size))
		return -EFAULT;
	return 0;
}

int user_zero(struct linux_thread *t, uint64_t to, size_t size)
{
	(void)t;
	if (!user_range(to, size) || copy_zero((void *)(uintptr_t)to, size))
		return -EFAULT;
	return 0;
}

int64_t user_string(struct linux_thread *t, char *to, uint64_t from, size_t room)
{
	(void)t;
	if (from >= USER_TOP_MAX)
		return -EFAULT;
	uint64_t limit = MINIMUM((uint64_t)room, USER_TOP_MAX - from);
	int64_t length = copy_string(to, (const char *)(uintptr_t)from, limit);
	if (length < 0)
		return -EFAULT;
	if ((uint64_t)length == limit)
		return limit == room ? -ENAMETOOLONG : -EFAULT;
	return length;
}

void linux_note(struct linux_thread *t, const char *text)
{
	char line[160];
	size_t length = text_copy(line, "linux: ", sizeof line);
	length += text_copy(line + length, t->name, sizeof t->name);
	line[length++] = '[';
	length += text_decimal(line + length, t->process->pid);
	length += text_copy(line + length, "]: ", 4);
	length += text_copy(line + length, text, sizeof line - length);
	(void)log_write(line, length);
}
