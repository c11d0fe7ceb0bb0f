/*
 * The namespace of a process: a table of mounts, a working directory, and walks of paths through them.
 *
 * A walk asks one server at a time. The message carries the whole remaining path and the places (stops) where this process has
 * something mounted; the server answers the operation itself, or tells how far it came:
 *
 *        begin -> send -> answered -> end
 *                  ^ \ stopped at a mount: base = the mounted root, path = what follows the name
 *                  |  | stopped at a link: path = consumed prefix + target + rest (absolute target: base = the root)
 *                  +--/ stopped above a server's root: base = the directory that holds the mount, path = what follows ".."
 *
 * (FILE_STOP_FORWARD, a node that another port answers for, is followed within the step.)
 * So an ordinary open or stat costs one message. A place is known by (device, qid), never by its text. Since the consumed prefixes
 * hold no symbolic links, joining them gives the physical path of the result, which chdir keeps for getcwd.
 *
 * A base whose mount is not known (a directory descriptor) is first asked with the stops of all mounts; only if it stops at one or
 * climbs above the server's root is it identified by one FILE_GETATTR.
 *
 * Rules: no globals, no allocation. A struct ns_walk is about 13 KiB: on a library stack or from the caller's allocator.
 * Walks may run in many threads at once, also against ns_set_directory. ns_mount and ns_unmount must not run beside walks
 * (their user is init, single-threaded). ns->lock is a leaf: no call that may block for long is made under it.
 */
#ifndef USER_NS_NS_H
#define USER_NS_NS_H
#include <stddef.h>
#include <stdint.h>
#include "abi/message.h"
#include "abi/types.h"
#include "carillon/file_protocol.h"
#include "carillon/record.h"

#define NS_MOUNT_UNKNOWN (-1) /* not identified yet */
#define NS_MOUNT_FOREIGN (-2) /* a directory of a server outside this namespace: no stops, its root is the end */
#define NS_LINKS_MAX 40
#define NS_RETIRED_MAX 16

/* record_mount.flags */
#define NS_MOUNT_BIND 0x1u    /* the mounted root is not the root its server exports: ".." must be watched here */

/* ns_walk_begin: where a relative path starts; a number >= 0 is a description's handle */
#define NS_WORKING_DIRECTORY (-100)

struct ns {
	uint32_t lock;          /* futex mutex: 0 free, 1 held, 2 held and waited for */
	uint32_t walkers;       /* walks that may be using directory_port (under lock) */
	uint32_t retired_count; /* old working directories, closed when walkers is 0 (under lock) */
	uint32_t mount_count;
	int32_t retired[NS_RETIRED_MAX];
	int32_t directory_port; /* under lock, as the four fields below; HANDLE_NONE: the root */
	int32_t directory_mount;
	uint64_t directory_qid;
	uint32_t directory_qid_known;
	uint32_t reserved;
	char directory_path[RECORD_PATH]; /* physical path; "" when it must be found by climbing */
	struct record_mount mount[RECORD_MOUNTS];
};

struct ns_walk {
	struct ns *ns;
	int32_t base;           /* a client port, or a description's handle when described is set */
	int32_t owned;          /* a port that ns_walk_end closes, or HANDLE_NONE */
	int32_t mount;          /* the mount base lies in */
	uint8_t described, pinned;
	uint8_t at_root;        /* base is exactly the root of its mount */
	uint8_t empty;          /* the caller's path was empty: the base itself is meant (AT_EMPTY_PATH) */
	uint32_t links;         /* followed so far */
	uint32_t flags;         /* FILE_NO_FOLLOW */
	uint32_t path_length;
	uint32_t second_length;
	const void *second;     /* operation data; must stay valid during ns_walk_call */
	uint32_t text_valid;    /* text holds the physical path of base, without "/" for the root */
	uint32_t text_length;
	char text[RECORD_PATH];
	uint8_t head[sizeof(struct file_path) + FILE_STOPS_MAX * sizeof(uint64_t)]; /* filled from its end: head and path are one range */
	char path[FILE_PATH_MAX];
	char tail[FILE_PATH_MAX];  /* room for the operation data behind the path */
	uint8_t reply[FILE_PATH_MAX] __attribute__((aligned(8)));
};

/*
 * Take over mounts and working directory from a record (the handles stay the record's and are used in place). -EINVAL for a record that
 * makes no sense (counts, indices, unterminated text).
 */
int64_t ns_start(struct ns *ns, const struct process_record *record);
/* Write mounts and working directory into a record. A working directory whose text does not fit is passed without text. */
void ns_record_write(struct ns *ns, struct process_record *record);
/* For fork: hold the lock while the address space is cloned; ns_fork_child is for the copy, in which no walk runs. */
void ns_fork_prepare(struct ns *ns);
void ns_fork_parent(struct ns *ns);
void ns_fork_child(struct ns *ns);

/*
 * Begin a walk of path (length bytes, no NUL needed; it may be walk->path itself) from directory (NS_WORKING_DIRECTORY or a handle of a
 * directory's description, which the caller has checked and keeps open). flags: FILE_NO_FOLLOW. Every begun walk must be ended, also
 * when this returned an error. -ENOENT: empty path (unless allow_empty), -ENAMETOOLONG.
 */
int64_t ns_walk_begin(struct ns *ns, struct ns_walk *walk, int32_t directory, const char *path, size_t length,
	uint32_t flags, int allow_empty);
/* Begin a walk from a client port that the caller keeps, lying in mount. */
int64_t ns_walk_begin_port(struct ns *ns, struct ns_walk *walk, int32_t port, int32_t mount, const char *path, size_t length, uint32_t flags);
void ns_walk_end(struct ns_walk *walk);

/*
 * Perform a path operation. In: message->word[], handle[], handle_count, handle_minimum; walk->second. The ranges are the walk's:
 * the reply's bytes are in walk->reply (message->receive_size of them, at most sizeof walk->reply). Out: words and handles of the reply.
 * Returns word[0] >= 0 or a negative error. May be called again for another operation on the same (now resolved) path.
 * -ELOOP after NS_LINKS_MAX links, -ENAMETOOLONG when an expanded path does not fit, -EIO for a server that breaks the protocol.
 * -EINTR comes only from forwarded operations, which have then changed nothing: they may be repeated.
 * A walk that ends at the root or a mount point answers creation with -EEXIST and removal with -EBUSY or -EISDIR.
 */
int64_t ns_walk_call(struct ns_walk *walk, struct message *message, uint32_t options);
/*
 * One step, for operations that walk two paths: send once; 1 when the walk stopped and was advanced (send again), 0 when answered
 * (message->word[0] may still be an error), a negative error otherwise. A stop in the second path (word[4] = 1 of FILE_RENAME) returns 2 and
 * leaves the stop in message for ns_walk_advance on the other walk.
 */
int64_t ns_walk_step(struct ns_walk *walk, struct message *message, uint32_t options);
int64_t ns_walk_advance(struct ns_walk *walk, const struct message *message, const void *range, uint32_t range_size);
/* Strip what needs no server from the front of the path ("/", "./", ".." at a root). Done by ns_walk_step; for second paths. */
int64_t ns_walk_prepare(struct ns_walk *walk);
/* Find out which mount the base lies in (one message when it is not known). Always leaves walk->mount >= 0 or NS_MOUNT_FOREIGN. */
int64_t ns_walk_identify(struct ns_walk *walk);
/* Resolve everything but the last component, so that base is the parent and path one name (with trailing slashes). */
int64_t ns_walk_to_parent(struct ns_walk *walk);
/* Resolve the path to a node port, which becomes the walk's base. *mode and *qid may be NULL. The port belongs to the walk. */
int64_t ns_walk_to_node(struct ns_walk *walk, uint64_t *qid, uint32_t *mode);
/* A client port for the walk's base; *temporary is set when the caller must close it. Returns a handle or an error. */
int64_t ns_walk_port(struct ns_walk *walk, int *temporary);
/* The physical path of base joined with the walk's path, NUL-terminated ("/" for the root), into buffer; its length, or -ENOENT if unknown. */
int64_t ns_walk_text(const struct ns_walk *walk, char *buffer, size_t size);

/* Make a resolved walk's base (after ns_walk_to_node) the working directory. The port leaves the walk. -ENOMEM when too many old ones linger. */
int64_t ns_set_directory(struct ns *ns, struct ns_walk *walk, uint64_t qid);
/*
 * The working directory's path as it is now, NUL-terminated; the length without the NUL. Verified against the server, found by climbing
 * if it was renamed. scratch is any unused walk. -ENOENT if it was removed, -ERANGE if size is too small.
 */
int64_t ns_get_directory(struct ns *ns, struct ns_walk *scratch, char *buffer, size_t size);
/* Climb from the walk's base (its path is ignored and destroyed) to the root by ".." and directory reading. As above. */
int64_t ns_climb(struct ns_walk *walk, char *buffer, size_t size);

/*
 * Mount: from now on the node behind port (which the table keeps on success) stands at path. type is for /proc/self/mounts.
 * With replace set an existing mount at that very place gets the new port instead, and the old one is closed. bind tells that the node is not the
 * root its server exports. -ENOSPC: table full.
 */
int64_t ns_mount(struct ns *ns, struct ns_walk *scratch, const char *path, int32_t port, const char *type, int bind, int replace);
/* Remove the mount whose root path leads to. -EINVAL: not a mounted root; -EBUSY: the root mount, or others are mounted in it. */
int64_t ns_unmount(struct ns *ns, struct ns_walk *scratch, const char *path);

/*
 * What an open object is called in this namespace: asks its server and adds where that is mounted. Without NUL, into buffer; the length, or a negative
 * error: -ENOENT (it has no name), -ENOTCONN (nobody to ask), -ERANGE.
 */
int64_t ns_name(const struct ns *ns, int32_t description, char *buffer, size_t size);
/* Attributes of a node port or (described) description. */
int64_t ns_attributes(int32_t handle, int described, struct file_attributes *attributes);

/*
 * A call of a server. When the server dies in the middle of it (-EPIPE), the call is made again if being done twice is the same as being done once: the
 * server that takes its place has what was done. Others, and those of a server that has been given up, are -EIO.
 */
int64_t ns_call(int32_t handle, int described, struct message *message, uint32_t options);
#endif
