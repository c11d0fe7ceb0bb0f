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
#include "carillon/boot_names.h"
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

/* Where a queue's rings lie in DMA memory; the same for a driver and its successor. */
static uint8_t *rings_of(uint8_t *dma, int queue) { return queue < 0 ? NULL : dma + queue * (int)VIRTIO_QUEUE_MEMORY; }
static int receive_number(int port) { return port < 0 || port >= (int)PORTS ? -1 : port == 0 ? 0 : 2 * port + 2; }
static int send_number(int port) { return port < 0 || port >= (int)PORTS ? -1 : port == 0 ? 1 : 2 * port + 3; }

/* A second for the device to take what it was given: what it has not taken then it is given again. */
static void device_wait(uint8_t *dma)
{
	const struct kept *kept = console.kept;
	const uint8_t *output = rings_of(dma, send_number(kept->port[ROLE_OUTPUT])), *error = rings_of(dma, send_number(kept->port[ROLE_ERROR]));
	for (unsigned i = 0; i < 100; i++) {
		uint32_t word = 0;
		if ((!output || flow_returned(ROLE_OUTPUT, output)) && (!error || flow_returned(ROLE_ERROR, error)))
			return;
		futex_wait((uint64_t)&word, 0, (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + 10000000, ~0u, 0);
	}
}

/* Goes on from what a driver that died has left, or begins. The device is reset by this. */
static void state_open(uint8_t *dma)
{
	struct kept *kept = console.kept;
	if (kept->magic == KEPT_MAGIC) {
		device_wait(dma);
		virtio_reset(&console.device);
		flow_recover(ROLE_INPUT, rings_of(dma, receive_number(kept->port[ROLE_INPUT])));
		flow_recover(ROLE_OUTPUT, rings_of(dma, send_number(kept->port[ROLE_OUTPUT])));
		flow_recover(ROLE_ERROR, rings_of(dma, send_number(kept->port[ROLE_ERROR])));
		control_recover(rings_of(dma, receive_number(kept->port[ROLE_CONTROL])));
		return;
	}
	kept->input_end = UINT64_MAX;
	for (unsigned i = 0; i < ROLES; i++)
		kept->port[i] = PORT_NONE;
	kept_set(&kept->magic, KEPT_MAGIC);
}

/* The rings are empty again: numbers of their entries begin at 0. */
static void state_begin(void)
{
	struct kept *kept = console.kept;
	uint64_t passed = kept->rescue_length ? kept->rescue_base + kept->rescue_length : console.flow[ROLE_INPUT].total;
	kept_set(&kept->input, passed << 16);
	kept_set(&kept->control, kept->control & 0xffff);
	for (unsigned i = 0; i < ROLES; i++)
		kept->port[i] = PORT_NONE;
}

static void buffers_setup(uint8_t *dma, uint64_t physical)
{
	size_t used = ((2 * PORTS + 2) * VIRTIO_QUEUE_MEMORY + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	console.flow[ROLE_INPUT].buffers = buffers_carve(dma, physical, &used, 4096, 8);
	console.flow[ROLE_OUTPUT].buffers = buffers_carve(dma, physical, &used, 8192, 3);
	console.flow[ROLE_ERROR].buffers = buffers_carve(dma, physical, &used, 4096, 2);
	console.message_receive = buffers_carve(dma, physical, &used, 256, 16);
	console.message_send = buffers_carve(dma, physical, &used, 16, 16);
	console.line_receive = buffers_carve(dma, physical, &used, 256, 4);
	console.line_send = buffers_carve(dma, physical, &used, 64, 4);
}

static void device_setup(void)
{
	handle_t window = record_handle_required("window"), memory = record_handle_required("memory");
	uint8_t *registers = (uint8_t *)map(window, PAGE_SIZE) + record_value("window", 0) % PAGE_SIZE;
	uint64_t physical = record_value("memory", 0);
	uint8_t *dma = map(memory, CONSOLE_MEMORY);

	if (virtio_identify(registers) != VIRTIO_ID_CONSOLE)
		server_fail("no virtio console at the window it was given");
	console.device.registers = registers;
	console.kept = map(record_handle_required(BOOT_NAME_STATE), sizeof *console.kept);
	buffers_setup(dma, physical);
	state_open(dma);
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
	state_begin();
}

/* The description under this name; HANDLE_NONE: there is none, or a driver that died has closed it (and may have had something else there since). */
static handle_t flow_handle(const char *name)
{
	struct handle_info info;
	handle_t handle = record_handle(name);
	return handle != HANDLE_NONE && handle_get(handle, &info) == 0 && info.kind == KIND_DESCRIPTION ? handle : HANDLE_NONE;
}

int main(void)
{
	server_sweep(NULL, 0);
	static const char *const names[] = { "input", "output", "error" };
	console.interrupt = record_handle_required("interrupt");
	console.events = record_handle_required("events");
	console.commands = record_handle_required("commands");
	console.control_port = PORT_NONE;
	for (unsigned i = 0; i <= ROLE_ERROR; i++) {
		console.flow[i].port = PORT_NONE;
		console.flow[i].source = -1;
		console.flow[i].handle = flow_handle(names[i]);
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
