/*
 * Virtio devices over memory-mapped registers (version 2 of the transport, split rings). For drivers; implemented in user/virtio.
 *
 * A queue has as many slots as descriptors: slot i is descriptor i and, by the driver's own arrangement, buffer i. So there are no chains,
 * no free list to corrupt, and what a device says in the used ring is checked against one bit mask: a device (or whoever
 * emulates it) that names a slot it does not hold, or claims more bytes than it was given, makes virtio_take fail with -EIO.
 * Not thread-safe.
 */
#ifndef CARILLON_VIRTIO_H
#define CARILLON_VIRTIO_H
#include <stdbool.h>
#include <stdint.h>

#define VIRTIO_QUEUE_SLOTS 16u   /* at most */
#define VIRTIO_QUEUE_MEMORY 512u /* bytes of DMA memory a queue's rings take, aligned to as much */

#define VIRTIO_ID_CONSOLE 3u
#define VIRTIO_FEATURE_VERSION_1 (1ull << 32)

struct virtio_device {
	volatile uint8_t *registers;
	uint64_t features; /* agreed upon */
};

struct virtio_queue {
	struct virtio_device *device;
	uint32_t number;
	uint32_t size;        /* slots; 0: the device has no such queue */
	uint64_t held;        /* bit i: the device holds slot i */
	uint32_t offered[VIRTIO_QUEUE_SLOTS]; /* bytes */
	uint16_t next_available, next_used;
	volatile struct virtio_descriptor *descriptor;
	volatile uint16_t *available; /* flags, index, ring[size] */
	volatile uint16_t *used;      /* flags, index, then { uint32_t slot, length } */
};

/* The device type at these registers: 0 for none, or for a device that is not of version 2. */
uint32_t virtio_identify(volatile void *registers);
/*
 * Resets the device and agrees on features: all of `required` (VERSION_1 always among them) and what it has of `wanted`.
 * 0, -ENODEV (nothing there), -EOPNOTSUPP (a required feature is missing or the device refused the choice).
 */
int virtio_open(struct virtio_device *device, volatile void *registers, uint64_t required, uint64_t wanted);
/* Before virtio_start. memory: VIRTIO_QUEUE_MEMORY bytes at bus address physical. A queue the device lacks gets size 0. 0 or -EIO. */
int virtio_queue_open(struct virtio_device *device, struct virtio_queue *queue, uint32_t number, void *memory, uint64_t physical);
/* All queues are there: the device may run. */
void virtio_start(struct virtio_device *device);
uint32_t virtio_config_read(const struct virtio_device *device, uint32_t offset); /* a 32-bit field */
/* Which interrupts are pending (bit 0 used ring, bit 1 configuration), acknowledged by this. */
uint32_t virtio_interrupt_take(struct virtio_device *device);
void virtio_reset(struct virtio_device *device);

/* A free slot, or -1. */
int virtio_free_slot(const struct virtio_queue *queue);
/* Gives the device slot's buffer: length bytes at bus address physical; device_writes for receiving. The slot must be free. */
void virtio_offer(struct virtio_queue *queue, unsigned slot, uint64_t physical, uint32_t length, bool device_writes);
/* Tells the device that there is something new. */
void virtio_notify(struct virtio_queue *queue);
/* The next slot the device is done with and how many bytes it wrote (0 .. offered). -EAGAIN: none. -EIO: the device lies; reset it. */
int virtio_take(struct virtio_queue *queue, uint32_t *length);
/*
 * After virtio_reset and before virtio_queue_open: what the device had returned to a queue of a driver that died, whose rings lie in memory, from entry
 * number `since` on. How many entries, 0 if they make no sense; entry i's slot (below VIRTIO_QUEUE_SLOTS) and bytes; where the numbers have come to.
 */
unsigned virtio_left_count(const void *memory, uint16_t since);
void virtio_left_entry(const void *memory, uint16_t number, unsigned *slot, uint32_t *length);
uint16_t virtio_left_end(const void *memory);
/* Whether used slots shall raise interrupts (a hint). After switching on, look once more with virtio_take. */
void virtio_interrupts(struct virtio_queue *queue, bool on);
#endif
