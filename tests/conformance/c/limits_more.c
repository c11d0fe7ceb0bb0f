/* More limits: the stack's, and what it means for arguments; queued signals; limits while threads run; those of another process. */
#include "case.h"
#include <pthread.h>
#include <sys/resource.h>

static char *self;
static volatile int exceeded, go;
static void note(int number) { (void)number; exceeded++; }
static void limit(int resource, long soft)
{
	struct rlimit l;
	must(getrlimit(resource, &l));
	l.rlim_cur = (rlim_t)soft;
	must(setrlimit(resource, &l));
}
static int down(int n) { volatile char room[1024]; room[0] = (char)n; return n ? down(n - 1) + room[0] * 0 : 0; }

static void run_deep(const char *text, long stack, const char *kilobytes)
{
	show_status(text, wait_for(in_child({
		limit(RLIMIT_STACK, stack);
		execl(self, "limits_more", "deep", kilobytes, NULL);
		_exit(98);
	})));
}

static void run_arguments(const char *text, long stack, int count, size_t size)
{
	char **words = calloc((size_t)count + 3, sizeof *words), *word = calloc(1, size + 1);
	memset(word, 'a', size);
	words[0] = "limits_more";
	words[1] = "none";
	for (int i = 0; i < count; i++)
		words[2 + i] = word;
	show_status(text, wait_for(in_child({
		limit(RLIMIT_STACK, stack);
		execve(self, words, NULL);
		printf("%s\n", error_name(errno));
	})));
}

static long queued_of_user(void)
{
	char text[4096];
	int fd = must(open("/proc/self/status", O_RDONLY));
	ssize_t count = must(read(fd, text, sizeof text - 1));
	close(fd);
	text[count] = 0;
	char *line = strstr(text, "SigQ:");
	return line ? strtol(line + 5, NULL, 10) : 0;
}

static void *waits(void *argument)
{
	(void)argument;
	while (!go)
		sleep_ms(1);
	return NULL;
}

static void *writes(void *argument)
{
	int fd = *(int *)argument;
	printf("other thread: %zd\n", write(fd, "x", 1));
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "deep"))
		return down(atoi(argv[2])), 5;
	if (argc > 1 && !strcmp(argv[1], "none"))
		return 6;
	self = argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0);

	/* the stack, at exec and afterwards */
	run_deep("twelve megabytes of sixteen", 16 << 20, "10000");
	run_deep("twelve megabytes of eight", 8 << 20, "10000");
	run_deep("three megabytes of one", 1 << 20, "3000");
	run_deep("half a megabyte of one", 1 << 20, "400");
	run_deep("of unlimited", -1, "20000");
	show_status("raised", wait_for(in_child({ limit(RLIMIT_STACK, 32 << 20); down(20000); _exit(7); })));
	show_status("lowered", wait_for(in_child({ limit(RLIMIT_STACK, 512 << 10); down(100); printf("a little\n"); down(3000); _exit(8); })));

	/* arguments */
	run_arguments("little stack", 256 << 10, 1, 100000);
	run_arguments("little stack, too much", 256 << 10, 2, 90000);
	run_arguments("pointers count", 256 << 10, 14000, 1);
	run_arguments("two megabytes of eight", 8 << 20, 20, 100000);
	run_arguments("more", 8 << 20, 22, 100000);
	run_arguments("much stack", 64 << 20, 50, 100000);
	run_arguments("never more than six megabytes", 64 << 20, 65, 100000);

	/* queued signals */
	wait_for(in_child({
		sigset_t set;
		siginfo_t info;
		union sigval value = { .sival_int = 5 };
		struct timespec now = { 0, 0 };
		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN);
		sigaddset(&set, SIGRTMIN + 1);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		limit(RLIMIT_SIGPENDING, queued_of_user() + 3);
		for (int i = 0; i < 4; i++, value.sival_int++)
			show_result("sigqueue", sigqueue(getpid(), SIGRTMIN, value));
		show_result("kill", kill(getpid(), SIGRTMIN + 1));
		show_result("again", kill(getpid(), SIGRTMIN + 1));
		show_result("an ordinary one", kill(getpid(), SIGUSR1));
		int number;
		while ((number = sigtimedwait(&set, &info, &now)) > 0)
			printf("signal %d code %d value %d\n", number >= SIGRTMIN ? number - SIGRTMIN + 100 : number, info.si_code,
				info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
		show_result("room again", sigqueue(getpid(), SIGRTMIN, value));
		printf("a child %d\n", WEXITSTATUS(wait_for(in_child({
			struct rlimit l;
			getrlimit(RLIMIT_SIGPENDING, &l);
			int count = 0;
			while (count < 50 && !sigqueue(getpid(), SIGRTMIN, value))
				count++;
			_exit(count <= 3 ? 3 : count);
		}))));
	}));

	/* while threads run: file size, and record locks that go with any descriptor of the file */
	wait_for(in_child({
		pthread_t thread[2];
		char block[600] = { 0 };
		pthread_create(&thread[0], NULL, waits, NULL);
		int fd = must(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
		signal(SIGXFSZ, note);
		limit(RLIMIT_FSIZE, 1000);
		show_result("first", write(fd, block, 600));
		show_result("to the limit", write(fd, block, 600));
		pthread_create(&thread[1], NULL, writes, &fd);
		pthread_join(thread[1], NULL);
		show_result("beyond", write(fd, block, 600));
		printf("signals %d\n", exceeded);
		limit(RLIMIT_FSIZE, -1);
		show_result("without", write(fd, block, 600));
		int other = must(open("file", O_RDWR));
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		show(fcntl(fd, F_SETLK, &lock));
		close(other);
		pid_t pid = in_child({
			struct flock test = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
			fcntl(fd, F_GETLK, &test);
			printf("lock %s\n", test.l_type == F_UNLCK ? "gone" : "kept");
		});
		wait_for(pid);
		go = 1;
		pthread_join(thread[0], NULL);
	}));

	/* another process's */
	int ready[2], start[2];
	char c;
	must(pipe(ready));
	must(pipe(start));
	pid_t pid = in_child({
		must(write(ready[1], "r", 1));
		must(read(start[0], &c, 1));
		int last = 0;
		int fd;
		while ((fd = dup(0)) >= 0)
			last = fd;
		printf("last descriptor %d, %s\n", last, error_name(errno));
		for (fd = 10; fd <= last; fd++)
			close(fd);
		signal(SIGXFSZ, note);
		fd = must(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
		printf("write %zd\n", pwrite(fd, "0123456789", 10, 999993));
		struct rlimit l;
		getrlimit(RLIMIT_FSIZE, &l);
		printf("limit %ld, signals %d\n", (long)l.rlim_cur, exceeded);
		must(write(ready[1], "r", 1));
		for (;;)
			;
	});
	must(read(ready[0], &c, 1));
	struct rlimit old, new = { 20, 30 };
	show(prlimit(pid, RLIMIT_NOFILE, &new, NULL));
	show(prlimit(pid, RLIMIT_NOFILE, NULL, &old));
	printf("told %ld %ld\n", (long)old.rlim_cur, (long)old.rlim_max);
	new = (struct rlimit){ 1000000, 2000000 };
	show(prlimit(pid, RLIMIT_FSIZE, &new, &old));
	check(old.rlim_cur == RLIM_INFINITY);
	getrlimit(RLIMIT_NOFILE, &old);
	check(old.rlim_cur != 20);
	must(write(start[1], "s", 1));
	must(read(ready[0], &c, 1));
	new = (struct rlimit){ 1, RLIM_INFINITY };
	show(prlimit(pid, RLIMIT_CPU, &new, NULL));
	int status = wait_for(pid);
	show_status("processor time", status);
	show(prlimit(pid, RLIMIT_CPU, NULL, &old));
	show(prlimit(getpid(), RLIMIT_CPU, NULL, &old));
	show(prlimit(getpid(), 99, NULL, &old));
	new = (struct rlimit){ 2, 1 };
	show(prlimit(getppid(), RLIMIT_CPU, &new, NULL));

	/* root is exempt */
	show_status("processes", wait_for(in_child({ limit(RLIMIT_NPROC, 1); show_status("fork", wait_for(in_child(_exit(3)))); })));
	return 0;
}
