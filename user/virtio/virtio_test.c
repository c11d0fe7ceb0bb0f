/*
 * virtio: slots go round, and a device that lies in its used ring is caught.
 * host-test: user/virtio/virtio.c -Iuser/include
 */
#include <assert.h>
#include <string.h>
#include "abi/errors.h"
#include "carillon/virtio.h"

static _Alignas(4096) uint8_t registers[4096], memory[VIRTIO_QUEUE_MEMORY];
static struct virtio_device device;
static struct virtio_queue queue;

static void used_push(uint32_t slot, uint32_t length)
{
	uint32_t *entry = (uint32_t *)(memory + 320 + 4);
	uint16_t *index = (uint16_t *)(memory + 320 + 2);
	entry[2 * (*index % queue.size)] = slot;
	entry[2 * (*index % queue.size) + 1] = length;
	++*index;
}

static void queue_start(uint32_t size_max)
{
	memset(registers, 0, sizeof registers);
	*(uint32_t *)(registers + 0x034) = size_max;
	device.registers = registers;
	assert(virtio_queue_open(&device, &queue, 3, memory, 0x1000) == 0);
}

int main(void)
{
	uint32_t length;
	assert(virtio_identify(registers) == 0);
	*(uint32_t *)registers = 0x74726976;
	*(uint32_t *)(registers + 4) = 2;
	*(uint32_t *)(registers + 8) = VIRTIO_ID_CONSOLE;
	assert(virtio_identify(registers) == VIRTIO_ID_CONSOLE);

	queue_start(0);
	assert(queue.size == 0 && virtio_free_slot(&queue) == -1 && virtio_take(&queue, &length) == -EAGAIN);
	queue_start(5);
	assert(queue.size == 4);
	queue_start(1024);
	assert(queue.size == VIRTIO_QUEUE_SLOTS);
	/* round and round, beyond 65536 where the ring's indices wrap */
	for (unsigned i = 0; i < 70000; i++) {
		int slot = virtio_free_slot(&queue);
		assert(slot >= 0);
		virtio_offer(&queue, (unsigned)slot, 0x5000, 100, true);
		assert(virtio_take(&queue, &length) == -EAGAIN);
		used_push((uint32_t)slot, i % 101);
		assert(virtio_take(&queue, &length) == slot && length == i % 101);
	}
	for (unsigned i = 0; i < VIRTIO_QUEUE_SLOTS; i++)
		virtio_offer(&queue, i, 0x5000, 100, true);
	assert(virtio_free_slot(&queue) == -1);

	used_push(3, 101); /* more than it was given */
	assert(virtio_take(&queue, &length) == -EIO);
	queue_start(16);
	virtio_offer(&queue, 2, 0x5000, 100, true);
	used_push(1, 0); /* a slot it does not hold */
	assert(virtio_take(&queue, &length) == -EIO);
	queue_start(16);
	virtio_offer(&queue, 2, 0x5000, 100, true);
	used_push(0x10002, 0); /* a slot that does not exist */
	assert(virtio_take(&queue, &length) == -EIO);
	queue_start(16);
	virtio_offer(&queue, 0, 0x5000, 100, false);
	used_push(0, 1); /* claims to have written what it may only read */
	assert(virtio_take(&queue, &length) == -EIO);
	queue_start(16);
	virtio_offer(&queue, 0, 0x5000, 100, false);
	used_push(0, 0);
	used_push(0, 0); /* the same one twice */
	assert(virtio_take(&queue, &length) == 0 && virtio_take(&queue, &length) == -EIO);
	return 0;
}
