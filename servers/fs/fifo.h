/*
 * FIFOs (named pipes). A FIFO's descriptions are services of this server, not flows: a flow's reader would see end of file for ever once the last
 * writer has gone, while a FIFO must let another writer in. All bytes pass through a ring of FIFO_CAPACITY here.
 *
 * Rules kept: opening one side waits for the other (unless non-blocking; writing then fails with ENXIO), end of file when no writer is left,
 * EPIPE when no reader is, writes of up to FIFO_ATOMIC bytes are whole, the bytes go when both sides are closed.
 * A reader who has gone when its answer arrives takes no bytes with it.
 *
 * An open FIFO outlives this server, its bytes too. A read that fails with the server may have taken bytes, a write may have put them: never twice.
 */
#ifndef FS_FIFO_H
#define FS_FIFO_H
#include "carillon/server.h"
#include "tree.h"

#define FIFO_CAPACITY 65536u
#define FIFO_ATOMIC 4096u

struct fifo;

/* Frees a FIFO nobody has open; NULL is allowed. */
void fifo_destroy(struct fifo *fifo);
/*
 * FILE_OPEN of a FIFO node. Answers (return 0), fails, or, when it has to wait: sets the call aside if may_wait, else -EWOULDBLOCK.
 * listener: where the control port is made; its data word is word_base | id.
 */
int64_t fifo_open(struct server_request *request, struct node *node, uint32_t flags, bool may_wait, handle_t listener, uint64_t word_base);
/* Requests on an open FIFO: FILE_READ, FILE_WRITE, FILE_IOCTL. -EBADF: no such open FIFO. */
int64_t fifo_request(struct server_request *request, uint64_t id);
/* The node an open FIFO belongs to, for attributes; NULL: gone. */
struct node *fifo_node(uint64_t id);
/* Ends the wait of that call, with what it has done. False: it is none of a FIFO's. */
bool fifo_interrupted(uint32_t reply);
/* The control port of an open FIFO has gone. */
void fifo_closed(uint64_t id);
/* Before the first FIFO. */
void fifo_start(void);
/* After a predecessor's death: FIFOs and their open objects whose ports live; at the end, of each node, those that nobody has open any more go. */
void fifo_recover(void);
void fifo_recover_end(struct node *node);
#endif
