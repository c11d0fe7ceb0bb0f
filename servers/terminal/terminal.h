/*
 * Terminals: a discipline with the streams it lies between, the calls that wait on it, and its place in job control.
 *
 * Calls wait in one list in order of arrival: reads for input, writes for room in the output ring, drains for the ring to become empty. A read is
 * always answered explicitly and takes its bytes only when the answer was delivered, so an interrupted reader loses nothing. A write that is
 * interrupted answers with what it has put out, so that no text appears twice.
 * All output goes through the ring. The console's leaves by terminal_update, which never blocks: when the console channel is full, its readiness
 * brings us back. A pseudo terminal's is what its master reads; what the master writes waits in the list until the discipline takes it.
 *
 * The caller of a request is known by its badge, and its group and session by the process table that proc writes. The session of a terminal is
 * held by number and by its leader's slot; when that slot no longer names it, the session has ended (proc has sent the hang-up then).
 */
#ifndef TERMINAL_TERMINAL_H
#define TERMINAL_TERMINAL_H
#include "carillon/process_protocol.h"
#include "carillon/server.h"
#include "discipline.h"

#define PSEUDO_MAX 1024u        /* pseudo terminals at a time */
#define MASTER_QUEUE_MAX 8192u  /* bytes a master may have written that the discipline has no room for yet */

struct window_size { uint16_t rows, columns, width, height; };

enum terminal_wait_kind { WAIT_READ, WAIT_WRITE, WAIT_DRAIN, WAIT_MASTER_READ, WAIT_MASTER_WRITE, WAIT_KINDS };

struct terminal_wait {
	struct terminal_wait *next;
	enum terminal_wait_kind kind;
	uint32_t reply;            /* REPLY_NONE: answered already (MASTER_WRITE) */
	size_t length, done;       /* reads: wanted; writes: bytes in data, and how many are out */
	uint64_t deadline;         /* READ with VTIME: when to answer with what is there; DEADLINE_NEVER */
	size_t seen;               /* READ with VTIME: bytes there when the deadline was set */
	bool set_attributes, flush_input; /* DRAIN: then apply data as struct terminal_attributes */
	uint8_t data[];
};

/*
 * What makes a terminal a pseudo terminal. It lives while its master or any open of its slave does; its number is free again after that.
 *
 *   made by an open of ptmx: locked, master_open --unlock, opens of the slave--> --the last slave closes--> slave_closed --open--> ...
 *   --the master closes--> hung up, the name is gone --the last slave closes--> freed
 */
struct pseudo {
	uint32_t number;
	uint32_t generation;       /* in the words of the master and of the node */
	bool master_open, locked, slave_closed, packet;
	uint32_t slave_opens;
	uint8_t status;            /* packet mode: TIOCPKT_* bits the master has not read yet */
	size_t queued;             /* bytes in waits of WAIT_MASTER_WRITE */
	handle_t event;            /* readiness of the master */
	uint32_t mode, user, group;
};

struct terminal {
	struct discipline discipline;
	struct pseudo *pseudo;     /* NULL: the console */
	uint64_t device;           /* as in the process table */
	uint32_t session, session_slot, foreground;
	uint32_t generation;       /* in the words of (a pseudo terminal's slave's) opens; those with an older one are hung up */
	uint32_t input_speed, output_speed; /* bits a second where attributes do not say it */
	struct window_size window;
	handle_t event;            /* readiness of its descriptions */
	handle_t input, output;    /* the console's descriptions of flows; HANDLE_NONE when they have ended */
	int input_source, output_source;
	bool input_ended, hung_up;
	struct terminal_wait *waits;
	uint64_t refused[8];       /* badges of background callers that were sent a signal last (job_check) */
	unsigned refused_next;
};

extern struct terminal console;
extern handle_t terminal_proc;               /* privileged port to proc */
extern const struct process_slot *terminal_slots;

/* Puts the console between two flows. 0 or a negative error. */
int terminal_start(struct terminal *terminal, uint64_t device, handle_t event, handle_t input, handle_t output);
/* All terminals one after the other, from NULL to NULL: the console, then pseudo terminals. */
struct terminal *terminal_next(const struct terminal *terminal);

int64_t terminal_read(struct terminal *terminal, struct server_request *request);
int64_t terminal_write(struct terminal *terminal, struct server_request *request);
/* Waits until all output has left; then sets attributes, if not NULL, flushing input first if flush. SERVER_DEFERRED, 0, or an error. */
int64_t terminal_drain(struct terminal *terminal, struct server_request *request, const struct terminal_attributes *attributes, bool flush);
/* Sets attributes at once, and tells a master in packet mode what it should know of them. */
void terminal_set_attributes(struct terminal *terminal, const struct terminal_attributes *attributes);
/* After any change of discipline or state: sends output, answers whom it can, sets readiness and timers. */
void terminal_update(struct terminal *terminal);
void terminal_hang_up(struct terminal *terminal);
/* Drops input that nobody has read. */
void terminal_flush_input(struct terminal *terminal);
/* Linux's initial attributes, empty buffers. */
void terminal_discipline_start(struct terminal *terminal);
/* Answers every waiting read of the program's side with read_result and every write with -EIO or what was written. */
void terminal_abandon_waits(struct terminal *terminal, int64_t read_result);
/* The caller behind reply was interrupted or killed: its call, if it waits in some terminal, is answered with what it has done, or -EINTR. */
void terminal_interrupt(uint32_t reply);
struct terminal_wait *terminal_wait_add(struct terminal *terminal, enum terminal_wait_kind kind, size_t bytes);

/* -- pseudo terminals (pseudo.c) */
/* Packet mode's status bits */
enum { PACKET_FLUSH_READ = 1, PACKET_FLUSH_WRITE = 2, PACKET_STOP = 4, PACKET_START = 8, PACKET_NO_STOP = 16, PACKET_DO_STOP = 32, PACKET_IOCTL = 64 };

/* Numbers in words of generations given out from now on are above those of an earlier run of this server. */
void pseudo_start(void);
/* No pseudo terminal has this number or a higher one. */
extern uint32_t pseudo_end;
/* By number, or NULL. */
struct terminal *pseudo_find(uint32_t number);
/* A new one, locked, with its master open. NULL: *error says why. */
struct terminal *pseudo_create(uint32_t user, int *error);
/* For opening the slave: 0 or -EIO. Then counts it. */
int64_t pseudo_open_check(const struct terminal *terminal);
void pseudo_opened(struct terminal *terminal);
/* An open of the master or the slave has gone. May free the terminal. */
void pseudo_closed(struct terminal *terminal, bool master);
/* A generation that this run of the server has given out */
bool pseudo_generation_known(uint32_t generation);
uint32_t pseudo_generation_new(void);
int64_t pseudo_master_read(struct terminal *terminal, struct server_request *request);
int64_t pseudo_master_write(struct terminal *terminal, struct server_request *request);
/* Serves one waiting call of the master: true when it is finished. */
bool pseudo_serve(struct terminal *terminal, struct terminal_wait *wait);
/* A master's write that waits will not be typed on: how much of it was. */
size_t pseudo_take_back(struct terminal *terminal, const struct terminal_wait *wait);
/* Drops what the master wrote and the discipline has not taken. */
void pseudo_flush_queue(struct terminal *terminal);
void pseudo_tell_readiness(struct terminal *terminal);
/* For a master in packet mode */
void pseudo_tell_status(struct terminal *terminal, uint8_t clear, uint8_t set);
/* Hangs up all opens of the slave there are: read_result is for the reads that wait. Opens from now on are not concerned. */
void pseudo_hang_up(struct terminal *terminal, int64_t read_result);

/* -- readiness over a restart (keeper.c) */
/*
 * channel: both ends of a packet channel that init keeps, too. A server that starts finds the events of its predecessor in it: the console's is
 * returned (HANDLE_NONE: there is none), those of pseudo terminals, which have died with it, tell a hang-up for ever.
 */
handle_t keeper_start(handle_t sender, handle_t receiver);
/* Keeps an event for a successor. */
void keeper_keep(handle_t event, bool is_console);
/* Drops what nobody needs any more: at no time one that is in use is missing, as long as there is room for all of them twice. */
void keeper_begin_again(void);

/* -- the console's settings over a restart (kept.c). True: a predecessor's are set. */
bool kept_start(struct terminal *console_terminal);

/* -- keyboard.c: /chan/keyboard */
/* Publishes it; file_server: the root of the file server. Without it there is none, which is told. */
void keyboard_start(handle_t file_server);
/* Tells those who have registered what was typed at the console. */
void keyboard_keys(const uint8_t *bytes, size_t count);
/* Settings have changed; of the console they are kept. */
void kept_save(const struct terminal *terminal);

/* -- job control (job.c) */
/* The caller's slot in the process table; NULL: no process of proc's. */
const struct process_slot *job_caller(uint64_t badge);
/* Forgets a session that has ended. */
void job_check_session(struct terminal *terminal);
/*
 * Whether the caller may go on: 0; or it is in the background and has been sent signal (SIGTTIN, SIGTTOU): -EINTR; or must fail: -EIO.
 * blocked: the caller's blocked signals, as far as known. Where they are not known (reads and writes), a caller that comes again
 * with the signal still pending shows that it blocks it.
 */
#define JOB_BLOCKED_UNKNOWN UINT64_MAX
int64_t job_check(struct terminal *terminal, uint64_t badge, int signal, uint64_t blocked);
void job_signal_foreground(struct terminal *terminal, int signal);
/* Makes the terminal the controlling one of a session. 0 or -ESRCH. */
int64_t job_attach(struct terminal *terminal, uint32_t session);
int64_t job_detach(struct terminal *terminal);
/* The line is gone: SIGHUP and SIGCONT to the session's leader; proc tells the foreground group when that ends. */
void job_hang_up(struct terminal *terminal);
/* Takes the terminal from the caller alone. */
int64_t job_leave(uint64_t badge);
int64_t job_set_foreground(struct terminal *terminal, uint32_t group);
/* After a restart: the session that has the console goes on with it; sessions of pseudo terminals have lost theirs. */
void job_adopt(struct terminal *console_terminal);

/* FILE_IOCTL on an open terminal (control.c); master: through the master of a pseudo terminal. */
int64_t terminal_control(struct terminal *terminal, struct server_request *request, bool master);
void terminal_set_window(struct terminal *terminal, const struct window_size *window);
/* The ioctls that concern the pair itself (pseudo_control.c); -ENOTTY: not one of them. */
int64_t pseudo_control(struct terminal *terminal, struct server_request *request);

/* Requests of the file protocol and of terminal_protocol.h (nodes.c). */
extern handle_t terminal_listener;
extern uint64_t terminal_device_number;
int64_t terminal_request(void *context, struct server_request *request);
/* NOTIFY_CLOSE of a port's word */
void terminal_port_closed(void *context, uint64_t port_data);
/* Opens the slave of a pseudo terminal with Linux's open flags: what FILE_OPEN replies with. */
int64_t terminal_open_peer(struct terminal *terminal, struct server_request *request, uint32_t flags);
#endif
