/* Clocks and deadlines. Time is read from the clock page with the processor's counter; without a page, by a call. */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "linux/time/processor_clock.h"
#include "linux/time/time_page.h"

/* Nanoseconds since boot, and *offset to be added for the time since 1970. */
static uint64_t clock_read(const struct linux_process *p, uint64_t *offset)
{
	const volatile struct time_page *page = p->time;
	if (!page) {
		uint64_t now = (uint64_t)clock_get(CLOCK_MONOTONIC_ID);
		*offset = (uint64_t)clock_get(CLOCK_REALTIME_ID) - now;
		return now;
	}
	return time_page_read(page, offset);
}

uint64_t time_monotonic(struct linux_thread *t)
{
	uint64_t offset;
	return clock_read(t->process, &offset);
}

uint64_t time_realtime(struct linux_thread *t)
{
	uint64_t offset, now = clock_read(t->process, &offset);
	return now + offset;
}

uint64_t deadline_relative(struct linux_thread *t, uint64_t nanoseconds)
{
	if (!t->restarting) {
		uint64_t now = time_monotonic(t);
		t->restart_deadline = nanoseconds >= DEADLINE_NEVER - now ? DEADLINE_NEVER - 1 : now + nanoseconds;
	}
	return t->restart_deadline;
}

static uint64_t nanoseconds_of(int64_t seconds, int64_t rest)
{
	return (uint64_t)seconds > (INT64_MAX / NANOSECONDS) - 1 ? INT64_MAX : (uint64_t)seconds * NANOSECONDS + (uint64_t)rest;
}

/* A struct timespec at address: nanoseconds. 0, -EFAULT, -EINVAL. */
static int timespec_read(struct linux_thread *t, uint64_t address, uint64_t *nanoseconds)
{
	struct linux_timespec value;
	if (user_read(t, &value, address, sizeof value))
		return -EFAULT;
	if (value.seconds < 0 || value.nanoseconds < 0 || value.nanoseconds >= (int64_t)NANOSECONDS)
		return -EINVAL;
	*nanoseconds = nanoseconds_of(value.seconds, value.nanoseconds);
	return 0;
}

int deadline_from_timespec(struct linux_thread *t, uint64_t address, uint64_t *deadline)
{
	uint64_t nanoseconds;
	*deadline = DEADLINE_NEVER;
	if (!address)
		return 0;
	int error = timespec_read(t, address, &nanoseconds);
	if (!error)
		*deadline = nanoseconds ? deadline_relative(t, nanoseconds) : 0;
	return error;
}

int deadline_from_timeval(struct linux_thread *t, uint64_t address, uint64_t *deadline)
{
	struct linux_timeval value;
	*deadline = DEADLINE_NEVER;
	if (!address)
		return 0;
	if (user_read(t, &value, address, sizeof value))
		return -EFAULT;
	if (value.seconds < 0 || value.microseconds < 0)
		return -EINVAL;
	uint64_t seconds = (uint64_t)value.seconds + (uint64_t)value.microseconds / 1000000;
	uint64_t nanoseconds = nanoseconds_of((int64_t)MINIMUM(seconds, (uint64_t)INT64_MAX), value.microseconds % 1000000 * 1000);
	*deadline = nanoseconds ? deadline_relative(t, nanoseconds) : 0;
	return 0;
}

uint64_t deadline_from_milliseconds(struct linux_thread *t, int64_t milliseconds)
{
	if (milliseconds < 0)
		return DEADLINE_NEVER;
	return milliseconds ? deadline_relative(t, (uint64_t)milliseconds * 1000000) : 0;
}

int deadline_from_clock(struct linux_thread *t, uint64_t address, int clock, uint64_t *deadline)
{
	uint64_t nanoseconds, offset = 0;
	int error = timespec_read(t, address, &nanoseconds);
	if (error)
		return error;
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_REALTIME_COARSE:
	case LINUX_CLOCK_REALTIME_ALARM:
	case LINUX_CLOCK_TAI:
		(void)clock_read(t->process, &offset);
		break;
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_MONOTONIC_COARSE:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		break;
	default:
		return -EINVAL;
	}
	*deadline = nanoseconds > offset ? nanoseconds - offset : 0;
	return 0;
}

uint64_t deadline_left(struct linux_thread *t, uint64_t deadline)
{
	uint64_t now = time_monotonic(t);
	return deadline > now ? deadline - now : 0;
}

/* The value of a Linux clock; 0 or -EINVAL. */
static int clock_value(struct linux_thread *t, int clock, uint64_t *value)
{
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_REALTIME_COARSE:
	case LINUX_CLOCK_REALTIME_ALARM:
	case LINUX_CLOCK_TAI:
		*value = time_realtime(t);
		return 0;
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_MONOTONIC_COARSE:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		*value = time_monotonic(t);
		return 0;
	default: {
		struct processor_clock processor;
		int error = processor_clock(t, clock, true, &processor);
		return error ? error : processor_clock_value(t, &processor, value);
	}
	}
}

static struct linux_timespec timespec_of(uint64_t nanoseconds)
{
	return (struct linux_timespec){ (int64_t)(nanoseconds / NANOSECONDS), (int64_t)(nanoseconds % NANOSECONDS) };
}

int64_t linux_clock_gettime(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t value;
	int error = clock_value(t, (int)argument[0], &value);
	if (error)
		return error;
	struct linux_timespec result = timespec_of(value);
	return user_write(t, argument[1], &result, sizeof result);
}

int64_t linux_clock_getres(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t value;
	int error = clock_value(t, (int)argument[0], &value);
	struct linux_timespec result = { 0, 1 };
	if (error || !argument[1])
		return error;
	if ((int)argument[0] == LINUX_CLOCK_REALTIME_COARSE || (int)argument[0] == LINUX_CLOCK_MONOTONIC_COARSE)
		result.nanoseconds = 4000000;
	return user_write(t, argument[1], &result, sizeof result);
}

int64_t linux_clock_settime(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t value;
	int error = (int)argument[0] == LINUX_CLOCK_REALTIME ? timespec_read(t, argument[1], &value) : -EINVAL;
	return error ? error : -EPERM;
}

int64_t linux_gettimeofday(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t now = time_realtime(t);
	struct linux_timeval value = { (int64_t)(now / NANOSECONDS), (int64_t)(now % NANOSECONDS / 1000) };
	int32_t zone[2] = { 0, 0 };
	if (argument[0] && user_write(t, argument[0], &value, sizeof value))
		return -EFAULT;
	return argument[1] ? user_write(t, argument[1], zone, sizeof zone) : 0;
}

int64_t linux_settimeofday(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t, (void)argument;
	return -EPERM;
}

int64_t linux_time(struct linux_thread *t, const uint64_t argument[6])
{
	int64_t seconds = (int64_t)(time_realtime(t) / NANOSECONDS);
	if (argument[0] && user_write(t, argument[0], &seconds, sizeof seconds))
		return -EFAULT;
	return seconds;
}

/* Sleeps until the deadline. 0, or -EINTR with a signal to deliver. */
static int64_t sleep_until(struct linux_thread *t, uint64_t deadline)
{
	uint32_t word = 0;
	for (;;) {
		int64_t result = futex_wait((uint64_t)(uintptr_t)&word, 0, deadline, FUTEX_ANY_BITS, 0);
		if (result == -ETIMEDOUT)
			return 0;
		if (result == -EINTR && interrupt_deliverable(t))
			return -EINTR;
		if (time_monotonic(t) >= deadline)
			return 0;
	}
}

static int64_t sleep_relative(struct linux_thread *t, uint64_t request, uint64_t left)
{
	uint64_t nanoseconds;
	int error = timespec_read(t, request, &nanoseconds);
	if (error)
		return error;
	uint64_t deadline = deadline_relative(t, nanoseconds);
	int64_t result = sleep_until(t, deadline);
	if (result == -EINTR && left) {
		struct linux_timespec rest = timespec_of(deadline_left(t, deadline));
		if (user_write(t, left, &rest, sizeof rest))
			return -EFAULT;
	}
	return result;
}

int64_t linux_nanosleep(struct linux_thread *t, const uint64_t argument[6])
{
	return sleep_relative(t, argument[0], argument[1]);
}

/* Each nanosecond of processor time takes one at least: so it is looked at when it can be over at the earliest, and not too often. */
#define PROCESSOR_SLEEP_MIN 1000000u

static int64_t sleep_processor(struct linux_thread *t, int clock, bool absolute, uint64_t request, uint64_t left)
{
	struct processor_clock processor;
	uint64_t value, deadline;
	int error = processor_clock(t, clock, false, &processor);
	if (!error && processor.thread && processor.number == t->number)
		error = -EINVAL;
	if (!error)
		error = timespec_read(t, request, &deadline);
	if (!error)
		error = processor_clock_value(t, &processor, &value);
	if (error)
		return error;
	if (!absolute) {
		if (!t->restarting)
			t->restart_deadline = value + deadline;
		deadline = t->restart_deadline;
	}
	while (value < deadline) {
		int64_t result = sleep_until(t, time_monotonic(t) + MAXIMUM(deadline - value, (uint64_t)PROCESSOR_SLEEP_MIN));
		if (processor_clock_value(t, &processor, &value))
			return 0; /* it has ended: its clock stands still, but nobody is to wait for it for ever */
		if (result != -EINTR)
			continue;
		struct linux_timespec rest = timespec_of(value < deadline ? deadline - value : 0);
		return !absolute && left && user_write(t, left, &rest, sizeof rest) ? -EFAULT : result;
	}
	return 0;
}

int64_t linux_clock_nanosleep(struct linux_thread *t, const uint64_t argument[6])
{
	int clock = (int)argument[0];
	bool absolute = argument[1] & LINUX_TIMER_ABSTIME;
	uint64_t deadline, value;
	if (clock < 0 || clock == LINUX_CLOCK_PROCESS_CPUTIME_ID)
		return sleep_processor(t, clock, absolute, argument[2], argument[3]);
	if (clock == LINUX_CLOCK_THREAD_CPUTIME_ID)
		return -EOPNOTSUPP;
	if (clock_value(t, clock, &value))
		return -EINVAL;
	if (!absolute)
		return sleep_relative(t, argument[2], argument[3]);
	int error = deadline_from_clock(t, argument[2], clock, &deadline);
	return error ? error : sleep_until(t, deadline);
}
