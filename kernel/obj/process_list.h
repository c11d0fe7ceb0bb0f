/* Every process there is, for what concerns all of a budget: its end, and the choice of who goes when its memory is used up. */
#ifndef KERNEL_PROCESS_LIST_H
#define KERNEL_PROCESS_LIST_H
#include "kernel/obj/process.h"

void process_list_add(struct process *process);
/* From the process's destructor. */
void process_list_remove(struct process *process);
/* process_end for every process paid for by that budget or one below it. No new one may come: the budget is marked as destroyed. */
void process_end_below(struct budget *budget, uint32_t status);
/* Fills in what is summed over processes: handles (those in shared tables count for each), pages_servers. No locks held. */
void process_list_count(struct system_info *info);
/*
 * A page for the current thread's process was not to be had. True, after a moment in which others run: its budget is not used up, so try again. False:
 * it is, or the thread is being killed. May sleep; no locks held.
 */
bool process_wait_for_memory(void) must_check;
/*
 * A page for the current thread's process cannot be paid for. Ends the largest process below the budget that is full, says so in the log, and waits until
 * it has gone; true: try again. False: the current process itself is ending. May sleep; no locks held.
 */
bool process_out_of_memory(void) must_check;
#endif
