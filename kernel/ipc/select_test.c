/*
 * Select through its system calls. Alone: random selects that do not wait, one-shot and prepared, against queues of what was sent; bad cases, closed channels,
 * failing allocations; and how often each of several possible cases is chosen. With "threads": selects over all channels, of sends, of receives and of both, one-shot
 * and prepared, on buffered and unbuffered channels, in half of the rounds interrupted: each packet whose send returned 0 arrives exactly once and in its
 * sender's order on that channel, others never; in calm rounds a lost wake-up is a hang.
 * host-test: kernel/ipc/select.c kernel/ipc/packet.c kernel/ipc/stream.c kernel/ipc/channel.c kernel/ipc/segment.c kernel/ipc/message.c kernel/obj/handle.c kernel/obj/handle_call.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/objects.c tests/host/task.c tests/host/channels.c
 * host-threads: kernel/ipc/select.c kernel/ipc/packet.c kernel/ipc/stream.c kernel/ipc/channel.c kernel/ipc/segment.c kernel/ipc/message.c kernel/obj/handle.c kernel/obj/handle_call.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/objects.c tests/host/task.c tests/host/channels.c
 */
#include <sched.h>
#include <string.h>
#include "kernel/calls.h"
#include "kernel/core/log.h"
#include "kernel/ipc/channel.h"
#include "kernel/obj/random.h"
#include "shim.h"
#include "task.h"

#define CHANNELS 5u
#define CASES 12u
#define DEPTH 8u

static struct process *process;
static struct channel_ends ends[CHANNELS];
static uint64_t capacity[CHANNELS];

void random_fill(void *buffer, size_t length)
{
	for (size_t i = 0; i < length; i++)
		((uint8_t *)buffer)[i] = (uint8_t)shim_random();
}

/* --- one thread --- */

static uint64_t queue[CHANNELS][DEPTH], queued[CHANNELS];
static bool closed[CHANNELS];
static int close_error[CHANNELS];
static uint64_t next_word;

struct cases {
	unsigned count;
	struct select_case entry[CASES];
	struct message message[CASES];
	unsigned channel[CASES];
	bool sends[CASES], never[CASES], bad[CASES];
};

static void cases_fill(struct cases *cases, bool good)
{
	memset(cases, 0, sizeof(*cases));
	cases->count = (unsigned)shim_below(CASES + 1);
	for (unsigned i = 0; i < cases->count; i++) {
		unsigned c = (unsigned)shim_below(CHANNELS);
		cases->channel[i] = c;
		cases->sends[i] = shim_below(2);
		cases->never[i] = shim_below(6) == 0;
		cases->bad[i] = !good && !cases->never[i] && shim_below(40) == 0;
		handle_t end = cases->sends[i] ? ends[c].sender : ends[c].receiver;
		cases->entry[i].channel = cases->never[i] ? HANDLE_NONE : cases->bad[i] ? 12345 : end;
		cases->message[i].word[0] = ++next_word;
		cases->message[i].reply_status = 1;
	}
}

/* What the case must give: 0, -EAGAIN or an error. */
static int expected(const struct cases *cases, unsigned i)
{
	unsigned c = cases->channel[i];
	if (cases->never[i])
		return -EAGAIN;
	if (cases->bad[i])
		return -EBADF;
	if (cases->sends[i])
		return closed[c] ? -close_error[c] : queued[c] < capacity[c] ? 0 : -EAGAIN;
	return queued[c] ? 0 : closed[c] ? -close_error[c] : -EAGAIN;
}

static void outcome_check(struct cases *cases, int64_t result, bool failing)
{
	bool any = false;
	for (unsigned i = 0; i < cases->count; i++)
		any |= expected(cases, i) != -EAGAIN;
	if (!any) {
		/* a send whose packet could not be made is not known to be impossible */
		CHECK(result == -ETIMEDOUT || (failing && result >= 0 && cases->message[result].reply_status == -ENOMEM));
		return;
	}
	CHECK(result >= 0 && result < cases->count);
	unsigned i = (unsigned)result, c = cases->channel[i];
	int status = cases->message[i].reply_status;
	if (failing && status == -ENOMEM)
		return;
	CHECK(expected(cases, i) != -EAGAIN && status == expected(cases, i));
	for (unsigned other = 0; other < cases->count; other++)
		CHECK(other == i || cases->message[other].reply_status == 1);
	if (status)
		return;
	if (cases->sends[i]) {
		queue[c][queued[c]++] = cases->message[i].word[0];
		return;
	}
	CHECK(cases->message[i].word[0] == queue[c][0]);
	memmove(queue[c], queue[c] + 1, --queued[c] * sizeof(queue[c][0]));
}

/* Statuses and words of a prepared select that is made again. */
static void cases_renew(struct cases *cases)
{
	for (unsigned i = 0; i < cases->count; i++) {
		cases->message[i].word[0] = ++next_word;
		cases->message[i].reply_status = 1;
	}
}

static void random_step(bool failing, struct cases *prepared, handle_t select)
{
	struct cases cases;
	if (shim_below(2)) {
		cases_renew(prepared);
		if (failing)
			shim_fail_in = (int64_t)shim_below(3);
		int64_t result = sys_channel_select_wait(select, 0);
		shim_fail_in = -1;
		outcome_check(prepared, result, failing);
		return;
	}
	cases_fill(&cases, false);
	if (failing)
		shim_fail_in = (int64_t)shim_below(3);
	int64_t result = sys_channel_select(user_of(cases.entry), user_of(cases.message), cases.count, 0);
	shim_fail_in = -1;
	outcome_check(&cases, result, failing);
}

static handle_t prepare(struct cases *cases)
{
	cases_fill(cases, true);
	int64_t select = sys_channel_select_create(user_of(cases->entry), user_of(cases->message), cases->count);
	CHECK(select >= 0);
	return (handle_t)select;
}

static void channels_open(void)
{
	memset(queued, 0, sizeof(queued));
	memset(closed, 0, sizeof(closed));
	for (unsigned c = 0; c < CHANNELS; c++) {
		capacity[c] = shim_below(DEPTH);
		CHECK(!sys_channel_create(CHANNEL_PACKET, capacity[c], user_of(&ends[c])));
	}
}

static void channels_close(void)
{
	for (unsigned c = 0; c < CHANNELS; c++) {
		CHECK(!sys_handle_close(ends[c].sender));
		CHECK(!sys_handle_close(ends[c].receiver));
	}
}

static void run_random(void)
{
	for (unsigned round = 0, rounds = shim_rounds(60); round < rounds; round++) {
		static struct cases prepared;
		bool failing = round % 3 == 2;
		shim_seed(round);
		process = task_process();
		task_start(process);
		channels_open();
		handle_t select = prepare(&prepared);
		for (unsigned n = 0; n < 400; n++) {
			random_step(failing, &prepared, select);
			if (shim_below(40) == 0) {
				CHECK(!sys_handle_close(select));
				select = prepare(&prepared);
			}
			unsigned c = (unsigned)shim_below(CHANNELS);
			if (n > 200 && shim_below(60) == 0 && !closed[c]) {
				close_error[c] = shim_below(2) ? EPIPE : EOWNERDEAD;
				CHECK(!sys_channel_close(shim_below(2) ? ends[c].sender : ends[c].receiver, close_error[c] == EPIPE ? 0 : EOWNERDEAD));
				CHECK(sys_channel_close(ends[c].sender, 0) == -EALREADY);
				closed[c] = true;
			}
		}
		CHECK(!sys_handle_close(select));
		channels_close();
		task_end();
		task_process_free(process);
		CHECK(shim_heap_used() == 0);
	}
}

/* Each of three possible among nine cases is chosen a third of the time, within five standard deviations. */
static void run_chance(void)
{
	enum { DRAWS = 3000, POSSIBLE = 3 };
	for (unsigned way = 0; way < 2; way++) {
		struct channel_ends nine[9];
		struct select_case entry[9];
		struct message message[9];
			unsigned count[9] = { 0 };
		shim_seed(way);
		process = task_process();
		task_start(process);
		for (unsigned i = 0; i < 9; i++) {
			CHECK(!sys_channel_create(CHANNEL_PACKET, 4, user_of(&nine[i])));
			entry[i].channel = nine[i].receiver;
			message[i] = (struct message){ .handle_count = 0 };
			if (i == 1 || i == 2 || i == 8) /* two together and one alone: a walk from a random start would favour some */
				CHECK(!sys_channel_send(nine[i].sender, user_of(&message[i]), 0, 0));
		}
		handle_t select = (handle_t)sys_channel_select_create(user_of(entry), user_of(message), 9);
		CHECK(select >= 0);
		for (unsigned n = 0; n < DRAWS; n++) {
			int64_t i = way ? sys_channel_select_wait(select, 0) : sys_channel_select(user_of(entry), user_of(message), 9, 0);
			CHECK(i >= 0 && !message[i].reply_status);
			count[i]++;
			CHECK(!sys_channel_send(nine[i].sender, user_of(&message[i]), 0, 0));
		}
		for (unsigned i = 0; i < 9; i++)
			CHECK(i == 1 || i == 2 || i == 8 ? count[i] > DRAWS / POSSIBLE - 130 && count[i] < DRAWS / POSSIBLE + 130 : !count[i]);
		CHECK(!sys_handle_close(select));
		for (unsigned i = 0; i < 9; i++)
			CHECK(!sys_handle_close(nine[i].sender) && !sys_handle_close(nine[i].receiver));
		task_end();
		task_process_free(process);
		CHECK(shim_heap_used() == 0);
	}
}

/* --- threads --- */

#define SENDERS 3u
#define MIXERS 2u
#define RECEIVERS 2u
#define THREADS (SENDERS + MIXERS + RECEIVERS)
#define EACH 250u
#define SENDING (SENDERS + MIXERS)
static uint8_t sent[SENDING][EACH + 1];
static uint32_t received[SENDING][EACH + 1], senders_left, receivers_left;
static struct thread *running[THREADS];
static bool calm;

struct work {
	struct select_case entry[2 * CHANNELS];
	struct message message[2 * CHANNELS];
	unsigned count;
	handle_t prepared;
	uint32_t last[CHANNELS][SENDING]; /* the sender's number that came last, on each channel */
};

static void work_prepare(struct work *work)
{
	work->prepared = HANDLE_NONE;
	if (shim_below(2)) {
		int64_t select = sys_channel_select_create(user_of(work->entry), user_of(work->message), work->count);
		CHECK(select >= 0);
		work->prepared = (handle_t)select;
	}
}

static int64_t work_select(struct work *work)
{
	uint64_t deadline = calm || shim_below(4) ? DEADLINE_NEVER : 0;
	int64_t result = work->prepared != HANDLE_NONE ? sys_channel_select_wait(work->prepared, deadline) :
		sys_channel_select(user_of(work->entry), user_of(work->message), work->count, deadline);
	if (result < 0)
		CHECK(!calm && (result == -EINTR || result == -ETIMEDOUT));
	if (result == -EINTR)
		task_calm();
	return result;
}

static void arrived(struct work *work, unsigned channel, const struct message *message)
{
	uint64_t from = message->word[0], number = message->word[1];
	CHECK(from < SENDING && number <= EACH);
	__atomic_add_fetch(&received[from][number], 1, __ATOMIC_RELAXED);
	/* one receiver sees what one sender put into one channel in order */
	CHECK(number > work->last[channel][from]);
	work->last[channel][from] = (uint32_t)number;
}

/* Sends EACH packets by selects over all channels; a mixer's has as many receives too. */
static void send_many(unsigned number, bool mixes)
{
	struct work work = { .count = mixes ? 2 * CHANNELS : CHANNELS };
	for (unsigned c = 0; c < CHANNELS; c++) {
		work.entry[c].channel = ends[c].sender;
		work.entry[CHANNELS + c].channel = ends[c].receiver;
	}
	work_prepare(&work);
	for (uint32_t n = 1; n <= EACH;) {
		for (unsigned c = 0; c < CHANNELS; c++)
			work.message[c] = (struct message){ .word = { number, n } };
		int64_t result = work_select(&work);
		if (result >= CHANNELS) {
			CHECK(!work.message[result].reply_status);
			arrived(&work, (unsigned)result - CHANNELS, &work.message[result]);
			continue;
		}
		if (result >= 0)
			CHECK(!work.message[result].reply_status);
		sent[number][n] = result >= 0;
		n++;
	}
	CHECK(work.prepared == HANDLE_NONE || !sys_handle_close(work.prepared));
	if (__atomic_sub_fetch(&senders_left, 1, __ATOMIC_ACQ_REL) == 0)
		for (unsigned c = 0; c < CHANNELS; c++)
			CHECK(c % 2 ? !sys_handle_close(ends[c].sender) : !sys_channel_close(ends[c].sender, EOWNERDEAD));
}

static void receive_many(void)
{
	struct work work = { .count = CHANNELS };
	unsigned left = CHANNELS;
	for (unsigned c = 0; c < CHANNELS; c++)
		work.entry[c].channel = ends[c].receiver;
	work_prepare(&work);
	while (left) {
		int64_t result = work_select(&work);
		if (result < 0)
			continue;
		int status = work.message[result].reply_status;
		if (!status) {
			arrived(&work, (unsigned)result, &work.message[result]);
			continue;
		}
		CHECK(status == (result % 2 ? -EPIPE : -EOWNERDEAD));
		work.entry[result].channel = HANDLE_NONE; /* as Go sets the channel to nil */
		left--;
		if (work.prepared != HANDLE_NONE) {
			CHECK(!sys_handle_close(work.prepared));
			work_prepare(&work);
		}
	}
	CHECK(work.prepared == HANDLE_NONE || !sys_handle_close(work.prepared));
	__atomic_sub_fetch(&receivers_left, 1, __ATOMIC_RELEASE);
}

static void interrupt_many(void)
{
	while (__atomic_load_n(&receivers_left, __ATOMIC_ACQUIRE)) {
		test_lock();
		struct thread *thread = running[shim_below(THREADS)];
		if (thread)
			task_interrupt(thread);
		test_unlock();
		for (unsigned i = 0; i < 20; i++)
			sched_yield();
	}
}

static void work(unsigned number)
{
	if (number == THREADS) {
		interrupt_many();
		return;
	}
	task_start(process);
	task_absent_chance = 4;
	test_lock();
	running[number] = thread_current();
	test_unlock();
	if (number < SENDING)
		send_many(number, number >= SENDERS);
	else
		receive_many();
	test_lock();
	running[number] = NULL;
	test_unlock();
	task_end();
}

static void run_threads(void)
{
	for (unsigned round = 0, rounds = shim_rounds(6); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		task_start(process);
		memset(sent, 0, sizeof(sent));
		memset(received, 0, sizeof(received));
		senders_left = SENDING;
		receivers_left = RECEIVERS;
		for (unsigned c = 0; c < CHANNELS; c++)
			CHECK(!sys_channel_create(CHANNEL_PACKET, round % 3 == 0 ? 0 : shim_below(3), user_of(&ends[c])));
		calm = round % 2 == 0;
		task_parallel(THREADS + !calm, work);
		for (unsigned s = 0; s < SENDING; s++)
			for (unsigned n = 1; n <= EACH; n++)
				CHECK(received[s][n] == sent[s][n]);
		for (unsigned c = 0; c < CHANNELS; c++) {
			CHECK(!sys_handle_close(ends[c].receiver));
			CHECK(c % 2 || !sys_handle_close(ends[c].sender));
		}
		CHECK(handle_table_count(&process->handles) == 0);
		task_end();
		task_process_free(process);
		CHECK(shim_heap_used() == 0);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "threads")) {
		run_threads();
		return 0;
	}
	run_random();
	run_chance();
	return 0;
}
