/* Users, groups, capabilities: everyone is root, nobody can become anyone else (DESIGN: no setuid). */
#include "linux/calls.h"
#include "linux/process/process.h"

static int64_t zero(void) { return 0; }
int64_t linux_getuid(struct linux_thread *t, const uint64_t argument[6]) { (void)t, (void)argument; return zero(); }
int64_t linux_getgid(struct linux_thread *t, const uint64_t argument[6]) { (void)t, (void)argument; return zero(); }
int64_t linux_geteuid(struct linux_thread *t, const uint64_t argument[6]) { (void)t, (void)argument; return zero(); }
int64_t linux_getegid(struct linux_thread *t, const uint64_t argument[6]) { (void)t, (void)argument; return zero(); }
/* They tell the old value, whether or not the new one was taken. */
int64_t linux_setfsuid(struct linux_thread *t, const uint64_t argument[6]) { (void)t, (void)argument; return zero(); }
int64_t linux_setfsgid(struct linux_thread *t, const uint64_t argument[6]) { (void)t, (void)argument; return zero(); }

/* The first count arguments must be root or, where `keep`, -1 for "as it is". */
static int64_t only_root(const uint64_t argument[6], unsigned count, bool keep)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t id = (uint32_t)argument[i];
		if (id == UINT32_MAX && !keep)
			return -EINVAL;
		if (id && id != UINT32_MAX)
			return -EPERM;
	}
	return 0;
}

int64_t linux_setuid(struct linux_thread *t, const uint64_t argument[6]) { (void)t; return only_root(argument, 1, false); }
int64_t linux_setgid(struct linux_thread *t, const uint64_t argument[6]) { (void)t; return only_root(argument, 1, false); }
int64_t linux_setreuid(struct linux_thread *t, const uint64_t argument[6]) { (void)t; return only_root(argument, 2, true); }
int64_t linux_setregid(struct linux_thread *t, const uint64_t argument[6]) { (void)t; return only_root(argument, 2, true); }
int64_t linux_setresuid(struct linux_thread *t, const uint64_t argument[6]) { (void)t; return only_root(argument, 3, true); }
int64_t linux_setresgid(struct linux_thread *t, const uint64_t argument[6]) { (void)t; return only_root(argument, 3, true); }

static int64_t write_three(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t id = 0;
	for (unsigned i = 0; i < 3; i++)
		if (user_write(t, argument[i], &id, sizeof id))
			return -EFAULT;
	return 0;
}

int64_t linux_getresuid(struct linux_thread *t, const uint64_t argument[6]) { return write_three(t, argument); }
int64_t linux_getresgid(struct linux_thread *t, const uint64_t argument[6]) { return write_three(t, argument); }

int64_t linux_getgroups(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	return (int32_t)argument[0] < 0 ? -EINVAL : 0;
}

int64_t linux_setgroups(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t group;
	if (argument[0] > 65536)
		return -EINVAL;
	for (uint64_t i = 0; i < argument[0]; i++) {
		if (user_read(t, &group, argument[1] + 4 * i, sizeof group))
			return -EFAULT;
		if (group)
			return -EPERM;
	}
	return 0;
}

#define CAPABILITY_VERSION_1 0x19980330u
#define CAPABILITY_VERSION_2 0x20071026u
#define CAPABILITY_VERSION_3 0x20080522u
struct capability_header { uint32_t version; int32_t pid; };

/* Checks the header; *words: how many data triples follow. */
static int64_t capability_check(struct linux_thread *t, uint64_t address, unsigned *words)
{
	struct capability_header header;
	if (user_read(t, &header, address, sizeof header))
		return -EFAULT;
	switch (header.version) {
	case CAPABILITY_VERSION_1: *words = 1; break;
	case CAPABILITY_VERSION_2:
	case CAPABILITY_VERSION_3: *words = 2; break;
	default:
		header.version = CAPABILITY_VERSION_3;
		if (user_write(t, address, &header, sizeof header))
			return -EFAULT;
		return -EINVAL;
	}
	if (header.pid < 0)
		return -EINVAL;
	if (header.pid && (uint32_t)header.pid != t->process->pid && (uint32_t)header.pid != t->id)
		return -ESRCH;
	return 0;
}

int64_t linux_capget(struct linux_thread *t, const uint64_t argument[6])
{
	/* effective, permitted, inheritable; all 41 that Linux 6.1 knows */
	static const uint32_t all[6] = { 0xffffffff, 0xffffffff, 0, 0x1ff, 0x1ff, 0 };
	unsigned words;
	int64_t result = capability_check(t, argument[0], &words);
	if (result)
		return result == -EINVAL && !argument[1] ? 0 : result;
	return argument[1] ? user_write(t, argument[1], all, 12 * words) : 0;
}

int64_t linux_capset(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t data[6];
	unsigned words;
	int64_t result = capability_check(t, argument[0], &words);
	return result ? result : user_read(t, data, argument[1], 12 * words);
}
