/* Who a signal is from, as its receiver is told; and signals to a process whose main thread ends meanwhile. */
#include "case.h"
#include <pthread.h>

static volatile siginfo_t seen;
static volatile int got;
static void note(int number, siginfo_t *info, void *context) { (void)number, (void)context; memcpy((void *)&seen, info, sizeof seen); got++; }
static void count(int number, siginfo_t *info, void *context) { (void)number, (void)context; __sync_fetch_and_add(&got, info->si_value.sival_int == 3); }

static void tell(const char *text, pid_t self, pid_t parent)
{
	while (!got)
		usleep(1000);
	printf("%s: code %d, from %s, user %u, value %d\n", text, seen.si_code, seen.si_pid == self ? "itself" : seen.si_pid == parent ? "the parent" :
		seen.si_pid == 1234 ? "1234" : "another", seen.si_uid, seen.si_code == SI_QUEUE ? seen.si_value.sival_int : 0);
	got = 0;
}

#define SIGNALS 300
static volatile int leaving;
static void *receiver(void *argument)
{
	(void)argument;
	for (int i = 0; (got < SIGNALS || !leaving) && i < 20000; i++)
		usleep(500);
	_exit(got == SIGNALS ? 11 : 12);
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	siginfo_t info = { 0 };
	sigaction(SIGUSR1, &action, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);

	kill(getpid(), SIGUSR1);
	tell("kill", getpid(), getppid());
	syscall(SYS_tkill, getpid(), SIGUSR1);
	tell("tkill", getpid(), getppid());
	info.si_signo = SIGUSR1;
	info.si_code = SI_QUEUE;
	info.si_pid = 1234;
	info.si_uid = 77;
	info.si_value.sival_int = 5;
	show(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
	tell("rt_sigqueueinfo", getpid(), getppid());
	show(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &info));
	tell("rt_tgsigqueueinfo", getpid(), getppid());
	pid_t self = getpid(), pid = in_child({
		kill(self, SIGUSR1);
		sleep_ms(100);
		syscall(SYS_rt_sigqueueinfo, self, SIGUSR1, &info);
		sleep_ms(100);
		info.si_code = SI_USER;
		show_result("as kill", syscall(SYS_rt_sigqueueinfo, self, SIGUSR1, &info));
		info.si_code = SI_TKILL;
		show_result("as tkill", syscall(SYS_rt_tgsigqueueinfo, self, self, SIGUSR1, &info));
		info.si_code = SI_ASYNCIO;
		show_result("as anything else", syscall(SYS_rt_tgsigqueueinfo, self, self, SIGUSR1, &info));
	});
	tell("a child's kill", self, getppid());
	tell("its rt_sigqueueinfo", self, getppid());
	tell("its rt_tgsigqueueinfo", self, getppid());
	wait_for(pid);

	/* the main thread ends while signals come: none is lost, and nothing breaks */
	int ends[13] = { 0 };
	for (int round = 0; round < 12; round++) {
		int ready[2];
		char c;
		must(pipe(ready));
		pid = in_child({
			pthread_t thread;
			action.sa_sigaction = count;
			sigaction(SIGRTMIN, &action, NULL);
			for (int i = 0; i < 3; i++)
				pthread_create(&thread, NULL, receiver, NULL);
			must(write(ready[1], "r", 1));
			usleep((useconds_t)(round % 6) * 700);
			leaving = 1;
			pthread_exit(NULL);
		});
		must(read(ready[0], &c, 1));
		union sigval value = { .sival_int = 3 };
		for (int i = 0; i < SIGNALS; i++) {
			while (sigqueue(pid, SIGRTMIN, value) < 0 && errno == EAGAIN)
				usleep(1000);
			if (i % 16 == 0)
				usleep(300);
		}
		int status = wait_for(pid);
		ends[WIFEXITED(status) && WEXITSTATUS(status) < 13 ? WEXITSTATUS(status) : 0]++;
		close(ready[0]);
		close(ready[1]);
	}
	printf("all signals came: %d times\n", ends[11]);
	return 0;
}
