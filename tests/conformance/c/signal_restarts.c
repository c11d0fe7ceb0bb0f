/* What a handler does to a call that waits: started again with SA_RESTART or ended with EINTR, call by call as signal(7) lists them. */
#include "case.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>

static volatile int handled;
static int fds[2], full[2], lock_fd;
static pid_t sleeper;
static void note(int number) { (void)number; handled++; }

/* Each waits until something that the helper does after the signal lets it go on. */
static long call_read(void) { char byte; return read(fds[0], &byte, 1); }
static long call_readv(void) { char byte; struct { void *p; size_t n; } v = { &byte, 1 }; return syscall(SYS_readv, fds[0], &v, 1); }
static long call_write(void) { static char block[65536 * 4]; return write(full[1], block, sizeof block) > 0 ? 1 : -1; }
static long call_wait(void) { int status; long r = waitpid(sleeper, &status, 0); return r > 0 ? 1 : r; }
static long call_waitid(void) { siginfo_t i; return waitid(P_PID, sleeper, &i, WEXITED); }
static long call_flock(void) { return flock(lock_fd, LOCK_EX); }
static long call_setlkw(void) { struct flock f = { .l_type = F_WRLCK }; return fcntl(lock_fd, F_SETLKW, &f); }
static long call_poll(void) { struct pollfd p = { fds[0], POLLIN }; return poll(&p, 1, -1); }
static long call_ppoll(void) { struct pollfd p = { fds[0], POLLIN }; return ppoll(&p, 1, NULL, NULL); }
static long call_select(void) { fd_set s; FD_ZERO(&s); FD_SET(fds[0], &s); return select(fds[0] + 1, &s, NULL, NULL, NULL); }
static long call_epoll(void)
{
	int e = epoll_create1(0);
	struct epoll_event v = { .events = EPOLLIN };
	epoll_ctl(e, EPOLL_CTL_ADD, fds[0], &v);
	long r = epoll_wait(e, &v, 1, -1);
	int error = errno;
	close(e);
	errno = error;
	return r;
}
static long call_nanosleep(void) { struct timespec t = { 0, 150000000 }; return nanosleep(&t, NULL); }
static long call_clock_nanosleep(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 150000000;
	if (t.tv_nsec >= 1000000000)
		t.tv_sec++, t.tv_nsec -= 1000000000;
	long r = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	errno = (int)r;
	return r ? -1 : 0;
}
static int word;
static long call_futex(void) { return syscall(SYS_futex, &word, 0, 0, NULL, NULL, 0); }
static long call_futex_timeout(void) { struct timespec t = { 0, 150000000 }; return syscall(SYS_futex, &word, 0, 0, &t, NULL, 0); }
static sem_t semaphore;
static long call_sem(void) { return sem_wait(&semaphore); }
static long call_pause(void) { return pause(); }
static long call_sigsuspend(void) { sigset_t s; sigemptyset(&s); return sigsuspend(&s); }
static long call_sigtimedwait(void) { sigset_t s; struct timespec t = { 0, 150000000 }; sigemptyset(&s); sigaddset(&s, SIGUSR2); return sigtimedwait(&s, NULL, &t); }
static long call_open_fifo(void) { int f = open("fifo", O_RDONLY); if (f >= 0) close(f); return f >= 0 ? 1 : -1; }
static long call_mutex(void) { return 0; }

static pthread_t victim;
enum help { NOTHING, PUT_BYTE, DRAIN, KILL_CHILD, WAKE, POST, OPEN_FIFO, UNLOCK };
static enum help help;
static volatile int finished;
static int helper_lock;

static void *helper(void *argument)
{
	(void)argument;
	sleep_ms(40);
	pthread_kill(victim, SIGUSR1);
	sleep_ms(40);
	switch (help) {
	case PUT_BYTE: must(write(fds[1], "x", 1)); break;
	case DRAIN: { char room[4096]; while (!finished) { if (read(full[0], room, sizeof room) <= 0) sleep_ms(1); } break; }
	case KILL_CHILD: kill(sleeper, SIGKILL); break;
	case WAKE: word = 1; syscall(SYS_futex, &word, 1, 100, NULL, NULL, 0); break;
	case POST: sem_post(&semaphore); break;
	case OPEN_FIFO: { int f = open("fifo", O_WRONLY | O_NONBLOCK); if (f >= 0) { sleep_ms(5); close(f); } break; }
	case UNLOCK: kill(sleeper, SIGKILL); break;
	default: break;
	}
	return NULL;
}

static void try_one(const char *name, long (*call)(void), enum help how, int flags)
{
	struct sigaction action = { .sa_handler = note, .sa_flags = flags };
	pthread_t thread;
	char byte;
	must(sigaction(SIGUSR1, &action, NULL));
	must(pipe(fds));
	must(pipe(full));
	fcntl(full[0], F_SETFL, O_NONBLOCK);
	word = 0;
	sem_init(&semaphore, 0, 0);
	unlink("fifo");
	mkfifo("fifo", 0600);
	handled = finished = 0;
	help = how;
	fflush(stdout);
	sleeper = must(fork());
	if (sleeper == 0) {
		if (how == UNLOCK) {
			int own = open("lock", O_RDWR);
			struct flock f = { .l_type = F_WRLCK };
			flock(own, LOCK_EX);
			fcntl(own, F_SETLKW, &f);
		}
		for (;;)
			pause();
	}
	sleep_ms(20);
	lock_fd = must(open("lock", O_RDWR | O_CREAT, 0600));
	victim = pthread_self();
	pthread_create(&thread, NULL, helper, NULL);
	errno = 0;
	long result = call();
	int error = errno;
	finished = 1;
	pthread_join(thread, NULL);
	printf("%-14s %-10s handled %d: ", name, flags & SA_RESTART ? "SA_RESTART" : "-", handled);
	printf("%s\n", result >= 0 ? "went on" : error_name(error));
	kill(sleeper, SIGKILL);
	waitpid(sleeper, NULL, 0);
	close(fds[0]), close(fds[1]), close(full[0]), close(full[1]), close(lock_fd);
}

int main(void)
{
	static const struct { const char *name; long (*call)(void); enum help how; } calls[] = {
		{ "read", call_read, PUT_BYTE }, { "readv", call_readv, PUT_BYTE }, { "wait4", call_wait, KILL_CHILD },
		{ "waitid", call_waitid, KILL_CHILD }, 
		{ "open fifo", call_open_fifo, OPEN_FIFO },
		{ "poll", call_poll, PUT_BYTE }, { "ppoll", call_ppoll, PUT_BYTE }, { "select", call_select, PUT_BYTE },
		{ "epoll_wait", call_epoll, PUT_BYTE }, { "nanosleep", call_nanosleep, NOTHING }, { "clock_nanosleep", call_clock_nanosleep, NOTHING },
		{ "futex", call_futex, WAKE }, { "futex timeout", call_futex_timeout, WAKE }, { "sem_wait", call_sem, POST },
		{ "pause", call_pause, NOTHING }, { "sigsuspend", call_sigsuspend, NOTHING }, { "sigtimedwait", call_sigtimedwait, NOTHING },
	};
	int first = must(open("lock", O_RDWR | O_CREAT, 0600));
	close(first);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		try_one(calls[i].name, calls[i].call, calls[i].how, SA_RESTART);
		try_one(calls[i].name, calls[i].call, calls[i].how, 0);
	}
	/* a write that was interrupted after part of it tells how much */
	struct sigaction action = { .sa_handler = note };
	static char block[1 << 20];
	must(sigaction(SIGALRM, &action, NULL));
	must(pipe(full));
	struct itimerval once = { { 0, 0 }, { 0, 50000 } };
	setitimer(ITIMER_REAL, &once, NULL);
	ssize_t count = write(full[1], block, sizeof block);
	printf("partial write: %s\n", count > 0 && count < (ssize_t)sizeof block ? "part" : count < 0 ? error_name(errno) : "all");
	setitimer(ITIMER_REAL, &once, NULL);
	count = write(full[1], block, 1);
	printf("write to a full pipe: %s\n", count < 0 ? error_name(errno) : "done");
	return 0;
}
