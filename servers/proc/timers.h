/*
 * Timers of processes: POSIX timers, the three interval timers, and RLIMIT_CPU. Pure but for effects.h.
 *
 * Clocks of processor time are not watched: such a timer is looked at when it could be due at the earliest (every processor nanosecond costs at
 * least one nanosecond), and again if it is not. One whose process or thread has gone is disarmed. While a timer's signal waits to be taken its expirations are only counted.
 */
#ifndef PROC_TIMERS_H
#define PROC_TIMERS_H
#include "process.h"

/*
 * Makes a timer that is not armed. info: what it sends (signal 0: nothing); by_number: its value is the number. whose: as word6 of PROC_CREATE_TIMER.
 * The number, -EAGAIN, or -EINVAL: there is no such process.
 */
int64_t timer_make(struct process *process, uint32_t clock, uint64_t whose, const struct signal_info *info, uint32_t thread, bool by_number);
/* Arms (deadline 0: disarms). relative: the deadline counts from the clock's present. *left, *old_period: what was set. 0 or -EINVAL. */
int timer_arm(struct process *process, uint32_t number, uint64_t deadline, uint64_t period, bool relative, uint64_t now, uint64_t *left,
	uint64_t *old_period);
/* 0 or -EINVAL: no such timer. A PROC_TIMER_* that was never set is told as disarmed. */
int timer_look(struct process *process, uint32_t number, uint64_t now, uint64_t *left, uint64_t *period, uint64_t *overrun);
int timer_delete(struct process *process, uint32_t number);
/* Its signal has been taken: fills in the overruns. */
void timer_signal_taken(struct process *process, struct signal_info *info);
/* Ends a process's timers: all of them (it died), or those that exec ends. */
void timers_forget(struct process *process, bool all);
/* A new process is under its parent's limits of processor time. -EAGAIN: no memory. */
int timers_inherit(struct process *child, struct process *parent);
/* When to look next (monotonic nanoseconds, 0: no timer is armed), and what to do then. */
uint64_t timers_next(void);
void timers_expire(uint64_t now);
#endif
