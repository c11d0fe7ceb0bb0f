/* What the kernel counts (/proc/carillon), for programs that compare what was with what is left. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct counts { unsigned long objects, handles, processes, threads, bytes, pages, heaps; };

/* pages: without those of the servers themselves; heaps: bytes of servers with the heap of heap/. Ends the program where there are no counts. */
static struct counts counts_now(void)
{
	struct counts c = { 0 };
	char text[256] = "";
	unsigned long servers; /* pages of their own */
	sync(); /* has servers forget what they kept of what is gone, for their successors */
	int file = open("/proc/carillon", O_RDONLY);
	if (file < 0 || read(file, text, sizeof text - 1) <= 0 || sscanf(text, "objects %lu processes %lu threads %lu bytes %lu pages %lu handles %lu servers %lu heaps %lu", &c.objects, &c.processes, &c.threads, &c.bytes, &c.pages,
		&c.handles, &servers, &c.heaps) != 8) {
		printf("FAIL no counts: this needs the kernel that checks itself\n");
		exit(1);
	}
	close(file);
	c.pages -= servers;
	return c;
}

/* What was left behind, in words, without an end of line. */
static int counts_tell(char *text, size_t size, const struct counts *before, const struct counts *now)
{
	return snprintf(text, size, "%ld objects, %ld handles, %ld processes, %ld threads, %ld bytes of the kernel, %ld pages, %ld bytes of servers",
		(long)(now->objects - before->objects), (long)(now->handles - before->handles), (long)(now->processes - before->processes), (long)(now->threads - before->threads),
		(long)(now->bytes - before->bytes), (long)(now->pages - before->pages), (long)(now->heaps - before->heaps));
}
