/* flock: by open file description, shared by dup and fork. */
#include "case.h"
#include <sys/file.h>

static int go[2], done[2];
static void tell(int *p) { must(write(p[1], "x", 1)); }
static void hear(int *p) { char c; must(read(p[0], &c, 1)); }
static void nothing(int signal) { (void)signal; }

int main(void)
{
	must(pipe(go));
	must(pipe(done));
	int one = must(open("file", O_RDWR | O_CREAT, 0600)), two = must(open("file", O_RDONLY)), three = must(open("file", O_WRONLY));
	show(flock(one, LOCK_SH | LOCK_NB));
	show(flock(two, LOCK_SH | LOCK_NB));
	show(flock(three, LOCK_EX | LOCK_NB));
	show(flock(one, LOCK_UN));
	show(flock(two, LOCK_EX | LOCK_NB));
	show(flock(one, LOCK_SH | LOCK_NB));
	show(flock(two, LOCK_SH | LOCK_NB));
	show(flock(one, LOCK_SH | LOCK_NB));
	show(flock(one, LOCK_EX | LOCK_NB)); /* a failed change loses the lock */
	show(flock(two, LOCK_EX | LOCK_NB));
	/* fcntl's locks are another matter */
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	show(fcntl(one, F_SETLK, &lock));
	/* duplicates are one */
	int copy = must(dup(two));
	show(flock(copy, LOCK_EX | LOCK_NB));
	close(two);
	show(flock(one, LOCK_EX | LOCK_NB));
	show(flock(copy, LOCK_UN));
	show(flock(one, LOCK_EX | LOCK_NB));
	/* a child shares it and can give it up for all */
	pid_t pid = in_child({ show(flock(one, LOCK_EX | LOCK_NB)); show(flock(copy, LOCK_EX | LOCK_NB)); show(flock(one, LOCK_UN)); });
	wait_for(pid);
	show(flock(copy, LOCK_EX | LOCK_NB));
	show(flock(copy, LOCK_UN));
	/* waiting for a child that ends */
	pid = in_child({
		int own = must(open("file", O_RDWR));
		show(flock(own, LOCK_EX));
		tell(done);
		hear(go);
		sleep_ms(60);
	});
	hear(done);
	show(flock(one, LOCK_SH | LOCK_NB));
	tell(go);
	show(flock(one, LOCK_SH));
	wait_for(pid);
	/* several wait, one after another gets it */
	show(flock(one, LOCK_EX));
	for (int i = 0; i < 3; i++)
		in_child({
			int own = must(open("file", O_RDWR));
			must(flock(own, LOCK_EX));
			must(write(done[1], "x", 1));
			sleep_ms(20);
		});
	sleep_ms(60);
	struct pollfd item = { done[0], POLLIN, 0 };
	show(poll(&item, 1, 0));
	show(flock(one, LOCK_UN));
	for (int i = 0; i < 3; i++)
		hear(done);
	while (wait(NULL) > 0)
		;
	/* interrupted */
	struct sigaction action = { .sa_handler = nothing };
	sigaction(SIGALRM, &action, NULL);
	show(flock(copy, LOCK_EX));
	struct itimerval timer = { .it_value = { 0, 50000 } };
	setitimer(ITIMER_REAL, &timer, NULL);
	show(flock(one, LOCK_EX));
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	pid = in_child({ sleep_ms(150); show(flock(copy, LOCK_UN)); });
	setitimer(ITIMER_REAL, &timer, NULL);
	show(flock(one, LOCK_EX));
	wait_for(pid);
	/* others */
	int directory = must(open(".", O_RDONLY));
	show(flock(directory, LOCK_EX | LOCK_NB));
	show(flock(must(open("file", O_PATH)), LOCK_SH));
	show(flock(99, LOCK_SH));
	show(flock(one, 0));
	show(flock(one, LOCK_SH | LOCK_EX));
	return 0;
}
