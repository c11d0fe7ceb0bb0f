/*
 * Unit test of shares: who gets how much of the processor, and what order a sleeper finds.
 * host-test: kernel/core/share.c kernel/obj/budget.c kernel/vm/memobj.c kernel/vm/memobj_io.c kernel/vm/family.c kernel/vm/radix.c kernel/vm/map.c kernel/vm/space.c kernel/vm/fault.c kernel/vm/space_access.c tests/host/shim.c tests/host/objects.c tests/host/translations.c
 */
#include "kernel/core/log.h"
#include "kernel/core/share.h"
#include "tests/host/shim.h"

#define PRIORITY 16u
#define SLICE 10000000ul

struct runner { struct turn turn; struct share_queue *queue; uint64_t time; };
static struct share root, shell_share, job, nested[3];
static struct runner runners[200];

static void runner_start(struct runner *runner, struct share *share)
{
	*runner = (struct runner){ .queue = &share->queue[PRIORITY] };
	list_init(&runner->turn.link);
	share_add(runner->queue, &runner->turn, false);
}

/* The next one runs for so long and, unless it sleeps, waits again. */
static struct runner *run(uint64_t nanoseconds, bool sleeps)
{
	struct runner *runner = container_of(share_pick(&root.queue[PRIORITY]), struct runner, turn);
	share_remove(&runner->turn);
	runner->time += nanoseconds;
	bool over = share_account(runner->queue, nanoseconds, SLICE);
	if (!sleeps)
		share_add(runner->queue, &runner->turn, false);
	if (over)
		share_rotate(runner->queue, SLICE, false);
	return runner;
}

static void start(void)
{
	share_init(&root, NULL);
	share_init(&shell_share, &root);
	share_init(&job, &root);
	for (unsigned i = 0; i < array_count(nested); i++)
		share_init(&nested[i], &job);
}

/* However many threads and budgets a budget has, its neighbour gets half. */
static void test_halves(void)
{
	start();
	runner_start(&runners[0], &shell_share);
	for (unsigned i = 1; i < array_count(runners); i++)
		runner_start(&runners[i], i % 4 ? &nested[i % 4 - 1] : &job);
	uint64_t total = 0;
	for (unsigned i = 0; i < 20000; i++, total += SLICE)
		(void)run(SLICE, false);
	CHECK(runners[0].time == total / 2);
	/* in the job each thread of its own and each budget below has a turn: 49 and 3 */
	uint64_t part = 0;
	for (unsigned i = 1; i < array_count(runners); i += 4)
		part += runners[i].time;
	CHECK(part > total / 2 / 52 * 9 / 10 && part < total / 2 / 52 * 11 / 10);
}

/* Nobody waits for what nobody uses. */
static void test_alone(void)
{
	start();
	runner_start(&runners[0], &nested[0]);
	for (unsigned i = 0; i < 100; i++)
		CHECK(run(SLICE, false) == &runners[0]);
}

/* One that sleeps finds its place at the front until its turn is used up, so sleeping does not give it more than its part. */
static void test_sleeper(void)
{
	start();
	runner_start(&runners[1], &job);
	runner_start(&runners[2], &job);
	runner_start(&runners[0], &shell_share);
	uint64_t total = 0;
	for (unsigned i = 0; i < 10000; i++) {
		bool first = container_of(share_pick(&root.queue[PRIORITY]), struct runner, turn) == &runners[0];
		uint64_t part = first ? SLICE / 5 : SLICE;
		struct runner *ran = run(part, first);
		total += part;
		if (first) { /* it slept; wakes before anything else happens */
			CHECK(ran == &runners[0]);
			share_add(&shell_share.queue[PRIORITY], &runners[0].turn, false);
			if (shell_share.queue[PRIORITY].used)
				CHECK(share_pick(&root.queue[PRIORITY]) == &runners[0].turn);
		}
	}
	CHECK(runners[0].time > total * 49 / 100 && runners[0].time < total * 51 / 100);
}

/* A turn that is given up goes to the neighbour at once. */
static void test_given_up(void)
{
	start();
	runner_start(&runners[0], &nested[0]);
	runner_start(&runners[1], &nested[0]);
	runner_start(&runners[2], &shell_share);
	for (unsigned i = 0; i < 100; i++) {
		struct runner *first = run(10, false);
		share_rotate(first->queue, SLICE, true);
		struct runner *second = run(10, false);
		share_rotate(second->queue, SLICE, true);
		CHECK((first == &runners[2]) != (second == &runners[2]));
	}
}

/* A share with nothing in it can leave, and the queues above it hold nothing of it. */
static void test_leave(void)
{
	start();
	runner_start(&runners[0], &nested[1]);
	(void)run(1, true);
	share_leave(&nested[1]);
	runner_start(&runners[1], &shell_share);
	CHECK(run(1, true) == &runners[1]);
	share_leave(&job);
	share_leave(&shell_share);
	CHECK(list_empty(&root.queue[PRIORITY].ready));
}

int main(void)
{
	test_halves();
	test_alone();
	test_sleeper();
	test_given_up();
	test_leave();
	return 0;
}
