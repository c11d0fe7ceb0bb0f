/*
 * Threads go from processor to processor.
 * models: kernel/core/schedule.c
 *
 * Two processors and three threads, which wake each other in a ring: thread t makes a token for the next one, wakes it if it sleeps, and sleeps until it
 * has one itself, ROUNDS times. A processor runs what is current; thread_ready and the decision of switch_away are atomic blocks, as they are made under the
 * scheduler's lock; the queue's lock makes "no token: sleep" and "token: wake" atomic too (wait.pml). Between them, and between the decision and the change
 * of stacks, anything may happen.
 *
 * Checked: a stack is used by one processor; a ready thread was not running; every run ends with all rounds done, so no wake-up is lost and nobody waits for
 * ever for a stack to be left.
 */
#define THREADS 3
#define ROUNDS 2
#define IDLE 254
#define NONE 255
byte token[THREADS], rounds[THREADS], last[THREADS]; /* last: thread->processor */
bool asleep[THREADS], ready[THREADS], woken[THREADS], on_stack[THREADS], done[THREADS];
bool gave[THREADS];                /* where a thread is in its round */
byte current[2] = IDLE, users[THREADS];

/* wait_wake: the sleeper is taken off its queue; then thread_ready */
inline wake(t)
{
	atomic {
		token[t]++;
		taken = asleep[t];
		asleep[t] = false
	};
	atomic {
		if
		:: taken ->
			assert(!ready[t]);
			if
			:: (false
				|| current[last[t]] == t /* guard given_up */
			   ) -> woken[t] = true
			:: else -> ready[t] = true
			fi
		:: else
		fi
	}
}

/* switch_away, by the processor whose current thread is `from` or which idles */
inline give_up()
{
	atomic {
		stay = false;
		if
		:: from != IDLE && woken[from] -> woken[from] = false; stay = true /* guard woken */
		:: else ->
			to = IDLE;
			if
			:: ready[0] -> to = 0
			:: ready[1] -> to = 1
			:: ready[2] -> to = 2
			:: !ready[0] && !ready[1] && !ready[2]
			fi;
			if
			:: to != IDLE -> ready[to] = false; last[to] = me
			:: else
			fi;
			current[me] = to
		fi
	};
	if
	:: !stay ->
		if
		:: to != IDLE ->
			(true
				&& !on_stack[to] /* guard on_stack */
			);
			on_stack[to] = true
		:: else
		fi;
		/* arch_context_switch: from one stack to the other */
		atomic {
			if
			:: from != IDLE -> users[from]--
			:: else
			fi;
			if
			:: to != IDLE -> users[to]++; assert(users[to] == 1)
			:: else
			fi
		};
		/* switch_finish */
		if
		:: from != IDLE -> on_stack[from] = false /* guard leave */
		:: else
		fi
	:: else
	fi
}

proctype processor(byte me)
{
	byte from, to, next;
	bool stay, taken, sleeps;
end:	do
	:: current[me] == IDLE && (ready[0] || ready[1] || ready[2]) -> from = IDLE; give_up()
	:: current[me] != IDLE ->
		from = current[me];
		next = (from + 1) % THREADS;
		if
		:: rounds[from] < ROUNDS && !gave[from] ->
			gave[from] = true;
			wake(next)
		:: rounds[from] < ROUNDS && gave[from] ->
			atomic {
				if
				:: token[from] == 0 -> asleep[from] = true; sleeps = true
				:: else -> token[from]--; rounds[from]++; gave[from] = false; sleeps = false
				fi
			};
			if
			:: sleeps -> give_up()
			:: else
			fi
		:: rounds[from] == ROUNDS -> done[from] = true; give_up() /* it ends */
		fi
	od
}

init {
	atomic {
		ready[0] = true;
		ready[1] = true;
		ready[2] = true;
		run processor(0);
		run processor(1)
	};
	(done[0] && done[1] && done[2])
}
