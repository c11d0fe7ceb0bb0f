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

/* -- what is kept (kept.h) */

static uint64_t flow_moved(const struct flow *flow)
{
	struct description_info info;
	return flow->handle != HANDLE_NONE && description_get(flow->handle, &info) == 0 ? (uint64_t)info.cursor : 0;
}

static bool slot_returned(const struct kept_output *kept, unsigned slot, const uint8_t *rings)
{
	unsigned count = virtio_left_count(rings, kept->used_at[slot]), returned;
	uint32_t length;
	for (unsigned i = 0; i < count; i++) {
		virtio_left_entry(rings, (uint16_t)(kept->used_at[slot] + i), &returned, &length);
		if (returned == slot)
			return true;
	}
	return false;
}

bool flow_returned(enum role role, const uint8_t *rings)
{
	const struct kept_output *kept = &console.kept->output[role];
	for (unsigned slot = 0; slot < console.flow[role].buffers.count; slot++)
		if (kept->length[slot] && !slot_returned(kept, slot, rings))
			return false;
	return true;
}

static void slot_fill(struct kept_output *kept, unsigned slot, uint32_t length, uint16_t used)
{
	kept->sequence[slot] = ++kept->next_sequence;
	kept->used_at[slot] = used;
	__atomic_store_n(&kept->length[slot], length, __ATOMIC_RELEASE);
}

static void output_recover(enum role role, const uint8_t *rings)
{
	struct flow *flow = &console.flow[role];
	struct kept_output *kept = &console.kept->output[role];
	uint64_t moved = flow_moved(flow);
	unsigned slot = kept->reading;
	for (unsigned i = 0; rings && i < flow->buffers.count; i++)
		if (kept->length[i] > flow->buffers.size || (kept->length[i] && slot_returned(kept, i, rings)))
			kept->length[i] = 0;
	if (flow->handle == HANDLE_NONE || moved <= kept->moved)
		return;
	if (slot < flow->buffers.count && !kept->length[slot] && moved - kept->moved <= flow->buffers.size)
		slot_fill(kept, slot, (uint32_t)(moved - kept->moved), rings ? virtio_left_end(rings) : 0);
	kept_set(&kept->moved, moved);
}

static void input_recover(const uint8_t *rings)
{
	struct flow *flow = &console.flow[ROLE_INPUT];
	struct kept *kept = console.kept;
	uint64_t written = flow_moved(flow), skip = written - (kept->input >> 16), used = 0;
	uint16_t first = (uint16_t)kept->input;
	for (unsigned i = 0, count = rings && !kept->rescue_length ? virtio_left_count(rings, first) : 0; i < count; i++) {
		unsigned slot;
		uint32_t length;
		virtio_left_entry(rings, (uint16_t)(first + i), &slot, &length);
		if (slot >= flow->buffers.count || length > flow->buffers.size || used + length > RESCUE_MAX)
			continue;
		memcpy(kept->rescued + used, buffer_at(&flow->buffers, slot), length);
		used += length;
	}
	if (used && skip < used) {
		kept_set(&kept->rescue_base, written - skip);
		kept_set(&kept->rescue_length, used);
	}
	console.rescued = kept->rescue_length ? written - kept->rescue_base : 0;
	if (console.rescued > kept->rescue_length)
		console.rescued = kept->rescue_length;
	flow->total = kept->rescue_length ? kept->rescue_base + kept->rescue_length : written;
}

void flow_recover(enum role role, const uint8_t *rings)
{
	if (role == ROLE_INPUT)
		input_recover(rings);
	else
		output_recover(role, rings);
}

/* The buffers that a driver that died had not sent, in their order */
static void output_again(enum role role)
{
	struct flow *flow = &console.flow[role];
	struct kept_output *kept = &console.kept->output[role];
	struct virtio_queue *queue = port_send_queue(flow->port);
	for (;;) {
		int next = -1;
		for (unsigned slot = 0; slot < flow->buffers.count && slot < queue->size; slot++)
			if (kept->length[slot] && !(queue->held & 1ull << slot) && (next < 0 || kept->sequence[slot] < kept->sequence[next]))
				next = (int)slot;
		if (next < 0)
			return;
		kept->used_at[next] = queue->used[1];
		virtio_offer(queue, (unsigned)next, buffer_physical(&flow->buffers, (unsigned)next), kept->length[next], false);
		virtio_notify(queue);
	}
}

/* -- input */

/* Passes on what a driver that died had received. False: not all of it yet. */
static bool rescue_pass(struct flow *flow)
{
	struct kept *kept = console.kept;
	if (!kept->rescue_length)
		return true;
	while (console.rescued < kept->rescue_length && flow->handle != HANDLE_NONE) {
		int64_t count = description_write(flow->handle, kept->rescued + console.rescued, kept->rescue_length - console.rescued);
		if (count == -EAGAIN)
			return false;
		if (count == -EINTR)
			continue;
		if (count <= 0)
			flow_close(flow);
		else
			console.rescued += (uint64_t)count;
	}
	kept_set(&kept->rescue_length, 0);
	buffers_offer(port_receive_queue(flow->port), &flow->buffers);
	return true;
}

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
	kept_set(&console.kept->input, ((console.kept->input >> 16) + length) << 16 | (uint16_t)(console.kept->input + 1));
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
	if (!rescue_pass(flow)) {
		server_change_source(flow->source, READY_OUT);
		return;
	}
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
	if (flow->waiting_count == 0 && flow->handle != HANDLE_NONE && flow->total >= console.kept->input_end) {
		event_send(CONSOLE_EVENT_INPUT_ENDED, 0, 0); /* first: a successor could not know */
		flow_close(flow);
	}
	if (flow->source >= 0)
		server_change_source(flow->source, flow->waiting_count > 0 ? READY_OUT : 0);
}

/* -- output */

static void sent_take(enum role role)
{
	uint32_t length;
	int slot;
	while ((slot = queue_take(port_send_queue(console.flow[role].port), &length)) >= 0)
		if (slot < 4)
			__atomic_store_n(&console.kept->output[role].length[slot], 0, __ATOMIC_RELEASE);
}

/* A free slot; when there is none, the device will interrupt once it has one. */
static int slot_wanted(enum role role)
{
	struct virtio_queue *queue = port_send_queue(console.flow[role].port);
	const struct buffers *buffers = &console.flow[role].buffers;
	sent_take(role);
	int slot = buffers_free_slot(queue, buffers);
	if (slot < 0) {
		virtio_interrupts(queue, true);
		sent_take(role);
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
	struct kept_output *kept = &console.kept->output[role];
	int slot = -1;
	while (flow->handle != HANDLE_NONE && (slot = slot_wanted(role)) >= 0) {
		kept->reading = (uint32_t)slot;
		int64_t count = description_read(flow->handle, buffer_at(&flow->buffers, (unsigned)slot), flow->buffers.size);
		if (count == -EAGAIN)
			break;
		if (count == -EINTR)
			continue;
		if (count <= 0) { /* every writer is gone and all was read */
			flow_close(flow);
			break;
		}
		slot_fill(kept, (unsigned)slot, (uint32_t)count, queue->used[1]);
		kept_set(&kept->moved, kept->moved + (uint64_t)count);
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
	sent_take(role);
	if (queue->held) {
		virtio_interrupts(queue, true);
		sent_take(role);
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
	event_send(CONSOLE_EVENT_HANGUP, role == ROLE_OUTPUT ? 1 : 2, 0);
	flow_close(flow);
}

/* -- starting */

void flow_open(enum role role, int port)
{
	struct flow *flow = &console.flow[role];
	flow->port = port;
	console.kept->port[role] = port;
	if (role != ROLE_INPUT) {
		output_again(role);
		flow_output(role);
		return;
	}
	if (!console.kept->rescue_length)
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
