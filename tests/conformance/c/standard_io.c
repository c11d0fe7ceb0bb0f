/* libc's buffered files over the system: reading, writing, seeking, temporary files, output at exit. */
#include "case.h"

static void at_exit(void) { printf("at exit\n"); }

int main(int argc, char **argv)
{
	(void)argc; (void)argv;
	atexit(at_exit);
	FILE *file = fopen("numbers", "w+");
	for (int i = 0; i < 20000; i++)
		fprintf(file, "%d %s\n", i, i % 3 ? "x" : "three");
	printf("written %ld\n", ftell(file));
	rewind(file);
	long sum = 0;
	int number, lines = 0;
	char word[16];
	while (fscanf(file, "%d %15s", &number, word) == 2) {
		sum += number;
		lines++;
	}
	printf("lines %d, sum %ld, end %d\n", lines, sum, !!feof(file));
	fseek(file, -8, SEEK_END);
	printf("tail %s", fgets(word, sizeof word, file));
	fclose(file);
	file = fopen("numbers", "r+");
	fseek(file, 2, SEEK_SET);
	fputs("THREE", file);
	fflush(file);
	fseek(file, 0, SEEK_SET);
	printf("changed %s", fgets(word, sizeof word, file));
	fclose(file);
	file = fopen("numbers", "a");
	fputs("appended\n", file);
	fclose(file);
	show(fopen("missing", "r") ? 0 : -1);
	show(fopen("numbers", "wx") ? 0 : -1);
	file = tmpfile();
	check(file != NULL);
	fputs("temporary", file);
	rewind(file);
	printf("%s\n", fgets(word, sizeof word, file));
	fclose(file);
	char name[] = "unique-XXXXXX";
	int fd = must(mkstemp(name));
	check(strlen(name) == 13 && strcmp(name, "unique-XXXXXX"));
	close(fd);
	char *line = NULL;
	size_t size = 0;
	file = fopen("numbers", "r");
	ssize_t length, longest = 0;
	while ((length = getline(&line, &size, file)) > 0)
		if (length > longest)
			longest = length;
	printf("longest line %zd\n", longest);
	fclose(file);
	file = fopen("/dev/full", "w");
	setvbuf(file, NULL, _IOFBF, 4096);
	printf("to a full device: %d", fputs("text", file) >= 0);
	int flushed = fflush(file);
	printf(" %d %s\n", flushed, error_name(errno));
	fclose(file);
	static char memory[1000];
	FILE *in_memory = fmemopen(memory, sizeof memory, "w");
	fprintf(in_memory, "%5.2f|%-6d|%+d|%#x|%e|%c|%%", 3.14159, 42, 7, 255, 12345.678, 'c');
	fclose(in_memory);
	printf("%s\n", memory);
	fprintf(stderr, "unbuffered error\n");
	for (int i = 0; i < 3000; i++)
		printf("%d%c", i, i % 20 == 19 ? '\n' : ' ');
	printf("no newline at the end");
	return 12;
}
