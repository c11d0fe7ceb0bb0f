/*
 * eventfd and timerfd: descriptions of the kernel's counters and timers. Reads and writes are native; here they are made and set. The cookie of a
 * timer's description has the Linux clock in its second byte.
 */
#include "linux/fd/descriptor.h"

#define EFD_SEMAPHORE 1u
#define TIMER_ABSOLUTE 1u
#define TIMER_CANCEL_ON_SET 2u /* the clock is never set, so nothing is cancelled */
#define CLOCK_SHIFT 8
#define COOKIE_CLOCK(cookie) ((int)((cookie) >> CLOCK_SHIFT & 0xff))

struct linux_itimerspec { struct linux_timespec interval, value; };

/* A description over event (consumed), as the lowest descriptor. flags: O_NONBLOCK, O_CLOEXEC. */
static int64_t install(int64_t event, uint32_t kind, uint64_t cookie, uint32_t description_flags, uint32_t flags)
{
	if (event < 0)
		return event;
	struct description_request request = {
		.kind = kind, .memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = HANDLE_NONE, .control = HANDLE_NONE, .event = (handle_t)event,
		.flags = description_flags | (flags & LINUX_O_NONBLOCK ? DESCRIPTION_NON_BLOCKING : 0), .rights = RIGHT_READ | RIGHT_WRITE, .cookie = cookie,
	};
	int64_t description = description_create(&request);
	handle_close((handle_t)event);
	return description < 0 ? description : descriptor_install((handle_t)description, 0, flags & LINUX_O_CLOEXEC);
}

static int64_t eventfd(uint32_t value, uint32_t flags)
{
	if (flags & ~(EFD_SEMAPHORE | LINUX_O_NONBLOCK | LINUX_O_CLOEXEC))
		return -EINVAL;
	return install(event_create(value, EVENT_COUNTER), DESCRIPTION_EVENT, FILE_COOKIE(FILE_KIND_EVENT, LINUX_O_RDWR),
		flags & EFD_SEMAPHORE ? DESCRIPTION_SEMAPHORE : 0, flags);
}

int64_t linux_eventfd(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	return eventfd((uint32_t)argument[0], 0);
}

int64_t linux_eventfd2(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	return eventfd((uint32_t)argument[0], (uint32_t)argument[1]);
}

/* -- timers */

int64_t linux_timerfd_create(struct linux_thread *t, const uint64_t argument[6])
{
	int clock = (int)argument[0];
	uint32_t flags = (uint32_t)argument[1];
	(void)t;
	if (flags & ~(LINUX_O_NONBLOCK | LINUX_O_CLOEXEC))
		return -EINVAL;
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_REALTIME_ALARM:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		break;
	default:
		return -EINVAL;
	}
	return install(timer_create(0), DESCRIPTION_TIMER, FILE_COOKIE(FILE_KIND_TIMER, LINUX_O_RDWR) | (uint64_t)(uint32_t)clock << CLOCK_SHIFT, 0, flags);
}

/* The state of fd's timer: 0, -EBADF, or -EINVAL when it is something else. */
static int64_t timer_state(int fd, struct timer_info *timer, int *clock)
{
	struct description_info info;
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result;
	if (info.kind != DESCRIPTION_TIMER)
		return -EINVAL;
	*clock = COOKIE_CLOCK(info.cookie);
	return timer_get(fd, timer);
}

static int64_t setting_write(struct linux_thread *t, uint64_t address, const struct timer_info *timer)
{
	struct linux_itimerspec setting = { 0 };
	setting.interval = (struct linux_timespec){ (int64_t)(timer->period / NANOSECONDS), (int64_t)(timer->period % NANOSECONDS) };
	if (timer->deadline != DEADLINE_NEVER) {
		uint64_t left = MAXIMUM(deadline_left(t, timer->deadline), 1ul); /* 0 would say that it is not armed */
		setting.value = (struct linux_timespec){ (int64_t)(left / NANOSECONDS), (int64_t)(left % NANOSECONDS) };
	}
	return user_write(t, address, &setting, sizeof setting);
}

static bool time_valid(const struct linux_timespec *time)
{
	return time->seconds >= 0 && time->nanoseconds >= 0 && time->nanoseconds < (int64_t)NANOSECONDS;
}

/* Nanoseconds, cut to what a 63-bit number holds. */
static uint64_t time_nanoseconds(const struct linux_timespec *time)
{
	uint64_t most = INT64_MAX / NANOSECONDS - 1;
	return (uint64_t)time->seconds > most ? INT64_MAX : (uint64_t)time->seconds * NANOSECONDS + (uint64_t)time->nanoseconds;
}

int64_t linux_timerfd_settime(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0], clock;
	uint32_t flags = (uint32_t)argument[1];
	struct linux_itimerspec setting;
	struct timer_info old;

	if (user_read(t, &setting, argument[2], sizeof setting))
		return -EFAULT;
	if (flags & ~(TIMER_ABSOLUTE | TIMER_CANCEL_ON_SET) || !time_valid(&setting.interval) || !time_valid(&setting.value))
		return -EINVAL;
	int64_t result = timer_state(fd, &old, &clock);
	if (result < 0)
		return result;
	uint64_t deadline = DEADLINE_NEVER, value = time_nanoseconds(&setting.value), now = time_monotonic(t);
	if (value && flags & TIMER_ABSOLUTE) {
		uint64_t offset = clock == LINUX_CLOCK_REALTIME || clock == LINUX_CLOCK_REALTIME_ALARM ? time_realtime(t) - now : 0;
		deadline = value > offset ? value - offset : 0;
	} else if (value) {
		deadline = now + value;
	}
	result = timer_set(fd, deadline, time_nanoseconds(&setting.interval));
	if (result == 0 && argument[3])
		result = setting_write(t, argument[3], &old);
	return result;
}

int64_t linux_timerfd_gettime(struct linux_thread *t, const uint64_t argument[6])
{
	struct timer_info timer;
	int clock;
	int64_t result = timer_state((int)argument[0], &timer, &clock);
	return result < 0 ? result : setting_write(t, argument[1], &timer);
}
