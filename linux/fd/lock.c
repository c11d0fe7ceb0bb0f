/*
 * fcntl's record locks, open-file-description locks and flock. The file's server keeps them (servers/fs/lock.h), or where it keeps none the root's; here
 * are Linux's structures and the one thing that a server cannot see: POSIX drops a process's record locks on a file whenever it closes any descriptor of it. So the first
 * record lock takes the direct route of close away, and every way to close a descriptor calls lock_closing first.
 */
#include "abi/memory.h"
#include "linux/fd/descriptor.h"
#include "linux/fs/name.h"
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

/* -- what keeps the locks of an open file */

static int64_t operate_on(int fd, struct message *message, uint32_t options)
{
	int64_t result = ns_call(fd, 1, message, options);
	return result >= 0 ? (int64_t)message->word[0] : result;
}

/*
 * Of what no server keeps locks of (pipes, memory files, sockets, terminals, /proc) the root's server keeps them: it is shown the description
 * (FILE_LOCK_PLACE, servers/fs/place.h) and gives a port, which stays attached to the description until that goes. release: only drops this process's
 * record locks there.
 */
static int64_t place_call(struct linux_thread *t, int fd, bool release, handle_t *port)
{
	struct ns_walk walk;
	struct file_path path = { 0 };
	struct file_attributes attributes = { 0 };
	struct message ask = { .word = { FILE_GETATTR }, .send_address = (uintptr_t)&path, .send_size = sizeof path,
		.receive_address = (uintptr_t)&attributes, .receive_size = sizeof attributes };
	(void)operate_on(fd, &ask, 0); /* what no server knows of is all zero */
	int64_t result = name_begin_text(t, &walk, LINUX_AT_FDCWD, "/", false, false);
	if (result == 0)
		result = ns_walk_to_node(&walk, NULL, NULL);
	struct message message = { .word = { FILE_LOCK_PLACE, attributes.device, attributes.qid, release }, .handle = { fd }, .handle_count = 1 };
	if (result == 0)
		result = ns_call(walk.base, 0, &message, 0);
	ns_walk_end(&walk);
	if (result == 0)
		result = (int64_t)message.word[0];
	if (result >= 0 && port)
		*port = message.handle_count ? message.handle[0] : HANDLE_NONE;
	return result < 0 ? result : 0;
}

static int64_t place_attach(struct linux_thread *t, int fd)
{
	handle_t port = HANDLE_NONE;
	int64_t result = place_call(t, fd, false, &port);
	if (result < 0 || port == HANDLE_NONE)
		return -ENOLCK;
	result = description_attach(fd, port);
	handle_close(port);
	return result == -EEXIST ? 0 : result; /* another thread was faster */
}

/* Does the description's own server keep its locks? Others say so by their answers: no_locks. */
static bool has_server(const struct description_info *info)
{
	return info->kind <= DESCRIPTION_FULL && info->kind != DESCRIPTION_FLOW && FILE_COOKIE_KIND(info->cookie) != FILE_KIND_WATCH;
}

static bool no_locks(int64_t result)
{
	return result == -ENOTCONN || result == -ENOSYS || result == -ENOLCK;
}

/* A lock operation on fd's object, which may be pinned. attach: where nothing keeps its locks yet something is to. -ENOLCK: nothing does. */
static int64_t operate(struct linux_thread *t, int fd, struct message *message, uint32_t options, bool attach)
{
	const struct message request = *message;
	struct description_info info;
	int64_t result = description_get(fd, &info);
	if (result < 0)
		return -ENOLCK;
	result = -ENOLCK;
	if (info.kind == DESCRIPTION_PLACE) /* mostly files: these first */
		result = operate_on(fd, message, options);
	bool attached = no_locks(result);
	if (attached) {
		*message = request;
		result = operate_on(fd, message, options | CALL_ATTACHED);
	}
	if (result == -ENOTCONN && info.kind != DESCRIPTION_PLACE && has_server(&info)) {
		*message = request;
		attached = false;
		result = operate_on(fd, message, options);
	}
	if (no_locks(result) && attach) {
		attached = true;
		*message = request;
		result = place_attach(t, fd);
		if (result >= 0)
			result = operate_on(fd, message, options | CALL_ATTACHED);
	}
	if (attached && request.word[0] == FILE_LOCK && request.word[1] & FILE_LOCK_RECORD)
		t->process->record->personality_flags |= RECORD_LOCK_PLACES;
	return no_locks(result) || result == -ESTALE ? -ENOLCK : result;
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
	int64_t result = operate(t, fd, &message, 0, false);
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
static int64_t lock_try(struct linux_thread *t, int fd, struct message *message)
{
	const struct message request = *message;
	for (;;) {
		*message = request;
		message->word[0] = FILE_LOCK;
		message->word[5] = t->number;
		int64_t result = operate(t, fd, message, CALL_INTERRUPTIBLE, true);
		if (result == -EOWNERDEAD) {
			result = owner_register(t, fd);
			if (result < 0)
				return result;
			continue;
		}
		if (result != -EINTR)
			return result;
		struct message cancel = { .word = { FILE_LOCK_CANCEL, t->number } };
		(void)operate(t, fd, &cancel, 0, false);
		if (interrupt_deliverable(t))
			return -EINTR;
	}
}

/* The same as Linux tells it. */
static int64_t lock_call(struct linux_thread *t, int fd, struct message *message)
{
	int64_t result = lock_try(t, fd, message);
	return result == -ENOMEM ? -ENOLCK : result;
}

void lock_closing(struct linux_thread *t, int fd)
{
	struct message message = { .word = { FILE_LOCK_RELEASE } };
	if (!(t->process->record->personality_flags & RECORD_LOCKS) || !descriptor_valid(fd))
		return;
	/* another description of the same object may be the one that has a port */
	if (operate(t, fd, &message, 0, false) == -ENOLCK && t->process->record->personality_flags & RECORD_LOCK_PLACES)
		(void)place_call(t, fd, true, NULL);
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

/* Start relative to what whence says; *at_end: to the size, which the server knows, but not a memory file's. */
static int64_t range_start(int fd, const struct linux_flock *lock, const struct description_info *info, int64_t *start, bool *at_end)
{
	*start = lock->start;
	*at_end = lock->whence == 2;
	if (*at_end && memory_file(fd, info)) {
		struct memobj_info memory;
		int64_t memobj = description_memobj(fd), result = memobj < 0 ? memobj : memobj_get((handle_t)memobj, &memory);
		if (memobj >= 0)
			handle_close((handle_t)memobj);
		*at_end = false;
		return result < 0 ? result : __builtin_add_overflow((int64_t)memory.size, lock->start, start) ? -EOVERFLOW : 0;
	}
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
	int64_t result = range_start(fd, &lock, info, &start, &at_end);
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
