/* Threads: creation, joining, locks, conditions, thread-local storage, signals, time-outs. */
#include "case.h"
#include <pthread.h>
#include <semaphore.h>

static __thread int local = 5;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_key_t key;
static long total;
static int turn, destroyed;
static volatile sig_atomic_t signalled;
static pthread_t signalled_thread;
static sem_t semaphore;

static void *count(void *argument)
{
	local = (int)(intptr_t)argument;
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&mutex);
		total++;
		pthread_mutex_unlock(&mutex);
	}
	return (void *)(intptr_t)(local * 2);
}
static void *alternate(void *argument)
{
	int me = (int)(intptr_t)argument;
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != me)
			pthread_cond_wait(&condition, &mutex);
		turn = !me;
		pthread_cond_broadcast(&condition);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}
static void *meet(void *argument)
{
	(void)argument;
	int serial = 0;
	for (int i = 0; i < 50; i++)
		serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
	return (void *)(intptr_t)serial;
}
static void on_destroy(void *value) { (void)value; __sync_fetch_and_add(&destroyed, 1); }
static void *specific(void *argument) { pthread_setspecific(key, argument); return NULL; }
static void on_usr1(int number) { (void)number; signalled++; signalled_thread = pthread_self(); }
static void *wait_signal(void *argument) { (void)argument; while (!signalled) sleep_ms(1); return NULL; }
static void *leave(void *argument) { (void)argument; pthread_exit((void *)99); }
static void *never(void *argument) { (void)argument; for (;;) sleep(100); }
static void *post(void *argument) { (void)argument; for (int i = 0; i < 100; i++) sem_post(&semaphore); return NULL; }
static void *in_exec(void *argument) { (void)argument; for (;;) pause(); }

int main(int argc, char **argv)
{
	if (argc > 1) {
		printf("after exec from a program with threads\n");
		return 0;
	}
	pthread_t thread[64];
	void *result;
	for (int i = 0; i < 8; i++)
		must(pthread_create(&thread[i], NULL, count, (void *)(intptr_t)(i + 1)) ? -1 : 0);
	long sum = 0;
	for (int i = 0; i < 8; i++) {
		pthread_join(thread[i], &result);
		sum += (intptr_t)result;
	}
	printf("total %ld, results %ld, local %d\n", total, sum, local);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, alternate, (void *)(intptr_t)i);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	printf("alternated, turn %d\n", turn);
	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, meet, NULL);
	sum = 0;
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &result);
		sum += (intptr_t)result;
	}
	printf("met, %ld serial\n", sum);
	pthread_key_create(&key, on_destroy);
	for (int i = 0; i < 64; i++)
		pthread_create(&thread[i], NULL, specific, (void *)8);
	for (int i = 0; i < 64; i++)
		pthread_join(thread[i], NULL);
	printf("destroyed %d\n", destroyed);
	signal(SIGUSR1, on_usr1);
	pthread_create(&thread[0], NULL, wait_signal, NULL);
	sleep_ms(20);
	show(pthread_kill(thread[0], SIGUSR1));
	pthread_join(thread[0], NULL);
	check(signalled == 1 && pthread_equal(signalled_thread, thread[0]));
	pthread_create(&thread[0], NULL, leave, NULL);
	pthread_join(thread[0], &result);
	printf("left with %ld\n", (long)(intptr_t)result);
	pthread_create(&thread[0], NULL, never, NULL);
	sleep_ms(20);
	show(pthread_cancel(thread[0]));
	pthread_join(thread[0], &result);
	check(result == PTHREAD_CANCELED);
	/* time-outs */
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 30000000;
	if (until.tv_nsec >= 1000000000)
		until.tv_sec++, until.tv_nsec -= 1000000000;
	pthread_mutex_lock(&mutex);
	printf("timed wait: %s\n", error_name(pthread_cond_timedwait(&condition, &mutex, &until)));
	pthread_mutex_unlock(&mutex);
	sem_init(&semaphore, 0, 0);
	printf("timed semaphore: %d %s\n", sem_timedwait(&semaphore, &until), error_name(errno));
	pthread_create(&thread[0], NULL, post, NULL);
	for (int i = 0; i < 100; i++)
		sem_wait(&semaphore);
	pthread_join(thread[0], NULL);
	printf("semaphore %d\n", sem_trywait(&semaphore));
	/* many, detached, one after another */
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 << 10);
	for (int i = 0; i < 300; i++) {
		must(pthread_create(&thread[0], &attributes, specific, (void *)8) ? -1 : 0);
		pthread_join(thread[0], NULL);
	}
	printf("300 more: destroyed %d\n", destroyed);
	/* fork in a program with threads: only the caller is in the child */
	pthread_create(&thread[0], NULL, in_exec, NULL);
	show_status("child", wait_for(in_child({ pthread_t inner; pthread_create(&inner, NULL, leave, NULL); pthread_join(inner, &result); _exit((int)(intptr_t)result); })));
	/* the main thread's exit ends all; exec leaves one */
	pid_t pid = in_child({ pthread_create(&thread[1], NULL, in_exec, NULL); execl(argv[0], argv[0], "again", (char *)NULL); _exit(1); });
	show_status("exec", wait_for(pid));
	pid = in_child({ pthread_create(&thread[1], NULL, in_exec, NULL); exit(8); });
	show_status("exit", wait_for(pid));
	pid = in_child({ pthread_create(&thread[1], NULL, in_exec, NULL); raise(SIGKILL); });
	show_status("kill", wait_for(pid));
	fflush(stdout);
	return 3;
}
