/* alarm, setitimer, getitimer: the interval timers are kept by proc, so they survive exec and need no thread here. */
#include "linux/calls.h"
#include "linux/signal/signal.h"

#define INTERVAL_TIMERS 3

_Static_assert(PROC_TIMER_VIRTUAL == PROC_TIMER_REAL + 1 && PROC_TIMER_PROFILE == PROC_TIMER_REAL + 2, "ITIMER_REAL, _VIRTUAL, _PROF");

/* delay and period in nanoseconds; delay 0 disarms. left, old_period: what was set before. */
static int64_t timer_change(struct linux_thread *t, uint32_t which, uint64_t delay, uint64_t period, uint64_t *left, uint64_t *old_period)
{
	struct message message = { .word = { PROC_SET_TIMER, PROC_TIMER_REAL + which, delay, period, 1 } };
	int64_t result = proc_call(t, &message, 0);
	*left = message.word[1];
	*old_period = message.word[2];
	return result;
}

int64_t linux_alarm(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t seconds = (uint32_t)argument[0], left, period;
	int64_t result = timer_change(t, 0, seconds * NANOSECONDS, 0, &left, &period);
	if (result < 0)
		return result;
	/* Rounded, but never to 0 while something was left, as Linux does */
	seconds = (left + NANOSECONDS / 2) / NANOSECONDS;
	return (int64_t)(left && !seconds ? 1 : seconds);
}

static struct linux_timeval timeval_of(uint64_t nanoseconds)
{
	return (struct linux_timeval){ (int64_t)(nanoseconds / NANOSECONDS), (int64_t)(nanoseconds % NANOSECONDS / 1000) };
}

static int timeval_read(const struct linux_timeval *value, uint64_t *nanoseconds)
{
	if (value->seconds < 0 || value->microseconds < 0 || value->microseconds >= 1000000)
		return -EINVAL;
	uint64_t seconds = MINIMUM((uint64_t)value->seconds, UINT64_MAX / NANOSECONDS / 4);
	*nanoseconds = seconds * NANOSECONDS + (uint64_t)value->microseconds * 1000;
	return 0;
}

int64_t linux_getitimer(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t which = (uint32_t)argument[0];
	if (which >= INTERVAL_TIMERS)
		return -EINVAL;
	struct message message = { .word = { PROC_GET_TIMER, PROC_TIMER_REAL + which } };
	int64_t result = proc_call(t, &message, 0);
	if (result < 0)
		return result;
	struct linux_itimerval value = { timeval_of(message.word[2]), timeval_of(message.word[1]) };
	return user_write(t, argument[1], &value, sizeof value);
}

int64_t linux_setitimer(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t which = (uint32_t)argument[0];
	struct linux_itimerval value = { 0 }, old;
	uint64_t delay, period, left, old_period;
	if (which >= INTERVAL_TIMERS)
		return -EINVAL;
	if (argument[1] && user_read(t, &value, argument[1], sizeof value))
		return -EFAULT;
	if (timeval_read(&value.value, &delay) || timeval_read(&value.interval, &period))
		return -EINVAL;
	int64_t result = timer_change(t, which, delay, period, &left, &old_period);
	if (result < 0)
		return result;
	old.value = timeval_of(left);
	old.interval = timeval_of(old_period);
	return argument[2] ? user_write(t, argument[2], &old, sizeof old) : 0;
}
