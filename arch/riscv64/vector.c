/*
 * The vector unit: how long its registers are, and the first vector instruction of a thread. From then on its state goes with that of the
 * floating-point unit (float_unit.h). The thread's block says that there is such state: a signal frame then has it.
 */
#include "arch/float.h"
#include "float_unit.h"
#include "arch/thread.h"
#include "arch/usercopy.h"
#include "kernel/obj/thread.h"

#define OPCODE(instruction) ((instruction) & 0x7f)
#define OPCODE_LOAD 0x07u   /* of floating-point and vector registers */
#define OPCODE_STORE 0x27u
#define OPCODE_VECTOR 0x57u
#define OPCODE_SYSTEM 0x73u
#define WIDTH(instruction) ((instruction) >> 12 & 7) /* 1 to 4: of floating-point numbers */
#define CSR(instruction) ((instruction) >> 20)

void vector_start(void)
{
	if (!board.vectors)
		return;
	CSR_SET(sstatus, STATUS_VS_INITIAL);
	board.vector_bytes = (uint32_t)CSR_READ(0xc22); /* vlenb */
	CSR_CLEAR(sstatus, STATUS_VS);
	log_info("vectors: %u bits", board.vector_bytes * 8);
}

static bool vector_instruction(uint32_t instruction)
{
	uint32_t csr = CSR(instruction);
	switch (OPCODE(instruction)) {
	case OPCODE_VECTOR:
		return true;
	case OPCODE_LOAD: case OPCODE_STORE:
		return WIDTH(instruction) == 0 || WIDTH(instruction) > 4;
	case OPCODE_SYSTEM:
		return WIDTH(instruction) && ((csr >= 8 && csr <= 10) || csr == 15 || (csr >= 0xc20 && csr <= 0xc22));
	}
	return !instruction; /* the processor does not tell which it was */
}

bool vector_take(uint64_t instruction)
{
	struct thread *current = thread_current();

	if (!board.vector_bytes || CSR_READ(sstatus) & STATUS_VS || !vector_instruction((uint32_t)instruction))
		return false;
	/* first, as it may sleep; a thread without a block has no signals either */
	if (current->arch.block && user_store32(current->arch.block + offsetof(struct thread_block, units), THREAD_UNIT_VECTOR))
		return false;
	if (!float_unit_enabled() && !float_take())
		return false;
	struct float_area *area = current->arch.float_area;
	if (!area->vector)
		area->vector = heap_alloc(vector_area_size());
	if (!area->vector)
		return false;
	float_unit_enable(area);
	vector_load(area->vector);
	return true;
}
