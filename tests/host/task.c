/* The stand-ins of task.h. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "arch/usercopy.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"
#include "kernel/vm/space.h"
#include "shim.h"
#include "task.h"

struct space { struct object object; };

_Thread_local unsigned task_absent_chance, task_present_next;
static _Thread_local struct thread *current;

/* --- processes --- */
static void nothing_destroy(struct object *object)
{
	panic("%s of a process destroyed", object->operations->name);
}
static const struct object_operations space_operations = { .kind = KIND_SPACE, .name = "space", .destroy = nothing_destroy };
static const struct object_operations budget_operations = { .kind = KIND_BUDGET, .name = "budget", .destroy = nothing_destroy };
static const struct object_operations process_operations = { .kind = KIND_PROCESS, .name = "process", .destroy = nothing_destroy };

struct process *task_process(void)
{
	struct process *process = calloc(1, sizeof(*process));
	process->space = calloc(1, sizeof(*process->space));
	process->budget = calloc(1, sizeof(*process->budget));
	object_init(&process->object, &process_operations);
	object_init(&process->space->object, &space_operations);
	object_init(&process->budget->object, &budget_operations);
	CHECK(!handles_create(&process->handles));
	return process;
}
void task_process_free(struct process *process)
{
	handles_unref(&process->handles);
	CHECK(process->object.references == 1 && process->space->object.references == 1 && process->budget->object.references == 1);
	free(process->budget);
	free(process->space);
	free(process);
}
struct object *space_object(struct space *space)
{
	return &space->object;
}
struct space *space_current(void)
{
	return current->process->space;
}
int process_handles_ref(struct process *process, struct handles *handles)
{
	handles_ref(&process->handles);
	*handles = process->handles;
	return 0;
}

/* --- threads --- */
struct thread *thread_current(void)
{
	return current;
}
void task_start(struct process *process)
{
	static uint64_t number;
	current = calloc(1, sizeof(*current));
	current->number = __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED);
	current->process = process;
	current->state = THREAD_RUNNING;
	list_init(&current->wait_link);
}
void task_end(void)
{
	CHECK(!current->waiting_on && !shim_locks_held());
	free(current);
	current = NULL;
}

/* --- sleeping and waking: one mutex for all queues, one condition variable --- */
static pthread_mutex_t wait_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wait_condition = PTHREAD_COND_INITIALIZER;

void wait_queue_init(struct wait_queue *queue)
{
	spin_init(&queue->lock, "wait queue", RANK_WAIT);
	list_init(&queue->waiters);
}
static void take_off(struct thread *thread, int result)
{
	list_remove(&thread->wait_link);
	thread->waiting_on = NULL;
	thread->wait_result = result;
	pthread_cond_broadcast(&wait_condition);
}
int wait_on(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline, unsigned how)
{
	CHECK(deadline == DEADLINE_NEVER || deadline == 0);
	CHECK(!lock || (spin_held(lock) && shim_locks_held() == 1));
	pthread_mutex_lock(&wait_mutex);
	int refused = how == WAIT_INTERRUPTIBLE && current->interrupt_pending ? -EINTR : deadline == 0 ? -ETIMEDOUT : 0;
	if (!refused) {
		current->waiting_on = queue;
		current->wait_how = how;
		list_add_last(&queue->waiters, &current->wait_link);
	}
	if (lock)
		spin_unlock(lock);
	while (!refused && current->waiting_on)
		pthread_cond_wait(&wait_condition, &wait_mutex);
	pthread_mutex_unlock(&wait_mutex);
	return refused ? refused : current->wait_result;
}
int wait_alone(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline, unsigned how)
{
	return wait_on(queue, lock, deadline, how); /* that it is in no list shows in nothing here */
}
void wait_wake_thread(struct wait_queue *queue, struct thread *thread, int result)
{
	CHECK(!shim_lock_above(RANK_WAIT - 1));
	spin_lock(&queue->lock); /* the condition may be the queue's own lock's, and the sleeper between its look and its sleep */
	pthread_mutex_lock(&wait_mutex);
	if (thread->waiting_on == queue)
		take_off(thread, result);
	pthread_mutex_unlock(&wait_mutex);
	spin_unlock(&queue->lock);
}
static unsigned wake(struct wait_queue *queue, unsigned most, int result)
{
	unsigned woken = 0;
	CHECK(!shim_lock_above(RANK_WAIT - 1));
	pthread_mutex_lock(&wait_mutex);
	for (; woken < most && !list_empty(&queue->waiters); woken++)
		take_off(list_first(&queue->waiters, struct thread, wait_link), result);
	pthread_mutex_unlock(&wait_mutex);
	return woken;
}
bool wait_queue_empty(struct wait_queue *queue)
{
	CHECK(!shim_lock_above(RANK_WAIT - 1));
	pthread_mutex_lock(&wait_mutex);
	bool empty = list_empty(&queue->waiters);
	pthread_mutex_unlock(&wait_mutex);
	return empty;
}
unsigned wait_wake_one(struct wait_queue *queue, int result)
{
	return wake(queue, 1, result);
}
unsigned wait_wake_all(struct wait_queue *queue, int result)
{
	return wake(queue, UINT32_MAX, result);
}
void task_interrupt(struct thread *thread)
{
	pthread_mutex_lock(&wait_mutex);
	thread->interrupt_pending = true;
	if (thread->waiting_on && thread->wait_how == WAIT_INTERRUPTIBLE)
		take_off(thread, -EINTR);
	pthread_mutex_unlock(&wait_mutex);
}
bool task_calm(void)
{
	pthread_mutex_lock(&wait_mutex);
	bool pending = current->interrupt_pending;
	current->interrupt_pending = false;
	pthread_mutex_unlock(&wait_mutex);
	return pending;
}
bool task_sleeps(struct thread *thread)
{
	pthread_mutex_lock(&wait_mutex);
	bool sleeps = thread->waiting_on != NULL;
	pthread_mutex_unlock(&wait_mutex);
	return sleeps;
}

#define THREADS_MOST 16u
static struct { struct process *process; void (*function)(unsigned); unsigned count, absent_chance, left; struct thread *running[THREADS_MOST]; } together;
static void interrupt_many(void)
{
	while (__atomic_load_n(&together.left, __ATOMIC_ACQUIRE)) {
		test_lock();
		struct thread *thread = together.running[shim_below(together.count)];
		if (thread)
			task_interrupt(thread);
		test_unlock();
		for (unsigned i = 0; i < 20; i++)
			sched_yield();
	}
}
static void run_one(unsigned number)
{
	if (number == together.count) {
		interrupt_many();
		return;
	}
	task_start(together.process);
	task_absent_chance = together.absent_chance;
	test_lock();
	together.running[number] = current;
	test_unlock();
	together.function(number);
	test_lock();
	together.running[number] = NULL;
	test_unlock();
	__atomic_sub_fetch(&together.left, 1, __ATOMIC_RELEASE);
	task_end();
}
void task_threads(struct process *process, unsigned count, unsigned absent_chance, bool interrupts, void (*function)(unsigned number))
{
	CHECK(count <= THREADS_MOST);
	together.process = process;
	together.function = function;
	together.count = together.left = count;
	together.absent_chance = absent_chance;
	task_parallel(count + interrupts, run_one);
}

void scheduler_prefer(struct thread *target)
{
	(void)target;
}
void scheduler_forget_woken(void)
{
}

/* --- user memory --- */
static _Thread_local unsigned present; /* so many copies after a fault find their pages */
static bool bad(user_t address, size_t length)
{
	return length && (address < USER_BOTTOM || address >= USER_TOP || length > USER_TOP - address);
}
int space_fault(struct space *space, uint64_t address, uint32_t access)
{
	(void)access;
	CHECK(space == current->process->space && !shim_locks_held());
	present = task_present_next ? task_present_next : (unsigned)shim_below(40);
	return bad(address, 1) ? -EFAULT : 0;
}
static bool absent(void)
{
	if (present) {
		present--;
		return false;
	}
	return task_absent_chance && !shim_below(task_absent_chance);
}
/* A copy that may fault may sleep: somebody else's turn. */
static void may_sleep(void)
{
	CHECK(!shim_locks_held());
	if (task_absent_chance && !shim_below(task_absent_chance))
		for (unsigned i = shim_below(6); i; i--)
			sched_yield();
}
int copy_from_user(void *target, user_t source, size_t length)
{
	may_sleep();
	if (bad(source, length))
		return -EFAULT;
	if (length == sizeof(uint32_t) && source % sizeof(uint32_t) == 0) { /* a word that programs change meanwhile */
		uint32_t value = __atomic_load_n((const uint32_t *)source, __ATOMIC_RELAXED);
		memcpy(target, &value, sizeof(value));
	} else {
		memcpy(target, (const void *)source, length);
	}
	return 0;
}
int copy_to_user(user_t target, const void *source, size_t length)
{
	may_sleep();
	if (bad(target, length))
		return -EFAULT;
	memcpy((void *)target, source, length);
	return 0;
}
int copy_from_user_present(void *target, user_t source, size_t length)
{
	if (bad(source, length) || absent())
		return -EFAULT;
	memcpy(target, (const void *)source, length);
	return 0;
}
int copy_to_user_present(user_t target, const void *source, size_t length)
{
	if (bad(target, length) || absent())
		return -EFAULT;
	memcpy((void *)target, source, length);
	return 0;
}
int user_load32_present(user_t address, uint32_t *value)
{
	if (bad(address, sizeof(*value)) || absent())
		return -EFAULT;
	*value = __atomic_load_n((const uint32_t *)address, __ATOMIC_RELAXED);
	return 0;
}
