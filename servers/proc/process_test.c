/*
 * Unit test of pids, groups, sessions, wait and signals. The effects are written down instead of done.
 * host-test: servers/proc/process.c servers/proc/job.c servers/proc/signals.c servers/proc/timers.c servers/proc/wait.c servers/proc/life.c -Iuser/include
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "abi/process.h"
#include "servers/proc/effects.h"
#include "servers/proc/life.h"
#include "servers/proc/signals.h"
#include "servers/proc/timers.h"
#include "servers/proc/wait.h"

static unsigned interrupts, suspends, resumes, kills;
static struct { uint32_t reply; int64_t word0; uint64_t status; } answers[64];
static unsigned answer_count;
static uint32_t gone; /* a reply whose caller has gone */

void effect_interrupt(struct process *p) { (void)p; interrupts++; }
static uint64_t used_time;
bool effect_thread_used(struct process *p, uint64_t number, struct used *used) { (void)p; *used = (struct used){ .user = used_time }; return number == 5; }
void effect_used(struct process *p, struct used *used) { (void)p; *used = (struct used){ .user = used_time }; }
void effect_suspend(struct process *p) { (void)p; suspends++; }
void effect_resume(struct process *p) { (void)p; resumes++; }
void effect_kill(struct process *p, uint32_t status) { (void)p, (void)status; kills++; }
bool effect_has_threads(struct process *p) { return p->handle != 99; }
void effect_release(struct process *p) { p->handle = HANDLE_NONE; }
int effect_answer(uint32_t reply, int64_t word0, const uint64_t *words)
{
	if (reply == gone)
		return -ESRCH;
	assert(answer_count < 64);
	answers[answer_count].reply = reply;
	answers[answer_count].word0 = word0;
	answers[answer_count++].status = words ? words[0] : 0;
	return 0;
}

static bool answered(uint32_t reply, int64_t word0, uint64_t status)
{
	for (unsigned i = 0; i < answer_count; i++)
		if (answers[i].reply == reply)
			return answers[i].word0 == word0 && answers[i].status == status;
	return false;
}

static struct process *fork_of(struct process *parent)
{
	struct process *child = process_create_child(parent, 0);
	assert(child);
	child->exit_signal = SIGCHLD;
	answer_count = 0;
	return child;
}

static void check_slots(void)
{
	unsigned used = 0, live = 0;
	for (unsigned i = 0; i < PROCESS_SLOTS; i++)
		used += process_slots[i].pid != 0;
	for (struct process *p = process_next(NULL); p; p = process_next(p)) {
		assert(process_slots[p->slot].pid == p->pid && process_slots[p->slot].group == p->group && process_slots[p->slot].pending == p->pending);
		live++;
	}
	assert(used == live);
}

static int send_signal(struct process *p, int signal)
{
	struct signal_info info = { .signal = signal, .pid = 7, .value = (uint64_t)signal * 10 };
	return signal_send(p, &info, 0);
}

/* A child of a session's leader and all below it may fill the table but for what is kept for the leader; a leader below keeps a part again. */
static void test_jobs(struct process *shell)
{
	static struct process *made[PROCESS_SLOTS];
	unsigned before = 0, count = 0, below = 0;
	for (struct process *p = process_next(NULL); p; p = process_next(p))
		before++;
	struct process *job = fork_of(shell), *child, *leader = fork_of(job);
	while ((child = process_create_child(job, 0)))
		made[count++] = child;
	assert(count + before > PROCESS_SLOTS * 3 / 4 && count + before < PROCESS_SLOTS - PROCESS_SLOTS / 16);
	assert(!process_create_child(leader, 0));
	assert((child = process_create_child(shell, 0)));
	process_remove(child);
	while (count > 64)
		process_remove(made[--count]);
	process_lead_session(leader);
	struct process *second = fork_of(leader);
	while ((child = process_create_child(second, 0)))
		made[count + below++] = child;
	assert(below > PROCESS_SLOTS / 2 && (child = process_create_child(job, 0)));
	process_remove(child);
	while (count + below)
		process_remove(made[count + --below]);
	process_remove(second);
	process_remove(leader);
	process_remove(job);
	check_slots();
}

static void test_wait(struct process *shell)
{
	struct process *a = fork_of(shell), *b = fork_of(shell);
	uint32_t pid_a = a->pid, pid_b = b->pid;
	assert(wait_request(shell, 9999, WAIT_EXITED, 1) == -ECHILD && wait_request(shell, -1, 0, 1) == -EINVAL);
	assert(wait_request(shell, -1, WAIT_EXITED | WAIT_NO_HANG, 1) == 0 && answered(1, 0, 0));
	assert(wait_request(shell, pid_b, WAIT_EXITED, 2) == 0 && wait_request(shell, -1, WAIT_EXITED, 3) == 0);
	life_ended(a, 3 << 8);
	assert(answered(3, pid_a, 3 << 8) && !process_find(pid_a) && (shell->pending & SIGNAL_BIT(SIGCHLD)));
	gone = 2; /* interrupted: the child must stay for the next */
	life_ended(b, 9);
	assert(process_find(pid_b) && process_slots[b->slot].flags & PROCESS_SLOT_ZOMBIE);
	assert(wait_request(shell, 0, WAIT_EXITED | WAIT_NO_REAP, 4) == 0 && answered(4, pid_b, 9) && process_find(pid_b));
	assert(wait_request(shell, -(int64_t)shell->group, WAIT_EXITED, 5) == 0 && answered(5, pid_b, 9) && !process_find(pid_b));
	gone = 0;
	assert(wait_request(shell, -1, WAIT_EXITED, 6) == -ECHILD);

	struct process *c = fork_of(shell);
	uint32_t pid_c = c->pid;
	assert(wait_request(shell, -1, WAIT_EXITED | WAIT_STOPPED, 7) == 0);
	send_signal(c, SIGSTOP);
	assert(answered(7, pid_c, SIGSTOP << 8 | 0x7f) && suspends == 1);
	assert(wait_request(shell, -1, WAIT_EXITED | WAIT_STOPPED | WAIT_NO_HANG, 8) == 0 && answered(8, 0, 0));
	send_signal(c, SIGCONT);
	assert(resumes == 1 && wait_request(shell, -1, WAIT_CONTINUED, 9) == 0 && answered(9, pid_c, 0xffff));
	shell->child_rules = PROC_CHILDREN_NO_ZOMBIE;
	assert(wait_request(shell, -1, WAIT_EXITED, 10) == 0);
	life_ended(c, 0);
	assert(answered(10, -ECHILD, 0) && !process_find(pid_c));
	shell->child_rules = 0;
	check_slots();
}

static void test_timers(struct process *a)
{
	struct signal_info info = { .signal = 40 };
	uint64_t left, period, overrun;
	int64_t first = timer_make(a, PROC_CLOCK_MONOTONIC, 0, &info, 0, true), second = timer_make(a, PROC_CLOCK_PROCESSOR, 0, &info, 77, false);
	assert(first == 0 && second == 1 && timer_arm(a, 9, 1, 1, false, 0, &left, &period) == -EINVAL);
	assert(timer_arm(a, PROC_TIMER_REAL, 0, 0, false, 165, &left, &period) == 0 && left == 25 && period == 30 && timers_next() == 0);
	signal_set_ignored(a, SIGNAL_BIT(SIGALRM)), signal_set_ignored(a, 0);
	/* expirations while its signal waits are counted */
	assert(timer_arm(a, 0, 1000, 10, true, 0, &left, &period) == 0 && timers_next() == 1000);
	timers_expire(1025);
	timers_expire(1025 + 2000000);
	assert(signal_timer_waits(a, 0) && signal_take(a, ~SIGNAL_BIT(40), &info) && info.code == SI_TIMER && info.pid == 0 && info.user == 2 + 200000 && info.value == 0);
	assert(!signal_timer_waits(a, 0) && timer_look(a, 0, 2001026, &left, &period, &overrun) == 0 && left == 4 && period == 10 && overrun == 200002);
	/* processor time: looked at when it could be due, due when it is; to one thread */
	assert(timer_delete(a, 0) == 0 && timer_delete(a, 0) == -EINVAL && timers_next() == 0);
	used_time = 500;
	assert(timer_arm(a, 1, 5000000, 0, true, 10, &left, &period) == 0 && timers_next() == 5000010);
	used_time = 3000500;
	timers_expire(5000010);
	assert(timers_next() == 7000010 && !a->thread_queue);
	used_time = 5000500;
	timers_expire(7000010);
	assert(timers_next() == 0 && process_slots[a->slot].thread_signals == 1);
	assert(signal_take_thread(a, &info) == 77 && info.signal == 40 && info.pid == 1 && !signal_take_thread(a, &info) && !process_slots[a->slot].thread_signals);
	timers_forget(a, false);
	assert(timer_look(a, 1, 0, &left, &period, &overrun) == -EINVAL && timer_look(a, PROC_TIMER_REAL, 0, &left, &period, &overrun) == 0);
	/* a child is under the same limit of processor time */
	assert(timer_arm(a, PROC_TIMER_CPU_SOFT, 9000000, 5, false, 0, &left, &period) == 0);
	struct process *child = fork_of(a);
	assert(timers_inherit(child, a) == 0 && timer_look(child, PROC_TIMER_CPU_SOFT, 0, &left, &period, &overrun) == 0 && period == 5);
	life_ended(child, 0);
	assert(wait_request(a, -1, WAIT_EXITED, 30) == 0);
}

static void test_signals(struct process *shell)
{
	struct process *a = fork_of(shell);
	struct signal_info info;
	unsigned char bytes[128];
	assert(send_signal(a, 65) == -EINVAL && send_signal(a, -1) == -EINVAL && send_signal(a, 0) == 0 && !a->pending);
	send_signal(a, SIGUSR1);
	send_signal(a, SIGUSR1);
	send_signal(a, 40);
	send_signal(a, 40);
	send_signal(a, 64);
	assert(!signal_take(a, ~0ul, &info));
	assert(signal_take(a, 0, &info) && info.signal == SIGUSR1 && !(a->pending & SIGNAL_BIT(SIGUSR1)));
	assert(signal_take(a, SIGNAL_BIT(40), &info) && info.signal == 64);
	assert(signal_take(a, 0, &info) && info.signal == 40 && (a->pending & SIGNAL_BIT(40)));
	signal_info_encode(&info, bytes);
	uint64_t value;
	memcpy(&value, bytes + 24, 8);
	assert(value == 400 && bytes[16] == 7);
	assert(signal_take(a, 0, &info) && !signal_take(a, 0, &info) && !a->pending && !a->queue);
	for (int i = 0; i < SIGNAL_QUEUE_MAX; i++)
		assert(send_signal(a, 50) == 0);
	struct signal_info queued = { .signal = 50, .code = SI_QUEUE };
	assert(signal_send(a, &queued, 0) == -EAGAIN && send_signal(a, 50) == 0 && a->queue_length == SIGNAL_QUEUE_MAX);
	assert(send_signal(a, 51) == 0 && signal_take(a, SIGNAL_BIT(50), &info) && info.signal == 51 && info.code == SI_USER && !info.pid);
	signal_set_ignored(a, SIGNAL_BIT(50) | SIGNAL_BIT(SIGKILL));
	assert(!a->pending && !a->queue && !(a->ignored & SIGNAL_BIT(SIGKILL)) && send_signal(a, 50) == 0 && !a->pending);
	kills = 0;
	send_signal(a, SIGKILL);
	assert(kills == 1);

	/* stop and continue cancel each other */
	process_set_group(shell, a->pid, 0);
	assert(!group_orphaned(a->group));
	send_signal(a, SIGTSTP);
	send_signal(a, SIGCONT);
	assert(a->pending == SIGNAL_BIT(SIGCONT));
	send_signal(a, SIGTSTP);
	assert(a->pending == SIGNAL_BIT(SIGTSTP) && signal_take(a, 0, &info));
	send_signal(a, SIGCONT);
	assert(!signal_stop_self(a, SIGTSTP, 20)); /* the SIGCONT came in between */
	assert(signal_take(a, 0, &info) && info.signal == SIGCONT);
	send_signal(a, SIGTSTP);
	assert(signal_take(a, 0, &info) && signal_stop_self(a, SIGTSTP, 21) && a->state == PROCESS_STATE_STOPPED);
	send_signal(a, SIGCONT);
	assert(answered(21, 0, 0) && a->state == PROCESS_STATE_RUNNING);
	uint64_t left, period;
	assert(timer_arm(a, PROC_TIMER_REAL, 100, 30, false, 50, &left, &period) == 0 && left == 0 && timers_next() == 100);
	timers_expire(165);
	assert(timers_next() == 190 && (a->pending & SIGNAL_BIT(SIGALRM)));
	test_timers(a);
	life_ended(a, 0);
	assert(timers_next() == 0 && wait_request(shell, -1, WAIT_EXITED, 22) == 0);
	assert(signal_send_selected(shell, 99999, &info, 0) == -ESRCH && signal_send_selected(NULL, 0, &info, 0) == -ESRCH);
	assert(signal_send_selected(shell, INT64_MIN, &info, 0) == -ESRCH);
	check_slots();
}

static void test_groups(struct process *shell)
{
	struct process *a = fork_of(shell), *b = fork_of(a);
	assert(process_set_session(shell) == -EPERM && process_set_group(shell, 0, 0) == -EPERM);
	assert(process_set_group(shell, b->pid, 0) == -ESRCH && process_set_group(shell, a->pid, 12345) == -EPERM);
	assert(process_set_group(shell, a->pid, (uint32_t)-1) == -EINVAL);
	assert(process_set_group(a, 0, 0) == 0 && process_set_group(b, 0, a->pid) == 0 && b->group == a->pid);
	a->flags |= PROCESS_SLOT_EXECED;
	assert(process_set_group(shell, a->pid, shell->group) == -EACCES);
	uint32_t group = a->pid, pid_b = b->pid;
	send_signal(b, SIGSTOP);
	life_ended(a, 0); /* b's group is orphaned and stopped: SIGHUP and SIGCONT */
	assert(b->parent->pid == 1 && b->state == PROCESS_STATE_RUNNING && (b->pending & SIGNAL_BIT(SIGHUP)) && (b->pending & SIGNAL_BIT(SIGCONT)));
	assert(wait_request(shell, group, WAIT_EXITED, 30) == 0 && !process_find(group) && group_exists(group));
	struct process *fresh[200];
	for (int i = 0; i < 200; i++) {
		fresh[i] = fork_of(shell);
		assert(fresh[i]->pid != group);
	}
	for (int i = 0; i < 200; i++) {
		life_ended(fresh[i], 0);
		assert(wait_request(shell, -1, WAIT_EXITED, 31) == 0);
		answer_count = 0;
	}
	life_ended(b, 0);
	assert(!process_find(pid_b) && !group_exists(group));

	struct process *leader = fork_of(shell), *job = NULL;
	assert(process_set_session(leader) == (int)leader->pid && leader->group == leader->pid && leader->flags & PROCESS_SLOT_LEADER);
	job = fork_of(leader);
	leader->terminal = job->terminal = 5;
	leader->foreground = job->group;
	struct process *unstarted = fork_of(leader);
	unstarted->handle = 99;
	kills = 0;
	life_ended(leader, 0);
	assert((job->pending & SIGNAL_BIT(SIGHUP)) && !job->terminal && kills == 1);
	life_ended(job, 0);
	life_ended(unstarted, SIGKILL);
	assert(wait_request(shell, -1, WAIT_EXITED, 32) == 0);
	check_slots();
}

/* pids go round without meeting those in use, and the table fills up cleanly */
static void test_pids(struct process *shell)
{
	struct process *kept = fork_of(shell);
	for (unsigned i = 0; i < PID_MAX + 100; i++) {
		struct process *p = fork_of(shell);
		assert(p->pid != kept->pid && p->pid != 1 && p->pid != shell->pid && p->pid < PID_MAX);
		life_ended(p, 0);
		assert(wait_request(shell, p->pid, WAIT_EXITED, 40) == 0);
	}
	unsigned count = 0;
	struct process *p;
	while ((p = process_create_child(shell, 0)))
		count++;
	assert(count == PROCESS_SLOTS - PROCESS_SLOTS / 16 - 2); /* what init's other children find free: test_jobs */
	for (; (p = process_create_child(process_find(1), 0)); count++)
		process_set_parent(p, shell);
	assert(count == PROCESS_SLOTS - 1 - 3);
	while (shell->first_child)
		process_remove(shell->first_child);
	check_slots();
}

int main(void)
{
	process_slots = calloc(PROCESS_SLOTS, sizeof *process_slots);
	assert(process_table_start(0));
	struct process *shell = process_create_child(process_find(1), 0);
	process_lead_session(shell);
	assert(shell->pid == 2 && process_of_badge(PROCESS_BADGE(2, shell->slot)) == shell && !process_of_badge(PROCESS_BADGE(2, shell->slot + 1)));
	assert(!process_of_badge(0) && life_wait_status(STATUS_FAULT) == SIGSEGV && life_wait_status(STATUS_OUT_OF_MEMORY) == SIGKILL);
	test_wait(shell);
	test_signals(shell);
	test_groups(shell);
	test_jobs(shell);
	test_pids(shell);
	life_ended(shell, 0);
	struct process *init = process_find(1);
	process_remove(init);
	free(process_slots);
	puts("ok");
	return 0;
}
