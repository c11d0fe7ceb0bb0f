/*
 * Programs that take all they can get, one after another, beside a shell: each must end with errors or with its own death, while the shell goes on
 * answering. With counted instructions a nanosecond is an instruction, so the shell's answers have a bound. One line each: "ok NAME ..." or "FAIL NAME ...".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_LIMIT 100000000l /* instructions for an answer of the shell */
#define ROUND_LIMIT 200         /* answers to ask for beside one hog, 5 ms apart */

static int to_shell, from_shell;
static bool failed;

static long now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000l + time.tv_nsec;
}

static void shell_start(void)
{
	int in[2], out[2];
	if (pipe(in) || pipe(out))
		exit(2);
	pid_t shell = fork();
	if (shell == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execl("/bin/busybox", "sh", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to_shell = in[1];
	from_shell = out[0];
	fcntl(to_shell, F_SETFD, FD_CLOEXEC);
}

/* How long the shell takes to answer; -1: it does not. */
static long shell_ask(void)
{
	char answer[8] = "";
	long start = now();
	struct pollfd item = { .fd = from_shell, .events = POLLIN };
	if (write(to_shell, "echo $((1+1))\n", 14) != 14 || poll(&item, 1, 20000) != 1 || read(from_shell, answer, sizeof answer) != 2 || answer[0] != '2')
		return -1;
	return now() - start;
}

static void memory_hog(void)
{
	for (;;) {
		char *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			_exit(1);
		memset(memory, 1, 1 << 20);
	}
}

/* Page tables and regions rather than pages. */
static void mapping_hog(void)
{
	int file = open("/bin/busybox", O_RDONLY);
	volatile char sum = 0;
	for (unsigned long address = 0x10000000000ul; address < 0x300000000000ul; address += 1ul << 30) {
		char *memory = mmap((void *)address, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0);
		if (memory == MAP_FAILED)
			_exit(0);
		sum += *memory;
	}
	_exit(0);
}

static void descriptor_hog(void)
{
	int ends[2], opened = 0;
	while (pipe(ends) == 0)
		opened += 2;
	if (errno != EMFILE && errno != ENFILE && errno != ENOMEM)
		_exit(1);
	while (open("/bin/busybox", O_RDONLY) >= 0)
		opened++;
	_exit(opened > 200 ? 0 : 1);
}

/* A socket that lies in its own queue, many times. */
static void self_hog(void)
{
	for (int i = 0; i < 3000; i++) {
		int ends[2];
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
			_exit(errno == EMFILE || errno == ENOMEM || errno == ENFILE || errno == ENOBUFS ? 0 : 1);
		union { struct cmsghdr header; char room[CMSG_SPACE(2 * sizeof(int))]; } control = { .header = { CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
		memcpy(CMSG_DATA(&control.header), ends, sizeof ends);
		struct iovec byte = { "x", 1 };
		struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
		for (int k = 0; k < 4; k++)
			if (sendmsg(ends[k & 1], &message, MSG_DONTWAIT) < 0)
				break;
		close(ends[0]);
		close(ends[1]);
	}
	_exit(0);
}

/* Has others write to it and never reads. */
static void silent_client(void)
{
	int ends[2];
	static char bytes[65536];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		_exit(1);
	for (int i = 0; i < 20; i++)
		if (fork() == 0)
			for (;;)
				if (write(ends[1], bytes, sizeof bytes) < 0)
					_exit(0);
	for (;;)
		pause();
}

static void hog_run(const char *name, void (*hog)(void))
{
	long worst = 0, answers = 0;
	int status = 0;
	bool ended = false;
	pid_t child = fork();
	if (child == 0) {
		setpgid(0, 0);
		hog();
		_exit(0);
	}
	setpgid(child, child);
	for (int i = 0; i < ROUND_LIMIT && !ended; i++) {
		long answer = shell_ask();
		if (answer < 0 || answer > ANSWER_LIMIT) {
			printf("FAIL %s: the shell answers after %ld ns\n", name, answer);
			failed = true;
			break;
		}
		worst = answer > worst ? answer : worst;
		answers++;
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
		ended = waitpid(child, &status, WNOHANG) == child;
	}
	kill(-child, SIGKILL);
	if (!ended)
		waitpid(child, &status, 0);
	bool good = !ended || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (!good || shell_ask() < 0) {
		printf("FAIL %s: status %#x, or the shell is gone\n", name, status);
		failed = true;
	}
	printf("ok %s: %s, the shell's slowest of %ld answers took %ld us\n", name, !ended ? "killed" : WIFSIGNALED(status) ? "died" : "ended with errors", answers, worst / 1000);
}

int main(void)
{
	static const struct { const char *name; void (*hog)(void); } hogs[] = {
		{ "descriptors", descriptor_hog }, { "sockets in themselves", self_hog }, { "a client that never reads", silent_client }, { "mappings", mapping_hog },
		{ "memory", memory_hog },
	};
	setvbuf(stdout, NULL, _IONBF, 0);
	signal(SIGPIPE, SIG_IGN);
	shell_start();
	for (unsigned i = 0; i < sizeof hogs / sizeof *hogs; i++)
		hog_run(hogs[i].name, hogs[i].hog);
	return failed;
}
