/* exec: arguments, environment, descriptors and signals across it, and every way it can fail. */
#include "case.h"

static char *self;
static int report(int argc, char **argv)
{
	extern char **environ;
	printf("argc %d\n", argc);
	for (int i = 2; i < argc; i++)
		if (strlen(argv[i]) > 200)
			printf("argv[%d] has %zu bytes of %c\n", i, strlen(argv[i]), argv[i][0]);
		else
			printf("argv[%d] = [%s]\n", i, argv[i]);
	for (char **e = environ; *e; e++)
		printf("environment [%.60s]\n", *e);
	for (int fd = 3; fd < 16; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("descriptor %d is open\n", fd);
	sigset_t mask;
	struct sigaction action;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	printf("USR1 blocked %d, USR2 blocked %d\n", sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2));
	sigaction(SIGHUP, NULL, &action);
	printf("HUP ignored %d\n", action.sa_handler == SIG_IGN);
	sigaction(SIGTERM, NULL, &action);
	printf("TERM default %d\n", action.sa_handler == SIG_DFL);
	printf("umask %03o\n", umask(0));
	return 17;
}
static void handler(int number) { (void)number; }
static void run(const char *text, char *const *arguments, char *const *environment)
{
	show_status(text, wait_for(in_child({ execve(self, arguments, environment); printf("%s: %s\n", text, error_name(errno)); fflush(stdout); _exit(98); })));
}
static void failing(const char *path)
{
	char *arguments[] = { "x", NULL };
	show_status(path, wait_for(in_child({ execve(path, arguments, arguments + 1); printf("exec %s: %s\n", path, error_name(errno)); fflush(stdout); _exit(97); })));
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "report"))
		return report(argc, argv);
	if (argc > 1 && !strcmp(argv[1], "count")) {
		size_t bytes = 0;
		for (int i = 0; i < argc; i++)
			bytes += strlen(argv[i]);
		printf("counted %d arguments, %zu bytes\n", argc, bytes);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "pending")) {
		sigset_t mask;
		sigpending(&mask);
		printf("USR1 pending %d\n", sigismember(&mask, SIGUSR1));
		fflush(stdout);
		sigemptyset(&mask);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		printf("not reached\n");
		return 0;
	}
	self = argv[0];
	char *empty[] = { NULL };
	run("no arguments but two", (char *[]){ "name", "report", NULL }, empty);
	run("arguments", (char *[]){ "name", "report", "a", "", "with blank", "\xff\x01", NULL }, (char *[]){ "A=1", "B=", "EMPTY", "C=x=y", NULL });
	char *large = malloc(100001), *larger = malloc(140000);
	memset(large, 'L', 100000);
	large[100000] = 0;
	memset(larger, 'X', 139999);
	larger[139999] = 0;
	run("large argument", (char *[]){ "name", "report", large, NULL }, empty);
	run("too large argument", (char *[]){ "name", "report", larger, NULL }, empty);
	char **many = calloc(5001, sizeof *many);
	many[0] = "name";
	many[1] = "report-not";
	for (int i = 2; i < 5000; i++)
		many[i] = "0123456789";
	pid_t pid = in_child({ many[1] = "count"; execve(self, many, empty); _exit(98); });
	show_status("many arguments", wait_for(pid));

	int kept = must(open(".", O_RDONLY)), closed = must(open(".", O_RDONLY | O_CLOEXEC));
	printf("opened %d and %d\n", kept, closed);
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, handler);
	umask(027);
	run("inherited", (char *[]){ "name", "report", NULL }, empty);
	/* a pending blocked signal survives exec */
	pid = in_child({ kill(getpid(), SIGUSR1); execve(self, (char *[]){ "name", "pending", NULL }, empty); });
	show_status("pending", wait_for(pid));
	umask(022);

	put_file("not-executable", "#!/bin/busybox sh\necho no\n");
	put_file("empty", "");
	chmod("empty", 0755);
	put_file("junk", "\x7f" "ELFjunk that is not a program at all");
	chmod("junk", 0755);
	put_file("script", "#!/bin/busybox sh\necho script \"$@\"\nexit 9\n");
	chmod("script", 0755);
	put_file("lost-script", "#!/no/such/interpreter\n");
	chmod("lost-script", 0755);
	symlink("script", "link");
	symlink("loop", "loop");
	failing("missing");
	failing("not-executable");
	failing("not-executable/below");
	failing("empty");
	failing("junk");
	failing(".");
	failing("loop");
	failing("lost-script");
	failing("");
	static char long_name[5000];
	memset(long_name, 'n', sizeof long_name - 1);
	pid = in_child({ execve(long_name, (char *[]){ "x", NULL }, empty); printf("long name: %s\n", error_name(errno)); });
	wait_for(pid);
	pid = in_child({ execve("script", (char *[]){ "script", "1", "2 3", NULL }, empty); _exit(1); });
	show_status("script", wait_for(pid));
	pid = in_child({ execve("link", (char *[]){ "link", "l", NULL }, empty); _exit(1); });
	show_status("script through a link", wait_for(pid));
	pid = in_child({ int fd = open("script", O_RDONLY); lseek(fd, 3, SEEK_SET); fexecve(fd, (char *[]){ "fd", "f", NULL }, empty); _exit(1); });
	show_status("fexecve", wait_for(pid));
	/* a failed exec leaves everything as it was */
	char *private = must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	private[0] = 's';
	succeeds(execl("missing", "missing", (char *)NULL));
	succeeds(execl("junk", "junk", (char *)NULL));
	printf("still here: %c %d\n", private[0], fcntl(closed, F_GETFD));
	return 0;
}
