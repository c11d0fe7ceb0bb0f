/*
 * Offsets in structures for the assembly of this port: compiled to text, never linked; the Makefile makes arch/offsets.h of the lines
 * "->NAME value", once for each kernel, because KERNEL_DEBUG may change a structure.
 */
#include "arch/processor.h"
#include "kernel/core/schedule.h"
#include "kernel/ipc/port_private.h"
#include "arch/mmu.h"
#include "float_unit.h"
#include "riscv.h"

#define VALUE(name, value) __asm__ volatile("\n->" #name " %0" ::"i"(value))
#define OFFSET(name, structure, field) VALUE(name, offsetof(struct structure, field))
#include "arch/offsets_shared.h"

void offsets(void);
void offsets(void)
{
	offsets_shared();
	OFFSET(PROCESSOR_CURRENT, processor, current);
	OFFSET(PROCESSOR_KERNEL_STACK, processor, kernel_stack);
	OFFSET(PROCESSOR_SCRATCH, processor, scratch);
	OFFSET(PROCESSOR_ATTENTION, processor, attention);
	OFFSET(PROCESSOR_SAVED_T0, processor, saved[0]);
	OFFSET(PROCESSOR_SAVED_T1, processor, saved[1]);
	OFFSET(PROCESSOR_SAVED_T2, processor, saved[2]);
	OFFSET(PROCESSOR_SAVED_TP, processor, saved[3]);
	OFFSET(PROCESSOR_ARCH, processor, arch);
	OFFSET(THREAD_BLOCK, thread, arch.block);
	OFFSET(THREAD_FLOAT_AREA, thread, arch.float_area);
	OFFSET(FLOAT_AREA_VECTOR, float_area, vector);
	_Static_assert(!CALL_IDLE, "words.S");
	OFFSET(SPACE_SATP, arch_space, satp);
	OFFSET(SLOT_KIND, handle_slot, kind);
	OFFSET(SLOT_RIGHTS, handle_slot, rights);
	_Static_assert(sizeof(struct handle_slot) == 16 && offsetof(struct handle_slot, object) == 0, "handle slots");
	VALUE(SLOT_KIND_CLIENT, KIND_CLIENT);
	VALUE(SLOT_KIND_LISTENER, KIND_LISTENER);
	VALUE(SLOT_RIGHT_SEND, RIGHT_SEND);
	VALUE(SLOT_RIGHT_RECEIVE, RIGHT_RECEIVE);
	_Static_assert(REPLY_SLOTS_MAX % 4096 == 0, "words.S adds it with its upper bits");
	_Static_assert(sizeof(struct plain_route) == 40, "entry.S");
	OFFSET(BLOCK_PC, thread_block, registers.pc);
	OFFSET(BLOCK_GP, thread_block, registers.gp);
	OFFSET(BLOCK_A7, thread_block, registers.a7);
}
