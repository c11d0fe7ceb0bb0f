/* ioctls that are about a pair, through its master: its number, its lock, packet mode, opening the other side. By Linux's numbers. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "terminal.h"

enum { TIOCPKT_ = 0x5420, TIOCGPTPEER_ = 0x5441 };
#define TIOCGPTN_ 0x80045430u
#define TIOCSPTLCK_ 0x40045431u
#define TIOCSIG_ 0x40045436u
#define TIOCGPKT_ 0x80045438u
#define TIOCGPTLCK_ 0x80045439u

static int64_t reply_number(struct server_request *request, int32_t number)
{
	memcpy(request->reply_buffer, &number, sizeof number);
	server_reply_bytes(request, request->reply_buffer, sizeof number);
	return 0;
}

static void set_packet_mode(struct terminal *terminal, bool packet)
{
	if (packet && !terminal->pseudo->packet)
		terminal->pseudo->status = 0;
	terminal->pseudo->packet = packet;
	terminal_update(terminal);
}

int64_t pseudo_control(struct terminal *terminal, struct server_request *request)
{
	struct pseudo *pseudo = terminal->pseudo;
	uint32_t number = (uint32_t)request->word[1];
	int32_t value = 0;
	if (number == TIOCPKT_ || number == TIOCSPTLCK_) {
		if (request->size < sizeof value)
			return -EFAULT;
		memcpy(&value, request->data, sizeof value);
	}
	switch (number) {
	case TIOCGPTN_:
		return reply_number(request, (int32_t)pseudo->number);
	case TIOCSPTLCK_:
		pseudo->locked = value;
		return 0;
	case TIOCGPTLCK_:
		return reply_number(request, pseudo->locked);
	case TIOCPKT_:
		set_packet_mode(terminal, value);
		return 0;
	case TIOCGPKT_:
		return reply_number(request, pseudo->packet);
	case TIOCGPTPEER_:
		return terminal_open_peer(terminal, request, (uint32_t)request->word[2]);
	case TIOCSIG_: /* the argument is the number itself */
		if (request->word[2] != SIGINT && request->word[2] != SIGQUIT && request->word[2] != SIGTSTP)
			return -EINVAL;
		job_signal_foreground(terminal, (int)request->word[2]);
		return 0;
	default:
		return -ENOTTY;
	}
}
