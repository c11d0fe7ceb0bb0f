/*
 * Port calls: submission, delivery, reply, setting aside, interrupt, and the deaths of servers and listeners.
 * models: kernel/ipc/call.c kernel/ipc/receive.c kernel/ipc/reply.c kernel/ipc/port.c
 *
 * sizes: -DCALLS=2 -DSERVERS=1
 * sizes: -DCALLS=1 -DSERVERS=2
 *
 * One thread makes CALLS calls; SERVERS threads of one process serve them, each reply with or without a range to copy, sometimes by a thread that did not
 * receive the call, sometimes with a number that was answered before, or never. A third party interrupts the caller once, and server and listener may die at any time. Each atomic block is what the C does
 * under one lock (port->lock, reply_table->lock) or an atomic instruction; between them everything may happen, as on several processors.
 *
 * Checked: a call record is not touched once it is free (use) and its contents (pins, handles) not while a server does not hold them; references never
 * drop below none; a reply reaches its call or nobody (exactly one outcome of each call); at the end nothing is left. Every run is finite, so a
 * lost wake-up shows as an end in the middle (invalid end state).
 */
#ifndef CALLS
#define CALLS 1
#endif
#ifndef SERVERS
#define SERVERS 2
#endif
#define RECORDS (CALLS + 1)
#define SLOTS 2
#define NONE 255

mtype = { CALL_IDLE, CALL_QUEUED, CALL_BOUND, CALL_DONE, CALL_ABANDONED };

typedef record {
	bool allocated, contents;     /* contents: pins and handles */
	byte references;
	mtype state;
	bool busy, delivered;
	byte result;                  /* 0, or 1: an error */
	bool sleeping;                /* the caller waits on call->done */
	byte sequence, answer;        /* which call; the sequence that the reply was meant for */
	bool queued, bound;           /* on a list of the port */
}
record call[RECORDS];
byte answers[CALLS + 1];              /* replies that returned 0, by sequence */

/* the port, under its lock */
bool dead;
bool receiving[2];                    /* on port->receivers, by server thread */
byte delivered_to[2] = NONE;          /* thread_ipc->delivered */
bool server_sleeps[2];

/* the reply table, under its lock */
typedef reply_slot { byte call = NONE; byte generation; bool replying, reserved }
reply_slot slot[SLOTS];
byte number_slot = NONE, number_generation, number_sequence; /* a reply number that was set aside, for any thread */

bool interrupt_pending, interrupt_made, caller_over, finish, early;
byte servers_left = SERVERS;

inline use(c) { assert(c != NONE && call[c].allocated) }

inline call_unref(c)
{
	use(c);
	assert(call[c].references > 0);
	call[c].references--;
	if
	:: call[c].references == 0 -> call[c].allocated = false; call[c].contents = false; assert(!call[c].queued && !call[c].bound)
	:: else
	fi
}

/* call_fail_locked */
inline call_fail(c)
{
	use(c);
	call[c].queued = false;
	call[c].bound = false;
	call[c].state = CALL_DONE;
	call[c].result = 1;
	call[c].sleeping = false /* guard wake_failed */
}

/* call_answer_locked: the reference is given up before the wake */
inline call_answer(c, sequence_)
{
	use(c);
	call[c].answer = sequence_;
	call[c].state = CALL_DONE;
	call[c].result = 0;
	call[c].bound = false;
	assert(call[c].references > 0);
	call[c].references--;
	answers[sequence_]++;
	call[c].sleeping = false /* guard wake_answered */
}

proctype caller()
{
	byte c = NONE, n = 1, i;
	bool error, busy, wait_error;
	do
	:: n <= CALLS ->
		d_step { /* call_record, call_prepare */
			if
			:: c == NONE ->
				i = 0;
				do
				:: call[i].allocated -> i++
				:: else -> break
				od;
				c = i;
				call[c].allocated = true;
				call[c].references = 1;
				call[c].queued = false;
				call[c].bound = false
			:: else
			fi;
			use(c);
			assert(call[c].references == 1 && !call[c].contents);
			call[c].contents = true;
			call[c].sequence = n;
			call[c].busy = false;
			call[c].delivered = false;
			call[c].result = 0
		};
		atomic { /* port->lock: port->dead, call_submit, wait_on */
			if
			:: dead -> call[c].contents = false; error = true; goto over
			:: else
			fi;
			if
			:: receiving[0] || receiving[1] ->
				if
				:: receiving[0] -> i = 0
				:: receiving[1] -> i = 1
				fi;
				receiving[i] = false;
				call[c].state = CALL_BOUND;
				call[c].bound = true;
				if
				:: call[c].busy = true
				:: true /* words only: nothing to copy */
				fi;
				call[c].references++; /* guard reference_submitted */
				delivered_to[i] = c;
				server_sleeps[i] = false /* guard wake_server */
			:: else -> call[c].state = CALL_QUEUED; call[c].queued = true
			fi;
			wait_error = interrupt_pending;
			call[c].sleeping = !interrupt_pending
		};
again:
		(!call[c].sleeping);
		atomic { /* port->lock: is it over? */
			wait_error = wait_error || interrupt_pending;
			if
			:: call[c].state == CALL_DONE
			:: call[c].state != CALL_DONE && wait_error ->
				call[c].queued = false;
				call[c].bound = false;
				call[c].state = CALL_ABANDONED;
				call[c].result = 1
			:: else -> call[c].sleeping = true; goto again
			fi;
			error = call[c].result;
			busy = call[c].busy;
			if
			:: busy -> call[c].state = CALL_ABANDONED
			:: else
			fi
		};
		if
		:: !error -> use(c); assert(call[c].answer == n && answers[n] == 1) /* reply_accept */
		:: else -> assert(answers[n] == 0)
		fi;
		if /* __atomic_load_n(&call->references) */
		:: call[c].references > 1 ->
			atomic {
				if
				:: (true
					&& !busy /* guard contents_busy */
				   ) -> call[c].contents = false
				:: else
				fi;
				call_unref(c);
				c = NONE
			}
		:: else -> d_step { call[c].contents = false; call[c].state = CALL_IDLE }
		fi;
over:
		interrupt_pending = false;
		n++
	:: else -> break
	od;
	atomic { /* thread_ipc_release */
		if
		:: c != NONE -> call_unref(c)
		:: else
		fi;
		caller_over = true
	}
}

/* Sets the flag, then ends the wait if there is one: thread_interrupt. */
proctype interrupter()
{
	byte i;
	atomic { interrupt_pending = true; interrupt_made = true };
	d_step {
		i = 0;
		do
		:: i < RECORDS ->
			call[i].sleeping = false; /* guard wake_interrupted */
			i++
		:: else -> break
		od
	}
}

proctype listener_owner()
{
	byte i;
	d_step { /* listener_destroy */
		dead = true;
		i = 0;
		do
		:: i < RECORDS && (call[i].queued || call[i].bound) -> call_fail(i); i++
		:: i < RECORDS && !(call[i].queued || call[i].bound) -> i++
		:: i == RECORDS -> break
		od
	}
}

/* reply_words (copies false) or the way of ranges and handles, for the number (s, g), of a call whose sequence the server was told */
inline port_reply(s, g, sequence_, copies)
{
	c = NONE;
	atomic { /* reply_table->lock: reply_claim */
		if
		:: (slot[s].call != NONE
			&& !slot[s].replying /* guard replying */
			&& slot[s].generation == g /* guard generation */
		   ) ->
			c = slot[s].call;
			if
			:: copies -> slot[s].replying = true
			:: else -> slot[s].call = NONE; slot[s].generation++; slot[s].reserved = false
			fi
		:: else
		fi
	};
	if
	:: c == NONE /* ESRCH */
	:: c != NONE && copies ->
		atomic { /* range_answer */
			use(c);
			alive = call[c].state == CALL_BOUND;
			call[c].busy = alive /* guard busy_reply */
		};
		if
		:: alive -> use(c); assert(call[c].contents) /* the copy */
		:: else
		fi;
		atomic {
			use(c);
			call[c].busy = false;
			alive = true;
			alive = call[c].state == CALL_BOUND; /* guard answer_range_bound */
			if
			:: alive -> call_answer(c, sequence_)
			:: else
			fi
		};
		atomic { slot[s].call = NONE; slot[s].replying = false; slot[s].generation++; slot[s].reserved = false };
		if
		:: alive
		:: else -> atomic { call_unref(c) }
		fi
	:: c != NONE && !copies ->
		atomic {
			use(c);
			alive = true;
			alive = call[c].state == CALL_BOUND; /* guard answer_bound */
			if
			:: alive -> call_answer(c, sequence_)
			:: else
			fi
		};
		if
		:: alive
		:: else -> atomic { call_unref(c) }
		fi
	fi
}

proctype server(byte me)
{
	byte c = NONE, s = NONE, g, q, i;
	bool alive, copies, wait_error, last;
receive:
	atomic { wait_error = false; alive = false; copies = false; c = NONE; g = 0; q = 0; i = 0 };
	if
	:: s == NONE -> /* reply_slot_reserve */
		atomic {
			if
			:: !slot[0].reserved -> s = 0
			:: slot[0].reserved && !slot[1].reserved -> s = 1
			:: else
			fi;
			if
			:: s != NONE -> slot[s].reserved = true
			:: else
			fi
		}
	:: else
	fi;
	if
	:: s == NONE -> goto ends /* -ENOMEM */
	:: else
	fi;
look:
	atomic { /* port->lock */
		c = delivered_to[me];
		delivered_to[me] = NONE;
		i = 0;
		if
		:: c == NONE -> /* the first of the queue */
			do
			:: i < RECORDS && !call[i].queued -> i++
			:: i == RECORDS -> break
			:: else ->
				c = i;
				call[c].queued = false;
				call[c].bound = true;
				call[c].state = CALL_BOUND;
				if
				:: call[c].busy = true
				:: call[c].busy = false
				fi;
				call[c].references++; /* guard reference_received */
				break
			od
		:: else
		fi;
		if
		:: c != NONE ->
			receiving[me] = false;
			use(c);
			q = call[c].sequence;
			if
			:: (!call[c].busy
				&& call[c].state == CALL_BOUND
			   ) -> call[c].delivered = true; goto number
			:: else
			fi
		:: c == NONE && (wait_error || dead) ->
			receiving[me] = false; /* guard leave_receivers */
			goto ends
		:: else ->
			receiving[me] = true;
			server_sleeps[me] = !finish;
			wait_error = finish;
			goto sleep
		fi
	};
	/* call_deliver: the copy, then what became of the call meanwhile */
	use(c);
	assert(!call[c].busy || call[c].contents);
	atomic {
		use(c);
		call[c].busy = false;
		if
		:: call[c].state != CALL_BOUND -> call_unref(c); goto look
		:: call[c].state == CALL_BOUND -> call[c].delivered = true
		:: call[c].state == CALL_BOUND -> /* the server's memory is bad: call_requeue_locked */
			call[c].state = CALL_QUEUED;
			call[c].bound = false;
			call[c].queued = true;
			call_unref(c);
			goto receive
		fi
	};
number:
	atomic { /* reply_slot_fill */
		assert(slot[s].call == NONE);
		slot[s].call = c;
		g = slot[s].generation
	};
	i = s;
	s = NONE;
	if
	:: copies = true
	:: copies = false
	fi;
	if
	:: port_reply(i, g, q, copies)
	:: !interrupt_made /* never answered: the interrupt will end it */
	:: atomic { number_slot == NONE -> number_slot = i; number_generation = g; number_sequence = q }; /* set aside, ... */
		if
		:: true
		:: port_reply(i, g, q, copies) /* ... or answered, and the number used again */
		fi
	fi;
	goto receive;
sleep:
	if
	:: !server_sleeps[me] -> wait_error = wait_error || finish; goto look
	:: atomic { number_slot != NONE && !finish -> /* another thread, which here is this one, answers what was set aside */
		i = number_slot; g = number_generation; q = number_sequence; number_slot = NONE };
		port_reply(i, g, q, false);
		d_step { c = NONE; g = 0; q = 0; i = 0; alive = false };
		goto sleep
	fi;
ends:
	/* thread_ipc_release; the last thread's process_release closes the reply table */
	atomic {
		assert(delivered_to[me] == NONE);
		if
		:: s != NONE -> slot[s].generation++; slot[s].reserved = false; s = NONE
		:: else
		fi;
		servers_left--;
		last = servers_left == 0
	};
	if
	:: last ->
		i = 0;
		do
		:: i < SLOTS ->
			c = slot[i].call;
			slot[i].call = NONE;
			if
			:: c != NONE ->
				atomic {
					use(c);
					if
					:: call[c].state == CALL_BOUND -> call_fail(c)
					:: else
					fi
				};
				atomic { call_unref(c) }
			:: else
			fi;
			i++
		:: else -> break
		od
	:: else
	fi
}

/* Ends the servers when the caller has what it wanted, or before: their threads are killed. Afterwards nobody serves, so the owner drops the listener. */
proctype supervisor()
{
	(caller_over || early);
	d_step { finish = true; server_sleeps[0] = false; server_sleeps[1] = false };
	(servers_left == 0);
	run listener_owner()
}

init {
	atomic {
		run caller();
		run server(0);
#if SERVERS == 2
		run server(1);
#endif
		run interrupter();
		run supervisor();
		if
		:: run listener_owner()
		:: early = true
		:: true
		fi
	};
	(_nr_pr == 1);
	d_step {
		byte i = 0;
		do
		:: i < RECORDS -> assert(!call[i].allocated && !call[i].contents); i++
		:: else -> break
		od
	}
}
