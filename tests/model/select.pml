/*
 * Select over channels with claim words, as kernel/ipc/packet.h tells it; plain sends and receives are selects of one case.
 * models: kernel/ipc/packet.c kernel/ipc/select.c kernel/ipc/packet.h
 *
 * A select is a list of cases on different unbuffered channels, and a claim word (CLAIM_ in the C): FREE, TAKEN (one side of a match that is being made), or the case that won.
 * It visits its channels one after the other, in any order, each under that channel's lock: if the other side has a select waiting there, it tries to match with it,
 * else it joins the queue there. To match it takes both claim words, the one with the lower number first, each by compare and swap; a word that is
 * TAKEN is waited for, which ends, because whoever has it waits for higher ones only. If its own word was not free, another has won it: it gives the
 * other word back. When it has visited all it sleeps until its word says who won.
 *
 * A prepared select has its places in the queues all the time, and a word that nobody can win (LOOKING) until it waits; then it visits its channels like any other.
 *
 * Three selects over two channels, the first prepared or not: one receives from either, one sends to either, one sends to or receives from one of them.
 * Checked: a select completes by one case at most, and the other side by the same channel, the other way; no two selects sleep that could have matched (at the
 * end, when nothing moves any more); claim words are never waited for in a circle (no end in the middle).
 */
#define CHANNELS 2
#define SELECTS 3
#define FREE 0
#define TAKEN 100
#define LOOKING 99
#define WON(channel) (1 + channel)

byte claim[SELECTS];
byte partner[SELECTS] = 100;
bool lock[CHANNELS];
bool waits[6];                       /* by select * CHANNELS + channel: in the queue there */
bool sends[6];                       /* the direction of that case, if there is one */
bool has[6];
byte asleep, ended;
#define AT(s, c) ((s) * CHANNELS + (c))

inline take(s, got)
{
	do
	:: atomic { claim[s] == FREE -> claim[s] = TAKEN; got = true; break } /* compare and swap */
	:: atomic { claim[s] != FREE && claim[s] != TAKEN -> got = false; break }
	od
}

/* Both words, the lower first; both or neither. */
inline take_both(a, b, got)
{
	low = (a < b -> a : b);
	high = (a < b -> b : a);
	take(low, got);
	if
	:: got ->
		take(high, got);
		if
		:: !got -> claim[low] = FREE /* guard give_back */
		:: else
		fi
	:: else
	fi
}

inline visit(c)
{
	atomic { !lock[c] -> lock[c] = true }; /* guard channel_lock */
	other = 0;
	do
	:: other < SELECTS && claim[me] != FREE && claim[me] != TAKEN -> break /* another has won it */
	:: other < SELECTS && (claim[me] == FREE || claim[me] == TAKEN) ->
		if
		:: other != me && waits[AT(other, c)] && sends[AT(other, c)] != sends[AT(me, c)] ->
			take_both(me, other, got);
			if
			:: got ->
				d_step {
					assert(claim[me] == TAKEN && claim[other] == TAKEN);
					assert(partner[me] == 100 && partner[other] == 100);
					partner[me] = other;
					partner[other] = me;
					claim[other] = WON(c);
					claim[me] = WON(c)
				}
			:: else
			fi
		:: else
		fi;
		other++
	:: other == SELECTS -> break
	od;
	waits[AT(me, c)] = true; /* guard join */
	lock[c] = false
}

proctype selector(byte me; bool prepared)
{
	byte other, low, high, first, c, n;
	bool got;
	if
	:: first = 0
	:: first = 1
	fi;
	if
	:: prepared -> claim[me] = FREE /* guard open */
	:: else
	fi;
	n = 0;
	do
	:: n < CHANNELS && (claim[me] == FREE || claim[me] == TAKEN) ->
		c = (first + n) % CHANNELS;
		if
		:: has[AT(me, c)] -> visit(c)
		:: else
		fi;
		n++
	:: else -> break
	od;
	asleep++;
	(claim[me] != FREE && claim[me] != TAKEN) || (timeout); /* sleeps; at the end it may sleep still */
	asleep--;
	atomic { waits[AT(me, 0)] = false; waits[AT(me, 1)] = false }; /* leaves the queues, under their locks one at a time */
	if
	:: claim[me] != FREE ->
		assert(partner[me] != 100 && partner[partner[me]] == me && claim[partner[me]] == claim[me]);
		assert(has[AT(me, claim[me] - 1)] && sends[AT(me, claim[me] - 1)] != sends[AT(partner[me], claim[me] - 1)])
	:: else -> /* nobody was there that could have matched */
		other = 0;
		do
		:: other < SELECTS ->
			c = 0;
			do
			:: c < CHANNELS ->
				assert(other == me || claim[other] != FREE || !has[AT(me, c)] || !has[AT(other, c)] || sends[AT(me, c)] == sends[AT(other, c)]);
				c++
			:: else -> break
			od;
			other++
		:: else -> break
		od
	fi;
	ended++
}

init {
	byte direction;
	atomic {
		has[AT(0, 0)] = true; has[AT(0, 1)] = true;
		has[AT(1, 0)] = true; has[AT(1, 1)] = true;
		sends[AT(1, 0)] = true; sends[AT(1, 1)] = true;
		if
		:: has[AT(2, 0)] = true
		:: has[AT(2, 1)] = true
		fi;
		if
		:: sends[AT(2, 0)] = true; sends[AT(2, 1)] = true
		:: true
		fi;
		if
		:: claim[0] = LOOKING; waits[AT(0, 0)] = true; waits[AT(0, 1)] = true; run selector(0, true)
		:: run selector(0, false)
		fi;
		run selector(1, false);
		run selector(2, false)
	}
}
