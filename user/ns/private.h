/* What the files of user/ns share. */
#ifndef USER_NS_PRIVATE_H
#define USER_NS_PRIVATE_H
#include "abi/errors.h"
#include "carillon/calls.h"
#include "user/ns/ns.h"

/* from the C library or, in the personality library, from linux/base; declared here because freestanding builds have no string.h */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memchr(const void *bytes, int value, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t size);

/* futex mutex of struct ns; never held across a message */
void ns_lock(struct ns *ns);
void ns_unlock(struct ns *ns);

/* Append components to a physical path held without a trailing slash ("" is the root): "." is skipped, ".." removes one. 0 when it does not fit. */
int ns_text_append(char *text, uint32_t *length, size_t size, const char *path, size_t path_length);
/* The mount that covers (device, qid), or -1. */
int ns_covering(const struct ns *ns, uint64_t device, uint64_t qid);
/* Is this node the root of that mount? */
static inline int ns_is_root(const struct ns *ns, int32_t mount, uint64_t device, uint64_t qid)
{
	return mount >= 0 && ns->mount[mount].root_device == device && ns->mount[mount].root_qid == qid;
}
/* One message without a path; the reply's range goes to buffer. Returns word[0] or an error; unwanted handles are closed. */
int64_t ns_message(int32_t handle, int described, struct message *message);
#endif
