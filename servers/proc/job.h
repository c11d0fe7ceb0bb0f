/*
 * Jobs: how many processes a part of the tree of processes may have, so that one that makes processes without end leaves room for those beside it.
 *
 * Every child of a session's leader (a shell's command, a login's shell) begins a job below the leader's own; all descendants belong to it, whatever
 * groups and sessions they make, as they belong to the budget that the library makes at the same place (linux/process/clone.c). A job may have a sixteenth
 * fewer processes than the one above it, zombies included.
 */
#ifndef PROC_JOB_H
#define PROC_JOB_H
#include <stdbool.h>
#include <stdint.h>

struct job;
/* A process begins, as a child of one in `job` (NULL: init's); begins_job: in a new job below. *joined: the one to leave at its end. False: too many, or no memory. */
bool job_enter(struct job *job, bool begins_job, struct job **joined);
void job_leave(struct job *job);
/* How many processes there may be, of which the first jobs leave a part to others; PROCESS_SLOTS at most. Before the first job. */
void job_limit(uint64_t processes);
#endif
