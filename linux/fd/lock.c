/*
 * fcntl's record locks, open-file-description locks and flock. The file's server keeps them (servers/fs/lock.h); here are Linux's structures and
 * the one thing that a server cannot see: POSIX drops a process's record locks on a file whenever it closes any descriptor of it. So the first
 * record lock takes the direct route of close away, and every way to close a descriptor calls lock_closing first.
 */
#include "linux/fd/descriptor.h"
#include "linux/process/process.h"

#define F_GETLK 5
#define F_SETLKW 7
#define F_OFD_GETLK 36
#define F_OFD_SETLKW 38
enum { TYPE_READ, TYPE_WRITE, TYPE_UNLOCK };

struct linux_flock {
	int16_t type, whence;
	uint32_t reserved;
	int64_t start, length;
	int32_t pid;
	uint32_t reserved_end;
};

/* A lock operation on fd's object. The server's error; ENOLCK where nobody keeps locks. */
static int64_t operate(int fd, struct message *message, uint32_t options)
{
	int64_t result = description_call(fd, message, options);
	if (result >= 0)
		result = (int64_t)message->word[0];
	return result == -ENOTCONN || result == -ENOSYS || result == -ESTALE ? -ENOLCK : result;
}

/*
 * Before the first record lock at a server: the port that tells it when this process ends. A fork in another thread must not copy it, so it is
 * received under fork_lock.
 */
static int64_t owner_register(struct linux_thread *t, int fd)
{
	struct linux_process *p = t->process;
	struct message message = { .word = { FILE_LOCK_REGISTER } };
	lock_take(&p->fork_lock);
	int64_t result = operate(fd, &message, 0);
	if (result >= 0) {
		result = message.handle_count ? 0 : -ENOLCK;
		for (uint32_t i = 0; i < message.handle_count && i < MESSAGE_HANDLES; i++)
			(void)handle_set_options(message.handle[i], HANDLE_NOT_COPIED);
	}
	if (result == 0 && !(p->record->personality_flags & RECORD_LOCKS)) {
		p->record->personality_flags |= RECORD_LOCKS;
		if (!(p->record->personality_flags & RECORD_TRACE))
			routes_set(p);
	}
	lock_release(&p->fork_lock);
	return result;
}

/* word[1..4] filled in; waits if it says so. */
static int64_t lock_call(struct linux_thread *t, int fd, struct message *message)
{
	const struct message request = *message;
	for (;;) {
		*message = request;
		message->word[0] = FILE_LOCK;
		message->word[5] = t->number;
		int64_t result = operate(fd, message, CALL_INTERRUPTIBLE);
		if (result == -EOWNERDEAD) {
			result = owner_register(t, fd);
			if (result < 0)
				return result;
			continue;
		}
		if (result != -EINTR)
			return result;
		struct message cancel = { .word = { FILE_LOCK_CANCEL, t->number } };
		(void)operate(fd, &cancel, 0);
		if (interrupt_deliverable(t))
			return -EINTR;
	}
}

void lock_closing(struct linux_thread *t, int fd)
{
	struct message message = { .word = { FILE_LOCK_RELEASE } };
	if (t->process->record->personality_flags & RECORD_LOCKS)
		(void)operate(fd, &message, 0);
}

void lock_closing_range(struct linux_thread *t, uint32_t first, uint32_t last, bool on_exec)
{
	struct handle_info info;
	if (!(t->process->record->personality_flags & RECORD_LOCKS))
		return;
	last = MINIMUM(last, LINUX_DESCRIPTORS_MAX - 1);
	for (uint32_t fd = first; fd <= last; fd++)
		if (handle_get((handle_t)fd, &info) == 0 && info.kind == KIND_DESCRIPTION && (!on_exec || info.options & HANDLE_CLOSE_ON_EXEC))
			lock_closing(t, (int)fd);
}

/* Start relative to what whence says; *at_end: to the size, which the server knows. */
static int64_t range_start(const struct linux_flock *lock, const struct description_info *info, int64_t *start, bool *at_end)
{
	*start = lock->start;
	*at_end = lock->whence == 2;
	if (lock->whence == 1 && __builtin_add_overflow(info->cursor, lock->start, start))
		return -EOVERFLOW;
	return lock->whence < 0 || lock->whence > 2 ? -EINVAL : 0;
}

static bool same_description(int fd, handle_t pin)
{
	struct handle_info one, other;
	return handle_get(fd, &one) == 0 && handle_get(pin, &other) == 0 && one.identity == other.identity;
}

int64_t lock_record(struct linux_thread *t, int fd, const struct description_info *info, int command, uint64_t address)
{
	struct linux_flock lock;
	int64_t start;
	bool at_end, description = command >= F_OFD_GETLK, testing = command == F_GETLK || command == F_OFD_GETLK;
	if (user_read(t, &lock, address, sizeof lock))
		return -EFAULT;
	if (lock.type < TYPE_READ || lock.type > TYPE_UNLOCK || (description && lock.pid) ||
		(command == F_GETLK && lock.type == TYPE_UNLOCK))
		return -EINVAL;
	int64_t result = range_start(&lock, info, &start, &at_end);
	if (result < 0)
		return result;
	static const uint32_t types[] = { FILE_LOCK_SHARED, FILE_LOCK_EXCLUSIVE, FILE_LOCK_NONE };
	uint32_t what = (description ? FILE_LOCK_DESCRIPTION : FILE_LOCK_RECORD) | types[lock.type] | (testing ? FILE_LOCK_TEST : 0) |
		(command == F_SETLKW || command == F_OFD_SETLKW ? FILE_LOCK_WAIT : 0);
	struct message message = { .word = { 0, what, (uint64_t)start, (uint64_t)lock.length, at_end } };
	int64_t pin = what & FILE_LOCK_WAIT ? descriptor_pin(fd) : fd;
	if (pin < 0)
		return pin;
	result = lock_call(t, (int)pin, &message);
	if (pin != fd) {
		if (result >= 0 && !description && lock.type != TYPE_UNLOCK && !same_description(fd, (handle_t)pin)) {
			/* closed while it waited: the close came too early to drop this lock */
			message = (struct message){ .word = { 0, FILE_LOCK_RECORD | FILE_LOCK_NONE, (uint64_t)start, (uint64_t)lock.length, at_end } };
			(void)lock_call(t, (int)pin, &message);
			result = -EBADF;
		}
		handle_close((handle_t)pin);
	}
	if (result < 0 || !testing)
		return result < 0 ? result : 0;
	uint32_t found = (uint32_t)message.word[1];
	if (!found) {
		lock.type = TYPE_UNLOCK;
	} else {
		lock = (struct linux_flock){ .type = found & FILE_LOCK_EXCLUSIVE ? TYPE_WRITE : TYPE_READ, .start = (int64_t)message.word[2],
			.length = (int64_t)message.word[3], .pid = (int32_t)message.word[4] };
	}
	return user_write(t, address, &lock, sizeof lock);
}

#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8

int64_t linux_flock(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0], operation = (int)argument[1];
	struct description_info info;
	uint32_t what = FILE_LOCK_WHOLE | (operation & LOCK_NB ? 0 : FILE_LOCK_WAIT);
	switch (operation & ~LOCK_NB) {
	case LOCK_SH: what |= FILE_LOCK_SHARED; break;
	case LOCK_EX: what |= FILE_LOCK_EXCLUSIVE; break;
	case LOCK_UN: what |= FILE_LOCK_NONE; break;
	default: return -EINVAL;
	}
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result == -EINVAL ? -ENOLCK : result;
	if (FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
		return -EBADF;
	struct message message = { .word = { 0, what } };
	int64_t pin = descriptor_pin(fd);
	if (pin < 0)
		return pin;
	result = lock_call(t, (int)pin, &message);
	handle_close((handle_t)pin);
	return result < 0 ? result : 0;
}
