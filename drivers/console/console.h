/*
 * The console driver's parts and what they share. One thread, no allocation: all state is in `console`.
 *
 * DMA memory (CONSOLE_MEMORY bytes, from 0): rings of every queue, then buffers: a slot's buffer is at queue buffers + slot * buffer size.
 * Buffers that the device reads are written before the slot is offered and not touched while it is held; those that it writes are
 * read only after virtio_take, and only as far as it said, checked against what was offered.
 */
#ifndef DRIVERS_CONSOLE_CONSOLE_H
#define DRIVERS_CONSOLE_CONSOLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"
#include "carillon/console_protocol.h"
#include "carillon/virtio.h"
#include "drivers/console/kept.h"

#define PORTS 8u                  /* of the device that this driver looks at */
#define QUEUES (2 * PORTS + 2)    /* a pair for each port, and the pair of the device's own control messages after port 0 */
#define PORT_NONE (-1)

enum role { ROLE_INPUT, ROLE_OUTPUT, ROLE_ERROR, ROLE_CONTROL, ROLES };

/* Fixed buffers of DMA memory */
struct buffers {
	uint8_t *start;
	uint64_t physical;
	uint32_t size, count; /* bytes of one; how many */
};

struct flow {
	int port;              /* number of the port with this role; PORT_NONE until the device has named it */
	handle_t handle;       /* the description towards the system; HANDLE_NONE when there is none or it is closed */
	int source;            /* of the event loop, -1: none */
	struct buffers buffers;
	/* input: buffers received and not yet passed on, oldest first */
	struct { uint8_t slot; uint32_t offset, length; } waiting[VIRTIO_QUEUE_SLOTS];
	unsigned waiting_first, waiting_count;
	uint64_t total;        /* input: bytes received */
};

struct console {
	struct virtio_device device;
	handle_t interrupt, events, commands;
	unsigned ports;        /* at most PORTS */
	struct virtio_queue queue[QUEUES];
	struct buffers message_receive, message_send; /* of the device's own control messages */
	struct buffers line_receive, line_send;       /* of the control port */
	struct flow flow[ROLE_ERROR + 1];
	int control_port;
	struct kept *kept;
	uint64_t rescued;      /* bytes of kept->rescued that the stream has */
	bool exiting, exit_sent, exited;
	uint32_t exit_status;
	bool exit_failed;
};
extern struct console console;

/* port.c */
struct virtio_queue *port_receive_queue(int port);
struct virtio_queue *port_send_queue(int port);
void port_begin(void);      /* offers the message buffers and tells the device that the driver is ready */
void port_messages(void);   /* handles the device's control messages */

/* flow.c */
void flow_open(enum role role, int port); /* the device has named this port */
void flow_input(void);      /* takes received bytes and passes them on */
void flow_output(enum role role); /* fills free slots with what is to be sent */
void flow_hangup(enum role role); /* the host reads no more */
bool flow_drained(enum role role); /* nothing more to send, and the device has sent all */
void flow_start(void);      /* watches the descriptions */
/* After a driver that died, the device being reset: what it had not sent will be sent, what it had received will be passed on. */
void flow_recover(enum role role, const uint8_t *rings);
bool flow_returned(enum role role, const uint8_t *rings); /* has the device returned everything? */

/* control.c */
void control_open(int port);
void control_recover(const uint8_t *rings); /* of a driver that died: goes on with the lines it had received */
void control_receive(void);
void control_exit_step(void); /* goes on with an exit that was commanded */
void control_command(void);   /* a command of init's is waiting */
void event_send(uint64_t event, uint64_t first, uint64_t second);

/* main.c: the device broke the rules: it is reset and the driver ends */
_Noreturn void device_failed(const char *what);
/* virtio_take that ends the driver for a device that lies; -1: nothing */
int queue_take(struct virtio_queue *queue, uint32_t *length);
static inline uint8_t *buffer_at(const struct buffers *buffers, unsigned slot) { return buffers->start + (size_t)slot * buffers->size; }
static inline uint64_t buffer_physical(const struct buffers *buffers, unsigned slot) { return buffers->physical + (uint64_t)slot * buffers->size; }
/* Offers every buffer of these for receiving. */
void buffers_offer(struct virtio_queue *queue, const struct buffers *buffers);
/* A free slot that has a buffer, or -1. */
int buffers_free_slot(const struct virtio_queue *queue, const struct buffers *buffers);
#endif
