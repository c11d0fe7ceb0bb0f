/*
 * Start of the boot processor, from head.S to kernel_main: reads what the loader left (struct hvm_start_info of Xen's PVH protocol), makes the
 * list of usable memory, the final kernel page tables, the array of pages, the clock.
 * Everything of the loader's is copied before any memory is used. Memory below 1 MiB stays the firmware's.
 */
#include "x86.h"
#include "kernel/core/log.h"
#include "kernel/core/page.h"
#include "kernel/core/start.h"
#include "kernel/core/wait.h"

#define HVM_MAGIC 0x336ec578u
#define HVM_RAM 1u
#define LOW_MEMORY 0x100000ul
#define BOOT_MAP_END (1ul << 30)
#define RANGES START_RANGES

struct hvm_start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line, rsdp, memory_map;
	uint32_t memory_map_count, reserved;
};
struct hvm_module { uint64_t address, size, command_line, reserved; };
struct hvm_memory { uint64_t address, size; uint32_t type, reserved; };

/* By number; entry.S compares with the first array, words.S uses the first processor's of the second. */
struct processor processor_data[PROCESSORS_MAX];
struct arch_processor processor_arch[PROCESSORS_MAX];
static struct start_info info;
static char command_line[sizeof(((struct boot_info *)0)->command_line)];
static physical_t ram[RANGES][2]; /* all of it, for the direct map */
static unsigned ram_count;

static physical_t table_allocate(void)
{
	physical_t page = start_memory_take(&info, PAGE_SIZE, BOOT_MAP_END);
	memset(direct(page), 0, PAGE_SIZE);
	return page;
}

/* Unsigned number in text with any of the prefixes C has; *text moves behind it. */
static uint64_t number_parse(const char **text)
{
	const char *t = *text;
	unsigned base = 10;
	if (t[0] == '0' && (t[1] == 'x' || t[1] == 'X')) {
		base = 16;
		t += 2;
	}
	uint64_t value = 0;
	for (;; t++) {
		unsigned digit = *t >= '0' && *t <= '9' ? (unsigned)(*t - '0') : (*t | 32) >= 'a' && (*t | 32) <= 'f' ? (unsigned)((*t | 32) - 'a' + 10) : 99;
		if (digit >= base)
			break;
		value = value * base + digit;
	}
	*text = t;
	return value;
}

/* virtio_mmio.device=<size>[KMG]@<address>:<interrupt>, Linux's syntax, which QEMU's microvm writes */
static void device_parse(const char *text)
{
	struct boot_device device = { 0 };
	device.size = number_parse(&text);
	if (*text == 'K' || *text == 'M' || *text == 'G')
		device.size <<= *text == 'K' ? 10 : *text == 'M' ? 20 : 30, text++;
	if (*text++ != '@')
		return;
	device.address = number_parse(&text);
	if (*text++ != ':')
		return;
	device.interrupt = (uint32_t)number_parse(&text);
	if (device.size && info.device_count < BOOT_DEVICES)
		info.device[info.device_count++] = device;
}

static void command_line_parse(void)
{
	static const char device[] = "virtio_mmio.device=";
	for (const char *word = command_line; *word; ) {
		size_t length = 0;
		while (word[length] && word[length] != ' ')
			length++;
		if (!strncmp(word, device, sizeof(device) - 1))
			device_parse(word + sizeof(device) - 1);
		word += length;
		while (*word == ' ')
			word++;
	}
	info.command_line = command_line;
	log_verbose = start_command_has(&info, "verbose");
}

static void start_info_read(const struct hvm_start_info *hvm)
{
	if (hvm->magic != HVM_MAGIC)
		panic("not started by the PVH protocol");
	if (hvm->command_line) {
		const char *text = direct(hvm->command_line);
		size_t length = strlen(text);
		memcpy(command_line, text, min(length, sizeof(command_line) - 1));
	}
	if (hvm->module_count) {
		const struct hvm_module *module = direct(hvm->modules);
		info.archive_start = module->address;
		info.archive_size = module->size;
	}
	if (hvm->version < 1 || !hvm->memory_map_count)
		panic("the loader gave no memory map");
	const struct hvm_memory *map = direct(hvm->memory_map);
	for (unsigned i = 0; i < hvm->memory_map_count && ram_count < RANGES; i++) {
		physical_t start = max(align_up(map[i].address, PAGE_SIZE), LOW_MEMORY), end = align_down(map[i].address + map[i].size, PAGE_SIZE);
		if (map[i].type != HVM_RAM || start >= end)
			continue;
		ram[ram_count][0] = start;
		ram[ram_count++][1] = end;
	}
}

static void memory_start(void)
{
	extern const char kernel_end[];
	for (unsigned i = 0; i < ram_count; i++)
		start_memory_add(&info, ram[i][0], ram[i][1]);
	start_memory_exclude(&info, LOW_MEMORY, align_up((uint64_t)kernel_end - KERNEL_BASE, PAGE_SIZE));
	start_archive_exclude(&info);
	start_trace_exclude(&info);
	mmu_start(table_allocate, (const physical_t (*)[2])ram, ram_count);
	start_pages(&info, ram, ram_count);
}

/* From head.S, on the boot stack, in the boot page tables. */
noreturn void start_kernel(uint32_t start_info_address);
void start_kernel(uint32_t start_info_address)
{
	struct processor *processor = &processor_data[0];
	processor->self = processor;
	processor->arch = &processor_arch[0];
	write_msr(MSR_GS_BASE, (uint64_t)processor);
	scheduler_processor_init(processor);
	serial_start();
	idt_init();
	cpu_detect();
	start_info_read(direct(start_info_address));
	command_line_parse();
	cpu_start(processor);
	memory_start();
	apic_start();
	clock_start_calibration();
	pic_mask_all();
	ioapic_start();
	clock_finish_calibration();
	const char *processors = start_command_value(&info, "processors=");
	info.processors = processors ? (unsigned)number_parse(&processors) : 1;
	kernel_main(&info);
}
