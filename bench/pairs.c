/*
 * What a second processor gives: independent pairs of processes that send a byte to and fro, each pair kept on a processor of its own. One pair and two take
 * turns of SLICE seconds in one run, so that what else the host does meets both; a line tells how many times the work of one pair two of them do.
 * usage: pairs [ROUNDS]; needs two processors. Wall time, so only the ratio means something, and 2 can be had only if the host gives its emulator two processors.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 2
#define SLICE 0.25

static struct shared {
	volatile bool end;
	struct { volatile uint64_t done; char apart[56]; } pair[PAIRS];
} *shared;

static void stop(const char *what)
{
	perror(what);
	exit(1);
}

static void processor_keep(int number)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(number, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		stop("sched_setaffinity: two processors are needed");
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* -- kinds of work: one round, by the process that counts; the other one answers until its pipe is closed */

static int there[2], back[2];

static void compute_round(void)
{
	for (volatile int i = 0; i < 1000; i++)
		;
}

static void pipe_round(void)
{
	char byte = 0;
	if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
		stop("pipe");
}

static void memory_round(void)
{
	char *memory = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		stop("mmap");
	for (int i = 0; i < 16; i++)
		memory[i * 4096] = 1;
	munmap(memory, 16 * 4096);
}

static const struct kind {
	const char *name;
	void (*round)(void);
} kinds[] = { { "compute", compute_round }, { "memory", memory_round }, { "pipes", pipe_round } };

static void answer(void)
{
	char byte;
	close(there[1]);
	while (read(there[0], &byte, 1) == 1)
		if (write(back[1], &byte, 1) != 1)
			break;
	_exit(0);
}

static void pair_run(const struct kind *kind, int number)
{
	processor_keep(number);
	if (pipe2(there, O_CLOEXEC) || pipe2(back, O_CLOEXEC))
		stop("pipe");
	pid_t partner = kind->round == pipe_round ? fork() : -1;
	if (!partner)
		answer();
	while (!shared->end) {
		kind->round();
		shared->pair[number].done++;
	}
	close(there[1]);
	close(there[0]);
	if (partner > 0)
		waitpid(partner, NULL, 0);
	_exit(0);
}

/* Rounds a second of `count` pairs together. */
static double rate(const struct kind *kind, int count)
{
	pid_t process[PAIRS];
	shared->end = false;
	for (int i = 0; i < count; i++)
		if (!(process[i] = fork()))
			pair_run(kind, i);
	usleep(20000); /* they are there */
	uint64_t before = 0, after = 0;
	for (int i = 0; i < count; i++)
		before += shared->pair[i].done;
	double start = now();
	usleep((useconds_t)(SLICE * 1e6));
	for (int i = 0; i < count; i++)
		after += shared->pair[i].done;
	double seconds = now() - start;
	shared->end = true;
	for (int i = 0; i < count; i++) {
		int status;
		if (waitpid(process[i], &status, 0) != process[i] || status)
			stop("a pair failed");
	}
	return (double)(after - before) / seconds;
}

int main(int count, char **words)
{
	int rounds = count > 1 ? atoi(words[1]) : 5;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		stop("mmap");
	printf("%-36s %10s %10s %7s\n", "thousand rounds a second", "one", "two", "ratio");
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		double one = 0, two = 0;
		for (int round = 0; round < rounds; round++) {
			one += rate(&kinds[i], 1) / rounds;
			two += rate(&kinds[i], 2) / rounds;
		}
		printf("pairs_%-30s %10.1f %10.1f %7.2f\n", kinds[i].name, one / 1000, two / 1000, two / one);
		fflush(stdout);
	}
	return 0;
}
