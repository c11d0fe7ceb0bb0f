/* Robust futexes: what a process held when it died is given up, because a thread that was killed cannot do that itself. */
#ifndef PROC_ROBUST_H
#define PROC_ROBUST_H
#include "process.h"

/* The process is dead, its handle still here and its memory as it left it. Calls no server; reads at most what the limits in robust.c say. */
void robust_release(const struct process *process);
/* Has a living process a thread of this id? False also where its threads are not told (struct record_threads). */
bool robust_thread_exists(const struct process *process, uint32_t id);
#endif
