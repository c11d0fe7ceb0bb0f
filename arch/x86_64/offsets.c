/*
 * Offsets in structures for the assembly of this port: compiled to text, never linked; the Makefile makes arch/offsets.h of the lines
 * "->NAME value", once for each kernel, because KERNEL_DEBUG may change a structure.
 */
#include "arch/processor.h"
#include "kernel/core/schedule.h"
#include "kernel/ipc/port_private.h"
#include "arch/mmu.h"
#include "x86.h"

#define VALUE(name, value) __asm__ volatile("\n->" #name " %c0" ::"i"(value))
#define OFFSET(name, structure, field) VALUE(name, offsetof(struct structure, field))
#include "arch/offsets_shared.h"

void offsets(void);
void offsets(void)
{
	offsets_shared();
	VALUE(PROCESSORS_SIZE, sizeof(struct processor) * PROCESSORS_MAX);
	OFFSET(ARCH_FLOAT_DISABLED, arch_processor, float_disabled);
	OFFSET(THREAD_BLOCK, thread, arch.block_base);
	OFFSET(THREAD_TLS, thread, arch.tls_base);
	VALUE(CALL_STATE_IDLE, CALL_IDLE);
	OFFSET(SPACE_ROOT, arch_space, root_physical);
	OFFSET(SLOT_KIND, handle_slot, kind); /* rights follow */
	_Static_assert(sizeof(struct handle_slot) == 16 && offsetof(struct handle_slot, object) == 0 &&
		offsetof(struct handle_slot, rights) == offsetof(struct handle_slot, kind) + 1, "handle slots");
	VALUE(SLOT_CLIENT_SEND, KIND_CLIENT | RIGHT_SEND << 8);
	VALUE(SLOT_LISTENER_RECEIVE, KIND_LISTENER | RIGHT_RECEIVE << 8);
	VALUE(SLOT_MASK_SEND, 0xff | RIGHT_SEND << 8);
	VALUE(SLOT_MASK_RECEIVE, 0xff | RIGHT_RECEIVE << 8);
	VALUE(PLAIN_SIZE, sizeof(struct plain_route));
	OFFSET(BLOCK_CALL_INSTRUCTION, thread_block, call_instruction);
	OFFSET(BLOCK_CALL_FLAGS, thread_block, call_flags);
}
