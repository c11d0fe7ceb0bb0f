/*
 * Descriptors: handles below HANDLE_HIGH. What a program passes must be checked against that bound before any native call, since the
 * library's own handles live above it and the kernel trusts calls that come from the library.
 */
#ifndef LINUX_FD_DESCRIPTOR_H
#define LINUX_FD_DESCRIPTOR_H
#include "abi/description.h"
#include "carillon/file_protocol.h"
#include "linux/linux.h"

#define LINUX_TRANSFER_MAX 0x7ffff000ul /* Linux moves at most this much in one call */
#define LINUX_VECTOR_MAX 1024u
#define LINUX_DESCRIPTORS_MAX 65536u /* handles of the low range */

static inline bool descriptor_valid(int fd) { return fd >= 0 && fd < HANDLE_HIGH; }

/* 0; -EBADF: no such descriptor; -EINVAL: a handle that is not a description (an epoll descriptor). */
int64_t descriptor_info(int fd, struct description_info *info);
/* Kind of object behind fd (enum object_kind), or -EBADF. */
int64_t descriptor_kind(int fd);
/* Moves a fresh handle to the lowest free number from minimum up (0: a descriptor), with the option; one already in the right range stays. Consumes handle, also on failure. */
int64_t descriptor_install(handle_t handle, uint32_t minimum, bool close_on_exec);
/*
 * A handle of the library for the open file behind fd, to be closed by the caller, or -EBADF. Calls that wait and then use fd again work on it: what
 * another thread closes or replaces meanwhile is, as on Linux, still what the call is about. Neither fork nor exec passes it on.
 */
int64_t descriptor_pin(int fd);
/* Is it a place that no server keeps (memfd_create)? */
bool memory_file(int fd, const struct description_info *info);
/* The flags that F_GETFL tells. */
uint32_t descriptor_flags(const struct description_info *info);
/*
 * What a native transfer's failure means to Linux: a missing right is EBADF, EPIPE raises SIGPIPE and EFBIG SIGXFSZ.
 */
int64_t transfer_error(struct linux_thread *t, int fd, int64_t error);

/*
 * Reading and writing library memory or the program's (address), waiting as the description says, interruptible. offset NULL: the cursor.
 * As linux_read and linux_write give it; also used by sendfile and copy_file_range. fd may be pinned.
 */
int64_t transfer_read(struct linux_thread *t, int fd, uint64_t address, uint64_t length, const int64_t *offset);
int64_t transfer_write(struct linux_thread *t, int fd, uint64_t address, uint64_t length, const int64_t *offset);

/* Into a pipe as splice does it: what fits once there is room. offset NULL: in's cursor. */
int64_t splice_into_pipe(struct linux_thread *t, int in, int64_t *offset, int out, uint64_t length);

/* fcntl's F_GETLK, F_SETLK, F_SETLKW and their F_OFD_ kin (lock.c). */
int64_t lock_record(struct linux_thread *t, int fd, const struct description_info *info, int command, uint64_t address);
/* fd is about to be closed: the process's record locks on its file go. Any number is allowed. */
void lock_closing(struct linux_thread *t, int fd);
/* The same for all descriptors of a range, or with on_exec for those marked close-on-exec. */
void lock_closing_range(struct linux_thread *t, uint32_t first, uint32_t last, bool on_exec);
#endif
