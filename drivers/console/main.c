/*
 * The console driver: finds its device at the window it was given, sets up queues and buffers, and moves bytes for ever.
 *
 *   event loop: interrupt -> device messages, control lines, input received, output sent
 *               input description writable, output and error descriptions readable, command from init
 */
#include <string.h>
#include "abi/description.h"
#include "abi/errors.h"
#include "abi/memory.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "carillon/server.h"
#include "drivers/console/console.h"

#define FEATURE_MULTIPORT (1ull << 1)
#define CONFIG_PORTS 4u /* offset of max_nr_ports */

struct console console;

_Noreturn void device_failed(const char *what)
{
	virtio_reset(&console.device);
	server_fail("the device broke the rules: %s", what);
}

int queue_take(struct virtio_queue *queue, uint32_t *length)
{
	int slot = virtio_take(queue, length);
	if (slot == -EIO)
		device_failed("used ring");
	return slot < 0 ? -1 : slot;
}

void buffers_offer(struct virtio_queue *queue, const struct buffers *buffers)
{
	for (unsigned slot = 0; slot < queue->size && slot < buffers->count; slot++)
		virtio_offer(queue, slot, buffer_physical(buffers, slot), buffers->size, true);
	if (queue->size > 0)
		virtio_notify(queue);
}

int buffers_free_slot(const struct virtio_queue *queue, const struct buffers *buffers)
{
	int slot = virtio_free_slot(queue); /* the lowest, so buffers of higher slots are not needed */
	return slot >= 0 && (unsigned)slot < buffers->count ? slot : -1;
}

static void *map(handle_t memobj, uint64_t length)
{
	struct map_request request = {
		.length = length,
		.low = 0x10000000,
		.high = 0x30000000,
		.memobj = memobj,
		.protection = PROTECT_READ | PROTECT_WRITE,
	};
	int64_t address = space_map(HANDLE_SELF_SPACE, &request);
	if (address < 0)
		server_fail("mapping failed: error %d", (int)-address);
	return (void *)address;
}

static struct buffers buffers_carve(uint8_t *memory, uint64_t physical, size_t *used, uint32_t size, uint32_t count)
{
	struct buffers buffers = { memory + *used, physical + *used, size, count };
	*used += (size_t)size * count;
	if (*used > CONSOLE_MEMORY)
		server_fail("the buffers do not fit into %u bytes", CONSOLE_MEMORY);
	return buffers;
}

static void device_ready(void *context, uint32_t ready)
{
	(void)context;
	(void)ready;
	virtio_interrupt_take(&console.device);
	port_messages();
	control_receive();
	flow_input();
	flow_output(ROLE_OUTPUT);
	flow_output(ROLE_ERROR);
	control_exit_step();
	interrupt_acknowledge(console.interrupt);
}

static void command_ready(void *context, uint32_t ready)
{
	(void)context;
	(void)ready;
	control_command();
}

static void device_setup(void)
{
	handle_t window = record_handle_required("window"), memory = record_handle_required("memory");
	uint8_t *registers = (uint8_t *)map(window, PAGE_SIZE) + record_value("window", 0) % PAGE_SIZE;
	uint64_t physical = record_value("memory", 0);
	uint8_t *dma = map(memory, CONSOLE_MEMORY);

	if (virtio_identify(registers) != VIRTIO_ID_CONSOLE)
		server_fail("no virtio console at the window it was given");
	int error = virtio_open(&console.device, registers, FEATURE_MULTIPORT, 0);
	if (error)
		server_fail("the device does not have what is needed: error %d", -error);
	console.ports = virtio_config_read(&console.device, CONFIG_PORTS);
	if (console.ports > PORTS)
		console.ports = PORTS;

	size_t used = 0;
	for (unsigned i = 0; i < 2 * console.ports + 2; i++) {
		if (virtio_queue_open(&console.device, &console.queue[i], i, dma + used, physical + used))
			device_failed("a queue was in use after reset");
		virtio_interrupts(&console.queue[i], i % 2 == 0); /* even ones receive */
		used += VIRTIO_QUEUE_MEMORY;
	}
	if (console.ports == 0 || console.queue[2].size == 0 || console.queue[3].size == 0)
		server_fail("the device has no ports");
	used = (used + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	console.flow[ROLE_INPUT].buffers = buffers_carve(dma, physical, &used, 4096, 8);
	console.flow[ROLE_OUTPUT].buffers = buffers_carve(dma, physical, &used, 8192, 3);
	console.flow[ROLE_ERROR].buffers = buffers_carve(dma, physical, &used, 4096, 2);
	console.message_receive = buffers_carve(dma, physical, &used, 256, 16);
	console.message_send = buffers_carve(dma, physical, &used, 16, 16);
	console.line_receive = buffers_carve(dma, physical, &used, 256, 4);
	console.line_send = buffers_carve(dma, physical, &used, 64, 4);
}

int main(void)
{
	static const char *const names[] = { "input", "output", "error" };
	console.interrupt = record_handle_required("interrupt");
	console.events = record_handle_required("events");
	console.commands = record_handle_required("commands");
	console.control_port = PORT_NONE;
	console.input_end = UINT64_MAX;
	for (unsigned i = 0; i <= ROLE_ERROR; i++) {
		console.flow[i].port = PORT_NONE;
		console.flow[i].source = -1;
		console.flow[i].handle = record_handle(names[i]);
	}
	device_setup();
	if (server_add_source(console.interrupt, READY_IN, device_ready, NULL) < 0 ||
		server_add_source(console.commands, READY_IN, command_ready, NULL) < 0)
		server_fail("cannot wait for the device");
	flow_start();
	/* what an earlier run of the driver left; not later: one that has come since would be taken for served */
	interrupt_acknowledge(console.interrupt);
	virtio_start(&console.device);
	port_begin();
	server_run();
}
