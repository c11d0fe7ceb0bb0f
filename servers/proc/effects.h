/*
 * What proc does to the world outside its tables: the kernel's process operations and answers to calls set aside.
 * effects.c does it; the unit test writes it down instead. None of these fails in a way the caller could mend: a process that has died
 * meanwhile is told by its death notice.
 */
#ifndef PROC_EFFECTS_H
#define PROC_EFFECTS_H
#include "process.h"

void effect_interrupt(struct process *process);
/* What it has used so far, but for the peak; process->used once it is dead. */
void effect_used(struct process *process, struct used *used);
/* The times of its thread with that number; false: it has none such. */
bool effect_thread_used(struct process *process, uint64_t number, struct used *used);
/* The most pages it had at once. */
uint64_t effect_peak(struct process *process);
/* Its nice value has changed: the weight of its main thread, which is the oldest as long as it lives. */
void effect_slice(struct process *process);
/* On which processors its main thread may run, bits by number; not 0: set. What they are; 0: it has no thread; EINVAL: none of them runs. */
int64_t effect_processors(struct process *process, uint64_t mask);
void effect_suspend(struct process *process);
void effect_resume(struct process *process);
void effect_kill(struct process *process, uint32_t status);
/* Whether it has any thread: a child whose parent died between fork and thread_create has none. */
bool effect_has_threads(struct process *process);
/* Lets the kernel's corpse go. */
void effect_release(struct process *process);
/* Answers a call set aside: 0, or -ESRCH when the caller has gone (nothing was delivered). words: word[1..7] or NULL. */
int effect_answer(uint32_t reply, int64_t word0, const uint64_t *words);
#endif
