/*
 * One thread waits in a long read while another forks: what is read then comes to the parent's memory, whoever of the two wrote to the page after
 * the fork; the child's copy is as it was at the fork.
 */
#include "case.h"
#include <pthread.h>
#include <termios.h>

#define CHECK(what) ((what) ? (void)0 : (void)printf("wrong: %s\n", #what))

static char memory[3 * 4096] __attribute__((aligned(4096)));
static volatile int reading;
static int slave;

static void *reader(void *argument)
{
	reading = 1;
	long count = read(slave, memory + 4096 - 100, 3000);
	return (void *)count;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
}

/* who: 0 nobody writes between fork and reply, 1 the parent, 2 the child */
static void round_of(int who)
{
	int go[2], master = posix_openpt(O_RDWR | O_NOCTTY);
	pthread_t thread;
	void *count;
	struct termios raw;
	grantpt(master);
	unlockpt(master);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	tcgetattr(slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	memset(memory, 'o', sizeof memory);
	reading = 0;
	CHECK(pipe(go) == 0);
	pthread_create(&thread, NULL, reader, NULL);
	while (!reading)
		nap();
	nap();
	pid_t child = fork();
	if (child == 0) {
		char byte;
		if (who == 2)
			memory[4096 + 3500] = memory[10] = 'c';
		close(go[1]);
		read(go[0], &byte, 1);
		_exit(memory[4096 - 100] == 'o' && memory[4096 + 200] == 'o' && memory[4096 + 3500] == (who == 2 ? 'c' : 'o') ? 0 : 1);
	}
	if (who == 1)
		memory[4096 + 3500] = memory[10] = 'p';
	nap();
	char line[2000]; /* longer than what travels in a message itself */
	memset(line, 'r', sizeof line);
	CHECK(write(master, line, sizeof line) == sizeof line);
	pthread_join(thread, &count);
	CHECK((long)count > 0);
	for (long i = 0; i < (long)count; i++)
		CHECK(memory[4096 - 100 + i] == 'r');
	CHECK(memory[4096 + 3500] == (who == 1 ? 'p' : 'o') && memory[10] == (who == 1 ? 'p' : 'o'));
	close(go[1]);
	int status;
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	close(go[0]);
	close(slave);
	close(master);
}

int main(void)
{
	for (int who = 0; who < 3; who++) {
		round_of(who);
		printf("round %d\n", who);
	}
	return 0;
}
