/*
 * Signal frames exactly as Linux lays them out on x86_64, because programs look into them and C libraries unwind through them:
 *
 *   top   128 bytes below the interrupted stack pointer (red zone), or the alternate stack's end
 *         floating-point state, 64-byte aligned: fxsave area with the software bytes at 464, xsave header and parts, then magic 2
 *         struct rt_frame: return address (the restorer), ucontext, siginfo; its address + 8 is 16-byte aligned
 */
#include "linux/process/process.h"
#include "linux/signal/signal.h"
#include "processor.h"

#define FLOAT_MAGIC_1 0x46505853u
#define FLOAT_MAGIC_2 0x46505845u
#define FLOAT_LEGACY 512u
#define FLOAT_SOFTWARE 464u
#define FLOAT_CONTROL 24u           /* mxcsr */
#define FLOAT_CONTROL_BITS 0xffbfu  /* without the one that not every processor knows */
#define CONTEXT_EXTENDED_STATE 1ul
#define CONTEXT_STACK_SEGMENT 6ul /* UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS */
#define FLAGS_USER 0x40dd5ul      /* CF PF AF ZF SF DF OF AC: what sigreturn may set */
#define FLAGS_FIXED 0x202ul       /* interrupts on, the bit that is always set */
#define FLAGS_CLEARED 0x10500ul   /* DF TF RF: not in a handler */
#define RED_ZONE 128u

struct machine_context {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t error, trap, old_mask, cr2, float_state, reserved[8];
};
struct rt_frame {
	uint64_t restorer;
	uint64_t flags, link;
	struct linux_stack stack;
	struct machine_context context;
	uint64_t mask;
	struct linux_siginfo info;
};
struct float_software { uint32_t magic, extended_size; uint64_t features; uint32_t state_size, padding[7]; };
_Static_assert(sizeof(struct machine_context) == 256, "sigcontext");
_Static_assert(sizeof(struct rt_frame) == 8 + 304 + 128, "rt_sigframe");
_Static_assert(offsetof(struct rt_frame, context) == 8 + 40, "ucontext");
_Static_assert(offsetof(struct rt_frame, mask) == 8 + 296, "ucontext");
_Static_assert(sizeof(struct float_software) == 48, "software bytes");

static void processor_ask(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	__asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(subleaf));
}

void machine_start(struct linux_process *p)
{
	uint32_t out[4];
	processor_ask(1, 0, out);
	p->float_mask = 0;
	p->float_size = FLOAT_LEGACY;
	if (!(out[2] & 1u << 27)) /* the kernel did not enable xsave */
		return;
	uint32_t low, high;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	p->float_mask = low & 7; /* x87, SSE, AVX; larger parts are not kept across a handler */
	p->float_size = p->float_mask & 4 ? 832 : 576;
}

uint64_t machine_signal_room(const struct process_record *record)
{
	(void)record;
	return LINUX_MINSIGSTKSZ;
}

uint64_t machine_capabilities(const struct process_record *record)
{
	(void)record;
	uint32_t out[4];
	processor_ask(1, 0, out);
	return out[3];
}

uint32_t machine_processor(void)
{
	return processor_number();
}

void machine_program_registers(struct registers *r, uint64_t entry, uint64_t stack)
{
	memset(r, 0, sizeof *r);
	r->rip = entry;
	r->rsp = stack;
	r->rflags = FLAGS_FIXED;
}

void machine_trap_of(const struct thread_block *block, struct machine_trap *trap)
{
	static const uint8_t number[] = {
		[EXCEPTION_UNMAPPED] = 14, [EXCEPTION_PROTECTION] = 14, [EXCEPTION_BEYOND_OBJECT] = 14, [EXCEPTION_ILLEGAL] = 6,
		[EXCEPTION_BREAKPOINT] = 3, [EXCEPTION_STEP] = 1, [EXCEPTION_DIVIDE] = 0, [EXCEPTION_FLOAT] = 16,
		[EXCEPTION_ALIGNMENT] = 17, [EXCEPTION_OTHER] = 13,
	};
	trap->number = block->cause < ARRAY_SIZE(number) ? number[block->cause] : 13;
	trap->error = block->code;
	trap->address = trap->number == 14 ? block->address : 0;
}

static bool on_alternate(const struct linux_thread *t, uint64_t stack)
{
	return t->alternate_size && stack - t->alternate_stack - 1 < t->alternate_size;
}

/* Writes the floating-point state at address (64-byte aligned), straight from the unit. */
static int float_write(struct linux_thread *t, uint64_t address)
{
	struct linux_process *p = t->process;
	struct float_software software = { 0 };
	if (!user_range(address, p->float_size) || copy_float_save((void *)(uintptr_t)address, p->float_mask))
		return -EFAULT;
	if (p->float_mask) {
		software.magic = FLOAT_MAGIC_1;
		software.extended_size = p->float_size + 4;
		software.features = p->float_mask;
		software.state_size = p->float_size;
	}
	uint32_t magic = FLOAT_MAGIC_2;
	int error = user_write(t, address + FLOAT_SOFTWARE, &software, sizeof software);
	if (!error && p->float_mask)
		error = user_write(t, address + p->float_size, &magic, sizeof magic);
	return error;
}

int machine_signal_frame(struct linux_thread *t, int signal, const struct linux_action *action, const struct linux_siginfo *info,
	uint64_t mask, const struct machine_trap *trap)
{
	struct registers *r = &t->block.registers;
	uint64_t stack = r->rsp - RED_ZONE;
	bool nested = on_alternate(t, r->rsp);
	if ((action->flags & LINUX_SA_ONSTACK) && t->alternate_size && !nested)
		stack = t->alternate_stack + t->alternate_size;
	uint64_t float_at = (stack - t->process->float_size - 4) & ~63ul;
	uint64_t frame_at = ((float_at - sizeof(struct rt_frame)) & ~15ul) - 8;
	if (frame_at > stack || stack > USER_TOP_MAX)
		return -EFAULT;
	if (nested && frame_at < t->alternate_stack) /* overflow of the alternate stack */
		return -EFAULT;

	struct rt_frame frame = {
		.restorer = action->restorer,
		.flags = CONTEXT_STACK_SEGMENT | (t->process->float_mask ? CONTEXT_EXTENDED_STATE : 0),
		.stack = { t->alternate_stack, t->alternate_flags | (t->alternate_size ? 0 : LINUX_SS_DISABLE), 0, t->alternate_size },
		.context = {
			.r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11, .r12 = r->r12, .r13 = r->r13, .r14 = r->r14, .r15 = r->r15,
			.rdi = r->rdi, .rsi = r->rsi, .rbp = r->rbp, .rbx = r->rbx, .rdx = r->rdx, .rax = r->rax, .rcx = r->rcx,
			.rsp = r->rsp, .rip = r->rip, .rflags = r->rflags, .cs = 0x33, .ss = 0x2b, .old_mask = mask, .float_state = float_at,
		},
		.mask = mask,
		.info = *info,
	};
	if (trap) {
		frame.context.trap = trap->number;
		frame.context.error = trap->error;
		frame.context.cr2 = trap->address;
	}
	int error = float_write(t, float_at);
	if (!error)
		error = user_write(t, frame_at, &frame, sizeof frame);
	if (error)
		return error;

	if (t->alternate_flags & LINUX_SS_AUTODISARM) {
		t->alternate_stack = t->alternate_size = 0;
		t->alternate_flags = 0;
	}
	r->rdi = (uint64_t)signal;
	r->rsi = frame_at + offsetof(struct rt_frame, info);
	r->rdx = frame_at + offsetof(struct rt_frame, flags);
	r->rax = 0;
	r->rsp = frame_at;
	r->rip = action->handler;
	r->rflags = (r->rflags & ~FLAGS_CLEARED) | FLAGS_FIXED;
	return 0;
}

/*
 * Loads the floating-point state at address where it lies, if it is as float_write leaves it; false: it is not, or not any more (what the
 * processor refuses is an exception in the copy window).
 */
static bool float_read_whole(struct linux_thread *t, uint64_t address)
{
	struct linux_process *p = t->process;
	struct { struct float_software software; uint64_t header[8]; } found;
	uint32_t magic, control;
	_Static_assert(FLOAT_SOFTWARE + sizeof(struct float_software) == FLOAT_LEGACY, "the header follows");
	if (!p->float_mask || address & 63 || user_read(t, &found, address + FLOAT_SOFTWARE, sizeof found) ||
		!user_range(address, p->float_size + sizeof magic) || copy_load32((const uint32_t *)(uintptr_t)(address + p->float_size), &magic) ||
		copy_load32((const uint32_t *)(uintptr_t)(address + FLOAT_CONTROL), &control))
		return false;
	uint64_t excess = found.header[0] & ~p->float_mask;
	for (unsigned i = 1; i < 8; i++)
		excess |= found.header[i];
	return found.software.magic == FLOAT_MAGIC_1 && found.software.state_size == p->float_size && magic == FLOAT_MAGIC_2 && !excess &&
		!(control & ~FLOAT_CONTROL_BITS) && !copy_float_load((const void *)(uintptr_t)address, p->float_mask);
}

/* Loads the floating-point state found at address after making it harmless: a bad one would be an exception inside the library. */
static int float_read(struct linux_thread *t, uint64_t address)
{
	if (float_read_whole(t, address))
		return 0;
	struct linux_process *p = t->process;
	struct float_software software;
	uint64_t mask = p->float_mask, *header = (uint64_t *)(void *)(t->float_state + FLOAT_LEGACY);
	uint32_t magic = 0, *mxcsr = (uint32_t *)(void *)(t->float_state + FLOAT_CONTROL);
	if (user_read(t, t->float_state, address, FLOAT_LEGACY))
		return -EFAULT;
	memcpy(&software, t->float_state + FLOAT_SOFTWARE, sizeof software);
	if (mask) {
		memset(header, 0, p->float_size - FLOAT_LEGACY);
		bool extended = software.magic == FLOAT_MAGIC_1 && software.state_size == p->float_size && (address & 63) == 0;
		if (extended && user_read(t, &magic, address + p->float_size, sizeof magic))
			return -EFAULT;
		if (extended && magic == FLOAT_MAGIC_2) {
			if (user_read(t, header, address + FLOAT_LEGACY, p->float_size - FLOAT_LEGACY))
				return -EFAULT;
			header[0] &= mask;
		} else {
			header[0] = 3; /* only the old area: x87 and SSE */
		}
		memset(header + 1, 0, 56);
	}
	*mxcsr &= FLOAT_CONTROL_BITS;
	float_load(t->float_state, mask);
	return 0;
}

int machine_signal_return(struct linux_thread *t, uint64_t *mask)
{
	struct registers *r = &t->block.registers;
	struct rt_frame frame;
	/* The handler's return popped the restorer's address. */
	if (user_read(t, &frame, r->rsp - 8, sizeof frame))
		return -EFAULT;
	const struct machine_context *c = &frame.context;
	if (c->rip >= USER_TOP_MAX)
		return -EFAULT;
	if (c->float_state) {
		if (float_read(t, c->float_state))
			return -EFAULT;
	}
	*r = (struct registers){
		.rax = c->rax, .rbx = c->rbx, .rcx = c->rcx, .rdx = c->rdx, .rsi = c->rsi, .rdi = c->rdi, .rbp = c->rbp, .r8 = c->r8,
		.r9 = c->r9, .r10 = c->r10, .r11 = c->r11, .r12 = c->r12, .r13 = c->r13, .r14 = c->r14, .r15 = c->r15,
		.rip = c->rip, .rsp = c->rsp, .rflags = (c->rflags & FLAGS_USER) | FLAGS_FIXED,
	};
	if (!on_alternate(t, r->rsp)) { /* the handler may have changed its alternate stack in the frame */
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
