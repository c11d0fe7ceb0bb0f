/* Interrupts masked and not, and the timer: that it comes when it was set for, and waits while interrupts are disabled. */
#include "arch/processor.h"
#include "arch/test/test.h"
#include "kernel/core/wait.h"

static volatile unsigned expirations;
static void expired(struct deadline *deadline)
{
	(void)deadline;
	expirations++;
}

static void spin(uint64_t nanoseconds)
{
	uint64_t end = arch_time_now() + nanoseconds;
	while (arch_time_now() < end)
		;
}

const char *test_interrupts(void)
{
	static struct deadline deadline;
	expect(!arch_interrupts_enabled());
	uint64_t interrupts = this_processor()->interrupts;
	expirations = 0;
	deadline_set(&deadline, arch_time_now() + MILLISECOND, expired);
	spin(3 * MILLISECOND);
	expect(!expirations && this_processor()->interrupts == interrupts); /* masked: it waits */
	arch_interrupts_enable();
	bool enabled = arch_interrupts_enabled();
	for (unsigned i = 0; i < 1000 && !expirations; i++)
		spin(MILLISECOND / 10);
	arch_interrupts_disable();
	expect(enabled && !arch_interrupts_enabled());
	expect(expirations == 1 && this_processor()->interrupts > interrupts); /* and then it comes, once */

	/* halting ends with an interrupt, also one that came just before */
	deadline_set(&deadline, arch_time_now() + 2 * MILLISECOND, expired);
	while (expirations < 2)
		arch_wait_for_interrupt();
	deadline_set(&deadline, arch_time_now(), expired);
	spin(MILLISECOND);
	while (expirations < 3)
		arch_wait_for_interrupt();
	expect(expirations == 3 && !arch_interrupts_enabled());
	expect(arch_interrupt_set(100000, true) == -EINVAL && arch_interrupt_set(100000, false) == -EINVAL);
	return NULL;
}

const char *test_timer(void)
{
	static struct deadline deadline;
	struct wait_queue queue;
	wait_queue_init(&queue);
	for (unsigned i = 1; i <= 3; i++) {
		uint64_t start = time_now();
		expect(wait_on(&queue, NULL, start + i * MILLISECOND, WAIT_KILLABLE) == -ETIMEDOUT);
		expect(time_now() >= start + i * MILLISECOND && time_now() < start + 1000 * MILLISECOND);
	}
	expect(wait_on(&queue, NULL, 0, WAIT_KILLABLE) == -ETIMEDOUT);
	/* a deadline that was taken back does not come; one behind it does, in time */
	expirations = 0;
	deadline_set(&deadline, time_now() + MILLISECOND, expired);
	expect(deadline_cancel(&deadline));
	uint64_t start = time_now();
	expect(wait_on(&queue, NULL, start + 3 * MILLISECOND, WAIT_KILLABLE) == -ETIMEDOUT && time_now() >= start + 3 * MILLISECOND);
	expect(!expirations);
	return NULL;
}
