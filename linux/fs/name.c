/* Names: see name.h. Start, fork and exec of the name space; the working directory. */
#include "linux/fs/name.h"

#define MODE_TYPE(mode) ((mode) & LINUX_S_IFMT)

/* -- life of the name space */

int fs_start(struct linux_thread *t)
{
	struct linux_process *p = t->process;
	struct linux_fs *fs = linux_alloc(p, sizeof *fs);
	if (!fs)
		return -ENOMEM;
	int64_t result = ns_start(&fs->ns, p->record);
	if (result < 0) {
		linux_free(p, fs, sizeof *fs);
		return (int)result;
	}
	p->fs = fs;
	p->files = NULL;
	p->umask = p->record->umask & 0777;
	return 0;
}

int fs_fork(struct linux_thread *t, struct linux_process *child)
{
	struct linux_process *p = t->process;
	struct linux_fs *fs = linux_alloc(child, sizeof *fs);
	if (!fs)
		return -ENOMEM;
	ns_fork_prepare(&p->fs->ns);
	memcpy(fs, p->fs, sizeof *fs);
	ns_fork_parent(&p->fs->ns);
	/* the child's handle table, copied from this one, has the retired ports too: its own walks will close them */
	fs->ns.lock = fs->ns.walkers = 0;
	child->record->personality_flags &= ~(RECORD_LOCKS | RECORD_LOCK_PLACES); /* a child inherits none */
	child->fs = fs;
	child->files = NULL;
	child->umask = __atomic_load_n(&p->umask, __ATOMIC_RELAXED);
	return 0;
}

void fs_fork_prepare(struct linux_thread *t) { ns_fork_prepare(&t->process->fs->ns); }
void fs_fork_parent(struct linux_thread *t) { ns_fork_parent(&t->process->fs->ns); }

void fs_fork_child(struct linux_thread *t)
{
	t->process->record->personality_flags &= ~(RECORD_LOCKS | RECORD_LOCK_PLACES); /* a child inherits none */
	ns_fork_child(&t->process->fs->ns);
}

int fs_record_write(struct linux_thread *t, struct process_record *record)
{
	record->umask = __atomic_load_n(&t->process->umask, __ATOMIC_RELAXED);
	ns_record_write(&t->process->fs->ns, record);
	return 0;
}

/* -- walks */

/* Where a walk of path starts: checks a directory's descriptor. 0 and *base. */
static int64_t base_check(int directory, const char *path, int64_t length, bool allow_empty, int32_t *base)
{
	struct description_info info;

	*base = NS_WORKING_DIRECTORY;
	if (directory == LINUX_AT_FDCWD || path[0] == '/' || (length == 0 && !allow_empty))
		return 0;
	int64_t result = descriptor_info(directory, &info);
	if (result < 0)
		return result == -EINVAL ? -ENOTDIR : result;
	enum file_kind kind = FILE_COOKIE_KIND(info.cookie);
	if (length && kind != FILE_KIND_DIRECTORY && kind != FILE_KIND_PATH)
		return -ENOTDIR;
	*base = directory;
	return 0;
}

static int64_t begin(struct linux_thread *t, struct ns_walk *walk, int directory, const char *path, int64_t length, bool no_follow, bool allow_empty)
{
	int32_t base = NS_WORKING_DIRECTORY;
	int64_t error = length < 0 ? length : base_check(directory, path, length, allow_empty, &base);
	if (error < 0)
		length = 0; /* so that ns_walk_end finds a walk */
	int64_t result = ns_walk_begin(&t->process->fs->ns, walk, base, path, (size_t)length, no_follow ? FILE_NO_FOLLOW : 0, allow_empty);
	return error < 0 ? error : result;
}

int64_t name_begin(struct linux_thread *t, struct ns_walk *walk, int directory, uint64_t address, bool no_follow, bool allow_empty)
{
	int64_t length = user_string(t, walk->path, address, sizeof walk->path);
	return begin(t, walk, directory, walk->path, length, no_follow, allow_empty);
}

int64_t name_begin_text(struct linux_thread *t, struct ns_walk *walk, int directory, const char *path, bool no_follow, bool allow_empty)
{
	size_t length = strnlen(path, FILE_PATH_MAX);
	return begin(t, walk, directory, path, length == FILE_PATH_MAX ? -ENAMETOOLONG : (int64_t)length, no_follow, allow_empty);
}

int64_t name_call(struct linux_thread *t, struct ns_walk *walk, struct message *message)
{
	const struct message request = *message;
	int64_t result;
	while (result = ns_walk_call(walk, message, 0), wait_again(t, result))
		*message = request;
	return result;
}

int64_t name_operate(struct linux_thread *t, int directory, uint64_t address, bool no_follow, const uint64_t word[3],
	const void *second, size_t second_length)
{
	struct ns_walk walk;
	struct message message = { .word = { word[0], word[1], word[2] } };

	int64_t result = name_begin(t, &walk, directory, address, no_follow, false);
	if (result == 0) {
		walk.second = second;
		walk.second_length = (uint32_t)second_length;
		result = name_call(t, &walk, &message);
	}
	ns_walk_end(&walk);
	return result < 0 ? result : 0;
}

int64_t descriptor_operate(int fd, const uint64_t word[3], const void *second, size_t second_length, void *buffer, size_t *size)
{
	struct {
		struct file_path header;
		uint8_t second[64];
	} range = { .header = { .second_length = (uint32_t)second_length } };
	struct message message = { .word = { word[0], word[1], word[2] }, .send_address = (uintptr_t)&range,
		.send_size = sizeof range.header + second_length, .receive_address = (uintptr_t)buffer, .receive_size = buffer ? *size : 0 };

	if (!descriptor_valid(fd))
		return -EBADF;
	if (second_length > sizeof range.second)
		return -EINVAL;
	memcpy(range.second, second, second_length);
	int64_t result = ns_call(fd, 1, &message, 0);
	if (result < 0)
		return result;
	for (uint32_t i = 0; i < message.handle_count && i < MESSAGE_HANDLES; i++)
		handle_close(message.handle[i]);
	if (buffer)
		*size = MINIMUM(message.receive_size, *size);
	return (int64_t)message.word[0];
}

/* -- the working directory */

int64_t linux_chdir(struct linux_thread *t, const uint64_t argument[6])
{
	struct ns_walk walk;
	uint64_t qid;
	uint32_t mode;

	int64_t result = name_begin(t, &walk, LINUX_AT_FDCWD, argument[0], false, false);
	if (result == 0)
		result = ns_walk_to_node(&walk, &qid, &mode);
	if (result == 0)
		result = MODE_TYPE(mode) == LINUX_S_IFDIR ? ns_set_directory(&t->process->fs->ns, &walk, qid) : -ENOTDIR;
	ns_walk_end(&walk);
	return result;
}

int64_t linux_fchdir(struct linux_thread *t, const uint64_t argument[6])
{
	struct ns_walk walk;
	struct description_info info;
	uint64_t qid;
	uint32_t mode;
	int fd = (int)argument[0];

	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result == -EINVAL ? -ENOTDIR : result;
	enum file_kind kind = FILE_COOKIE_KIND(info.cookie);
	if (kind != FILE_KIND_DIRECTORY && kind != FILE_KIND_PATH)
		return -ENOTDIR;
	result = name_begin_text(t, &walk, fd, "", false, true);
	if (result == 0)
		result = ns_walk_identify(&walk);
	if (result == 0)
		result = ns_walk_to_node(&walk, &qid, &mode);
	if (result == 0)
		result = MODE_TYPE(mode) == LINUX_S_IFDIR ? ns_set_directory(&t->process->fs->ns, &walk, qid) : -ENOTDIR;
	ns_walk_end(&walk);
	return result;
}

int64_t linux_getcwd(struct linux_thread *t, const uint64_t argument[6])
{
	struct ns_walk scratch;
	char text[FILE_PATH_MAX];

	int64_t length = ns_get_directory(&t->process->fs->ns, &scratch, text, sizeof text);
	if (length < 0)
		return length == -ERANGE ? -ENAMETOOLONG : length;
	if ((uint64_t)length + 1 > argument[1])
		return -ERANGE;
	return user_write(t, argument[0], text, (size_t)length + 1) ? -EFAULT : length + 1;
}

int64_t linux_umask(struct linux_thread *t, const uint64_t argument[6])
{
	return __atomic_exchange_n(&t->process->umask, (uint32_t)argument[0] & 0777, __ATOMIC_RELAXED);
}

void name_tell(struct linux_thread *t, handle_t description, char *text, size_t size)
{
	int64_t length = ns_name(&t->process->fs->ns, description, text, size - 1);
	text[length < 0 ? 0 : length] = 0;
}
