/* Structures that Linux lays out differently on x86_64 than on newer ports. */
#ifndef LINUX_LAYOUT_H
#define LINUX_LAYOUT_H
#include <stdint.h>
#include "linux/constants.h"

struct linux_stat {
	uint64_t device, inode, links;
	uint32_t mode, user, group, padding;
	uint64_t special_device;
	int64_t size, block_size, blocks;
	struct linux_timespec access, modify, change;
	int64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "as Linux has it");

struct linux_epoll_event { uint32_t events; uint64_t word; } __attribute__((packed));
/* As the kernel keeps it and rt_sigaction passes it. */
struct linux_action {
	uint64_t handler; /* LINUX_SIG_DFL, LINUX_SIG_IGN or an address */
	uint64_t flags;   /* LINUX_SA_* */
	uint64_t restorer;
	uint64_t mask;    /* bit n-1 is signal n */
};

static inline uint64_t linux_action_restorer(const struct linux_action *action) { return action->restorer; }
#endif
