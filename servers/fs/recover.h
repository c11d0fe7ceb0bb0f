/*
 * Going on where a predecessor died. Its records tell what there was (store.h), the kernel which ports of it live: a port whose close it received, and did
 * not act upon, is not among them, nor one that nobody has heard of. What names no live port goes; handles that nothing names are closed.
 */
#ifndef FS_RECOVER_H
#define FS_RECOVER_H
#include <stdbool.h>
#include <stdint.h>
#include "abi/types.h"

/* True: the tree stands again, and all else of the predecessor's that can. False: it has left nothing; the tree is to be filled. */
bool recover(void);
/* While recovering: does a client port with this data word live? */
bool recover_port_lives(uint64_t word);
/* While recovering: a handle that is in use. */
void recover_keep(handle_t handle);
#endif
