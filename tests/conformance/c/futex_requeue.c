/* Futexes as condition variables of locks with priority inheritance use them: waiting for a lock by way of another word; and FUTEX_WAKE_OP. */
#include "case.h"
#include <pthread.h>

/* linux/futex.h, which not every C library comes with */
enum { FUTEX_FD = 2, FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_OP_PRIVATE = 133, FUTEX_LOCK_PI_PRIVATE, FUTEX_UNLOCK_PI_PRIVATE,
	FUTEX_WAIT_REQUEUE_PI_PRIVATE = 139, FUTEX_CMP_REQUEUE_PI_PRIVATE, FUTEX_CLOCK_REALTIME = 256, FUTEX_TID_MASK = 0x3fffffff };
enum { FUTEX_OP_SET, FUTEX_OP_ADD, FUTEX_OP_OR, FUTEX_OP_ANDN, FUTEX_OP_XOR, FUTEX_OP_OPARG_SHIFT = 8 };
enum { FUTEX_OP_CMP_EQ, FUTEX_OP_CMP_NE, FUTEX_OP_CMP_LT, FUTEX_OP_CMP_LE, FUTEX_OP_CMP_GT, FUTEX_OP_CMP_GE };
#define FUTEX_OP(operation, operand, comparison, compared) \
	((uint32_t)(operation) << 28 | (uint32_t)(comparison) << 24 | ((uint32_t)(operand) & 0xfff) << 12 | ((uint32_t)(compared) & 0xfff))

#define WAITERS 4
static uint32_t word, lock, second, locked, others;

static long futex(uint32_t *address, int operation, uint32_t value, uintptr_t time, uint32_t *target, uint32_t third)
{
	return syscall(SYS_futex, address, operation, value, time, target, third);
}

static uint32_t own_id(void) { return (uint32_t)syscall(SYS_gettid); }

static void *waiter(void *argument)
{
	(void)argument;
	if (futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, 0, &lock, 0) != 0)
		return "was not woken";
	if ((lock & FUTEX_TID_MASK) != own_id())
		return "is not the owner";
	if (__atomic_add_fetch(&others, 1, __ATOMIC_SEQ_CST) != 1)
		return "is not alone";
	sleep_ms(5);
	__atomic_sub_fetch(&others, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&locked, 1, __ATOMIC_SEQ_CST);
	return futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, NULL, 0) ? "cannot unlock" : NULL;
}

static void deadline(struct timespec *time, int clock, long ms)
{
	clock_gettime(clock, time);
	time->tv_nsec += ms * 1000000;
	time->tv_sec += time->tv_nsec / 1000000000;
	time->tv_nsec %= 1000000000;
}

static void *impatient(void *argument)
{
	struct timespec end;
	(void)argument;
	deadline(&end, CLOCK_REALTIME, 150);
	long result = futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE | FUTEX_CLOCK_REALTIME, 0, (uintptr_t)&end, &lock, 0);
	if (result == 0 || (lock & FUTEX_TID_MASK) == own_id())
		return "has the lock";
	return (void *)error_name(errno);
}

static void *sleeper(void *argument)
{
	return (void *)futex(argument, FUTEX_WAIT_PRIVATE, 5, 0, NULL, 0);
}

int main(void)
{
	pthread_t thread[WAITERS];
	struct timespec end;
	void *said;

	/* all of them, while the lock is taken */
	for (int i = 0; i < WAITERS; i++)
		pthread_create(&thread[i], NULL, waiter, NULL);
	sleep_ms(100);
	show(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, 0, NULL, 0));
	show(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, INT_MAX, &lock, 1));
	show(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, INT_MAX, &lock, 0));
	sleep_ms(30);
	check(locked == 0 && others == 0);
	check((lock & FUTEX_TID_MASK) == own_id());
	show(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, NULL, 0));
	for (int i = 0; i < WAITERS; i++) {
		pthread_join(thread[i], &said);
		printf("waiter %d %s\n", i, said ? (char *)said : "had the lock");
	}
	check(locked == WAITERS);

	/* one, while it is free */
	show(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, 0, NULL, 0));
	show(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, NULL, 0));
	pthread_create(&thread[0], NULL, waiter, NULL);
	sleep_ms(50);
	show(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 0, &lock, 0));
	pthread_join(thread[0], &said);
	printf("waiter %s\n", said ? (char *)said : "had the lock");

	/* its time is over, before and after it was moved */
	lock = 0;
	pthread_create(&thread[0], NULL, impatient, NULL);
	pthread_join(thread[0], &said);
	printf("not moved: %s\n", (char *)said);
	must(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, 0, NULL, 0));
	pthread_create(&thread[0], NULL, impatient, NULL);
	sleep_ms(50);
	show(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 5, &lock, 0));
	pthread_join(thread[0], &said);
	printf("moved: %s\n", (char *)said);
	show(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, NULL, 0));

	/* what is refused */
	show(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 5, &lock, 0));
	show(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, 5, &lock, 0));
	show(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (uintptr_t)-1, &lock, 0));
	show(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 5, &word, 0));
	show(futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 1, 0, &lock, 0));
	show(futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, 0, &word, 0));
	show(futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, 0, (uint32_t *)((char *)&lock + 2), 0));
	deadline(&end, CLOCK_MONOTONIC, 20);
	show(futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, (uintptr_t)&end, &lock, 0));
	end = (struct timespec){ 0, 1000000000 };
	show(futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, (uintptr_t)&end, &lock, 0));
	show(futex(&word, FUTEX_WAIT_PRIVATE | FUTEX_CLOCK_REALTIME, 0, 0, NULL, 0));
	show(futex(&word, FUTEX_FD, 0, 0, NULL, 0));
	show(futex(&word, 77, 0, 0, NULL, 0));

	/* a word is changed, and its sleepers woken if it was as expected */
	word = second = 5;
	pthread_create(&thread[0], NULL, sleeper, &word);
	pthread_create(&thread[1], NULL, sleeper, &second);
	sleep_ms(50);
	show(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, 9, &second, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 4)));
	printf("second %u\n", second);
	show(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, 9, &second, FUTEX_OP(FUTEX_OP_ANDN, 8, FUTEX_OP_CMP_GE, 8)));
	printf("second %u\n", second);
	pthread_join(thread[0], &said);
	pthread_join(thread[1], &said);
	show(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &second, FUTEX_OP(FUTEX_OP_SET, -1, FUTEX_OP_CMP_LT, 0)));
	printf("second %d\n", (int)second);
	show(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &second, FUTEX_OP(FUTEX_OP_XOR | FUTEX_OP_OPARG_SHIFT, 4, FUTEX_OP_CMP_NE, 0)));
	printf("second %d\n", (int)second);
	show(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, 1, (uint32_t *)8, FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)));
	return 0;
}
