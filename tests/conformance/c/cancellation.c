/* Cancellation: in every call that waits, before it, and anywhere; clean-up handlers run, and nothing that was waited for is lost. */
#include "case.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore, ready;
static int empty[2], full[2], pair[2], listener, epoll, file;
static pthread_t sleeper;
static int order[2], steps;
static volatile int locked_in_handler, handlers, beyond;

static void wait_read(void) { char c; read(empty[0], &c, 1); }
static void wait_readv(void) { char c; struct iovec v = { &c, 1 }; readv(empty[0], &v, 1); }
static void wait_write(void) { write(full[1], "x", 1); }
static void wait_writev(void) { struct iovec v = { "x", 1 }; writev(full[1], &v, 1); }
static void wait_poll(void) { struct pollfd p = { empty[0], POLLIN }; poll(&p, 1, -1); }
static void wait_ppoll(void) { struct pollfd p = { empty[0], POLLIN }; ppoll(&p, 1, NULL, NULL); }
static void wait_select(void) { fd_set set; FD_ZERO(&set); FD_SET(empty[0], &set); select(empty[0] + 1, &set, NULL, NULL, NULL); }
static void wait_pselect(void) { fd_set set; FD_ZERO(&set); FD_SET(empty[0], &set); pselect(empty[0] + 1, &set, NULL, NULL, NULL, NULL); }
static void wait_epoll(void) { struct epoll_event e; epoll_wait(epoll, &e, 1, -1); }
static void wait_recv(void) { char c; recv(pair[0], &c, 1, 0); }
static void wait_recvmsg(void) { char c; struct iovec v = { &c, 1 }; struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 }; recvmsg(pair[0], &m, 0); }
static void wait_send(void) { static char block[65536]; for (;;) send(pair[0], block, sizeof block, 0); }
static void wait_accept(void) { accept(listener, NULL, NULL); }
static void wait_open(void) { open("fifo", O_RDONLY); }
static void wait_sleep(void) { sleep(1000); }
static void wait_usleep(void) { for (;;) usleep(900000); }
static void wait_nanosleep(void) { struct timespec t = { 1000, 0 }; nanosleep(&t, NULL); }
static void wait_clock(void) { struct timespec t = { 1000, 0 }; clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL); }
static void wait_pause(void) { pause(); }
static void wait_sigsuspend(void) { sigset_t s; sigemptyset(&s); sigsuspend(&s); }
static void wait_sigwait(void) { sigset_t s; int n; sigemptyset(&s); sigaddset(&s, SIGUSR2); sigwait(&s, &n); }
static void wait_sigtimedwait(void) { sigset_t s; struct timespec t = { 1000, 0 }; sigemptyset(&s); sigaddset(&s, SIGUSR2); sigtimedwait(&s, NULL, &t); }
static void wait_child(void) { int status; waitpid(-1, &status, 0); }
static void wait_id(void) { siginfo_t i; waitid(P_ALL, 0, &i, WEXITED); }
static void wait_join(void) { pthread_join(sleeper, NULL); }
static void wait_semaphore(void) { sem_wait(&semaphore); }
static void wait_lock(void) { struct flock l = { .l_type = F_WRLCK }; fcntl(file, F_SETLKW, &l); }
static void wait_test(void) { for (;;) { pthread_testcancel(); sched_yield(); } }
static void unlock(void *argument) { locked_in_handler = pthread_mutex_trylock(&mutex) == EBUSY; pthread_mutex_unlock(argument); }
static void wait_condition(void)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	for (;;)
		pthread_cond_wait(&condition, &mutex);
	pthread_cleanup_pop(0);
}
static void wait_condition_timed(void)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 1000;
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	while (!pthread_cond_timedwait(&condition, &mutex, &end))
		;
	pthread_cleanup_pop(0);
}

static const struct { const char *name; void (*wait)(void); } waits[] = {
	{ "read", wait_read }, { "readv", wait_readv }, { "write", wait_write }, { "writev", wait_writev }, { "poll", wait_poll },
	{ "ppoll", wait_ppoll }, { "select", wait_select }, { "pselect", wait_pselect }, { "epoll_wait", wait_epoll }, { "recv", wait_recv },
	{ "recvmsg", wait_recvmsg }, { "send", wait_send }, { "accept", wait_accept }, { "open", wait_open }, { "sleep", wait_sleep },
	{ "usleep", wait_usleep }, { "nanosleep", wait_nanosleep }, { "clock_nanosleep", wait_clock }, { "pause", wait_pause },
	{ "sigsuspend", wait_sigsuspend }, { "sigwait", wait_sigwait }, { "sigtimedwait", wait_sigtimedwait }, { "waitpid", wait_child },
	{ "waitid", wait_id }, { "pthread_join", wait_join }, { "sem_wait", wait_semaphore }, { "fcntl", wait_lock },
	{ "pthread_testcancel", wait_test }, { "pthread_cond_wait", wait_condition }, { "pthread_cond_timedwait", wait_condition_timed },
};

static void note(void *argument) { if (steps < 2) order[steps] = (int)(intptr_t)argument; steps++; }

static void *in_wait(void *argument)
{
	pthread_cleanup_push(note, (void *)2);
	pthread_cleanup_push(note, (void *)1);
	sem_post(&ready);
	((void (*)(void))argument)();
	beyond = errno ? errno : -1;
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

/* The request is there before the call. */
static void *before_wait(void *argument)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	sem_post(&ready);
	while (sem_wait(&semaphore))
		;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	((void (*)(void))argument)();
	beyond = 1;
	return NULL;
}

/* Not while it is disabled: a signal that the C library sends for it does not show. */
static void *disabled(void *argument)
{
	int old;
	char c;
	(void)argument;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	sem_post(&ready);
	long count = read(empty[0], &c, 1);
	pthread_setcancelstate(old, NULL);
	if (count == 1 && c == 'y')
		beyond = 2;
	pthread_testcancel();
	return NULL;
}

static void count(void *argument) { (void)argument; __sync_fetch_and_add(&handlers, 1); }

static void *compute(void *argument)
{
	volatile unsigned long sum = 0;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	pthread_cleanup_push(count, NULL);
	if (argument)
		sem_post(argument);
	for (;;)
		sum++;
	pthread_cleanup_pop(0);
}

/* Calls that wait and calls that do not, until it is cancelled in any of them. */
static void *busy(void *argument)
{
	int fds[2], end = (int)(intptr_t)argument;
	pthread_cleanup_push(count, NULL);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	must(pipe(fds));
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	for (int i = 0;; i++) {
		char c = 'x';
		struct pollfd p = { fds[0], POLLIN };
		struct timespec t = { 0, 1000 };
		write(fds[1], &c, 1);
		poll(&p, 1, -1);
		read(fds[0], &c, 1);
		if (i % 8 == end % 8)
			nanosleep(&t, NULL);
		pthread_testcancel();
	}
	pthread_cleanup_pop(0);
}

static const char *end_of(pthread_t thread)
{
	void *result;
	pthread_join(thread, &result);
	return result == PTHREAD_CANCELED ? "cancelled" : "not cancelled";
}

int main(void)
{
	pthread_t thread;
	sigset_t set;
	char block[4096] = { 0 };
	struct sockaddr_un address = { AF_UNIX, "socket" };

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	must(pipe(empty));
	must(pipe(full));
	fcntl(full[1], F_SETFL, O_NONBLOCK);
	while (write(full[1], block, sizeof block) > 0)
		;
	fcntl(full[1], F_SETFL, 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	listener = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(bind(listener, (struct sockaddr *)&address, sizeof address));
	must(listen(listener, 1));
	must(mkfifo("fifo", 0600));
	epoll = must(epoll_create(1));
	file = must(open("file", O_RDWR | O_CREAT, 0600));
	sem_init(&semaphore, 0, 0);
	sem_init(&ready, 0, 0);
	pid_t holder = in_child({
		struct flock lock = { .l_type = F_WRLCK };
		must(fcntl(file, F_SETLK, &lock));
		must(write(pair[1], "k", 1));
		for (;;)
			pause();
	});
	must(read(pair[0], block, 1));
	pthread_create(&sleeper, NULL, in_wait, wait_pause);
	sem_wait(&ready);

	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		steps = beyond = locked_in_handler = 0;
		pthread_create(&thread, NULL, in_wait, waits[i].wait);
		sem_wait(&ready);
		sleep_ms(5);
		pthread_cancel(thread);
		const char *end = end_of(thread);
		printf("%s: %s, handlers %d %d of %d%s%s\n", waits[i].name, end, order[0], order[1], steps, beyond ? ", went on" : "",
			locked_in_handler ? ", mutex held" : "");
		beyond = 0;
		pthread_create(&thread, NULL, before_wait, waits[i].wait);
		sem_wait(&ready);
		pthread_cancel(thread);
		sem_post(&semaphore);
		end = end_of(thread);
		printf("before: %s%s\n", end, beyond ? ", went on" : "");
	}
	pthread_cancel(sleeper);
	printf("still to be joined: %s\n", end_of(sleeper));

	/* what was waited for is still there */
	must(write(empty[1], "z", 1));
	beyond = 0;
	pthread_create(&thread, NULL, before_wait, wait_read);
	sem_wait(&ready);
	pthread_cancel(thread);
	sem_post(&semaphore);
	const char *end = end_of(thread);
	printf("with a byte to read: %s%s\n", end, beyond ? ", went on" : "");
	printf("read %zd\n", read(empty[0], block, 1));
	pthread_create(&thread, NULL, disabled, NULL);
	sem_wait(&ready);
	pthread_cancel(thread);
	sleep_ms(20);
	must(write(empty[1], "y", 1));
	end = end_of(thread);
	printf("disabled: %s, %d\n", end, beyond);
	printf("mutex free: %d\n", pthread_mutex_trylock(&mutex));

	/* anywhere */
	pthread_create(&thread, NULL, compute, &ready);
	sem_wait(&ready);
	pthread_cancel(thread);
	end = end_of(thread);
	printf("computing: %s, handlers %d\n", end, handlers);
	handlers = 0;
	bool good = true;
	for (int round = 0; round < 30; round++) {
		pthread_t threads[6];
		for (int i = 0; i < 6; i++)
			pthread_create(&threads[i], NULL, i % 3 ? busy : compute, i % 3 ? (void *)(intptr_t)(i + round) : &ready);
		for (int i = 0; i < 2; i++)
			sem_wait(&ready);
		usleep((useconds_t)(round % 7) * 500 + 2000);
		for (int i = 0; i < 6; i++)
			pthread_cancel(threads[i]);
		for (int i = 0; i < 6; i++)
			good &= !strcmp(end_of(threads[i]), "cancelled");
		for (int fd = holder ? 20 : 0; fd < 64; fd++)
			close(fd);
	}
	check(good);
	printf("handlers at least 60: %s\n", handlers >= 60 && handlers <= 180 ? "yes" : "NO");
	kill(holder, SIGKILL);
	show_status("holder", wait_for(holder));
	return 0;
}
