/*
 * POSIX timers: timer_create and its relatives. proc keeps them and sends their signals; only clocks and deadlines are translated here.
 * SIGEV_THREAD is the C library's: a thread of its own that a SIGEV_THREAD_ID timer wakes.
 */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "linux/time/processor_clock.h"

enum { NOTIFY_SIGNAL, NOTIFY_NONE, NOTIFY_THREAD, NOTIFY_THREAD_ID = 4 };
struct linux_sigevent { uint64_t value; int32_t signal, notify, thread, padding[11]; };
struct linux_itimerspec { struct linux_timespec interval, value; };
_Static_assert(sizeof(struct linux_sigevent) == 64, "struct sigevent");

/* PROC_CLOCK_* of a Linux clock, and for proc whose it is. 0, -EINVAL, -EOPNOTSUPP. */
static int clock_kind(struct linux_thread *t, int clock, uint32_t *kind, uint64_t *whose)
{
	struct processor_clock processor;
	*whose = 0;
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_REALTIME_ALARM:
	case LINUX_CLOCK_BOOTTIME_ALARM:
	case LINUX_CLOCK_TAI:
		*kind = PROC_CLOCK_MONOTONIC;
		return 0;
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_REALTIME_COARSE:
	case LINUX_CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	default:
		break;
	}
	int error = processor_clock(t, clock, false, &processor);
	if (error)
		return error;
	if (processor.thread)
		*kind = processor.user ? PROC_CLOCK_THREAD_USER : PROC_CLOCK_THREAD;
	else
		*kind = processor.user ? PROC_CLOCK_USER : PROC_CLOCK_PROCESSOR;
	*whose = processor.thread ? processor.number : processor.id;
	return 0;
}

int64_t linux_timer_create(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_sigevent event = { .signal = LINUX_SIGALRM };
	uint32_t kind, thread = 0;
	uint64_t whose;
	int clock = (int)argument[0], error = clock_kind(t, clock, &kind, &whose);
	if (error)
		return error;
	if (argument[1]) {
		if (user_read(t, &event, argument[1], sizeof event))
			return -EFAULT;
		bool signals = event.notify == NOTIFY_SIGNAL || event.notify == NOTIFY_THREAD || event.notify == NOTIFY_THREAD_ID;
		if (!signals && event.notify != NOTIFY_NONE)
			return -EINVAL;
		if (signals && (event.signal < 1 || event.signal > LINUX_SIGNALS))
			return -EINVAL;
		if (event.notify == NOTIFY_THREAD_ID && !thread_exists(t, thread = (uint32_t)event.thread))
			return -EINVAL;
		if (event.notify == NOTIFY_NONE)
			event.signal = 0;
	}
	struct message message = { .word = { PROC_CREATE_TIMER, kind, (uint64_t)event.signal, event.value, thread, argument[1] == 0, whose } };
	int64_t number = proc_call(t, &message, 0);
	if (number < 0)
		return number;
	/* proc knows monotonic time only: which timers follow the real-time clock is remembered here, for absolute deadlines. */
	int32_t id = (int32_t)number;
	if (!user_write(t, argument[2], &id, sizeof id)) {
		uint64_t bit = 1ul << (number & 63);
		if (number < LINUX_TIMERS) {
			if (clock == LINUX_CLOCK_REALTIME || clock == LINUX_CLOCK_REALTIME_ALARM || clock == LINUX_CLOCK_TAI)
				__atomic_fetch_or(&t->process->realtime_timers[number / 64], bit, __ATOMIC_RELAXED);
			else
				__atomic_fetch_and(&t->process->realtime_timers[number / 64], ~bit, __ATOMIC_RELAXED);
			return 0;
		}
		number = -EAGAIN;
	} else {
		number = -EFAULT;
	}
	message = (struct message){ .word = { PROC_DELETE_TIMER, (uint32_t)id } };
	(void)proc_call(t, &message, 0);
	return number;
}

static struct linux_timespec timespec_of(uint64_t nanoseconds)
{
	return (struct linux_timespec){ (int64_t)(nanoseconds / NANOSECONDS), (int64_t)(nanoseconds % NANOSECONDS) };
}

static int nanoseconds_of(const struct linux_timespec *value, uint64_t *nanoseconds)
{
	if (value->seconds < 0 || value->nanoseconds < 0 || value->nanoseconds >= (int64_t)NANOSECONDS)
		return -EINVAL;
	*nanoseconds = MINIMUM((uint64_t)value->seconds, INT64_MAX / NANOSECONDS - 1) * NANOSECONDS + (uint64_t)value->nanoseconds;
	return 0;
}

int64_t linux_timer_settime(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t number = (uint32_t)argument[0], deadline, period;
	bool absolute = argument[1] & LINUX_TIMER_ABSTIME;
	struct linux_itimerspec value;
	if (!argument[2])
		return -EINVAL;
	if (user_read(t, &value, argument[2], sizeof value))
		return -EFAULT;
	if (nanoseconds_of(&value.value, &deadline) || nanoseconds_of(&value.interval, &period) || number >= LINUX_TIMERS)
		return -EINVAL;
	if (deadline && absolute && (t->process->realtime_timers[number / 64] >> (number & 63) & 1)) {
		uint64_t offset = time_realtime(t) - time_monotonic(t);
		deadline = deadline > offset ? deadline - offset : 1;
	}
	struct message message = { .word = { PROC_SET_TIMER, number, deadline, period, !absolute } };
	int64_t result = proc_call(t, &message, 0);
	if (result < 0 || !argument[3])
		return result;
	struct linux_itimerspec old = { timespec_of(message.word[2]), timespec_of(message.word[1]) };
	return user_write(t, argument[3], &old, sizeof old);
}

static int64_t timer_ask(struct linux_thread *t, uint32_t number, struct message *message)
{
	*message = (struct message){ .word = { PROC_GET_TIMER, number } };
	return number < LINUX_TIMERS ? proc_call(t, message, 0) : -EINVAL;
}

int64_t linux_timer_gettime(struct linux_thread *t, const uint64_t argument[6])
{
	struct message message;
	int64_t result = timer_ask(t, (uint32_t)argument[0], &message);
	if (result < 0)
		return result;
	struct linux_itimerspec value = { timespec_of(message.word[2]), timespec_of(message.word[1]) };
	return user_write(t, argument[1], &value, sizeof value);
}

int64_t linux_timer_getoverrun(struct linux_thread *t, const uint64_t argument[6])
{
	struct message message;
	int64_t result = timer_ask(t, (uint32_t)argument[0], &message);
	return result < 0 ? result : (int64_t)message.word[3];
}

int64_t linux_timer_delete(struct linux_thread *t, const uint64_t argument[6])
{
	struct message message = { .word = { PROC_DELETE_TIMER, (uint32_t)argument[0] } };
	return proc_call(t, &message, 0);
}
