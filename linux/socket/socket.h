/*
 * Sockets. A socket is a link description; its type is in the cookie. Reads, writes and what the other side is told of them are the kernel's
 * (directly routed read and write work on sockets too); the socket server comes in with bind, listen, accept and connect, and a socket that never
 * calls one of these is unknown to it. The link's labels are struct socket_label: the own one after bind, the peer's once connected.
 * The link's words hold what setsockopt changes and nothing here acts on.
 */
#ifndef LINUX_SOCKET_SOCKET_H
#define LINUX_SOCKET_SOCKET_H
#include "abi/link.h"
#include "carillon/socket_protocol.h"
#include "linux/fd/descriptor.h"

#define LINUX_AF_UNSPEC 0u
#define LINUX_AF_UNIX 1u
#define LINUX_AF_MAX 46
#define LINUX_SOCK_STREAM SOCKET_TYPE_STREAM
#define LINUX_SOCK_DGRAM SOCKET_TYPE_DATAGRAM
#define LINUX_SOCK_RAW 3u
#define LINUX_SOCK_SEQPACKET SOCKET_TYPE_PACKET
#define LINUX_SOCK_MAX 11u
#define LINUX_SOCK_TYPES 0xfu
#define LINUX_SOCK_NONBLOCK LINUX_O_NONBLOCK
#define LINUX_SOCK_CLOEXEC LINUX_O_CLOEXEC

#define LINUX_MSG_OOB 0x1u
#define LINUX_MSG_PEEK 0x2u
#define LINUX_MSG_CTRUNC 0x8u
#define LINUX_MSG_TRUNC 0x20u
#define LINUX_MSG_DONTWAIT 0x40u
#define LINUX_MSG_WAITALL 0x100u
#define LINUX_MSG_ERRQUEUE 0x2000u
#define LINUX_MSG_NOSIGNAL 0x4000u
#define LINUX_MSG_WAITFORONE 0x10000u
#define LINUX_MSG_CMSG_CLOEXEC 0x40000000u

/* bits of the link's first word: SO_PASSCRED, and options that change nothing for local sockets */
#define SOCKET_PASS_CREDENTIALS 0x1u
#define SOCKET_WORD_FLAGS (LINK_WORD + 0)
#define SOCKET_WORD_RECEIVE_SIZE (LINK_WORD + 1) /* SO_RCVBUF, 0: not set */
#define SOCKET_WORD_LINGER (LINK_WORD + 2)       /* seconds | on << 32 */
#define SOCKET_WORD_PRIORITY (LINK_WORD + 3)

#define SOCKET_COOKIE(type) (FILE_COOKIE(FILE_KIND_SOCKET, LINUX_O_RDWR) | (uint64_t)(type) << 8)

struct socket_address {
	uint32_t length;                      /* of bytes as Linux tells it; 0: none */
	uint8_t bytes[SOCKET_ADDRESS_MAX];    /* family, path */
};
#define SOCKET_PATH_MAX 108

/* The socket's type; -EBADF, -ENOTSOCK. */
int64_t socket_type(int fd);
/* The same with the link's state. */
int64_t socket_state(int fd, struct link_state *state);
/* A new socket of that type, not connected, as a handle of the library; ends may be HANDLE_NONE (moved on success). */
int64_t socket_create(uint32_t type, handle_t sender, handle_t receiver, uint32_t flags);
/* Gives it a control port if it has none. */
int64_t socket_register(struct linux_thread *t, int fd, uint32_t type, const struct link_state *state);

/*
 * An address of the program: checked as Linux checks it, a path cut at its NUL. Only AF_UNIX; -EINVAL (also for one without a name where
 * unnamed is false), -EFAULT.
 */
int64_t address_read(struct linux_thread *t, uint64_t address, uint64_t length, bool unnamed, struct socket_address *result);
/* Tells an address as getsockname does: cut to the room in the int at length_address, which gets the true length. */
int64_t address_write(struct linux_thread *t, const struct socket_label *label, uint64_t address, uint64_t length_address);
/* An address port of whoever has that name: -ECONNREFUSED, or what the walk says. */
int64_t address_find(struct linux_thread *t, const struct socket_address *address);
/* Binds to any free abstract name unless it has a name. */
int64_t address_any(struct linux_thread *t, int fd, uint32_t type);
/* The own or peer label; length 0 if there is none. */
int64_t label_get(int fd, uint32_t which, struct socket_label *label);

/* A call of the socket server, by its ordinary or an address port, or (fd) a socket's control port. word[0] or an error; interruptible. */
int64_t server_port_call(struct linux_thread *t, handle_t port, struct message *message, uint32_t options);
int64_t server_control_call(struct linux_thread *t, int fd, struct message *message);

/* An error of link_send or link_receive as Linux names it. */
int64_t link_failure(struct linux_thread *t, int fd, int64_t error, bool sending, uint32_t flags);
#endif
