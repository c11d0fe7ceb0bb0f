/*
 * Start of the boot processor, from head.S to kernel_main: reads the device tree, makes the list of usable memory, the final kernel page tables,
 * the array of pages, the clock. Everything of the tree's is copied before any memory is used, because the tree lies in it.
 */
#include "riscv.h"
#include "kernel/core/log.h"
#include "kernel/core/page.h"
#include "kernel/core/start.h"
#include "kernel/core/wait.h"
#include "arch/mmu.h"

#define FREQUENCY_MIN 10000ul /* of the counter, Hz; clock.c's numbers fit within these */
#define FREQUENCY_MAX 10000000000ul

static struct processor boot_processor;
static struct arch_processor boot_arch;
static struct start_info info;
static char command_line[sizeof(((struct boot_info *)0)->command_line)];
struct board board;

static physical_t table_allocate(void)
{
	physical_t page = start_memory_take(&info, PAGE_SIZE, DIRECT_SIZE);
	memset(direct(page), 0, PAGE_SIZE);
	return page;
}

static void tree_read(physical_t tree)
{
	const char *problem = tree ? board_read(&board, direct(tree), boot_arch.hart) : "the firmware gave none";
	if (problem)
		panic("the device tree is not usable: %s", problem);
	memcpy(command_line, board.command_line, min(strlen(board.command_line), sizeof(command_line) - 1));
	info.command_line = command_line;
	log_verbose = start_command_has(&info, "verbose");
	log_info("board: %s, hart %lu", board.model, boot_arch.hart);
	if (!board.memory_count)
		panic("unknown board \"%s\": its device tree tells of no memory", board.model);
	if (!board.processor_found)
		panic("unknown board \"%s\": its device tree does not tell of this processor, hart %lu", board.model, boot_arch.hart);
	if (!board.counter_frequency)
		panic("unknown board \"%s\": its device tree tells no timebase-frequency", board.model);
	if (board.counter_frequency < FREQUENCY_MIN || board.counter_frequency > FREQUENCY_MAX)
		panic("unknown board \"%s\": its timebase-frequency cannot be %lu Hz", board.model, board.counter_frequency);
	if (!board.interrupts || !board.interrupt_context_found)
		panic("unknown board \"%s\": no PLIC that this processor is connected to", board.model);
	memcpy(info.device, board.device, sizeof(info.device));
	info.device_count = board.device_count;
	info.archive_start = board.archive_start;
	info.archive_size = board.archive_end - board.archive_start;
}

static void archive_check(void)
{
	for (unsigned i = 0; i < board.memory_count; i++)
		if (board.memory[i][0] <= board.archive_start && board.archive_end <= board.memory[i][1])
			return;
	if (info.archive_size)
		panic("the device tree tells of a boot archive from 0x%lx to 0x%lx, where there is no memory", board.archive_start, board.archive_end);
}

static void memory_start(void)
{
	extern const char kernel_start[], kernel_end[];
	for (unsigned i = 0; i < board.memory_count; i++) {
		physical_t *range = board.memory[i];
		if (range[1] > DIRECT_SIZE)
			log_info("memory: what lies above %lu GiB is not used", DIRECT_SIZE >> 30);
		range[0] = min(range[0], (physical_t)DIRECT_SIZE);
		range[1] = min(range[1], (physical_t)DIRECT_SIZE);
	}
	archive_check();
	for (unsigned i = 0; i < board.memory_count; i++)
		start_memory_add(&info, board.memory[i][0], board.memory[i][1]);
	for (unsigned i = 0; i < board.reserved_count; i++)
		start_memory_exclude(&info, board.reserved[i][0], board.reserved[i][1]);
	start_memory_exclude(&info, (uint64_t)kernel_start - IMAGE_OFFSET, align_up((uint64_t)kernel_end - IMAGE_OFFSET, PAGE_SIZE));
	start_archive_exclude(&info);
	start_trace_exclude(&info);
	mmu_start(table_allocate, (const physical_t (*)[2])board.memory, board.memory_count, !start_command_has(&info, "sv39"));
	log_info("translation: %s", user_top == USER_TOP_MAX ? "Sv48" : "Sv39");
	start_pages(&info, (const physical_t (*)[2])board.memory, board.memory_count);
}

/* From head.S, on the boot stack, in the boot page tables. */
noreturn void start_kernel(uint64_t hart, uint64_t tree);
void start_kernel(uint64_t hart, uint64_t tree)
{
	boot_processor.self = &boot_processor;
	boot_processor.arch = &boot_arch;
	boot_arch.hart = hart;
	__asm__ volatile("mv tp, %0" :: "r"(&boot_processor));
	CSR_WRITE(sscratch, 0);
	CSR_WRITE(stvec, (uint64_t)trap_entry);
	CSR_CLEAR(sstatus, STATUS_SIE | STATUS_SPP | STATUS_SUM | STATUS_FS | STATUS_VS);
	CSR_SET(sstatus, STATUS_SPIE); /* entry.S relies on it */
	scheduler_processor_init(&boot_processor);
	sbi_start();
	tree_read(tree);
	memory_start();
	clock_start();
	vector_start();
	info.vector_bytes = board.vector_bytes;
	plic_start();
	power_start();
	rtc_start();
	info.processors = 1;
	kernel_main(&info);
}

bool arch_random_seed(uint64_t seed[4])
{
	memcpy(seed, board.seed, 32);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t counter = (read_counter() + i) * 0x9e3779b97f4a7c15ul;
		seed[i] ^= counter ^ counter >> 29;
	}
	return board.seed_size == 32;
}

const char *arch_machine_name(void)
{
	return "riscv64";
}

void arch_interrupts_enable(void)
{
	__asm__ volatile("csrsi sstatus, 2" ::: "memory");
}

void arch_interrupts_disable(void)
{
	__asm__ volatile("csrci sstatus, 2" ::: "memory");
}

bool arch_interrupts_enabled(void)
{
	return CSR_READ(sstatus) & STATUS_SIE;
}

/* wfi ends for an interrupt that is enabled in sie, whether sstatus lets it through or not: so none slips in between. */
void arch_wait_for_interrupt(void)
{
	__asm__ volatile("wfi\n\tcsrsi sstatus, 2\n\tnop\n\tcsrci sstatus, 2" ::: "memory");
}

void arch_halt(void)
{
	CSR_WRITE(sie, 0);
	for (;;)
		__asm__ volatile("wfi" ::: "memory");
}
