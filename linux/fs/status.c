/* What a name or descriptor is: stat, statx, access, readlink, statfs. */
#include "abi/memory.h"
#include "linux/fs/name.h"
#include "layout.h"

#define AT_KNOWN (LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_EMPTY_PATH)
#define STATX_BASIC 0x7ffu
#define STATX_BIRTH 0x800u
#define STATX_RESERVED 0x80000000u
#define PIPE_SYSTEM 0x50495045u
#define ANONYMOUS_SYSTEM 0x09041934u
#define MEMORY_SYSTEM 0x01021994u
#define ANONYMOUS_DEVICE 15u /* like Linux's unnamed devices: major 0 */

struct statx_time { int64_t seconds; uint32_t nanoseconds; int32_t reserved; };
struct linux_statx {
	uint32_t mask, block_size;
	uint64_t attributes;
	uint32_t links, user, group;
	uint16_t mode, spare;
	uint64_t inode, size, blocks, attributes_mask;
	struct statx_time access, birth, change, modify;
	uint32_t special_major, special_minor, device_major, device_minor;
	uint64_t mount;
	uint64_t spare_end[13];
};
_Static_assert(sizeof(struct linux_statx) == 256, "as Linux has it");

struct linux_statfs {
	int64_t type, block_size;
	uint64_t blocks, blocks_free, blocks_available, files, files_free;
	int32_t id[2];
	int64_t name_max, fragment_size, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "as Linux has it");

/* -- attributes, of names and of descriptors */

/* A descriptor without a server: pipes, memory files, epoll. Told as Linux tells them. */
static int64_t attributes_anonymous(int fd, struct file_attributes *attributes)
{
	struct description_info info;
	struct handle_info handle;
	struct memobj_info memory;

	if (!descriptor_valid(fd) || handle_get(fd, &handle) < 0)
		return -EBADF;
	*attributes = (struct file_attributes){ .device = ANONYMOUS_DEVICE, .qid = handle.identity, .links = 1, .block_size = PAGE_SIZE };
	if (handle.kind != KIND_DESCRIPTION || descriptor_info(fd, &info) < 0) {
		attributes->mode = 0600;
		return 0;
	}
	if (info.content) /* both ends of a pipe are one inode */
		attributes->qid = info.content;
	switch (info.kind) {
	case DESCRIPTION_FLOW:
		attributes->mode = LINUX_S_IFIFO | 0600;
		return 0;
	case DESCRIPTION_LINK:
		attributes->mode = LINUX_S_IFSOCK | 0777;
		return 0;
	case DESCRIPTION_PLACE: {
		int64_t memobj = description_memobj(fd);
		if (memobj < 0)
			return memobj;
		int64_t result = memobj_get((handle_t)memobj, &memory);
		handle_close((handle_t)memobj);
		if (result < 0)
			return result;
		attributes->mode = LINUX_S_IFREG | (memory.seals & SEAL_EXECUTE ? 0666 : 0777);
		attributes->links = 0;
		attributes->size = memory.size;
		attributes->blocks = memory.pages * (PAGE_SIZE / 512);
		return 0;
	}
	case DESCRIPTION_EVENT:
	case DESCRIPTION_TIMER:
	case DESCRIPTION_LIBRARY:
		attributes->mode = 0600;
		return 0;
	default:
		attributes->mode = FILE_COOKIE_KIND(info.cookie) == FILE_KIND_WATCH ? 0600 : LINUX_S_IFCHR | 0666;
		return 0;
	}
}

static int64_t attributes_descriptor(int fd, struct file_attributes *attributes)
{
	size_t size = sizeof *attributes;
	int64_t result = descriptor_operate(fd, (const uint64_t[3]){ FILE_GETATTR }, NULL, 0, attributes, &size);
	if (result == -ENOTCONN || result == -EINVAL)
		return attributes_anonymous(fd, attributes);
	if (result < 0)
		return result;
	return size == sizeof *attributes ? 0 : -EIO;
}

static int64_t attributes_name(struct linux_thread *t, int directory, uint64_t path, uint32_t flags, struct file_attributes *attributes)
{
	struct ns_walk walk;
	struct message message = { .word = { FILE_GETATTR } };

	int64_t result = name_begin(t, &walk, directory, path, flags & LINUX_AT_SYMLINK_NOFOLLOW, flags & LINUX_AT_EMPTY_PATH);
	int own = result < 0 || flags & LINUX_AT_SYMLINK_NOFOLLOW ? -1 : name_own_descriptor(t, walk.path);
	if (own >= 0) {
		result = descriptor_valid(own) ? attributes_descriptor(own, attributes) : -ENOENT;
	} else if (result == 0 && walk.empty && walk.described) {
		result = attributes_descriptor(directory, attributes);
	} else if (result == 0) {
		result = name_call(t, &walk, &message);
		if (result >= 0) {
			result = message.receive_size == sizeof *attributes ? 0 : -EIO;
			memcpy(attributes, walk.reply, sizeof *attributes);
		}
	}
	ns_walk_end(&walk);
	return result;
}

/* -- stat */

static struct linux_timespec timespec_of(uint64_t time)
{
	/* times before 1970 are negative numbers in the same word */
	int64_t value = (int64_t)time, seconds = value / (int64_t)NANOSECONDS, rest = value % (int64_t)NANOSECONDS;
	if (rest < 0) {
		rest += NANOSECONDS;
		seconds--;
	}
	return (struct linux_timespec){ seconds, rest };
}

static int64_t stat_write(struct linux_thread *t, uint64_t address, const struct file_attributes *attributes)
{
	struct linux_stat status = {
		.device = attributes->device, .inode = attributes->qid, .links = attributes->links, .mode = attributes->mode,
		.user = attributes->user, .group = attributes->group, .special_device = attributes->special_device,
		.size = (int64_t)attributes->size, .block_size = attributes->block_size, .blocks = (int64_t)attributes->blocks,
		.access = timespec_of(attributes->access_time), .modify = timespec_of(attributes->modify_time),
		.change = timespec_of(attributes->change_time),
	};
	return user_write(t, address, &status, sizeof status);
}

static int64_t stat_name(struct linux_thread *t, int directory, uint64_t path, uint32_t flags, uint64_t address)
{
	struct file_attributes attributes;
	int64_t result = attributes_name(t, directory, path, flags, &attributes);
	return result < 0 ? result : stat_write(t, address, &attributes);
}

int64_t linux_stat(struct linux_thread *t, const uint64_t argument[6])
{
	return stat_name(t, LINUX_AT_FDCWD, argument[0], 0, argument[1]);
}

int64_t linux_lstat(struct linux_thread *t, const uint64_t argument[6])
{
	return stat_name(t, LINUX_AT_FDCWD, argument[0], LINUX_AT_SYMLINK_NOFOLLOW, argument[1]);
}

int64_t linux_fstat(struct linux_thread *t, const uint64_t argument[6])
{
	struct file_attributes attributes;
	int64_t result = attributes_descriptor((int)argument[0], &attributes);
	return result < 0 ? result : stat_write(t, argument[1], &attributes);
}

int64_t linux_newfstatat(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t flags = (uint32_t)argument[3];
	if (flags & ~AT_KNOWN)
		return -EINVAL;
	return stat_name(t, (int)argument[0], argument[1], flags, argument[2]);
}

static struct statx_time statx_time_of(uint64_t time)
{
	struct linux_timespec value = timespec_of(time);
	return (struct statx_time){ value.seconds, (uint32_t)value.nanoseconds, 0 };
}

/* Linux's split of a device number as stat tells it (new_encode_dev) */
static uint32_t device_major(uint64_t device) { return (uint32_t)((device >> 8 & 0xfff) | (device >> 32 & ~0xffful)); }
static uint32_t device_minor(uint64_t device) { return (uint32_t)((device & 0xff) | (device >> 12 & ~0xfful)); }

int64_t linux_statx(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t flags = (uint32_t)argument[2], mask = (uint32_t)argument[3];
	struct file_attributes attributes;

	if (mask & STATX_RESERVED || flags & ~(AT_KNOWN | LINUX_AT_STATX_SYNC_TYPE) ||
		(flags & LINUX_AT_STATX_SYNC_TYPE) == LINUX_AT_STATX_SYNC_TYPE)
		return -EINVAL;
	int64_t result = attributes_name(t, (int)argument[0], argument[1], flags, &attributes);
	if (result < 0)
		return result;
	struct linux_statx status = {
		.mask = STATX_BASIC | (attributes.birth_time ? STATX_BIRTH : 0), .block_size = attributes.block_size,
		.links = attributes.links, .user = attributes.user, .group = attributes.group, .mode = (uint16_t)attributes.mode,
		.inode = attributes.qid, .size = attributes.size, .blocks = attributes.blocks,
		.access = statx_time_of(attributes.access_time), .birth = statx_time_of(attributes.birth_time),
		.change = statx_time_of(attributes.change_time), .modify = statx_time_of(attributes.modify_time),
		.special_major = device_major(attributes.special_device), .special_minor = device_minor(attributes.special_device),
		.device_major = device_major(attributes.device), .device_minor = device_minor(attributes.device),
	};
	return user_write(t, argument[4], &status, sizeof status);
}

/* -- access: everyone is root, who may read and write all, and run what anyone may run */

static int64_t access_check(struct linux_thread *t, int directory, uint64_t path, uint32_t mode, uint32_t flags)
{
	struct file_attributes attributes;

	if (mode & ~7u || flags & ~(LINUX_AT_EACCESS | LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	int64_t result = attributes_name(t, directory, path, flags, &attributes);
	if (result < 0)
		return result;
	bool is_directory = (attributes.mode & LINUX_S_IFMT) == LINUX_S_IFDIR;
	return mode & 1 && !is_directory && !(attributes.mode & 0111) ? -EACCES : 0;
}

int64_t linux_access(struct linux_thread *t, const uint64_t argument[6])
{
	return access_check(t, LINUX_AT_FDCWD, argument[0], (uint32_t)argument[1], 0);
}

int64_t linux_faccessat(struct linux_thread *t, const uint64_t argument[6])
{
	return access_check(t, (int)argument[0], argument[1], (uint32_t)argument[2], 0);
}

int64_t linux_faccessat2(struct linux_thread *t, const uint64_t argument[6])
{
	return access_check(t, (int)argument[0], argument[1], (uint32_t)argument[2], (uint32_t)argument[3]);
}

/* -- readlink */

static int64_t link_read(struct linux_thread *t, int directory, uint64_t path, uint64_t address, int size)
{
	struct ns_walk walk;
	struct message message = { .word = { FILE_READLINK } };

	if (size <= 0)
		return -EINVAL;
	/* an empty path means the link that an O_PATH descriptor is open on */
	int64_t result = name_begin(t, &walk, directory, path, true, directory != LINUX_AT_FDCWD);
	if (result == 0)
		result = name_call(t, &walk, &message);
	if (result >= 0 && message.handle_count) { /* of /proc: what the descriptor is open on */
		result = ns_name(walk.ns, message.handle[0], (char *)walk.reply, sizeof walk.reply);
		(void)handle_close(message.handle[0]);
		message.receive_size = result < 0 ? 0 : (uint64_t)result;
	}
	if (result >= 0) {
		uint64_t length = MINIMUM(message.receive_size, (uint64_t)size);
		result = user_write(t, address, walk.reply, length) ? -EFAULT : (int64_t)length;
	} else if (result == -EINVAL && walk.empty && walk.described) {
		result = -ENOENT;
	}
	ns_walk_end(&walk);
	return result;
}

int64_t linux_readlink(struct linux_thread *t, const uint64_t argument[6])
{
	return link_read(t, LINUX_AT_FDCWD, argument[0], argument[1], (int)argument[2]);
}

int64_t linux_readlinkat(struct linux_thread *t, const uint64_t argument[6])
{
	return link_read(t, (int)argument[0], argument[1], argument[2], (int)argument[3]);
}

/* -- statfs */

static int64_t statfs_write(struct linux_thread *t, uint64_t address, const struct file_system_info *info)
{
	struct linux_statfs status = {
		.type = (int64_t)info->type, .block_size = (int64_t)info->block_size, .blocks = info->blocks, .blocks_free = info->blocks_free,
		.blocks_available = info->blocks_free, .files = info->files, .files_free = info->files_free,
		.id = { (int32_t)info->device, (int32_t)(info->device >> 32) }, .name_max = (int64_t)info->name_max,
		.fragment_size = (int64_t)info->block_size,
	};
	return user_write(t, address, &status, sizeof status);
}

int64_t linux_statfs(struct linux_thread *t, const uint64_t argument[6])
{
	struct ns_walk walk;
	struct file_system_info info;

	int64_t result = name_begin(t, &walk, LINUX_AT_FDCWD, argument[0], false, false);
	if (result == 0)
		result = ns_walk_to_node(&walk, NULL, NULL);
	if (result == 0) {
		struct message message = { .word = { FILE_STATFS }, .receive_address = (uintptr_t)&info, .receive_size = sizeof info };
		result = ns_call(walk.base, 0, &message, 0);
		if (result >= 0)
			result = (int64_t)message.word[0];
		if (result >= 0 && message.receive_size != sizeof info)
			result = -EIO;
	}
	ns_walk_end(&walk);
	return result < 0 ? result : statfs_write(t, argument[1], &info);
}

int64_t linux_fstatfs(struct linux_thread *t, const uint64_t argument[6])
{
	struct file_system_info info;
	struct file_attributes attributes;
	size_t size = sizeof info;
	int fd = (int)argument[0];

	int64_t result = descriptor_operate(fd, (const uint64_t[3]){ FILE_STATFS }, NULL, 0, &info, &size);
	if (result == -ENOTCONN || result == -EINVAL) {
		result = attributes_anonymous(fd, &attributes);
		uint32_t type = attributes.mode & LINUX_S_IFMT;
		info = (struct file_system_info){ .block_size = PAGE_SIZE, .name_max = 255,
			.type = type == LINUX_S_IFIFO ? PIPE_SYSTEM : type == LINUX_S_IFREG ? MEMORY_SYSTEM : ANONYMOUS_SYSTEM };
		size = sizeof info;
	}
	if (result < 0)
		return result;
	return size == sizeof info ? statfs_write(t, argument[1], &info) : -EIO;
}
