/*
 * Signal frames exactly as Linux lays them out on riscv64, because programs look into them and C libraries unwind through them:
 *
 *   top   the interrupted stack pointer, or the alternate stack's end
 *         vector state, when the thread has any: the values of copy_vector_save, the registers, a header that ends the extensions
 *         struct rt_frame, 16-byte aligned: siginfo, ucontext with registers and floating-point state, the header of the first extension
 *
 * A handler returns to __vdso_rt_sigreturn: there is no restorer in a program's sigaction on this port.
 */
#include "linux/process/process.h"
#include "linux/signal/signal.h"
#include "processor.h"

#define CAPABILITIES (1ul << ('i' - 'a') | 1ul << ('m' - 'a') | 1ul << 0 /* a */ | 1ul << ('f' - 'a') | 1ul << ('d' - 'a') | 1ul << ('c' - 'a'))

#define CAPABILITY_VECTOR (1ul << ('v' - 'a'))
#define EXTENSION_VECTOR 0x53465457u

#define ELF_ENTRY 24u /* offset of e_entry */

struct machine_context {
	struct registers registers;
	uint8_t float_state[MACHINE_FLOAT_SIZE];
	uint64_t float_room[31];               /* as large as quad registers would be */
	uint32_t padding;
	uint32_t reserved;
	struct extension { uint32_t kind, size; } extension; /* what follows, header included; zero: nothing */
};
struct rt_frame {
	struct linux_siginfo info;
	uint64_t flags, link;
	struct linux_stack stack;
	uint64_t mask, mask_room[15], padding;
	struct machine_context context;
};
_Static_assert(sizeof(struct linux_siginfo) == 128, "siginfo");
_Static_assert(offsetof(struct machine_context, float_state) == 256, "sigcontext");
_Static_assert(offsetof(struct machine_context, reserved) == 256 + 516, "sigcontext");
_Static_assert(sizeof(struct machine_context) == 784, "sigcontext");
_Static_assert(offsetof(struct rt_frame, context) == 128 + 176, "ucontext");
_Static_assert(sizeof(struct rt_frame) == 1088, "rt_sigframe");
_Static_assert(MACHINE_FLOAT_SIZE <= LINUX_FLOAT_ROOM, "float_state");

extern const uint8_t library_image_end[] __attribute__((weak)); /* where the vDSO begins: linux/image.ld */

void machine_start(struct linux_process *p)
{
	p->float_mask = 0;
	p->float_size = MACHINE_FLOAT_SIZE;
}

uint64_t machine_capabilities(const struct process_record *record)
{
	return CAPABILITIES | (record->vector_bytes ? CAPABILITY_VECTOR : 0);
}

/* What the state of the vector unit adds to a frame: header, values, registers; behind it comes a header that ends the extensions. */
static uint32_t vector_size(const struct process_record *record)
{
	return (uint32_t)sizeof(struct extension) + MACHINE_VECTOR_SIZE + 32 * record->vector_bytes;
}

uint64_t machine_signal_room(const struct process_record *record)
{
	return sizeof(struct rt_frame) + (record->vector_bytes ? (vector_size(record) + sizeof(struct extension) + 15) & ~15u : 0);
}

static bool vector_used(const struct linux_thread *t)
{
	return t->process->record->vector_bytes && t->block.units & THREAD_UNIT_VECTOR;
}

/* Writes it behind the frame's own part, whose header it fills in. */
static int vector_write(struct linux_thread *t, uint64_t at, struct extension *header)
{
	const struct extension end = { 0, 0 };
	uint32_t size = vector_size(t->process->record);
	*header = (struct extension){ EXTENSION_VECTOR, size };
	at -= sizeof *header;
	if (!user_range(at, size) ||
		copy_vector_save((void *)(uintptr_t)(at + sizeof *header), (void *)(uintptr_t)(at + sizeof *header + MACHINE_VECTOR_SIZE)))
		return -EFAULT;
	return user_write(t, at + size, &end, sizeof end);
}

/* The extensions of a frame, which begin at `at` with the rest of the one whose header was in the frame. */
static int vector_read(struct linux_thread *t, uint64_t at, struct extension header)
{
	uint64_t values[MACHINE_VECTOR_SIZE / 8];
	while (header.kind) {
		if (header.kind != EXTENSION_VECTOR || !vector_used(t) || header.size != vector_size(t->process->record) ||
			user_read(t, values, at, sizeof values) || !user_range(values[5], 32 * t->process->record->vector_bytes) || copy_vector_load(values))
			return -EFAULT;
		at += header.size;
		if (user_read(t, &header, at - sizeof header, sizeof header))
			return -EFAULT;
	}
	return header.size ? -EFAULT : 0;
}

uint32_t machine_processor(void)
{
	return processor_number();
}

void machine_program_registers(struct registers *r, uint64_t entry, uint64_t stack)
{
	memset(r, 0, sizeof *r);
	r->pc = entry;
	r->sp = stack;
}

void machine_trap_of(const struct thread_block *block, struct machine_trap *trap)
{
	*trap = (struct machine_trap){ block->code, 0, block->address };
}

static bool on_alternate(const struct linux_thread *t, uint64_t stack)
{
	return t->alternate_size && stack - t->alternate_stack - 1 < t->alternate_size;
}

/* __vdso_rt_sigreturn is the vDSO's entry point. */
static uint64_t return_code(void)
{
	return (uint64_t)(uintptr_t)library_image_end + *(const uint64_t *)(const void *)(library_image_end + ELF_ENTRY);
}

int machine_signal_frame(struct linux_thread *t, int signal, const struct linux_action *action, const struct linux_siginfo *info,
	uint64_t mask, const struct machine_trap *trap)
{
	struct registers *r = &t->block.registers;
	uint64_t stack = r->sp;
	bool nested = on_alternate(t, stack);
	(void)trap;
	if ((action->flags & LINUX_SA_ONSTACK) && t->alternate_size && !nested)
		stack = t->alternate_stack + t->alternate_size;
	bool vectors = vector_used(t);
	uint64_t frame_at = (stack - (vectors ? machine_signal_room(t->process->record) : sizeof(struct rt_frame))) & ~15ul;
	if (frame_at > stack || stack > USER_TOP_MAX)
		return -EFAULT;
	if (nested && frame_at < t->alternate_stack) /* overflow of the alternate stack */
		return -EFAULT;

	struct rt_frame frame = {
		.info = *info,
		.stack = { t->alternate_stack, t->alternate_flags | (t->alternate_size ? 0 : LINUX_SS_DISABLE), 0, t->alternate_size },
		.context = { .registers = *r },
		.mask = mask,
	};
	float_save(t->float_state);
	memcpy(frame.context.float_state, t->float_state, MACHINE_FLOAT_SIZE);
	int error = vectors ? vector_write(t, frame_at + sizeof frame, &frame.context.extension) : 0;
	if (!error)
		error = user_write(t, frame_at, &frame, sizeof frame);
	if (error)
		return error;

	if (t->alternate_flags & LINUX_SS_AUTODISARM) {
		t->alternate_stack = t->alternate_size = 0;
		t->alternate_flags = 0;
	}
	r->ra = return_code();
	r->a0 = (uint64_t)signal;
	r->a1 = frame_at + offsetof(struct rt_frame, info);
	r->a2 = frame_at + offsetof(struct rt_frame, flags);
	r->sp = frame_at;
	r->pc = action->handler;
	return 0;
}

int machine_signal_return(struct linux_thread *t, uint64_t *mask)
{
	struct registers *r = &t->block.registers;
	struct rt_frame frame;
	if (user_read(t, &frame, r->sp, sizeof frame))
		return -EFAULT;
	const struct machine_context *c = &frame.context;
	if (c->reserved || vector_read(t, r->sp + sizeof frame, c->extension))
		return -EFAULT;
	memcpy(t->float_state, c->float_state, MACHINE_FLOAT_SIZE);
	float_load(t->float_state);
	*r = c->registers;
	if (!on_alternate(t, r->sp)) { /* the handler may have changed its alternate stack in the frame */
		uint32_t flags = frame.stack.flags & LINUX_SS_AUTODISARM;
		if (frame.stack.flags & LINUX_SS_DISABLE) {
			t->alternate_stack = t->alternate_size = 0;
			t->alternate_flags = 0;
		} else if (frame.stack.size >= LINUX_MINSIGSTKSZ) {
			t->alternate_stack = frame.stack.address;
			t->alternate_size = frame.stack.size;
			t->alternate_flags = flags;
		}
	}
	*mask = frame.mask;
	return 0;
}
