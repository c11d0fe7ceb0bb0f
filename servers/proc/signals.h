/* Signals: sending, taking, stopping and continuing. Rules are POSIX's as Linux has them. */
#ifndef PROC_SIGNALS_H
#define PROC_SIGNALS_H
#include "process.h"

/*
 * Sends a signal (0: only asks whether it could be). thread: the id of the one thread it is for, 0 the process.
 * 0, -EINVAL, -EAGAIN (queue full). A zombie or init takes it without effect.
 */
int signal_send(struct process *process, const struct signal_info *info, uint32_t thread);
/* To every process of a group. -ESRCH: there is none. */
int signal_send_group(uint32_t group, const struct signal_info *info);
/* kill(2)'s pid forms. */
int signal_send_selected(struct process *caller, int64_t pid, const struct signal_info *info, uint32_t thread);
/* Removes the first pending signal outside blocked. False: none. */
bool signal_take(struct process *process, uint64_t blocked, struct signal_info *info);
/* Removes the oldest signal for a certain thread: its id, or 0. */
uint32_t signal_take_thread(struct process *process, struct signal_info *info);
/* What waits for a process is told in its slot. */
void signal_publish(struct process *process);
/* Does a signal of timer number wait? */
bool signal_timer_waits(const struct process *process, uint32_t number);
/* Sets the mask of ignored signals and drops pending ones in it. */
void signal_set_ignored(struct process *process, uint64_t ignored);
/* PROC_STOP_SELF: true if the process stops now, and reply is answered when it continues; else it goes on (its group is orphaned, or a SIGCONT came). */
bool signal_stop_self(struct process *process, uint32_t signal, uint32_t reply);
/* The 128 bytes of Linux's siginfo_t. */
void signal_info_encode(const struct signal_info *info, unsigned char bytes[128]);
#endif
