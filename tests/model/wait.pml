/*
 * Sleeping and waking, against interrupts and deadlines.
 * models: kernel/core/wait.c
 *
 * A thread waits for a condition twice, each time on another queue and by another lock, as wait.h says: it looks under the lock and calls wait_on with it.
 * A waker makes both conditions true; an interrupter interrupts once (thread_interrupt) and a timer fires once (deadline_passed). Atomic blocks are
 * what the C does under one lock. All of them run on processors of their own. A queue is gone once its wait has returned.
 *
 * Checked: whoever takes the thread off a queue is the only one (thread_ready finds it sleeping); a wait ends with what woke it; a wait that cannot be
 * interrupted is not; who comes by the thread finds no queue that is gone; no wake-up, interrupt or deadline is lost: every run ends, so a loss is an end in the middle (invalid end state).
 */
#define NONE 255
#define EINTR 1
#define ETIMEDOUT 2
mtype = { THREAD_RUNNING, THREAD_SLEEPING, THREAD_READY };

bool condition[2];                 /* each under its lock */
bool lock[2], queue_lock[2];
byte waiting_on = NONE;            /* thread->waiting_on: which queue */
bool wait_how_interruptible;
byte wait_result;
mtype state = THREAD_RUNNING;
bool interrupt_pending, deadline_armed, running, over;
bool gone[2] = true;
byte wakers;

inline spin_lock(l) { atomic { !l -> l = true } }
inline spin_unlock(l) { assert(l); l = false }

/* take_off, thread_ready; the queue's lock is held */
inline take_off(result)
{
	assert(state == THREAD_SLEEPING);
	waiting_on = NONE;
	wait_result = result;
	deadline_armed = false; /* guard deadline_cancel */
	state = THREAD_READY /* guard thread_ready */
}

/* wake_for: end is whether this wait ends for that reason */
inline wake_for(result, only_interruptible)
{
	wakers++;
	queue = waiting_on;
	if
	:: queue != NONE ->
		atomic { !queue_lock[queue] -> assert(!gone[queue]); queue_lock[queue] = true };
		if
		:: (true
			&& waiting_on == queue /* guard same_queue */
			&& (!only_interruptible || wait_how_interruptible) /* guard ends_by_interrupt */
		   ) -> take_off(result)
		:: else
		fi;
		assert(!gone[queue]);
		spin_unlock(queue_lock[queue])
	:: else
	fi;
	wakers--
}

/* wait_settle; then the caller may do with the queue what it likes */
inline wait_settle(q)
{
	(wakers == 0); /* guard settle_wakers */
	(!running); /* guard settle_deadline */
	gone[q] = true
}

/* wait_on(queue q, lock q, with a deadline or without, interruptible or not); result in `error` */
inline wait_on(q, timed, interruptible)
{
	error = 0;
	gone[q] = false;
	spin_lock(queue_lock[q]);
	waiting_on = q; /* from here on an interrupter finds it; one that came before has set its flag */
	wait_how_interruptible = interruptible;
	if
	:: (interruptible
		&& interrupt_pending /* guard must_not_sleep */
	   ) ->
		waiting_on = NONE;
		error = EINTR;
		spin_unlock(queue_lock[q]);
		spin_unlock(lock[q]);
		wait_settle(q)
	:: (!interruptible || !interrupt_pending) ->
		wait_result = 0;
		state = THREAD_SLEEPING;
		deadline_armed = timed;
		spin_unlock(queue_lock[q]);
		spin_unlock(lock[q]);
		(state == THREAD_READY); /* schedule */
		state = THREAD_RUNNING;
		wait_settle(q);
		error = wait_result
	fi
}

active proctype sleeper()
{
	byte error;
	/* interruptibly, with a deadline */
	spin_lock(lock[0]);
	do
	:: condition[0] -> spin_unlock(lock[0]); break
	:: else ->
		wait_on(0, true, true);
		if
		:: error == EINTR -> assert(interrupt_pending); break
		:: error == ETIMEDOUT -> break
		:: else -> spin_lock(lock[0])
		fi
	od;
	assert(waiting_on == NONE && !deadline_armed);
	/* not interruptibly, without one */
	spin_lock(lock[1]);
	do
	:: condition[1] -> spin_unlock(lock[1]); break
	:: else ->
		wait_on(1, false, false);
		assert(error == 0);
		spin_lock(lock[1])
	od;
	/* interruptibly, for nothing: the interrupt ends it */
	do
	:: true ->
		spin_lock(lock[0]);
		wait_on(0, false, true);
		if
		:: error == EINTR -> break
		:: else -> assert(error == 0) /* woken for the first wait */
		fi
	od;
	assert(interrupt_pending);
	over = true
}

inline wake(q)
{
	spin_lock(lock[q]);
	condition[q] = true;
	spin_lock(queue_lock[q]);
	if
	:: waiting_on == q && state == THREAD_SLEEPING -> take_off(0)
	:: else
	fi;
	spin_unlock(queue_lock[q]);
	spin_unlock(lock[q])
}

active proctype waker0() { wake(0) }
active proctype waker1() { wake(1) }

/* thread_interrupt: first the flag, then the look for a sleeper */
active proctype interrupter()
{
	byte queue;
	interrupt_pending = true; /* guard pending_first */
	wake_for(EINTR, true); /* guard wake_interrupted */
}

active proctype timer()
{
	byte queue;
	if
	:: atomic { deadline_armed -> deadline_armed = false; running = true };
		wake_for(ETIMEDOUT, false);
		running = false
	:: over
	fi
}
