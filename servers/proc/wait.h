/*
 * wait: children that have died, stopped or continued meet parents that ask. A parent that has to wait is a call set aside; when its answer
 * cannot be delivered (it was interrupted or has gone) the child's state stays unreported for the next.
 */
#ifndef PROC_WAIT_H
#define PROC_WAIT_H
#include "process.h"

#define WAIT_NO_HANG 1u
#define WAIT_STOPPED 2u
#define WAIT_EXITED 4u
#define WAIT_CONTINUED 8u
#define WAIT_NO_REAP 0x01000000u
#define WAIT_ALL 0x40000000u   /* whatever signal a child ends with */
#define WAIT_CLONE 0x80000000u /* those that end with another signal than SIGCHLD; without either, the others */

/*
 * PROC_WAIT. reply is answered now, or later: returns 0. Or returns -ECHILD, -EINVAL, -ENOMEM, and reply is still to be answered.
 */
int wait_request(struct process *parent, int64_t pid, uint32_t options, uint32_t reply);
/* A child has died, stopped or continued: answers one waiting parent's thread, if any wants it. The child may be gone afterwards. */
void wait_child_changed(struct process *child);
/* After children have gone without being waited for: those who wait for nobody any more get ECHILD. */
void wait_check_childless(struct process *parent);
/* Forgets all calls of a dying parent. */
void wait_forget(struct process *parent);
/* Reaps a zombie: its times go to the parent, its pid is free. */
void wait_reap(struct process *zombie, bool count_times);
#endif
