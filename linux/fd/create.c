/* Descriptors that need no name: pipes and memory files. */
#include "abi/memory.h"
#include "abi/message.h"
#include "linux/fd/descriptor.h"

#define PIPE_CAPACITY 65536u
#define MFD_CLOEXEC 1u
#define MFD_ALLOW_SEALING 2u
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC 16u
#define MFD_NAME_MAX 249

static const struct description_request description_empty = {
	.memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = HANDLE_NONE, .control = HANDLE_NONE, .event = HANDLE_NONE,
};

static int64_t pipe_create(struct linux_thread *t, uint64_t address, uint32_t flags)
{
	struct channel_ends ends;
	struct description_request request = description_empty;
	uint32_t kept = flags & LINUX_O_NONBLOCK;
	int32_t fd[2];

	if (flags & ~(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK | LINUX_O_DIRECT))
		return -EINVAL;
	int64_t result = channel_create(CHANNEL_STREAM, PIPE_CAPACITY, &ends);
	if (result < 0)
		return result;
	request.kind = DESCRIPTION_FLOW;
	request.flags = kept ? DESCRIPTION_NON_BLOCKING : 0;
	request.receiver = ends.receiver;
	request.rights = RIGHT_READ;
	request.cookie = FILE_COOKIE(FILE_KIND_PIPE, LINUX_O_RDONLY | kept);
	int64_t reader = description_create(&request);
	if (reader < 0) {
		handle_close(ends.receiver);
		handle_close(ends.sender);
		return reader;
	}
	request.receiver = HANDLE_NONE;
	request.sender = ends.sender;
	request.flags |= flags & LINUX_O_DIRECT ? DESCRIPTION_PACKETS : 0;
	request.rights = RIGHT_WRITE;
	request.cookie = FILE_COOKIE(FILE_KIND_PIPE, LINUX_O_WRONLY | kept);
	int64_t writer = description_create(&request);
	if (writer < 0) {
		handle_close(ends.sender);
		handle_close((handle_t)reader);
		return writer;
	}
	reader = descriptor_install((handle_t)reader, 0, flags & LINUX_O_CLOEXEC);
	if (reader < 0) {
		handle_close((handle_t)writer);
		return reader;
	}
	writer = descriptor_install((handle_t)writer, 0, flags & LINUX_O_CLOEXEC);
	if (writer < 0) {
		handle_close((handle_t)reader);
		return writer;
	}
	fd[0] = (int32_t)reader;
	fd[1] = (int32_t)writer;
	if (user_write(t, address, fd, sizeof fd)) {
		handle_close(fd[0]);
		handle_close(fd[1]);
		return -EFAULT;
	}
	return 0;
}

int64_t linux_pipe(struct linux_thread *t, const uint64_t argument[6])
{
	return pipe_create(t, argument[0], 0);
}

int64_t linux_pipe2(struct linux_thread *t, const uint64_t argument[6])
{
	return pipe_create(t, argument[0], (uint32_t)argument[1]);
}

/* A place over a fresh memory object: no server knows of it, fstat and ftruncate are answered here. */
int64_t linux_memfd_create(struct linux_thread *t, const uint64_t argument[6])
{
	char name[MFD_NAME_MAX + 1];
	uint32_t flags = (uint32_t)argument[1];
	struct description_request request = description_empty;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC) || (flags & MFD_NOEXEC_SEAL && flags & MFD_EXEC))
		return -EINVAL;
	int64_t result = user_string(t, name, argument[0], sizeof name);
	if (result < 0)
		return result == -ENAMETOOLONG ? -EINVAL : result;
	int64_t memobj = memobj_create(0, MEMOBJ_GROW);
	if (memobj < 0)
		return memobj;
	(void)memobj_seal((handle_t)memobj, flags & MFD_NOEXEC_SEAL ? SEAL_EXECUTE : flags & MFD_ALLOW_SEALING ? 0 : SEAL_SEALS);
	request.kind = DESCRIPTION_PLACE;
	request.memobj = (handle_t)memobj;
	request.rights = RIGHT_READ | RIGHT_WRITE;
	request.cookie = FILE_COOKIE(FILE_KIND_REGULAR, LINUX_O_RDWR | LINUX_O_LARGEFILE);
	int64_t description = description_create(&request);
	handle_close((handle_t)memobj);
	return description < 0 ? description : descriptor_install((handle_t)description, 0, flags & MFD_CLOEXEC);
}
