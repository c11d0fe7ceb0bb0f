/* Between transfer.c and message.c. */
#ifndef LINUX_SOCKET_MESSAGE_H
#define LINUX_SOCKET_MESSAGE_H
#include "linux/socket/socket.h"

/* Sends message to address, or NULL. The bytes taken or Linux's error, SIGPIPE raised. */
int64_t socket_send(struct linux_thread *t, int fd, struct link_message *message, uint32_t flags, const struct socket_address *address);
/* Receives; options: LINK_* beside what Linux's flags say. Bytes or Linux's error. */
int64_t socket_receive(struct linux_thread *t, int fd, struct link_message *message, uint32_t flags, uint32_t options);
/* Tells the sender's name: a length of 0 if it has none. */
int64_t name_write(struct linux_thread *t, const struct link_message *message, const struct socket_label *label, uint64_t address,
	uint64_t length_address);
#endif
