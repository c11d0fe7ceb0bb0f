/*
 * Bytes between the host's ports and stream channels, with back pressure both ways: a received buffer goes back to the device only when
 * the channel has taken it all, and a channel is read only into a free buffer. So a slow reader slows its writer down and nobody else.
 *
 * Output interrupts are asked for only when something waits for a buffer: usually the device is done by the time it was notified.
 */
#include <string.h>
#include "abi/description.h"
#include "abi/errors.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "carillon/server.h"
#include "drivers/console/console.h"

static void flow_close(struct flow *flow)
{
	if (flow->source >= 0)
		server_remove_source(flow->source);
	flow->source = -1;
	if (flow->handle != HANDLE_NONE)
		handle_close(flow->handle);
	flow->handle = HANDLE_NONE;
}

/* -- input */

/* Passes on what it can of the oldest buffer. False when the channel is full. */
static bool waiting_pass(struct flow *flow)
{
	unsigned slot = flow->waiting[flow->waiting_first].slot;
	uint32_t *offset = &flow->waiting[flow->waiting_first].offset, length = flow->waiting[flow->waiting_first].length;
	while (*offset < length && flow->handle != HANDLE_NONE) {
		int64_t count = description_write(flow->handle, buffer_at(&flow->buffers, slot) + *offset, length - *offset);
		if (count == -EAGAIN)
			return false;
		if (count == -EINTR)
			continue;
		if (count <= 0) /* nobody will read it: what comes is thrown away from now on */
			flow_close(flow);
		else
			*offset += (uint32_t)count;
	}
	flow->waiting_first = (flow->waiting_first + 1) % VIRTIO_QUEUE_SLOTS;
	flow->waiting_count--;
	virtio_offer(port_receive_queue(flow->port), slot, buffer_physical(&flow->buffers, slot), flow->buffers.size, true);
	return true;
}

void flow_input(void)
{
	struct flow *flow = &console.flow[ROLE_INPUT];
	if (flow->port == PORT_NONE)
		return;
	struct virtio_queue *queue = port_receive_queue(flow->port);
	bool returned = false;
	do {
		uint32_t length;
		int slot;
		while (flow->waiting_count < VIRTIO_QUEUE_SLOTS && (slot = queue_take(queue, &length)) >= 0) {
			unsigned last = (flow->waiting_first + flow->waiting_count++) % VIRTIO_QUEUE_SLOTS;
			flow->waiting[last].slot = (uint8_t)slot;
			flow->waiting[last].offset = 0;
			flow->waiting[last].length = length;
			flow->total += length;
		}
		while (flow->waiting_count > 0 && waiting_pass(flow))
			returned = true;
		if (returned)
			virtio_notify(queue);
	} while (flow->waiting_count == 0 && queue->used[1] != queue->next_used);
	if (flow->waiting_count == 0 && flow->handle != HANDLE_NONE && flow->total >= console.input_end) {
		flow_close(flow);
		event_send(CONSOLE_EVENT_INPUT_ENDED, 0, 0);
	}
	if (flow->source >= 0)
		server_change_source(flow->source, flow->waiting_count > 0 ? READY_OUT : 0);
}

/* -- output */

static void sent_take(struct virtio_queue *queue)
{
	uint32_t length;
	while (queue_take(queue, &length) >= 0)
		;
}

/* A free slot; when there is none, the device will interrupt once it has one. */
static int slot_wanted(struct virtio_queue *queue, const struct buffers *buffers)
{
	sent_take(queue);
	int slot = buffers_free_slot(queue, buffers);
	if (slot < 0) {
		virtio_interrupts(queue, true);
		sent_take(queue);
		slot = buffers_free_slot(queue, buffers);
	}
	if (slot >= 0)
		virtio_interrupts(queue, false);
	return slot;
}

void flow_output(enum role role)
{
	struct flow *flow = &console.flow[role];
	if (flow->port == PORT_NONE)
		return;
	struct virtio_queue *queue = port_send_queue(flow->port);
	int slot = -1;
	while (flow->handle != HANDLE_NONE && (slot = slot_wanted(queue, &flow->buffers)) >= 0) {
		int64_t count = description_read(flow->handle, buffer_at(&flow->buffers, (unsigned)slot), flow->buffers.size);
		if (count == -EAGAIN)
			break;
		if (count == -EINTR)
			continue;
		if (count <= 0) { /* every writer is gone and all was read */
			flow_close(flow);
			break;
		}
		virtio_offer(queue, (unsigned)slot, buffer_physical(&flow->buffers, (unsigned)slot), (uint32_t)count, false);
		virtio_notify(queue);
	}
	if (flow->source >= 0)
		server_change_source(flow->source, slot >= 0 ? READY_IN : 0);
}

bool flow_drained(enum role role)
{
	struct flow *flow = &console.flow[role];
	if (flow->port == PORT_NONE)
		return true; /* no such port: nobody could ever take it */
	flow_output(role);
	struct virtio_queue *queue = port_send_queue(flow->port);
	sent_take(queue);
	if (queue->held) {
		virtio_interrupts(queue, true);
		sent_take(queue);
	}
	if (queue->held)
		return false;
	struct description_info info;
	return flow->handle == HANDLE_NONE || description_get(flow->handle, &info) < 0 || info.available == 0;
}

void flow_hangup(enum role role)
{
	struct flow *flow = &console.flow[role];
	if (flow->handle == HANDLE_NONE)
		return;
	flow_close(flow);
	event_send(CONSOLE_EVENT_HANGUP, role == ROLE_OUTPUT ? 1 : 2, 0);
}

/* -- starting */

void flow_open(enum role role, int port)
{
	struct flow *flow = &console.flow[role];
	flow->port = port;
	if (role != ROLE_INPUT) {
		flow_output(role);
		return;
	}
	buffers_offer(port_receive_queue(port), &flow->buffers);
	flow_input(); /* its end may have been told already */
}

static void input_ready(void *context, uint32_t ready)
{
	(void)context;
	(void)ready;
	flow_input();
	control_exit_step();
}

static void output_ready(void *context, uint32_t ready)
{
	(void)ready;
	flow_output((enum role)(uintptr_t)context);
	control_exit_step();
}

void flow_start(void)
{
	if (console.flow[ROLE_INPUT].handle != HANDLE_NONE)
		console.flow[ROLE_INPUT].source = server_add_source(console.flow[ROLE_INPUT].handle, 0, input_ready, NULL);
	for (enum role role = ROLE_OUTPUT; role <= ROLE_ERROR; role++)
		if (console.flow[role].handle != HANDLE_NONE) /* watched from when the port is there: flow_output */
			console.flow[role].source = server_add_source(console.flow[role].handle, 0, output_ready, (void *)(uintptr_t)role);
}
