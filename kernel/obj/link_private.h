/* What link.c and link_call.c share. */
#ifndef KERNEL_LINK_PRIVATE_H
#define KERNEL_LINK_PRIVATE_H
#include "kernel/obj/link.h"

struct segment_source;
struct segment_sink;
/* Are the ends (NULL: none) of channels in the link's mode? */
bool link_ends_fit(uint32_t mode, const struct channel_end *sender, const struct channel_end *receiver);
/* The sender end with a reference, or NULL. */
struct channel_end *link_sender_ref(struct description *description);
/* -ECONNRESET or 0; with take it is told only once. */
int link_error(struct description *description, bool take);
/* Fills in what comes from the link; vector, total, handles and non_blocking are the caller's. target: instead of the link's sender, or NULL. */
int64_t link_send(struct description *description, struct segment_source *source, struct channel_end *target) must_check;
/* urgent: only the urgent byte. */
int64_t link_receive(struct description *description, struct segment_sink *sink, bool urgent) must_check;
#endif
