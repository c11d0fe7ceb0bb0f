/*
 * Translations that other processors hold are forgotten before a page goes.
 * models: arch/page_table.c arch/x86_64/processors.c arch/x86_64/mmu.c
 * sizes: -DN=2 -DROUNDS=2
 *
 * N processors and two spaces of one page each. In user mode a processor loads a space's tables, fills its translation from the entry, uses it, and leaves the
 * space. In the kernel, ROUNDS times, it locks a space, its own or the other, and takes the page away (arch_space_unmap) and frees it, or maps it
 * again. Atomic blocks are single instructions of the C or of the processor. A processor in the kernel has its interrupts disabled: it answers only where
 * the C polls.
 *
 * Checked: no translation of a page is used while the page is free; every run ends (who asks is answered, whatever the other waits for).
 */
#define NONE 255
bool present[2] = true, freed[2], space_lock[2];
byte has_loaded[2];                /* space->processors: bits */
byte asked[N], waiting[N];         /* bits of askers; of those that have not answered */
byte asked_space[N];
byte loaded[N] = NONE;             /* the space */
bool translation[N];               /* whether a processor holds one of the space that it has loaded */

/* arch_processors_poll */
inline poll()
{
	atomic { askers = asked[me]; asked[me] = 0; k = 0 };
	do
	:: atomic { k < N && (askers & (1 << k)) ->
			if
			:: loaded[me] == asked_space[k] -> translation[me] = false /* guard forget */
			:: else
			fi };
		waiting[k] = waiting[k] & ~(1 << me); /* guard answer */
		k++
	:: k < N && !(askers & (1 << k)) -> k++
	:: k == N -> break
	od
}

/* translations_forget */
inline forget(s)
{
	others = has_loaded[s] & ~(1 << me);
	if
	:: others != 0 ->
		asked_space[me] = s;
		waiting[me] = others;
		other = 0;
		do
		:: other < N && (others & (1 << other)) -> asked[other] = asked[other] | (1 << me); other++
		:: other < N && !(others & (1 << other)) -> other++
		:: other == N -> break
		od;
		do
		:: waiting[me] == 0 -> break /* guard wait */
		:: asked[me] != 0 -> poll() /* guard poll_waiting */
		od
	:: else
	fi
}

/* arch_space_activate(NULL) */
inline leave()
{
	other = loaded[me];
	atomic { loaded[me] = NONE; translation[me] = false };
	has_loaded[other] = has_loaded[other] & ~(1 << me)
}

proctype processor(byte me)
{
	byte askers, k, others, other, s, rounds;
	do
	/* user mode, where an interrupt is answered at once */
	:: asked[me] != 0 -> poll()
	:: loaded[me] == NONE && rounds < ROUNDS -> /* arch_space_activate */
		if
		:: s = 0
		:: s = 1
		fi;
		has_loaded[s] = has_loaded[s] | (1 << me); /* guard enter */
		loaded[me] = s
	:: loaded[me] != NONE && asked[me] == 0 -> leave()
	:: atomic { loaded[me] != NONE && !translation[me] && rounds < ROUNDS -> translation[me] = present[loaded[me]] }
	:: atomic { translation[me] -> assert(!freed[loaded[me]]) }
	/* the kernel: an unmap, or a fault */
	:: rounds < ROUNDS ->
		if
		:: s = 0
		:: s = 1
		fi;
		do
		:: atomic { !space_lock[s] -> space_lock[s] = true }; break
		:: space_lock[s] && asked[me] != 0 -> poll() /* guard poll_lock */
		od;
		if
		:: present[s] ->
			present[s] = false; /* guard clear */
			atomic {
				if
				:: loaded[me] == s -> translation[me] = false /* guard own */
				:: else
				fi
			};
			forget(s); /* guard ask */
			freed[s] = true
		:: else ->
			freed[s] = false;
			present[s] = true
		fi;
		space_lock[s] = false;
		rounds++
	:: rounds == ROUNDS && loaded[me] == NONE && asked[me] == 0 -> break
	od;
	/* the idle loop */
end:	do
	:: asked[me] != 0 -> poll()
	od
}

init {
	byte i;
	atomic {
		do
		:: i < N -> run processor(i); i++
		:: else -> break
		od
	}
}
