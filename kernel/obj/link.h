/* Links, the descriptions of sockets, as description.c and description_io.c see them: see link.c. */
#ifndef KERNEL_LINK_OBJECT_H
#define KERNEL_LINK_OBJECT_H
#include "abi/link.h"
#include "kernel/ipc/flight.h"
#include "kernel/obj/description.h"

struct label;
/* What a description of kind DESCRIPTION_LINK has beside its ends. Under the description's lock unless it says otherwise. */
struct link {
	uint32_t mode;                /* LINK_STREAM ...; constant */
	struct channel_end *entry;    /* datagrams: the sender end of the own queue; constant */
	struct label *label[2];       /* enum link_label */
	uint64_t timeout[2];          /* reading, writing; nanoseconds, 0: none */
	uint64_t send_limit;
	uint64_t word[LINK_WORDS];
	bool reset_taken;             /* the peer's reset was told */
	bool urgent_in_line;
	uint32_t shut;                /* LINK_SHUT_* for directions without a channel to tell it */
	struct flight flight;         /* channel_nesting_lock */
};
/* For description_create: flags holds the mode, the parts are its. 0 or -ENOMEM, -EINVAL. */
int link_create(struct description *description, uint32_t mode) must_check;
void link_destroy(struct description *description);
uint32_t link_ready(struct description *description);
int64_t link_transfer(struct description *description, const struct io_vector *vector, unsigned count, uint64_t total, uint32_t flags, bool write) must_check;
#endif
