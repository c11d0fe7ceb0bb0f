/* A storm of signals against calls that make and remove files: none is lost, nothing is done twice, no call fails that would not have. */
#include "case.h"
#include <pthread.h>

static volatile long handled, queued;
static void note(int number) { (void)number; handled++; }
static void note_queued(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	if (info->si_value.sival_int != queued)
		queued = -1000000;
	queued++;
}
static volatile int stop;
static pthread_t victim;
static void *pelt(void *argument)
{
	/* Not without pause: a fork begins anew at each signal, on Linux too, and would never end. */
	struct timespec pause = { 0, 20000 }; /* Linux makes some 80000 of it */
	while (!stop) {
		pthread_kill(victim, SIGUSR1);
		nanosleep(&pause, NULL);
	}
	return argument;
}
static int failures;
static void expect(long result, const char *what)
{
	if (result == -1 && failures++ < 5)
		printf("%s: %s\n", what, error_name(errno));
}

int main(void)
{
	struct sigaction action = { .sa_handler = note, .sa_flags = SA_RESTART };
	pthread_t thread;
	sigaction(SIGUSR1, &action, NULL);
	action = (struct sigaction){ .sa_sigaction = note_queued, .sa_flags = SA_RESTART | SA_SIGINFO };
	sigaction(SIGRTMIN, &action, NULL);
	victim = pthread_self();

	/* from a thread of its own, and by a timer */
	struct itimerval often = { { 0, 700 }, { 0, 700 } }, never = { 0 };
	signal(SIGALRM, note);
	pthread_create(&thread, NULL, pelt, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 300 || (handled <= 100 && i < 30000); i++) {
		char name[32], other[32];
		snprintf(name, sizeof name, "d%d", i);
		snprintf(other, sizeof other, "f%d", i);
		expect(mkdir(name, 0755), "mkdir");
		if (mkdir(name, 0755) == 0 || errno != EEXIST)
			failures++;
		int fd = open(other, O_CREAT | O_EXCL | O_RDWR, 0644);
		expect(fd, "open");
		expect(write(fd, "0123456789", 10) == 10 ? 0 : -1, "write");
		expect(close(fd), "close");
		expect(link(other, "linked"), "link");
		expect(symlink(other, "symbolic"), "symlink");
		expect(rename("linked", "renamed"), "rename");
		expect(unlink("renamed"), "unlink");
		expect(unlink("symbolic"), "unlink symbolic");
		expect(rmdir(name), "rmdir");
		if (rmdir(name) == 0 || errno != ENOENT)
			failures++;
		fd = open(other, O_WRONLY | O_APPEND);
		expect(write(fd, "ab", 2) == 2 ? 0 : -1, "append");
		close(fd);
		struct stat status;
		expect(stat(other, &status), "stat");
		if (status.st_size != 12 || status.st_nlink != 1)
			failures++;
		expect(unlink(other), "unlink file");
		if (i % 30 == 0) {
			pid_t child = fork();
			if (child == 0)
				_exit(i / 30 % 256);
			int s = wait_for(child);
			if (WEXITSTATUS(s) != i / 30 % 256)
				failures++;
		}
	}
	setitimer(ITIMER_REAL, &never, NULL);
	stop = 1;
	pthread_join(thread, NULL);
	printf("failures %d, signals came %s\n", failures, handled > 100 ? "in numbers" : "hardly");

	/* from another process: queued, so each of them is counted */
	int fds[2];
	must(pipe(fds));
	pid_t parent = getpid();
	pid_t child = in_child({
		for (int i = 0; i < 2000; i++) {
			while (sigqueue(parent, SIGRTMIN, (union sigval){ .sival_int = i }) < 0)
				sleep_ms(1);
			if (i % 16 == 0)
				sched_yield();
		}
		must(write(fds[1], "e", 1));
	});
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	char byte;
	long rounds = 0;
	for (bool ended = false; !ended || rounds < 50;) {
		if (read(fds[0], &byte, 1) == 1)
			ended = true;
		expect(mkdir("again", 0700), "mkdir");
		expect(rmdir("again"), "rmdir");
		int fd = open("file", O_CREAT | O_EXCL | O_WRONLY, 0600);
		expect(fd, "open");
		close(fd);
		expect(unlink("file"), "unlink");
		rounds++;
	}
	show_status("sender", wait_for(child));
	for (int i = 0; i < 1000 && queued < 2000; i++)
		sleep_ms(1);
	printf("failures %d, queued signals %ld\n", failures, queued);
	show_result("the directory is empty", rmdir("."));
	return 0;
}
