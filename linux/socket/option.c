/* setsockopt and getsockopt. Options that change nothing for local sockets on Linux are kept and told here too. */
#include "linux/socket/socket.h"

#define LINUX_SOL_SOCKET 1
#define SO_DEBUG 1
#define SO_REUSEADDR 2
#define SO_TYPE 3
#define SO_ERROR 4
#define SO_DONTROUTE 5
#define SO_BROADCAST 6
#define SO_SNDBUF 7
#define SO_RCVBUF 8
#define SO_KEEPALIVE 9
#define SO_OOBINLINE 10
#define SO_PRIORITY 12
#define SO_LINGER 13
#define SO_REUSEPORT 15
#define SO_PASSCRED 16
#define SO_PEERCRED 17
#define SO_RCVLOWAT 18
#define SO_SNDLOWAT 19
#define SO_RCVTIMEO 20
#define SO_SNDTIMEO 21
#define SO_ACCEPTCONN 30
#define SO_SNDBUFFORCE 32
#define SO_RCVBUFFORCE 33
#define SO_PROTOCOL 38
#define SO_DOMAIN 39
#define SO_PEERGROUPS 59

#define BUFFER_MAX 212992 /* what Linux allows to ask for; it doubles it */
#define SEND_MINIMUM 4608
#define RECEIVE_MINIMUM 2304
#define MICROSECONDS 1000000
#define OPTION_TIMEOUT_MAX (1ul << 40) /* seconds; longer is for ever */

struct linux_linger { int32_t on, seconds; };
struct linux_credentials { int32_t pid; uint32_t user, group; };

/* The bit of the flags' word for options that are a truth value, 0 for others. */
static uint32_t flag_of(int option)
{
	switch (option) {
	case SO_PASSCRED: return SOCKET_PASS_CREDENTIALS;
	case SO_DEBUG: return 0x2;
	case SO_REUSEADDR: return 0x4;
	case SO_DONTROUTE: return 0x8;
	case SO_BROADCAST: return 0x10;
	case SO_KEEPALIVE: return 0x20;
	case SO_OOBINLINE: return 0x40;
	case SO_REUSEPORT: return 0x80;
	default: return 0;
	}
}

/* -- setting */

static int64_t timeout_set(struct linux_thread *t, int fd, uint32_t which, uint64_t address, int length)
{
	struct linux_timeval time;
	if (length < (int)sizeof time)
		return -EINVAL;
	if (user_read(t, &time, address, sizeof time))
		return -EFAULT;
	if (time.microseconds < 0 || time.microseconds >= MICROSECONDS)
		return -EDOM;
	uint64_t nanoseconds = 0;
	if (time.seconds < 0)
		nanoseconds = 1; /* do not wait, as Linux takes it */
	else if ((uint64_t)time.seconds < OPTION_TIMEOUT_MAX / NANOSECONDS)
		nanoseconds = (uint64_t)time.seconds * NANOSECONDS + (uint64_t)time.microseconds * 1000;
	return link_set(fd, which, UINT64_MAX, nanoseconds);
}

static int64_t number_set(int fd, int option, int32_t value)
{
	uint32_t flag = flag_of(option);
	int32_t size = MINIMUM(value, BUFFER_MAX);
	if (flag) { /* where urgent bytes go the kernel must know, too */
		int64_t result = option == SO_OOBINLINE ? link_set(fd, LINK_URGENT_IN_LINE, 1, value != 0) : 0;
		return result < 0 ? result : link_set(fd, SOCKET_WORD_FLAGS, flag, value ? flag : 0);
	}
	switch (option) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		size = size < 0 ? BUFFER_MAX : size;
		return link_set(fd, LINK_SEND_LIMIT, 0, (uint64_t)MAXIMUM(size * 2, SEND_MINIMUM));
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		size = size < 0 ? BUFFER_MAX : size;
		return link_set(fd, SOCKET_WORD_RECEIVE_SIZE, UINT64_MAX, (uint64_t)MAXIMUM(size * 2, RECEIVE_MINIMUM));
	case SO_PRIORITY:
		return link_set(fd, SOCKET_WORD_PRIORITY, UINT64_MAX, (uint32_t)value);
	case SO_RCVLOWAT:
		return value == 1 || value == 0 ? 0 : -ENOPROTOOPT;
	default:
		return -ENOPROTOOPT;
	}
}

int64_t linux_setsockopt(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0], level = (int)argument[1], option = (int)argument[2], length = (int)argument[4];
	struct linux_linger linger;
	int32_t value;
	int64_t type = socket_type(fd);
	if (type < 0)
		return type;
	if (length < 0)
		return -EINVAL;
	if (level != LINUX_SOL_SOCKET)
		return -EOPNOTSUPP;
	if (length < (int)sizeof value)
		return -EINVAL;
	if (user_read(t, &value, argument[3], sizeof value))
		return -EFAULT;
	switch (option) {
	case SO_RCVTIMEO:
		return timeout_set(t, fd, LINK_READ_TIMEOUT, argument[3], length);
	case SO_SNDTIMEO:
		return timeout_set(t, fd, LINK_WRITE_TIMEOUT, argument[3], length);
	case SO_LINGER:
		if (length < (int)sizeof linger)
			return -EINVAL;
		if (user_read(t, &linger, argument[3], sizeof linger))
			return -EFAULT;
		return link_set(fd, SOCKET_WORD_LINGER, UINT64_MAX, (uint32_t)linger.seconds | (uint64_t)(linger.on != 0) << 32);
	default:
		return number_set(fd, option, value);
	}
}

/* -- telling */

static int64_t number_get(int fd, int option, uint32_t type, const struct link_state *state, int32_t *value)
{
	uint32_t flag = flag_of(option);
	int64_t result = 0;
	if (flag) {
		*value = (state->word[0] & flag) != 0;
		return 0;
	}
	switch (option) {
	case SO_TYPE:
		*value = (int32_t)type;
		break;
	case SO_DOMAIN:
		*value = LINUX_AF_UNIX;
		break;
	case SO_PROTOCOL:
		*value = 0;
		break;
	case SO_ERROR:
		result = link_take_error(fd);
		*value = (int32_t)result;
		break;
	case SO_ACCEPTCONN:
		*value = (state->parts & LINK_HAS_EVENT) != 0;
		break;
	case SO_SNDBUF:
		*value = (int32_t)state->send_limit;
		break;
	case SO_RCVBUF:
		*value = (int32_t)(state->word[1] ? state->word[1] : LINK_LIMIT);
		break;
	case SO_PRIORITY:
		*value = (int32_t)state->word[3];
		break;
	case SO_RCVLOWAT:
	case SO_SNDLOWAT:
		*value = 1;
		break;
	default:
		result = -ENOPROTOOPT;
		break;
	}
	return result < 0 ? result : 0;
}

static struct linux_timeval timeval_of(uint64_t nanoseconds)
{
	return (struct linux_timeval){ (int64_t)(nanoseconds / NANOSECONDS), (int64_t)(nanoseconds % NANOSECONDS / 1000) };
}

int64_t linux_getsockopt(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0], option = (int)argument[2];
	struct link_state state;
	struct socket_label label;
	union { int32_t number; struct linux_timeval time; struct linux_linger linger; struct linux_credentials credentials; } value;
	int32_t room, size = sizeof value.number;
	int64_t type = socket_state(fd, &state);
	if (type < 0)
		return type;
	if ((int)argument[1] != LINUX_SOL_SOCKET)
		return -EOPNOTSUPP;
	if (user_read(t, &room, argument[4], sizeof room))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	int64_t result = 0;
	switch (option) {
	case SO_RCVTIMEO:
	case SO_SNDTIMEO:
		value.time = timeval_of(option == SO_RCVTIMEO ? state.read_timeout : state.write_timeout);
		size = sizeof value.time;
		break;
	case SO_LINGER:
		value.linger = (struct linux_linger){ (int32_t)(state.word[2] >> 32), (int32_t)state.word[2] };
		size = sizeof value.linger;
		break;
	case SO_PEERCRED:
		result = label_get(fd, state.parts & LINK_HAS_EVENT ? LINK_LABEL_OWN : LINK_LABEL_PEER, &label);
		value.credentials = (struct linux_credentials){ (int32_t)label.pid, label.user, label.group };
		if (!label.pid) /* not connected: nobody */
			value.credentials = (struct linux_credentials){ 0, UINT32_MAX, UINT32_MAX };
		size = sizeof value.credentials;
		break;
	default:
		result = number_get(fd, option, (uint32_t)type, &state, &value.number);
		break;
	}
	if (result < 0)
		return result;
	size = MINIMUM(size, room);
	if (user_write(t, argument[3], &value, (size_t)size))
		return -EFAULT;
	return user_write(t, argument[4], &size, sizeof size);
}
