/* Threads in /proc: a folder each, with their names, states and numbers. */
#include "case.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/prctl.h>

static pid_t number[3];
static pthread_barrier_t barrier;

static void *work(void *argument)
{
	long i = (long)argument;
	char name[16];
	snprintf(name, sizeof name, "worker %ld", i);
	prctl(PR_SET_NAME, name);
	number[i] = (pid_t)syscall(SYS_gettid);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static int count_entries(const char *path)
{
	DIR *directory = opendir(path);
	int count = 0;
	for (struct dirent *entry; directory && (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static void show_key(const char *text, const char *key, long unlike)
{
	const char *line = strstr(text, key);
	long value = line ? strtol(line + strlen(key), NULL, 10) : -1;
	printf("%s %s\n", key + 1, value == unlike ? "as expected" : "ANOTHER");
}

int main(void)
{
	pthread_t thread[3];
	char path[64], text[8192];
	pthread_barrier_init(&barrier, NULL, 4);
	for (long i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, work, (void *)i);
	pthread_barrier_wait(&barrier);
	printf("%d threads\n", count_entries("/proc/self/task"));
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "/proc/self/task/%d/comm", number[i]);
		int fd = must(open(path, O_RDONLY));
		ssize_t length = read(fd, text, sizeof text);
		close(fd);
		printf("%.*s", (int)length, text);
		snprintf(path, sizeof path, "/proc/self/task/%d/status", number[i]);
		fd = must(open(path, O_RDONLY));
		length = read(fd, text, sizeof text - 1);
		text[length < 0 ? 0 : length] = 0;
		close(fd);
		show_key(text, "\nTgid:\t", getpid());
		show_key(text, "\nPid:\t", number[i]);
		show_key(text, "\nThreads:\t", 4);
		snprintf(path, sizeof path, "/proc/%d/task/%d/stat", getpid(), number[i]);
		fd = must(open(path, O_RDONLY));
		length = read(fd, text, sizeof text - 1);
		text[length < 0 ? 0 : length] = 0;
		close(fd);
		check(atoi(text) == number[i]);
		check(strstr(text, "(worker ") != NULL);
	}
	snprintf(path, sizeof path, "/proc/self/task/%d", getppid());
	show(access(path, F_OK));
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
