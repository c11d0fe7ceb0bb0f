/* Several processes append to one file and to one pipe at once; nothing is lost or mixed. */
#include "case.h"

int main(void)
{
	enum { PROCESSES = 6, LINES = 300 };
	int p[2];
	must(pipe(p));
	put_file("log", "");
	for (int w = 0; w < PROCESSES; w++)
		in_child({
			int fd = must(open("log", O_WRONLY | O_APPEND));
			char line[64];
			for (int i = 0; i < LINES; i++) {
				int length = snprintf(line, sizeof line, "writer %d line %03d of some length\n", w, i);
				must(write(fd, line, (size_t)length));
				must(write(p[1], line, (size_t)length));
			}
		});
	close(p[1]);
	FILE *source[2] = { fdopen(p[0], "r"), NULL };
	for (int s = 0; s < 2; s++) {
		int next[PROCESSES] = { 0 }, bad = 0, writer, number;
		char line[128];
		if (s == 1) {
			while (wait(NULL) > 0)
				;
			source[1] = fopen("log", "r");
		}
		while (fgets(line, sizeof line, source[s])) {
			char rest[64] = "";
			if (sscanf(line, "writer %d line %d of some length%63[^\n]", &writer, &number, rest) != 2 || writer < 0 || writer >= PROCESSES || next[writer] != number)
				bad++;
			else
				next[writer]++;
		}
		printf("%s: bad %d, lines", s ? "file" : "pipe", bad);
		for (int w = 0; w < PROCESSES; w++)
			printf(" %d", next[w]);
		printf("\n");
	}
	struct stat status;
	must(stat("log", &status));
	show(status.st_size);
	return 0;
}
