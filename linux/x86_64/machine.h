/* What x86_64 gives to the portable part of the library: symbols of entry.S and the machine's own signal and register rules. */
#ifndef LINUX_MACHINE_H
#define LINUX_MACHINE_H
#include "linux/linux.h"

extern const uint8_t entry_call[], entry_exception[], entry_interrupt[], return_start[], return_end[];
extern const uint8_t copy_start[], copy_end[], copy_fixup[];
extern const uint8_t linux_start_entry[], linux_thread_entry[], linux_fork_entry[];

/* The copy window. 0 or nonzero on a fault (see entry.S). */
int copy_bytes(void *to, const void *from, size_t size);
int copy_zero(void *to, size_t size);
int64_t copy_string(char *to, const char *from, size_t room);
int copy_load32(const uint32_t *from, uint32_t *to);
int copy_exchange32(uint32_t *word, uint32_t *expected, uint32_t value);
int copy_float_save(void *area, uint64_t mask);
int copy_float_load(const void *area, uint64_t mask);
/* The same of library memory. */
void float_load(const void *area, uint64_t mask);

/* Find out how floating-point state is saved: p->float_mask, p->float_size. */
void machine_start(struct linux_process *p);
/* AT_HWCAP, and AT_MINSIGSTKSZ: the most that a signal takes of the stack */
uint64_t machine_capabilities(const struct process_record *record);
uint64_t machine_signal_room(const struct process_record *record);
uint32_t machine_processor(void);
#define MACHINE_PLATFORM "x86_64"
#define MACHINE_CLONE_CHILD_TID 3 /* arguments of clone whose place differs from port to port */
#define MACHINE_CLONE_TLS 4
#define MACHINE_CALL_LENGTH 2 /* bytes of the system call instruction */

/* What a signal tells of an illegal instruction and of a breakpoint */
#define MACHINE_ILLEGAL_CODE LINUX_ILL_ILLOPN
#define MACHINE_BREAKPOINT_CODE LINUX_SI_KERNEL
#define MACHINE_BREAKPOINT_ADDRESS(instruction) 0

/* The parts of the registers that the portable code names. */
static inline uint64_t *machine_result(struct registers *r) { return &r->rax; }
static inline uint64_t *machine_instruction(struct registers *r) { return &r->rip; }
static inline uint64_t *machine_stack(struct registers *r) { return &r->rsp; }
static inline uint64_t machine_call_number(const struct registers *r) { return r->rax; }
/* Go back to the call instruction, to make call `number` again with the same arguments. */
static inline void machine_restart(struct thread_block *block, uint32_t number)
{
	block->registers.rax = number;
	block->registers.rip -= MACHINE_CALL_LENGTH;
}
/* CLONE_SETTLS: where the base of thread-local storage is a general register, set it (here thread_create does it). */
static inline void machine_tls_set(struct registers *r, uint64_t tls)
{
	(void)r;
	(void)tls;
}
/* Registers of a program at its start. */
void machine_program_registers(struct registers *r, uint64_t entry, uint64_t stack);

/* Information about an exception, as the frame's machine context tells it. */
struct machine_trap { uint64_t number, error, address; };
void machine_trap_of(const struct thread_block *block, struct machine_trap *trap);

/*
 * Build the frame of a handler for signal on the program's (or alternate) stack and set the registers in the block to enter it. mask is what
 * sigreturn restores. 0 or -EFAULT: the stack is not writable. The registers are unchanged on error.
 */
int machine_signal_frame(struct linux_thread *t, int signal, const struct linux_action *action, const struct linux_siginfo *info,
	uint64_t mask, const struct machine_trap *trap);
/* Take the frame down again: registers, floating-point state, alternate stack; *mask to be installed. 0 or -EFAULT for a bad frame. */
int machine_signal_return(struct linux_thread *t, uint64_t *mask);
#endif
