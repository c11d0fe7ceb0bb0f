/*
 * Waiting for several objects: the poll of kernel/obj/poll.c and the waitset of kernel/obj/waitset.c, against objects that become ready.
 * models: kernel/obj/poll.c kernel/obj/waitset.c
 *
 * Two objects become ready, and the first not ready again before it is so for good. One thread polls both; two threads wait in one waitset that has the second,
 * level-triggered, and each takes one result and leaves the object ready. Atomic blocks are what the C does under
 * one lock: the object's own, observer_lock, waitset->lock. Sleeping and its wake-up are wait.pml's and happen at once here.
 *
 * Checked: nobody sleeps while an object it waits for is ready for good: every run ends, so that shows as an end in the middle (invalid end state); an item is on
 * the list of candidates once at most.
 */
#define OBJECTS 2

bool ready[OBJECTS];
bool observed[OBJECTS];              /* by the poll; the list of observers, which object_notify looks at without the lock */
bool told, poll_sleeps;              /* poller->told: observer_lock */
bool item[OBJECTS];                  /* the waitset observes it */
bool candidate[OBJECTS];             /* waitset->lock */
byte sleepers;                       /* in waitset->waiters */
byte wakes;                          /* of them, woken and not yet running */

inline wait_wake_one()
{
	if
	:: sleepers > 0 -> sleepers--; wakes++
	:: else
	fi
}

/* object_notify: the readiness was changed before; poll_notify and item_notify */
inline object_notify(o)
{
	if
	:: observed[o] || item[o] ->
		atomic {
			if
			:: observed[o] ->
				told = true; /* guard told */
				poll_sleeps = false /* guard poll_wake */
			:: else
			fi
		};
		atomic {
			if
			:: item[o] && !candidate[o] ->
				candidate[o] = true; /* guard candidate */
				wait_wake_one() /* guard waitset_wake */
			:: else
			fi
		}
	:: else
	fi
}

active [OBJECTS] proctype object()
{
	byte o = _pid;
	if
	:: o == 0 -> ready[o] = true; object_notify(o); ready[o] = false
	:: else
	fi;
	ready[o] = true;
	object_notify(o)
}

active proctype poller()
{
	byte o;
	bool found;
	atomic { observed[0] = true; observed[1] = true };
	do
	:: true ->
		found = ready[0]; /* poll_ask, after observing */
		found = found || ready[1];
		if
		:: found -> break
		:: else
		fi;
		atomic { /* observer_lock */
			if
			:: told -> told = false
			:: (true
				&& !told /* guard look_told */
			   ) -> poll_sleeps = true
			fi
		};
		(!poll_sleeps);
		told = false
	od;
	atomic { observed[0] = false; observed[1] = false }
}

/* waitset_add for one object, then item_look */
inline waitset_add(o)
{
	item[o] = true;
	asked = false;
	asked = ready[o]; /* guard look_after */
	atomic {
		if
		:: asked && !candidate[o] -> candidate[o] = true; wait_wake_one()
		:: else
		fi
	}
}

/* sys_waitset_wait for one result */
active [2] proctype waiter()
{
	byte o;
	bool found, looking, asked;
	if
	:: _pid == 3 -> waitset_add(1)
	:: else
	fi;
again:
	found = false;
	do /* waitset_collect: the first candidate, until one is ready or there is none */
	:: atomic { candidate[0] && !found -> candidate[0] = false; o = 0 }; asked = ready[0];
		if
		:: asked -> found = true
		:: else
		fi
	:: atomic { candidate[1] && !found -> candidate[1] = false; o = 1 }; asked = ready[1];
		if
		:: asked -> found = true
		:: else
		fi
	:: atomic { found || (!candidate[0] && !candidate[1]) -> break }
	od;
	if
	:: found ->
		atomic { /* level-triggered: back on the list, and who came meanwhile saw it empty */
			candidate[o] = true; /* guard back */
			wait_wake_one() /* guard back_wake */
		}
	:: else ->
		atomic { /* waitset->lock */
			if
			:: candidate[0] || candidate[1] -> goto again
			:: (true
				&& !candidate[0] && !candidate[1] /* guard look_candidates */
			   ) -> sleepers++
			fi
		};
		atomic { wakes > 0 -> wakes-- };
		goto again
	fi
}
