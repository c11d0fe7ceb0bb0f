/*
 * The virtio transport over memory-mapped registers; see carillon/virtio.h. Source: Virtual I/O Device (VIRTIO) 1.1, sections 2.6 and 4.2.
 */
#include "carillon/virtio.h"
#include "abi/errors.h"

enum {
	REGISTER_MAGIC = 0x000, REGISTER_VERSION = 0x004, REGISTER_DEVICE = 0x008, REGISTER_DEVICE_FEATURES = 0x010,
	REGISTER_DEVICE_FEATURES_SELECT = 0x014, REGISTER_DRIVER_FEATURES = 0x020, REGISTER_DRIVER_FEATURES_SELECT = 0x024,
	REGISTER_QUEUE_SELECT = 0x030, REGISTER_QUEUE_MAX = 0x034, REGISTER_QUEUE_SIZE = 0x038, REGISTER_QUEUE_READY = 0x044,
	REGISTER_QUEUE_NOTIFY = 0x050, REGISTER_INTERRUPT_STATUS = 0x060, REGISTER_INTERRUPT_ACKNOWLEDGE = 0x064, REGISTER_STATUS = 0x070,
	REGISTER_QUEUE_DESCRIPTORS = 0x080, REGISTER_QUEUE_AVAILABLE = 0x090, REGISTER_QUEUE_USED = 0x0a0, REGISTER_CONFIG = 0x100,
};
#define MAGIC 0x74726976u
enum { STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_RUNNING = 4, STATUS_FEATURES = 8, STATUS_FAILED = 128 };

#define DESCRIPTOR_WRITE 2u
#define AVAILABLE_NO_INTERRUPT 1u

struct virtio_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

/* Places of the rings in a queue's memory */
#define AVAILABLE_OFFSET 256u
#define USED_OFFSET 320u
_Static_assert(VIRTIO_QUEUE_SLOTS * sizeof(struct virtio_descriptor) <= AVAILABLE_OFFSET, "descriptors");
_Static_assert(AVAILABLE_OFFSET + 6 + 2 * VIRTIO_QUEUE_SLOTS <= USED_OFFSET, "available ring");
_Static_assert(USED_OFFSET + 6 + 8 * VIRTIO_QUEUE_SLOTS <= VIRTIO_QUEUE_MEMORY, "used ring");

static uint32_t read_register(const struct virtio_device *device, uint32_t offset)
{
	return *(volatile uint32_t *)(device->registers + offset);
}

static void write_register(struct virtio_device *device, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(device->registers + offset) = value;
}

static void write_address(struct virtio_device *device, uint32_t offset, uint64_t value)
{
	write_register(device, offset, (uint32_t)value);
	write_register(device, offset + 4, (uint32_t)(value >> 32));
}

uint32_t virtio_identify(volatile void *registers)
{
	struct virtio_device device = { .registers = registers };
	if (read_register(&device, REGISTER_MAGIC) != MAGIC || read_register(&device, REGISTER_VERSION) != 2)
		return 0;
	return read_register(&device, REGISTER_DEVICE);
}

void virtio_reset(struct virtio_device *device)
{
	write_register(device, REGISTER_STATUS, 0);
}

static uint64_t features_offered(struct virtio_device *device)
{
	write_register(device, REGISTER_DEVICE_FEATURES_SELECT, 1);
	uint64_t high = read_register(device, REGISTER_DEVICE_FEATURES);
	write_register(device, REGISTER_DEVICE_FEATURES_SELECT, 0);
	return high << 32 | read_register(device, REGISTER_DEVICE_FEATURES);
}

int virtio_open(struct virtio_device *device, volatile void *registers, uint64_t required, uint64_t wanted)
{
	*device = (struct virtio_device){ .registers = registers };
	if (virtio_identify(registers) == 0)
		return -ENODEV;
	required |= VIRTIO_FEATURE_VERSION_1;
	virtio_reset(device);
	write_register(device, REGISTER_STATUS, STATUS_ACKNOWLEDGE);
	write_register(device, REGISTER_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	uint64_t offered = features_offered(device);
	device->features = offered & (required | wanted);
	if ((offered & required) != required) {
		write_register(device, REGISTER_STATUS, STATUS_FAILED);
		return -EOPNOTSUPP;
	}
	write_register(device, REGISTER_DRIVER_FEATURES_SELECT, 1);
	write_register(device, REGISTER_DRIVER_FEATURES, (uint32_t)(device->features >> 32));
	write_register(device, REGISTER_DRIVER_FEATURES_SELECT, 0);
	write_register(device, REGISTER_DRIVER_FEATURES, (uint32_t)device->features);
	write_register(device, REGISTER_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES);
	if (!(read_register(device, REGISTER_STATUS) & STATUS_FEATURES)) {
		write_register(device, REGISTER_STATUS, STATUS_FAILED);
		return -EOPNOTSUPP;
	}
	return 0;
}

int virtio_queue_open(struct virtio_device *device, struct virtio_queue *queue, uint32_t number, void *memory, uint64_t physical)
{
	uint8_t *bytes = memory;
	*queue = (struct virtio_queue){
		.device = device,
		.number = number,
		.descriptor = memory,
		.available = (volatile uint16_t *)(bytes + AVAILABLE_OFFSET),
		.used = (volatile uint16_t *)(bytes + USED_OFFSET),
	};
	for (unsigned i = 0; i < VIRTIO_QUEUE_MEMORY; i++)
		bytes[i] = 0;
	write_register(device, REGISTER_QUEUE_SELECT, number);
	if (read_register(device, REGISTER_QUEUE_READY) != 0)
		return -EIO;
	uint32_t size = VIRTIO_QUEUE_SLOTS, most = read_register(device, REGISTER_QUEUE_MAX);
	while (size > most) /* sizes are powers of two */
		size /= 2;
	queue->size = size;
	if (size == 0)
		return 0;
	write_register(device, REGISTER_QUEUE_SIZE, size);
	write_address(device, REGISTER_QUEUE_DESCRIPTORS, physical);
	write_address(device, REGISTER_QUEUE_AVAILABLE, physical + AVAILABLE_OFFSET);
	write_address(device, REGISTER_QUEUE_USED, physical + USED_OFFSET);
	write_register(device, REGISTER_QUEUE_READY, 1);
	return 0;
}

void virtio_start(struct virtio_device *device)
{
	write_register(device, REGISTER_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES | STATUS_RUNNING);
}

uint32_t virtio_config_read(const struct virtio_device *device, uint32_t offset)
{
	return read_register(device, REGISTER_CONFIG + offset);
}

uint32_t virtio_interrupt_take(struct virtio_device *device)
{
	uint32_t pending = read_register(device, REGISTER_INTERRUPT_STATUS);
	if (pending)
		write_register(device, REGISTER_INTERRUPT_ACKNOWLEDGE, pending);
	return pending;
}

int virtio_free_slot(const struct virtio_queue *queue)
{
	uint64_t free = ~queue->held & ((1ull << queue->size) - 1);
	return free ? __builtin_ctzll(free) : -1;
}

void virtio_offer(struct virtio_queue *queue, unsigned slot, uint64_t physical, uint32_t length, bool device_writes)
{
	volatile struct virtio_descriptor *descriptor = &queue->descriptor[slot];
	descriptor->address = physical;
	descriptor->length = length;
	descriptor->flags = device_writes ? DESCRIPTOR_WRITE : 0;
	descriptor->next = 0;
	queue->offered[slot] = device_writes ? length : 0;
	queue->held |= 1ull << slot;
	queue->available[2 + queue->next_available % queue->size] = (uint16_t)slot;
	queue->next_available++;
	/* the device must see the entry before the index that covers it */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	queue->available[1] = queue->next_available;
}

void virtio_notify(struct virtio_queue *queue)
{
	/* the index must be out before the device is asked to look (and before it could go to sleep) */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	write_register(queue->device, REGISTER_QUEUE_NOTIFY, queue->number);
}

int virtio_take(struct virtio_queue *queue, uint32_t *length)
{
	if (queue->size == 0 || queue->used[1] == queue->next_used)
		return -EAGAIN;
	/* the entry must not be read before the index that covers it */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	volatile uint32_t *entry = (volatile uint32_t *)(queue->used + 2) + 2 * (queue->next_used % queue->size);
	uint32_t slot = entry[0], written = entry[1];
	/* each field was read once: the device may go on changing them */
	if (slot >= queue->size || !(queue->held & (1ull << slot)) || written > queue->offered[slot])
		return -EIO;
	queue->next_used++;
	queue->held &= ~(1ull << slot);
	*length = written;
	return (int)slot;
}

void virtio_interrupts(struct virtio_queue *queue, bool on)
{
	queue->available[0] = on ? 0 : AVAILABLE_NO_INTERRUPT;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

uint16_t virtio_left_end(const void *memory)
{
	return ((const volatile uint16_t *)((const uint8_t *)memory + USED_OFFSET))[1];
}

unsigned virtio_left_count(const void *memory, uint16_t since)
{
	uint16_t count = (uint16_t)(virtio_left_end(memory) - since);
	return count > VIRTIO_QUEUE_SLOTS ? 0 : count;
}

void virtio_left_entry(const void *memory, uint16_t number, unsigned *slot, uint32_t *length)
{
	const volatile uint32_t *entry = (const volatile uint32_t *)((const uint8_t *)memory + USED_OFFSET + 4) + 2 * (number % VIRTIO_QUEUE_SLOTS);
	*slot = entry[0] % VIRTIO_QUEUE_SLOTS;
	*length = entry[1];
}
