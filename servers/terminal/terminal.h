/*
 * Terminals: a discipline with the streams it lies between, the calls that wait on it, and its place in job control.
 *
 * Calls wait in one list in order of arrival: reads for input, writes for room in the output ring, drains for the ring to become empty. A read is
 * always answered explicitly and takes its bytes only when the answer was delivered, so an interrupted reader loses nothing.
 * All output goes through the ring and leaves by terminal_pump, which never blocks: when the console channel is full, its readiness brings us back.
 *
 * The caller of a request is known by its badge, and its group and session by the process table that proc writes. The session of a terminal is
 * held by number and by its leader's slot; when that slot no longer names it, the session has ended (proc has sent the hang-up then).
 */
#ifndef TERMINAL_TERMINAL_H
#define TERMINAL_TERMINAL_H
#include "carillon/process_protocol.h"
#include "carillon/server.h"
#include "discipline.h"

#define TERMINALS 1 /* the console; pseudo terminals will be more of the same */

struct window_size { uint16_t rows, columns, width, height; };

enum terminal_wait_kind { WAIT_READ, WAIT_WRITE, WAIT_DRAIN };
struct terminal_wait {
	struct terminal_wait *next;
	enum terminal_wait_kind kind;
	uint32_t reply;
	size_t length, done;       /* READ: wanted; WRITE: bytes in data, and how many are out */
	uint64_t deadline;         /* READ with VTIME: when to answer with what is there; DEADLINE_NEVER */
	size_t seen;               /* READ with VTIME: bytes there when the deadline was set */
	bool set_attributes, flush_input; /* DRAIN: then apply data as struct terminal_attributes */
	uint8_t data[];
};

struct terminal {
	struct discipline discipline;
	uint32_t number;
	uint64_t device;           /* as in the process table */
	uint32_t session, session_slot, foreground;
	struct window_size window;
	handle_t event;            /* readiness of its descriptions */
	handle_t input, output;    /* descriptions of flows; HANDLE_NONE when they have ended */
	int input_source, output_source;
	bool input_ended, hung_up;
	struct terminal_wait *waits;
};

extern struct terminal terminals[TERMINALS];
extern handle_t terminal_proc;               /* privileged port to proc */
extern const struct process_slot *terminal_slots;

/* Puts a terminal between two flows. 0 or a negative error. */
int terminal_start(struct terminal *terminal, uint32_t number, uint64_t device, handle_t input, handle_t output);
int64_t terminal_read(struct terminal *terminal, struct server_request *request);
int64_t terminal_write(struct terminal *terminal, struct server_request *request);
/* Waits until all output has left; then sets attributes, if not NULL, flushing input first if flush. SERVER_DEFERRED, 0, or an error. */
int64_t terminal_drain(struct terminal *terminal, struct server_request *request, const struct terminal_attributes *attributes, bool flush);
/* After any change of discipline or state: sends output, answers whom it can, sets readiness and timers. */
void terminal_update(struct terminal *terminal);
void terminal_hang_up(struct terminal *terminal);

/* -- job control (job.c) */
/* The caller's slot in the process table; NULL: no process of proc's. */
const struct process_slot *job_caller(uint64_t badge);
/* Forgets a session that has ended. */
void job_check_session(struct terminal *terminal);
/*
 * Whether the caller may go on: 0; or it is in the background and has been sent signal (SIGTTIN, SIGTTOU): -EINTR; or must fail: -EIO.
 * blocked: the caller's blocked signals, as far as known.
 */
int64_t job_check(struct terminal *terminal, uint64_t badge, int signal, uint64_t blocked);
void job_signal_foreground(struct terminal *terminal, int signal);
/* Makes the terminal the controlling one of a session. 0 or -ESRCH. */
int64_t job_attach(struct terminal *terminal, uint32_t session);
int64_t job_detach(struct terminal *terminal);
int64_t job_set_foreground(struct terminal *terminal, uint32_t group);

/* FILE_IOCTL on an open terminal (control.c). */
int64_t terminal_control(struct terminal *terminal, struct server_request *request);
void terminal_set_window(struct terminal *terminal, const struct window_size *window);
/* Requests of the file protocol and of terminal_protocol.h (nodes.c). */
extern handle_t terminal_listener;
extern uint64_t terminal_device_number;
int64_t terminal_request(void *context, struct server_request *request);
#endif
