/* alarm, setitimer, getitimer: the real-time interval timer is kept by proc, so it survives exec and needs no thread here. */
#include "linux/calls.h"
#include "linux/signal/signal.h"

#define ITIMER_REAL 0

/* deadline and period in nanoseconds; deadline 0 disarms. left, old_period: what was set before. */
static int64_t timer_change(struct linux_thread *t, uint64_t deadline, uint64_t period, uint64_t *left, uint64_t *old_period)
{
	struct message message = { .word = { PROC_SET_TIMER, ITIMER_REAL, deadline, period } };
	int64_t result = proc_call(t, &message, 0);
	if (result < 0)
		return result;
	t->process->timer_deadline = deadline;
	t->process->timer_period = period;
	*left = message.word[1];
	*old_period = message.word[2];
	return 0;
}

int64_t linux_alarm(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t seconds = (uint32_t)argument[0], left, period;
	int64_t result = timer_change(t, seconds ? time_monotonic(t) + seconds * NANOSECONDS : 0, 0, &left, &period);
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
	int which = (int)argument[0];
	struct linux_itimerval value = { 0 };
	if (which < 0 || which > 2)
		return -EINVAL;
	if (which == ITIMER_REAL && t->process->timer_deadline) {
		uint64_t now = time_monotonic(t), deadline = t->process->timer_deadline, period = t->process->timer_period;
		if (deadline <= now && period)
			deadline += ((now - deadline) / period + 1) * period;
		if (deadline > now) {
			value.value = timeval_of(deadline - now);
			value.interval = timeval_of(period);
		}
	}
	return user_write(t, argument[1], &value, sizeof value);
}

int64_t linux_setitimer(struct linux_thread *t, const uint64_t argument[6])
{
	int which = (int)argument[0];
	struct linux_itimerval value = { 0 }, old;
	uint64_t delay, period, left, old_period;
	if (which < 0 || which > 2)
		return -EINVAL;
	if (argument[1] && user_read(t, &value, argument[1], sizeof value))
		return -EFAULT;
	if (timeval_read(&value.value, &delay) || timeval_read(&value.interval, &period))
		return -EINVAL;
	if (which != ITIMER_REAL)
		return delay ? -ENOSYS : 0;
	int64_t result = timer_change(t, delay ? time_monotonic(t) + delay : 0, period, &left, &old_period);
	if (result < 0)
		return result;
	old.value = timeval_of(left);
	old.interval = timeval_of(old_period);
	return argument[2] ? user_write(t, argument[2], &old, sizeof old) : 0;
}
