/*
 * Channels of values, and a choice among them, in the shape of Plan 9's thread library: between the threads and processes of the system, by packet channels of the
 * kernel (docs/channels.md). All functions return 0 or more, or a negative error.
 *
 *   struct chan keys, done;
 *   struct key key;
 *   chan_create(&keys, sizeof key, 16);
 *   struct alt alts[] = {
 *           { .chan = &keys, .value = &key, .operation = ALT_RECEIVE },
 *           { .chan = &done, .operation = ALT_SEND },
 *           { .operation = ALT_END },
 *   };
 *   switch (alt(alts, DEADLINE_NEVER)) { case 0: if (alts[0].error) ...
 *
 * A value is `size` bytes (0: it says only that it came), copied. Whoever has one end only has HANDLE_NONE for the other; using that is -EBADF.
 */
#ifndef CARILLON_CHANNEL_H
#define CARILLON_CHANNEL_H
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct chan {
	handle_t sender, receiver;
	handle_t publisher;        /* of a channel that this program has published: its last reference is the publisher's death; else HANDLE_NONE */
	size_t size;               /* of a value, at most MESSAGE_RANGE_MAX */
};

/* A channel with room for `capacity` values; 0: sender and receiver meet. -ENOMEM, -EINVAL. */
int chan_create(struct chan *chan, size_t size, uint64_t capacity);
/* Closes what the program has of it. A published channel whose name was not withdrawn ends with EOWNERDEAD for the others. */
void chan_free(struct chan *chan);
/*
 * One value. deadline: absolute nanoseconds, 0: not waiting. -ETIMEDOUT, -EINTR, -EPIPE (nobody is on the other side any more), -EOWNERDEAD (its publisher has died),
 * -EMSGSIZE: the next value is not of this size (a longer one stays).
 */
int chan_send(struct chan *chan, const void *value, uint64_t deadline);
int chan_receive(struct chan *chan, void *value, uint64_t deadline);

enum alt_operation { ALT_END, ALT_SEND, ALT_RECEIVE, ALT_NEVER };
struct alt {
	struct chan *chan;         /* NULL: never */
	void *value;               /* to send; or where to receive, NULL: nowhere */
	enum alt_operation operation; /* the array ends with ALT_END */
	int error;                 /* of the one that was done: 0, or as chan_send and chan_receive give it. A closed channel is possible */
};
/*
 * Does one of the operations, by chance among those that are possible, and waits for one until then: its index. -ETIMEDOUT (deadline 0: none is possible now), -EINTR, -ENOMEM, -EINVAL (more
 * than SELECT_CASES_MAX).
 */
int64_t alt(struct alt *alts, uint64_t deadline);

/*
 * The same for a loop: what the array says of channels, operations and places of values is read once, and each wait costs only what has happened. The array must stay; values to
 * send are read at each wait. One thread at a time (-EBUSY).
 */
struct alt_loop;
int alt_prepare(struct alt *alts, struct alt_loop **loop);
int64_t alt_wait(struct alt_loop *loop, uint64_t deadline);
void alt_end(struct alt_loop *loop);

/*
 * Published channels (/chan). directory: a client port of the root file system's root. type: what both sides must agree on, 0: any; chan_type makes one of a text.
 * chan_publish: -EEXIST. chan_connect: -ENOENT, -EPROTOTYPE (published with another type). chan_withdraw: takes the name away, closing the channel.
 */
uint64_t chan_type(const char *text);
int chan_publish(handle_t directory, const char *name, uint64_t type, size_t size, uint64_t capacity, struct chan *chan);
int chan_connect(handle_t directory, const char *name, uint64_t type, size_t size, struct chan *chan);
int chan_withdraw(handle_t directory, const char *name);

#ifdef __cplusplus
}
#endif
#endif
