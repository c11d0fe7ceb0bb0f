/*
 * The tree of the root file system: nodes, directories, links. Pure: no system calls; what a node's content is (a memory object, a FIFO's
 * bytes, another server's port) is known to content.c only, which tree.c tells through tree_content_release when a node dies.
 *
 * Life of a node: it lives while links + references > 0. links counts names (a directory also counts itself and its subdirectories, as st_nlink
 * tells). references counts client ports, open objects and calls set aside. node_put and the unlinking operations free it at zero.
 *
 * Ids: a node is known outside by index and generation (node_id), never by address. An id of a node that has gone is not found.
 *
 * Directories keep entries in an array ordered by cookie, with holes where names were removed, and a hash table by name. A cookie is given
 * once and never again, so a reader who goes on after cookie c sees each name that stood all the while exactly once.
 *
 * What a successor finds of it (store.h): a record for each node, name and target. Links are counted from the names then, references from the
 * ports that live. Whoever changes a field of a node that its record holds calls node_changed.
 */
#ifndef FS_TREE_H
#define FS_TREE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"
#include "store.h"

struct node;

struct entry {
	struct stored stored;
	struct node *node, *parent;
	struct entry *next;      /* in the hash chain */
	uint64_t cookie;
	uint32_t hash;
	uint16_t length;
	char name[];
};

struct directory {
	struct node *parent;     /* NULL: the root, or never linked; a removed directory holds a reference to it */
	struct entry **order;    /* by cookie; NULL: a hole */
	uint64_t *order_cookie;  /* cookie of each place, holes too */
	size_t order_used, order_room;
	size_t count;
	struct entry **bucket;
	size_t buckets;          /* power of two, 0 while empty */
	uint64_t next_cookie;
};

struct fifo;

struct node {
	struct stored stored;
	uint32_t index, generation;
	uint64_t inode;
	uint32_t mode, user, group, links;
	uint32_t references;
	uint64_t home;           /* id of the directory where it last got a name: where tree_path looks first */
	struct lock *locks;      /* lock.c */
	struct watch *watches;   /* watch.c */
	uint32_t writers;        /* open objects that may write */
	bool linkable;           /* made without a name and may get one (O_TMPFILE); not kept over a restart */
	bool forward;            /* another server answers for it: content.port */
	bool channel;            /* published in /chan (channel.h): content.channel */
	bool is_device;          /* one of the built-in devices: content.device */
	uint64_t special_device;
	uint64_t access_time, modify_time, change_time, birth_time; /* nanoseconds since 1970 */
	uint64_t content_stamp;  /* channel: its type; regular: memobj_info.modified when modify_time was set by hand; later changes are newer */
	union {
		handle_t memobj;     /* regular file */
		handle_t port;       /* forward; socket: where to connect, or HANDLE_NONE */
		int device;          /* enum fs_device */
		struct directory directory;
		struct { struct stored stored; char *target; size_t length; } symlink;
		struct { handle_t sender, receiver; } channel;
		struct fifo *fifo;   /* FIFO: NULL until first opened */
	} content;
};

#define COOKIE_DOT 1u
#define COOKIE_DOT_DOT 2u
#define COOKIE_FIRST 3u

/* Provided by content.c (and by the unit test): closes what a dying non-directory holds. */
void tree_content_release(struct node *node);
/* Provided by watch.c: a node that is watched dies. */
void tree_watches_release(struct node *node);
/* Provided likewise: the time now, nanoseconds since 1970. */
uint64_t tree_now(void);

/* The greatest number of nodes; creating more fails with -ENOSPC. Once. */
void tree_limit(uint64_t nodes);
uint64_t tree_node_count(void);
uint64_t tree_node_limit(void);

/* A new node with no links and no references and mode with type bits; NULL: no memory or too many nodes (*error says which). */
struct node *node_create(uint32_t mode, int *error);
/* Frees a node that never got a link or reference. */
void node_discard(struct node *node);
static inline void node_changed(struct node *node) { stored_changed(&node->stored); }
/* Gives a new symbolic link its target. -ENOSPC. */
int node_set_target(struct node *node, const char *target, size_t length);
void node_get(struct node *node);
void node_put(struct node *node);
uint64_t node_id(const struct node *node);      /* below 2^60 */
struct node *node_find(uint64_t id);            /* NULL: gone */

/* Makes the root directory, once. */
struct node *tree_create_root(void);
struct node *tree_root(void);

/*
 * A path that leads to the node now, from the root ("/" for the root itself), into buffer, without NUL; its length. One of several names
 * is chosen. -ENOENT: it has none any more. -ENAMETOOLONG. Searches the whole tree when the node was moved from its last directory.
 */
int64_t tree_path(const struct node *node, char *buffer, size_t size);
/* 0 and *child, or -ENOENT. */
int tree_lookup(const struct node *directory, const char *name, size_t length, struct node **child);
/* Gives node the name in directory: counts links, sets times. The name must be free. -ENOENT (directory removed), -EMLINK, -ENOSPC. */
int tree_link(struct node *directory, const char *name, size_t length, struct node *node);
/* Removes a name of anything but a directory: -ENOENT, -EISDIR. */
int tree_unlink(struct node *directory, const char *name, size_t length);
/* Removes an empty directory: -ENOENT, -ENOTDIR, -ENOTEMPTY. */
int tree_remove_directory(struct node *directory, const char *name, size_t length);

#define RENAME_NO_REPLACE 1u
#define RENAME_SWAP 2u
/*
 * POSIX rename, with Linux's flags. -ENOENT, -EINVAL (into itself; both flags), -EEXIST, -EISDIR, -ENOTDIR, -ENOTEMPTY, -ENOSPC.
 * Nothing is changed unless it returns 0.
 */
int tree_rename(struct node *old_directory, const char *old_name, size_t old_length, struct node *new_directory, const char *new_name,
	size_t new_length, uint32_t flags);

/* -- after a predecessor's death (tree_recover.c) */
struct tree_recovery {
	unsigned nodes, names;           /* that stand again */
	unsigned bad_nodes, bad_names;   /* that were dropped, because they did not check or fit nothing */
};
/*
 * Builds the tree from the records of the store. Nodes without a name live until tree_recover_end, so that node_get can be called for
 * those that are in use. content_is_sound (provided like the others): does what the record says of the content hold? False: there is no root, nothing was built.
 */
bool tree_recover(struct tree_recovery *recovery);
/* Instead: all records are dropped. */
void tree_forget(void);
/* Visits every node; visit frees none but the one it is given. */
void tree_each(void (*visit)(struct node *node));
/* Frees nodes that have neither name nor reference. */
void tree_recover_end(void);
bool tree_content_is_sound(const struct node *node);
/* Tells the store how the tree's records are written. Before the first node. */
void tree_store_start(void);

/* The first entry with a cookie above `after` (>= COOKIE_DOT_DOT), NULL at the end. */
const struct entry *tree_next_entry(const struct node *directory, uint64_t after);
#endif
