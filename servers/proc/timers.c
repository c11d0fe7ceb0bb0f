/* Timers of processes; timers.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include "effects.h"
#include "signals.h"
#include "timers.h"

#define TIMERS_MAX 1024u          /* of one process */
#define LOOK_SOONEST 1000000ul    /* nanoseconds: between two looks at a timer that only counts or follows processor time */
#define CODE_KERNEL 0x80          /* SI_KERNEL */

struct process_timer {
	struct process_timer *next;                  /* process->timers */
	struct process_timer *next_armed, **armed_link; /* armed_link NULL: not armed */
	struct process *process;
	uint32_t number, clock, thread;
	uint32_t pid;                                /* whose clock it is; with the start time, because pids come again */
	uint64_t start_time, kernel_thread;
	struct signal_info info;
	uint64_t deadline, period;                   /* of its clock */
	uint64_t look;                               /* monotonic: when it can be due at the earliest */
	uint64_t overrun, last_overrun;
};

static struct process_timer *armed;

static void set_armed(struct process_timer *timer, bool on)
{
	if (timer->armed_link) {
		*timer->armed_link = timer->next_armed;
		if (timer->next_armed)
			timer->next_armed->armed_link = timer->armed_link;
		timer->armed_link = NULL;
	}
	if (!on)
		return;
	timer->next_armed = armed;
	timer->armed_link = &armed;
	if (armed)
		armed->armed_link = &timer->next_armed;
	armed = timer;
}

/* False: who is timed has gone. */
static bool clock_read(const struct process_timer *timer, uint64_t now, uint64_t *time)
{
	struct used used;
	struct process *process = timer->clock == PROC_CLOCK_MONOTONIC ? NULL : process_find(timer->pid);
	*time = now;
	if (timer->clock == PROC_CLOCK_MONOTONIC)
		return true;
	if (!process || process->start_time != timer->start_time || process->state == PROCESS_STATE_ZOMBIE)
		return false;
	if (timer->clock < PROC_CLOCK_THREAD_USER)
		effect_used(process, &used);
	else if (!effect_thread_used(process, timer->kernel_thread, &used))
		return false;
	*time = used.user + (timer->clock == PROC_CLOCK_USER || timer->clock == PROC_CLOCK_THREAD_USER ? 0 : used.system);
	return true;
}

static struct process_timer *find(const struct process *process, uint32_t number)
{
	struct process_timer *timer = process->timers;
	while (timer && timer->number != number)
		timer = timer->next;
	return timer;
}

static struct process_timer *add(struct process *process, uint32_t number, uint32_t clock, const struct signal_info *info)
{
	struct process_timer *timer = extra_alloc(sizeof *timer);
	if (!timer)
		return NULL;
	timer->process = process;
	timer->number = number;
	timer->clock = clock;
	timer->pid = process->pid;
	timer->start_time = process->start_time;
	timer->info = *info;
	timer->next = process->timers;
	process->timers = timer;
	return timer;
}

/* The timers that need not be made, when they are first set. */
static struct process_timer *add_fixed(struct process *process, uint32_t number)
{
	static const struct { int signal; uint32_t clock; } fixed[] = {
		{ SIGALRM, PROC_CLOCK_MONOTONIC }, { SIGVTALRM, PROC_CLOCK_USER }, { SIGPROF, PROC_CLOCK_PROCESSOR },
		{ SIGXCPU, PROC_CLOCK_PROCESSOR }, { SIGKILL, PROC_CLOCK_PROCESSOR },
	};
	uint32_t index = number - PROC_TIMER_REAL;
	if (index >= sizeof fixed / sizeof *fixed)
		return NULL;
	struct signal_info info = { .signal = fixed[index].signal, .code = CODE_KERNEL };
	return add(process, number, fixed[index].clock, &info);
}

int64_t timer_make(struct process *process, uint32_t clock, uint64_t whose, const struct signal_info *info, uint32_t thread, bool by_number)
{
	uint32_t number = 0;
	bool of_thread = clock >= PROC_CLOCK_THREAD_USER;
	const struct process *timed = whose && !of_thread ? process_find(whose < PID_MAX ? (uint32_t)whose : 0) : process;
	if (!timed || timed->state == PROCESS_STATE_ZOMBIE)
		return -EINVAL;
	while (number < TIMERS_MAX && find(process, number))
		number++;
	struct process_timer *timer = number < TIMERS_MAX ? add(process, number, clock, info) : NULL;
	if (!timer)
		return -EAGAIN;
	timer->thread = thread;
	timer->pid = timed->pid;
	timer->start_time = timed->start_time;
	timer->kernel_thread = of_thread ? whose : 0;
	timer->info.code = SI_TIMER;
	timer->info.pid = number; /* siginfo has the timer's number where others have the sender */
	if (by_number)
		timer->info.value = number;
	return number;
}

static uint64_t left_of(const struct process_timer *timer, uint64_t now)
{
	uint64_t time, deadline = timer->deadline;
	if (!deadline || !clock_read(timer, now, &time))
		return 0;
	if (deadline <= time && timer->period)
		deadline += ((time - deadline) / timer->period + 1) * timer->period;
	if (deadline > time)
		return deadline - time;
	return timer->info.signal ? 1 : 0; /* due but not told yet; nobody is told of one that sends nothing */
}

static void look_after(struct process_timer *timer, uint64_t now, uint64_t time, bool counting)
{
	uint64_t distance = timer->deadline > time ? timer->deadline - time : 0;
	if ((counting || timer->clock != PROC_CLOCK_MONOTONIC) && distance < LOOK_SOONEST)
		distance = LOOK_SOONEST;
	timer->look = distance < UINT64_MAX / 2 - now ? now + distance : UINT64_MAX / 2;
	set_armed(timer, timer->deadline && timer->info.signal);
}

int timer_arm(struct process *process, uint32_t number, uint64_t deadline, uint64_t period, bool relative, uint64_t now, uint64_t *left,
	uint64_t *old_period)
{
	struct process_timer *timer = find(process, number);
	if (!timer && !(timer = add_fixed(process, number)))
		return number >= PROC_TIMER_REAL && number <= PROC_TIMER_CPU_HARD ? -ENOMEM : -EINVAL;
	uint64_t time;
	if (!clock_read(timer, now, &time))
		return -ESRCH;
	*left = left_of(timer, now);
	*old_period = timer->period;
	if (deadline && relative)
		deadline = deadline < UINT64_MAX / 2 - time ? time + deadline : UINT64_MAX / 2;
	timer->deadline = deadline;
	timer->period = deadline ? period : 0;
	timer->overrun = timer->last_overrun = 0;
	look_after(timer, now, time, false);
	return 0;
}

int timer_look(struct process *process, uint32_t number, uint64_t now, uint64_t *left, uint64_t *period, uint64_t *overrun)
{
	struct process_timer *timer = find(process, number);
	*left = *period = *overrun = 0;
	if (!timer)
		return number >= PROC_TIMER_REAL && number <= PROC_TIMER_CPU_HARD ? 0 : -EINVAL;
	*left = left_of(timer, now);
	*period = timer->period;
	*overrun = timer->last_overrun;
	return 0;
}

static void end(struct process_timer *timer)
{
	struct process_timer **place = &timer->process->timers;
	while (*place != timer)
		place = &(*place)->next;
	*place = timer->next;
	set_armed(timer, false);
	extra_free(timer, sizeof *timer);
}

int timer_delete(struct process *process, uint32_t number)
{
	struct process_timer *timer = number < TIMERS_MAX ? find(process, number) : NULL;
	if (!timer)
		return -EINVAL;
	end(timer);
	return 0;
}

void timer_signal_taken(struct process *process, struct signal_info *info)
{
	struct process_timer *timer = info->code == SI_TIMER ? find(process, info->pid) : NULL;
	if (!timer)
		return;
	timer->last_overrun = timer->overrun < INT32_MAX ? timer->overrun : INT32_MAX;
	timer->overrun = 0;
	info->user = (uint32_t)timer->last_overrun; /* si_overrun */
}

void timers_forget(struct process *process, bool all)
{
	for (struct process_timer *timer = process->timers, *next; timer; timer = next) {
		next = timer->next;
		if (all || timer->number < TIMERS_MAX)
			end(timer);
	}
}

int timers_inherit(struct process *child, struct process *parent)
{
	for (uint32_t number = PROC_TIMER_CPU_SOFT; number <= PROC_TIMER_CPU_HARD; number++) {
		struct process_timer *from = find(parent, number), *to;
		if (!from || !from->deadline)
			continue;
		if (!(to = add_fixed(child, number)))
			return -EAGAIN;
		to->deadline = from->deadline;
		to->period = from->period;
		look_after(to, 0, 0, true);
	}
	return 0;
}

uint64_t timers_next(void)
{
	uint64_t next = 0;
	for (const struct process_timer *timer = armed; timer; timer = timer->next_armed)
		if (!next || timer->look < next)
			next = timer->look ? timer->look : 1;
	return next;
}

static void expire(struct process_timer *timer, uint64_t now)
{
	uint64_t time, count = 1;
	if (!clock_read(timer, now, &time)) {
		timer->deadline = 0;
		set_armed(timer, false);
		return;
	}
	if (time < timer->deadline) {
		look_after(timer, now, time, false);
		return;
	}
	if (timer->period) {
		count += (time - timer->deadline) / timer->period;
		timer->deadline += count * timer->period;
	} else
		timer->deadline = 0;
	bool waits = timer->info.code == SI_TIMER && signal_timer_waits(timer->process, timer->number);
	bool ignored = timer->process->ignored & SIGNAL_BIT(timer->info.signal);
	look_after(timer, now, time, waits || ignored);
	if (waits)
		timer->overrun += count;
	else {
		timer->overrun = count - 1;
		(void)signal_send(timer->process, &timer->info, timer->thread); /* a full queue loses it, as elsewhere */
	}
}

void timers_expire(uint64_t now)
{
	/* Arming moves a timer to the front, and nothing here ends one: what was behind the current one stays there. */
	for (struct process_timer *timer = armed, *next; timer; timer = next) {
		next = timer->next_armed;
		if (timer->look <= now)
			expire(timer, now);
	}
}
