/* Death: what follows for parent, children, group, session. */
#ifndef PROC_LIFE_H
#define PROC_LIFE_H
#include "process.h"

/* The kernel's exit status as a wait status. */
uint32_t life_wait_status(uint32_t kernel_status);
/* The process has died; its times are already filled in. It may be gone afterwards. */
void life_ended(struct process *process, uint32_t wait_status);
#endif
