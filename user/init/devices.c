/*
 * Finding devices for drivers. A driver gets the page with its device's registers, its interrupt and DMA memory, and not the resource handle
 * these are made with. Windows of several devices can lie in one page; such drivers could reach each other's registers.
 */
#include "abi/errors.h"
#include "abi/memory.h"
#include "carillon/calls.h"
#include "carillon/console_protocol.h"
#include "carillon/runtime.h"
#include "carillon/virtio.h"
#include "user/init/init.h"

/* The page of a window as a memory object, or a negative error. */
static int64_t window_memobj(const struct boot_device *device)
{
	if (device->address % PAGE_SIZE + 0x200 > PAGE_SIZE)
		return -EINVAL;
	return memobj_create_physical(BOOT_HANDLE_RESOURCE, device->address & ~(PAGE_SIZE - 1), PAGE_SIZE, MEMOBJ_UNCACHED);
}

static uint32_t window_identify(handle_t memobj, uint64_t offset)
{
	struct map_request map = {
		.length = PAGE_SIZE,
		.low = 0x10000000,
		.high = 0x30000000,
		.memobj = memobj,
		.protection = PROTECT_READ | PROTECT_WRITE,
	};
	int64_t address = space_map(HANDLE_SELF_SPACE, &map);
	if (address < 0)
		return 0;
	uint32_t id = virtio_identify((volatile uint8_t *)address + offset);
	space_unmap(HANDLE_SELF_SPACE, (uint64_t)address, PAGE_SIZE);
	return id;
}

static void console_give(const struct boot_device *device, handle_t window)
{
	int64_t interrupt = interrupt_create(BOOT_HANDLE_RESOURCE, device->interrupt, 0);
	if (interrupt < 0)
		server_fail("no interrupt %u for the console: error %d", device->interrupt, (int)-interrupt);
	struct physical_range range;
	int64_t memory = memobj_create_contiguous(BOOT_HANDLE_RESOURCE, CONSOLE_MEMORY, &range);
	if (memory < 0)
		server_fail("no memory for the console's device: error %d", (int)-memory);
	server_give_away(SERVER_CONSOLE, "window", window, device->address % PAGE_SIZE);
	server_give_away(SERVER_CONSOLE, "interrupt", (handle_t)interrupt, 0);
	server_give_away(SERVER_CONSOLE, "memory", (handle_t)memory, range.address);
}

bool device_give_console(void)
{
	for (uint32_t i = 0; i < boot.info->device_count && i < BOOT_DEVICES; i++) {
		const struct boot_device *device = &boot.info->device[i];
		int64_t window = window_memobj(device);
		if (window < 0)
			continue;
		if (window_identify((handle_t)window, device->address % PAGE_SIZE) == VIRTIO_ID_CONSOLE) {
			console_give(device, (handle_t)window);
			return true;
		}
		handle_close((handle_t)window);
	}
	return false;
}
