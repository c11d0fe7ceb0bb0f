/*
 * The file protocol: what programs ask of anything that serves names (file systems, /dev, /proc, terminals).
 *
 * Operations and meaning are 9P2000.L's, with Linux's flag, mode and error values, sent over ports. A client port names
 * a node (a file or directory, "node port") or an open object (the control port of a description).
 * word[0] = operation; in a reply word[0] = negative error, or >= 0.
 *
 * Paths. Operations marked (path) take a path in the send range, relative to the port's node, and walk it in the server:
 *   send range = struct file_path, then stop_count device-local qids (uint64_t) at which the walk must stop because something is
 *   mounted there, then the path (path_length bytes, no NUL, '/' separated, may be empty = the node itself), then
 *   second_length bytes of operation data (symlink target, second path of a rename, ...).
 * The walk ends early, with word[0] = FILE_WALK_STOPPED, when it
 *   meets a mount      word[1] = FILE_STOP_MOUNT, word[3] = qid of the place
 *   meets a symlink    word[1] = FILE_STOP_LINK; the reply's range holds its target. A final symlink counts only without
 *                      FILE_NO_FOLLOW; with a trailing slash always.
 *   climbs above the root the server exports ("..")   word[1] = FILE_STOP_ROOT
 *   ends at a node that another port answers for (a forwarding node such as /dev/tty, or a FIFO whose open has to wait)
 *                      word[1] = FILE_STOP_FORWARD, handle[0] = that port (moved). Only FILE_OPEN, FILE_WALK, FILE_GETATTR and FILE_SETATTR stop so.
 *                      The caller repeats the operation on handle[0] with the same words and an EMPTY path (stop_count 0, second data as before),
 *                      with CALL_INTERRUPTIBLE because it may wait for long, and closes the port after. The node's own reply is final.
 * and word[2] = number of bytes of the path consumed: for a mount up to and including the mount's name; for a link up to (not including)
 * the link's name; for root up to (not including) the "..". The caller goes on from there. Nothing was changed in these cases.
 * Consumed components held no symlink, so consumed prefix + new text is an equivalent path.
 * Trailing slashes mean "must be a directory" (ENOTDIR). Names longer than 255 bytes: ENAMETOOLONG; paths are at most 4095 bytes.
 * Everyone is root (uid 0) for now: permission bits are kept but never refuse.
 */
#ifndef CARILLON_FILE_PROTOCOL_H
#define CARILLON_FILE_PROTOCOL_H
#include <stdint.h>
#include "abi/message.h"

struct file_path {
	uint32_t path_length, second_length;
	uint32_t stop_count;
	uint32_t flags; /* FILE_NO_FOLLOW ... */
};
#define FILE_NO_FOLLOW 0x1u   /* a final symlink is the object itself */
#define FILE_STOPS_MAX 64
#define FILE_PATH_MAX 4096

#define FILE_WALK_STOPPED 1
enum file_stop { FILE_STOP_MOUNT = 1, FILE_STOP_LINK, FILE_STOP_ROOT, FILE_STOP_FORWARD };

enum file_operation {
	/* 1 and 2 are SERVICE_READ and SERVICE_WRITE of abi/message.h, sent by the kernel on a service's control port */
	FILE_READ = SERVICE_READ,
	FILE_WRITE = SERVICE_WRITE,
	FILE_OPEN = 3,   /* (path) word1 = Linux open flags (O_CREAT O_EXCL O_TRUNC O_DIRECTORY O_APPEND O_PATH access mode ...), word2 = mode with the
	                    umask applied. Reply: handle[0] = description (moved), word1 = qid, word2 = mode (type bits), word3 = FILE_KIND_*.
	                    A directory or O_PATH opens as a service description with DESCRIPTION_NO_IO whose control port is a node port;
	                    a directory's also with DESCRIPTION_SEEKABLE: its cursor is the cookie of FILE_READDIR, moved by the library. */
	FILE_WALK,       /* (path) Reply: handle[0] = node port, word1 = qid, word2 = mode */
	FILE_GETATTR,    /* (path) also on an open object with an empty path. Reply range: struct file_attributes */
	FILE_SETATTR,    /* (path) second data = struct file_setattr; also on open objects (ftruncate, fchmod, futimens) */
	FILE_READDIR,    /* on a directory's node port or description: word1 = cookie (0 first). Reply range: struct file_entry list, word1 = bytes, 0 at the end */
	FILE_MAKE_DIRECTORY, /* (path) word1 = mode */
	FILE_MAKE_NODE,  /* (path) word1 = mode with type bits (regular, FIFO, socket; devices: EPERM), word2 = device number. A socket's node keeps
	                    handle[0] (moved), if there is one: where to connect (socket_protocol.h). Reply: word1 = qid, word2 = mode */
	FILE_SYMLINK,    /* (path) second = target */
	FILE_LINK,       /* (path = new name) handle[0] = node port of the existing file (from FILE_WALK, copied) */
	FILE_UNLINK,     /* (path) word1 = 1: remove a directory (rmdir) */
	FILE_RENAME,     /* (path = old, second = new) handle[0] = node port of the directory the new path is relative to, word1 = Linux renameat2 flags.
	                    A stop while walking the second path is told with word4 = 1. Directories of two servers: EXDEV. */
	FILE_READLINK,   /* (path, FILE_NO_FOLLOW implied) Reply range: target, word1 = length; or handle[0] = a description (moved) whose FILE_NAME is
	                    the target, which the caller asks for. FILE_STOP_LINK may carry one likewise (links to descriptors in /proc) */
	FILE_STATFS,     /* Reply range: struct file_system_info */
	FILE_SYNC,       /* on an open object or node */
	FILE_IOCTL,      /* on an open object: word1 = request, word2 = argument word; word3 = the calling thread's mask of blocked signals (job control: a
	                    background caller that blocks SIGTTOU is let through); send range: input bytes if any; reply range: output bytes,
	                    word1 = result. Terminals know TCGETS TCSETS* TIOCGWINSZ ... by Linux's numbers and layouts; others ENOTTY. */
	FILE_TERMINAL_OPENED, /* reserved */
	FILE_LOCK,       /* on an open object: word1 = FILE_LOCK_* (one class, one type), word2 = start, word3 = length (0: to the end of all files), word4 = 1: start
	                    counts from the file's size, word5 = the calling thread's number. With FILE_LOCK_WAIT the reply comes when the lock is had.
	                    FILE_LOCK_TEST: reply word1 = class and type of a lock in the way (0: none), word2 = start, word3 = length, word4 = pid or -1.
	                    EAGAIN, EDEADLK, EBADF (not open for that), EOWNERDEAD (record lock, and FILE_LOCK_REGISTER has not been done) */
	FILE_LOCK_REGISTER, /* on an open object: reply handle[0] = a port; when its last reference goes, the caller's record locks go. So it is kept
	                    with HANDLE_NOT_COPIED, by the process itself alone */
	FILE_LOCK_RELEASE, /* on an open object: the caller's record locks on the file go, as POSIX wants it at each close */
	FILE_LOCK_CANCEL, /* on an open object: word1 = thread: it no longer waits for a lock */
	FILE_LOCK_PLACE, /* locks of what has no file of this server: handle[0] = its description, word1 and word2 = st_dev and st_ino if another
	                    server tells such. Reply handle[0] = a port that takes the four operations above for that description and whose last
	                    reference is its end; it is meant for description_attach. With word3 = 1 only FILE_LOCK_RELEASE is done, and no port comes */
	FILE_WATCH_CREATE, /* word1 = Linux's open flags: reply handle[0] = description of a new queue of events about files of this server (inotify) */
	FILE_WATCH_ADD,  /* on such a description: handle[0] = node port of what is to be watched, word1 = inotify's mask. Reply word1 = watch number.
	                    ENOSPC: too many, or the node is another server's */
	FILE_WATCH_REMOVE, /* on such a description: word1 = watch number */
	FILE_SOCKET = 48, /* (path) Reply: handle[0] = a copy of the port that a socket's node keeps. ECONNREFUSED: no socket's node, or none kept */
	FILE_NAME,       /* on an open object or node: what it is called. Reply range: a path, word1 = its length, word2 = 0: the path is absolute, or the
	                    st_dev of the server, below whose exported root it is meant. ENOENT: it has no name */
	FILE_CHANNEL,    /* (path) FILE_OPEN of a published channel (servers/fs/channel.h) that gives its ends: handle[0] = sender, handle[1] = receiver, and, to who
	                    publishes, handle[2] = a port whose last reference is its death (all moved). Access is O_RDWR. ENXIO: it is no channel */
	/* privileged: through a port whose data word is FILE_PORT_SYSTEM (boot_names.h) */
	FILE_PLACE_FORWARD = 64, /* (path = name, which must be new or a forwarding node) handle[0] = client port of another server's node (moved),
	                       word1 = mode with type bits (told by readdir only), word2 = device number: whatever opens, walks to, stats or sets the name
	                       gets FILE_STOP_FORWARD with a copy of that port */
};

/* FILE_LOCK: classes. Record locks belong to the process, description locks to the open object, and both meet; whole locks (flock) are apart. */
#define FILE_LOCK_RECORD 0x1u
#define FILE_LOCK_DESCRIPTION 0x2u
#define FILE_LOCK_WHOLE 0x4u
#define FILE_LOCK_CLASSES 0x7u
#define FILE_LOCK_SHARED 0x10u
#define FILE_LOCK_EXCLUSIVE 0x20u
#define FILE_LOCK_NONE 0x40u /* unlock */
#define FILE_LOCK_TYPES 0x70u
#define FILE_LOCK_WAIT 0x100u
#define FILE_LOCK_TEST 0x200u

/* cookie of a description: what the library may do with it */
enum file_kind {
	FILE_KIND_OTHER, FILE_KIND_REGULAR, FILE_KIND_DIRECTORY, FILE_KIND_PIPE, FILE_KIND_TERMINAL, FILE_KIND_DEVICE, FILE_KIND_PATH, /* O_PATH */
	FILE_KIND_SOCKET, FILE_KIND_EVENT, FILE_KIND_EPOLL, FILE_KIND_TIMER, FILE_KIND_SIGNAL, FILE_KIND_WATCH,
	FILE_KIND_PROCESS, /* pidfd */
};
/* the library keeps the Linux access mode and O_ flags that fcntl(F_GETFL) tells in the cookie's upper half */
#define FILE_COOKIE(kind, open_flags) ((uint64_t)(kind) | (uint64_t)(uint32_t)(open_flags) << 32)
#define FILE_COOKIE_KIND(cookie) ((enum file_kind)((cookie) & 0xff))
#define FILE_COOKIE_SOCKET(cookie) ((uint32_t)((cookie) >> 8) & 0xf) /* a socket's type, as Linux numbers them */
#define FILE_COOKIE_FLAGS(cookie) ((uint32_t)((cookie) >> 32))

struct file_attributes {
	uint64_t device, qid;      /* identity of the node: st_dev and st_ino */
	uint64_t size, blocks;     /* bytes; 512-byte units */
	uint64_t access_time, modify_time, change_time, birth_time; /* nanoseconds since 1970 */
	uint64_t special_device;   /* st_rdev */
	uint32_t mode, links, user, group;
	uint32_t block_size, reserved;
};

#define FILE_SET_MODE 0x1u
#define FILE_SET_USER 0x2u
#define FILE_SET_GROUP 0x4u
#define FILE_SET_SIZE 0x8u
#define FILE_SET_ACCESS_TIME 0x10u
#define FILE_SET_MODIFY_TIME 0x20u
#define FILE_SET_ACCESS_NOW 0x40u
#define FILE_SET_MODIFY_NOW 0x80u
struct file_setattr {
	uint32_t valid, mode, user, group;
	uint64_t size, access_time, modify_time;
};

struct file_entry {            /* 8-aligned, record_length bytes each */
	uint64_t qid, cookie;      /* cookie: where to go on after this entry */
	uint16_t record_length, name_length;
	uint32_t type;             /* DT_* of Linux's getdents64 */
	char name[];               /* NUL-terminated */
};

struct file_system_info {
	uint64_t type, block_size, blocks, blocks_free, files, files_free, name_max, device;
};
#endif
