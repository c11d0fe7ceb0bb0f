/* Locks between processes in shared memory: mutexes, conditions, barriers, semaphores; owners that die; priority inheritance. */
#include "case.h"
#include <pthread.h>
#include <semaphore.h>
#define FUTEX_LOCK_PI 6
#define FUTEX_UNLOCK_PI 7
#define FUTEX_TRYLOCK_PI 8
#define FUTEX_TID_MASK 0x3fffffff

static struct shared {
	pthread_mutex_t mutex, robust, second, inherit;
	pthread_cond_t condition;
	pthread_barrier_t barrier;
	pthread_rwlock_t rwlock;
	sem_t semaphore;
	int counter, turn, word, ready;
} *s;
static const char *name_of(int error) { return error ? error_name(error) : "0"; }
static void make_mutex(pthread_mutex_t *mutex, bool robust, int protocol)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	if (robust)
		pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	if (protocol)
		printf("protocol: %s\n", name_of(pthread_mutexattr_setprotocol(&a, protocol)));
	int error = pthread_mutex_init(mutex, &a);
	if (error)
		printf("init: %s\n", name_of(error));
}
static void *lock_and_die(void *argument) { pthread_mutex_lock(argument); return NULL; }
static void *lock_and_sleep(void *argument) { pthread_mutex_lock(argument); __atomic_add_fetch(&s->ready, 1, __ATOMIC_SEQ_CST); for (;;) pause(); }
static void wait_ready(int n) { while (__atomic_load_n(&s->ready, __ATOMIC_SEQ_CST) < n) sleep_ms(1); }

int main(void)
{
	s = must(mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pthread_condattr_t ca;
	pthread_barrierattr_t ba;
	pthread_rwlockattr_t ra;
	make_mutex(&s->mutex, false, 0);
	make_mutex(&s->robust, true, 0);
	make_mutex(&s->second, true, 0);
	pthread_condattr_init(&ca), pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED), pthread_cond_init(&s->condition, &ca);
	pthread_barrierattr_init(&ba), pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED), pthread_barrier_init(&s->barrier, &ba, 3);
	pthread_rwlockattr_init(&ra), pthread_rwlockattr_setpshared(&ra, PTHREAD_PROCESS_SHARED), pthread_rwlock_init(&s->rwlock, &ra);
	sem_init(&s->semaphore, 1, 0);

	/* counting under one lock in four processes */
	pid_t child[4];
	for (int i = 0; i < 4; i++)
		child[i] = in_child({
			for (int k = 0; k < 5000; k++) {
				pthread_mutex_lock(&s->mutex);
				s->counter++;
				pthread_mutex_unlock(&s->mutex);
			}
		});
	for (int i = 0; i < 4; i++)
		wait_for(child[i]);
	printf("counter %d\n", s->counter);

	/* taking turns by a condition */
	child[0] = in_child({
		for (int k = 0; k < 300; k++) {
			pthread_mutex_lock(&s->mutex);
			while (s->turn != 1)
				pthread_cond_wait(&s->condition, &s->mutex);
			s->turn = 0;
			pthread_cond_signal(&s->condition);
			pthread_mutex_unlock(&s->mutex);
		}
	});
	for (int k = 0; k < 300; k++) {
		pthread_mutex_lock(&s->mutex);
		while (s->turn != 0)
			pthread_cond_wait(&s->condition, &s->mutex);
		s->turn = 1;
		pthread_cond_signal(&s->condition);
		pthread_mutex_unlock(&s->mutex);
	}
	show_status("turns", wait_for(child[0]));

	/* barrier and semaphore */
	for (int i = 0; i < 2; i++)
		child[i] = in_child({
			int serial = 0;
			for (int k = 0; k < 50; k++)
				serial += pthread_barrier_wait(&s->barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
			__atomic_add_fetch(&s->word, serial, __ATOMIC_SEQ_CST);
			for (int k = 0; k < 50; k++)
				sem_post(&s->semaphore);
		});
	int serial = 0;
	for (int k = 0; k < 50; k++)
		serial += pthread_barrier_wait(&s->barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
	for (int k = 0; k < 100; k++)
		while (sem_wait(&s->semaphore) < 0)
			;
	for (int i = 0; i < 2; i++)
		wait_for(child[i]);
	printf("serial threads %d, semaphore %s\n", serial + s->word, sem_trywait(&s->semaphore) < 0 ? error_name(errno) : "left");
	pthread_rwlock_rdlock(&s->rwlock);
	child[0] = in_child({ printf("write lock: %s, read lock: ", name_of(pthread_rwlock_trywrlock(&s->rwlock)));
		printf("%s\n", name_of(pthread_rwlock_tryrdlock(&s->rwlock))); pthread_rwlock_unlock(&s->rwlock); });
	wait_for(child[0]);
	pthread_rwlock_unlock(&s->rwlock);

	/* an owner that ends as a thread, as a process, by exec, by a signal while others wait */
	pthread_t thread;
	pthread_create(&thread, NULL, lock_and_die, &s->robust);
	pthread_join(thread, NULL);
	int error = pthread_mutex_lock(&s->robust);
	printf("thread ended: %s\n", name_of(error));
	printf("consistent: %s\n", name_of(pthread_mutex_consistent(&s->robust)));
	printf("unlock: %s\n", name_of(pthread_mutex_unlock(&s->robust)));
	wait_for(in_child({ pthread_mutex_lock(&s->robust); }));
	error = pthread_mutex_lock(&s->robust);
	printf("process ended: %s\n", name_of(error));
	pthread_mutex_consistent(&s->robust);
	pthread_mutex_unlock(&s->robust);
	wait_for(in_child({ pthread_mutex_lock(&s->robust); execl("/bin/busybox", "busybox", "true", (char *)NULL); }));
	error = pthread_mutex_trylock(&s->robust);
	printf("executed another program: %s\n", name_of(error));
	pthread_mutex_consistent(&s->robust);
	pthread_mutex_unlock(&s->robust);
	child[0] = in_child({
		pthread_create(&thread, NULL, lock_and_sleep, &s->second);
		lock_and_sleep(&s->robust);
	});
	wait_ready(2);
	child[1] = in_child({
		__atomic_add_fetch(&s->ready, 1, __ATOMIC_SEQ_CST);
		int e = pthread_mutex_lock(&s->robust);
		printf("a waiter is told: %s\n", name_of(e));
		pthread_mutex_consistent(&s->robust);
		pthread_mutex_unlock(&s->robust);
	});
	wait_ready(3);
	sleep_ms(20);
	printf("held: %s\n", name_of(pthread_mutex_trylock(&s->second)));
	fflush(stdout);
	kill(child[0], SIGKILL);
	show_status("owner", wait_for(child[0]));
	show_status("waiter", wait_for(child[1]));
	error = pthread_mutex_lock(&s->second);
	printf("its other thread's: %s\n", name_of(error));
	printf("unlock without consistent: %s\n", name_of(pthread_mutex_unlock(&s->second)));
	printf("then: %s\n", name_of(pthread_mutex_lock(&s->second)));
	s->ready = 0;
	child[0] = in_child({ pthread_mutex_lock(&s->robust); __atomic_add_fetch(&s->ready, 1, __ATOMIC_SEQ_CST); *(volatile int *)0 = 1; });
	show_status("owner", wait_for(child[0]));
	error = pthread_mutex_lock(&s->robust);
	printf("by SIGSEGV: %s\n", name_of(error));
	pthread_mutex_consistent(&s->robust);
	pthread_mutex_unlock(&s->robust);

	/* priority inheritance: an ordinary lock to look at */
	make_mutex(&s->inherit, false, PTHREAD_PRIO_INHERIT);
	s->counter = 0;
	for (int i = 0; i < 3; i++)
		child[i] = in_child({
			for (int k = 0; k < 2000; k++) {
				if (pthread_mutex_lock(&s->inherit))
					_exit(9);
				s->counter++;
				if (k % 100 == 0)
					sched_yield();
				pthread_mutex_unlock(&s->inherit);
			}
		});
	for (int i = 0; i < 3; i++)
		show_status("counter", wait_for(child[i]));
	printf("counter %d\n", s->counter);
	pthread_mutex_lock(&s->inherit);
	child[0] = in_child({
		struct timespec soon;
		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_nsec += 20000000;
		if (soon.tv_nsec >= 1000000000)
			soon.tv_sec++, soon.tv_nsec -= 1000000000;
		printf("trylock: %s\n", name_of(pthread_mutex_trylock(&s->inherit)));
		printf("timed lock: %s\n", name_of(pthread_mutex_timedlock(&s->inherit, &soon)));
	});
	wait_for(child[0]);
	pthread_mutex_unlock(&s->inherit);
	s->word = 0;
	show_result("FUTEX_LOCK_PI", syscall(SYS_futex, &s->word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	check((s->word & FUTEX_TID_MASK) == getpid());
	show_result("again", syscall(SYS_futex, &s->word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	show_result("FUTEX_TRYLOCK_PI", syscall(SYS_futex, &s->word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
	show_result("FUTEX_UNLOCK_PI", syscall(SYS_futex, &s->word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	check(s->word == 0);
	show_result("unlock what is not held", syscall(SYS_futex, &s->word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	return 0;
}
