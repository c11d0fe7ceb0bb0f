/* vfork, posix_spawn, system, popen. */
#include "case.h"
#include <spawn.h>

extern char **environ;
int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "child")) {
		char line[100];
		printf("child:");
		for (int i = 2; i < argc; i++)
			printf(" %s", argv[i]);
		printf("\n");
		if (argc > 2 && !strcmp(argv[2], "read") && fgets(line, sizeof line, stdin))
			printf("child read %s", line);
		fprintf(stderr, "child error\n");
		return 21;
	}
	volatile int changed = 0;
	fflush(stdout);
	pid_t pid = vfork();
	if (pid == 0) {
		changed = 1;
		execl(argv[0], argv[0], "child", "by-vfork", (char *)NULL);
		_exit(1);
	}
	int was_changed = changed, status = wait_for(pid);
	printf("parent went on after exec; changed %d\n", was_changed);
	show_status("vfork and exec", status);
	fflush(stdout);
	pid = vfork();
	if (pid == 0)
		_exit(33);
	show_status("vfork and exit", wait_for(pid));
	fflush(stdout);
	pid = vfork();
	if (pid == 0) {
		execl("missing", "missing", (char *)NULL);
		_exit(errno == ENOENT ? 44 : 45);
	}
	show_status("vfork and failing exec", wait_for(pid));

	posix_spawn_file_actions_t actions;
	put_file("input", "line from the file\n");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "input", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "output", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	char *arguments[] = { argv[0], "child", "read", NULL };
	show(posix_spawn(&pid, argv[0], &actions, NULL, arguments, environ));
	show_status("spawned", wait_for(pid));
	show_file("output");
	show(posix_spawn(&pid, "missing", NULL, NULL, arguments, environ));
	fflush(stdout);
	show_status("true", system("exit 0"));
	show_status("exit 3", system("exit 3"));
	show_status("echo", system("echo from the shell; echo two | cat"));
	show_status("not found", system("no-such-command-here 2>/dev/null"));
	show_status("killed", system("kill -9 $$"));
	fflush(stdout);
	FILE *pipe_file = popen("cat; echo closing; exit 5", "w");
	fprintf(pipe_file, "into the pipe\n");
	show_status("popen w", pclose(pipe_file));
	pipe_file = popen("echo one; echo two", "r");
	char line[64];
	while (fgets(line, sizeof line, pipe_file))
		printf("popen read %s", line);
	show_status("popen r", pclose(pipe_file));
	for (int i = 0; i < 30; i++) {
		fflush(stdout);
		pid = vfork();
		if (pid == 0)
			_exit(i);
		if (WEXITSTATUS(wait_for(pid)) != i)
			printf("wrong status\n");
	}
	printf("thirty vforks\n");
	return 0;
}
