/*
 * File locks: POSIX record locks, open-file-description locks and flock. All advisory.
 *
 * Owners. A record lock belongs to a process (its badge), the other two to an open object. Record locks go with each close that the process tells
 * (FILE_LOCK_RELEASE), and with the process: the port it got from FILE_LOCK_REGISTER is in no other handle table, so its close message is the
 * process's end. The others go with the open object's close message.
 * Ranges are inclusive; LOCK_END is the end of all files. A node keeps its locks ordered by start; each lock holds a reference to the node.
 *
 * Waiting. A call that must wait is set aside and tried again, in order of arrival, whenever a lock of the node goes. The lock is taken only when the
 * answer has reached its caller, so nobody who gave up gets one. A thread that was interrupted says so (FILE_LOCK_CANCEL).
 *
 * Locks outlive this server, with their owners and open objects; calls that wait fail with it.
 */
#ifndef FS_LOCK_H
#define FS_LOCK_H
#include "carillon/server.h"
#include "opened.h"

/* The four operations on an open object with this id. */
int64_t lock_request(struct server_request *request, uint64_t id);
int64_t lock_register(struct server_request *request, uint64_t id);
int64_t lock_release(struct server_request *request, uint64_t id);
int64_t lock_cancel(struct server_request *request, uint64_t id);
/* FILE_LOCK_RELEASE for a process by its badge. */
void lock_release_node(struct node *node, uint64_t badge);
/* Ends the wait of that call. False: it is none for a lock. */
bool lock_interrupted(uint32_t reply);
/* An open object that has locks or waits goes. */
void lock_opened_gone(uint64_t id, struct node *node);
/* The port of FILE_LOCK_REGISTER has gone. */
void lock_owner_gone(uint64_t badge);
/* Before the first lock. */
void lock_start(void);
/* After a predecessor's death: each port of FILE_LOCK_REGISTER that lives, then its locks. Open objects come before. */
void lock_owner_recover(uint64_t badge);
void lock_recover(void);
#endif
