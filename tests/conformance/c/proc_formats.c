/* The form of /proc's files: numbers are masked, what a program told the system itself (name, arguments, limits, masks) is compared as it is. */
#include "case.h"
#include <ctype.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

static char text[65536];

static ssize_t get(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t total = 0, count = -1;
	while (fd >= 0 && (count = read(fd, text + total, sizeof text - 1 - (size_t)total)) > 0)
		total += count;
	if (fd >= 0)
		close(fd);
	text[fd < 0 || count < 0 ? 0 : total] = 0;
	return fd < 0 || count < 0 ? -1 : total;
}

/* The line with every run of digits shown as 9, keeping the width of right-aligned numbers */
static void show_masked(const char *line)
{
	bool digits = false;
	for (; *line && *line != '\n'; line++) {
		if (isdigit((unsigned char)*line)) {
			if (!digits)
				putchar('9');
			digits = true;
		} else {
			putchar(*line == '\t' ? '>' : *line);
			digits = false;
		}
	}
	putchar('\n');
}

static char *line_of(const char *key)
{
	size_t length = strlen(key);
	for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (!strncmp(line, key, length))
			return line;
	return NULL;
}

static void show_line(const char *key, bool masked)
{
	char *line = line_of(key);
	if (!line)
		printf("no line %s\n", key);
	else if (masked)
		show_masked(line);
	else
		printf("%.*s\n", (int)strcspn(line, "\n"), line);
}

/* Column of the last character of a number that is followed by " kB" */
static void show_width(const char *key)
{
	char *line = line_of(key);
	printf("%s ends at %d\n", key, line ? (int)(strstr(line, " kB") - line) : -1);
}

static void stat_fields(const char *path, pid_t pid)
{
	char name[32];
	int number, parent, group, session;
	char state;
	get(path);
	char *rest = strrchr(text, ')');
	int fields = 2;
	for (char *at = rest + 1; at && *at; at++)
		fields += *at == ' ';
	printf("fields: %d\n", fields);
	check(sscanf(text, "%d (%31[^)]) %c %d %d %d", &number, name, &state, &parent, &group, &session) == 6);
	check(number == pid);
	printf("name %s, state %c\n", name, state);
	check(group == getpgrp());
	check(session == getsid(0));
	check(text[strlen(text) - 1] == '\n');
}

static unsigned long field(int wanted)
{
	char *at = strrchr(text, ')') + 1;
	for (int i = 2; i < wanted && at; i++)
		at = strchr(at, ' ') + (i > 2 ? 1 : 1);
	return strtoul(at, NULL, 10);
}

static void own_stat(char **arguments, char **environment)
{
	prctl(PR_SET_NAME, "my name");
	stat_fields("/proc/self/stat", getpid());
	check(field(4) == (unsigned long)getppid());
	check(field(19) == 0 && field(18) == 20);
	check(field(20) == 1);
	check(field(23) > 4096);
	check(field(25) == RLIM_INFINITY);
	check(field(28) > (unsigned long)&wait_for && field(28) <= (unsigned long)arguments[0]);
	check(field(38) == SIGCHLD || field(38) == 0);
	check(field(47) <= (unsigned long)sbrk(0));
	check(field(48) == (unsigned long)arguments[0]);
	check(field(50) == (unsigned long)environment[0]);
	check(field(49) <= field(50) && field(51) > field(50));
	show_file("/proc/self/comm");
	get("/proc/self/statm");
	show_masked(text);
}

static void own_status(void)
{
	static const char *const exact[] = { "Name:", "Umask:", "State:", "TracerPid:", "Ngid:", "Threads:", "SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:",
		"CapInh:", "CapAmb:", "NoNewPrivs:", "Seccomp:", "Mems_allowed_list:", "VmLck:", "VmSwap:" };
	static const char *const masked[] = { "Tgid:", "Pid:", "PPid:", "Uid:", "Gid:", "FDSize:", "NStgid:", "NSpid:", "NSpgid:", "NSsid:", "SigQ:",
		"voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:" };
	static const char *const sizes[] = { "VmPeak:", "VmSize:", "VmHWM:", "VmRSS:", "RssAnon:", "RssFile:", "RssShmem:", "VmData:", "VmStk:", "VmExe:", "VmLib:", "VmPTE:" };
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR2);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, exit);
	umask(027);
	get("/proc/self/status");
	for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
		show_line(exact[i], false);
	for (size_t i = 0; i < sizeof masked / sizeof *masked; i++)
		show_line(masked[i], true);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		show_width(sizes[i]);
	umask(022);
}

static void own_maps(void)
{
	char path[PATH_MAX], *heap = sbrk(8192);
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
	path[length < 0 ? 0 : length] = 0;
	bool forms = true, in_heap = false, in_stack = false, names = true, code = false;
	get("/proc/self/maps");
	unsigned long last = 0;
	for (char *line = text; *line; line = strchr(line, '\n') + 1) {
		unsigned long start, end, offset, inode;
		unsigned major, minor;
		char rights[5], name[300] = "";
		int at = 0, found = sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %n%299[^\n]", &start, &end, rights, &offset, &major, &minor, &inode, &at, name);
		forms = forms && found >= 7 && start < end && start >= last && strspn(rights, "rwxps-") == 4;
		names = names && (!name[0] || line[72] == ' ') && (!name[0] || strchr(line, name[0]) != NULL) && (!name[0] || !strncmp(line + 73, name, strlen(name)));
		in_heap = in_heap || (!strcmp(name, "[heap]") && (unsigned long)heap >= start && (unsigned long)heap < end);
		in_stack = in_stack || (!strcmp(name, "[stack]") && (unsigned long)&length >= start && (unsigned long)&length < end);
		code = code || (!strcmp(name, path) && (unsigned long)own_maps >= start && (unsigned long)own_maps < end && !strcmp(rights, "r-xp") && inode);
		last = end;
	}
	check(forms);
	check(names);
	check(in_heap);
	check(in_stack);
	check(code);
	check(strstr(text, "[vdso]") != NULL);

	char here[PATH_MAX], wanted[2 * PATH_MAX];
	put_file("mapped", "a page of a file");
	int fd = must(open("mapped", O_RDWR));
	must(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
	must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	close(fd);
	get("/proc/self/maps");
	getcwd(here, sizeof here);
	snprintf(wanted, sizeof wanted, " %s/mapped\n", here);
	char *first = strstr(text, wanted), *second = first ? strstr(first + 1, wanted) : NULL;
	check(first && second);
	check(strstr(text, " rw-s 00000000 ") != NULL);
}

static void own_rest(void)
{
	struct rlimit limit = { 100, 200 };
	setrlimit(RLIMIT_NOFILE, &limit);
	get("/proc/self/limits");
	show_line("Limit", false);
	show_line("Max open files", false);
	show_line("Max core file size", true);
	show_line("Max nice priority", true);
	get("/proc/self/auxv");
	ElfW(auxv_t) *vector = (void *)text;
	while (vector->a_type != AT_NULL && vector->a_type != AT_PAGESZ)
		vector++;
	check(vector->a_un.a_val == getauxval(AT_PAGESZ));
	show_file("/proc/self/oom_score_adj");
	get("/proc/self/mounts");
	check(strstr(text, " / ") && strstr(text, " /proc proc rw,"));
	show_masked(line_of("proc "));
	get("/proc/self/mountinfo");
	check(strstr(text, " / / ") && strstr(text, " /proc rw,") && strstr(text, " - proc proc rw"));
}

static void descriptors(void)
{
	char path[64], target[PATH_MAX], here[PATH_MAX];
	struct stat status;
	put_file("file", "contents of the file");
	int fd = must(open("file", O_RDWR | O_APPEND)), ends[2], high = must(fcntl(fd, F_DUPFD_CLOEXEC, 40));
	must(pipe(ends));
	char bytes[8];
	must(read(fd, bytes, 8));
	getcwd(here, sizeof here);
	snprintf(path, sizeof path, "/proc/self/fd/%d", high);
	ssize_t length = must(readlink(path, target, sizeof target - 1));
	target[length] = 0;
	check(!strncmp(target, here, strlen(here)) && !strcmp(target + strlen(here), "/file"));
	must(lstat(path, &status));
	printf("mode %o\n", status.st_mode);
	must(stat(path, &status));
	printf("size %ld\n", (long)status.st_size);
	rename("file", "moved");
	length = must(readlink(path, target, sizeof target - 1));
	check(length > 6 && !strncmp(target + length - 6, "/moved", 6));
	snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
	length = must(readlink(path, target, sizeof target - 1));
	target[length] = 0;
	show_masked(target);
	lstat(path, &status);
	printf("mode %o\n", status.st_mode);
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", high);
	get(path);
	show_line("pos:", false);
	show_line("flags:", false);
	show_result("readlink(\"/proc/self/fd/99\")", readlink("/proc/self/fd/99", target, sizeof target));
	show_result("open(\"/proc/self/fd/x\")", open("/proc/self/fd/x", O_RDONLY));
	close(ends[0]);
	close(ends[1]);
	close(fd);
	close(high);
}

static void children(void)
{
	char path[64], target[PATH_MAX], expected[PATH_MAX];
	pid_t pid = in_child({ chdir("/proc"); int fd = open("/dev/null", O_RDONLY); dup2(fd, 50); prctl(PR_SET_NAME, "child"); raise(SIGSTOP); });
	int status;
	waitpid(pid, &status, WUNTRACED);
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	stat_fields(path, pid);
	static const char *const links[] = { "cwd", "root", "fd/50" };
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, links[i]);
		ssize_t length = readlink(path, target, sizeof target - 1);
		printf("%s: %.*s\n", links[i], (int)length, target);
	}
	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	ssize_t length = readlink(path, target, sizeof target), own = readlink("/proc/self/exe", expected, sizeof expected);
	check(length == own && !memcmp(target, expected, (size_t)own));
	snprintf(path, sizeof path, "/proc/%d/environ", pid);
	get(path);
	printf("environment: %s, %s\n", text, text + strlen(text) + 1);
	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	length = get(path);
	printf("arguments: %s, %s, %s\n", text, text + strlen(text) + 1, text[length - 1] ? "not ended" : "ended");
	kill(pid, SIGCONT);
	kill(pid, SIGKILL);
	siginfo_t info;
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	stat_fields(path, pid);
	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	show_result("get(cmdline)", get(path));
	wait_for(pid);
	show_result("access(gone)", access(path, F_OK));
}

static void of_system(void)
{
	struct utsname name;
	uname(&name);
	double a, b, c;
	unsigned running, all, last;
	get("/proc/sys/kernel/hostname");
	check(!strncmp(text, name.nodename, strlen(name.nodename)) && text[strlen(name.nodename)] == '\n');
	get("/proc/sys/kernel/osrelease");
	check(!strncmp(text, name.release, strlen(name.release)) && text[strlen(name.release)] == '\n');
	get("/proc/sys/kernel/version");
	check(!strncmp(text, name.version, strlen(name.version)) && text[strlen(name.version)] == '\n');
	get("/proc/version");
	check(!strncmp(text, "Linux version ", 14) && !strncmp(text + 14, name.release, strlen(name.release)));
	show_file("/proc/sys/kernel/ostype");
	get("/proc/loadavg");
	check(sscanf(text, "%lf %lf %lf %u/%u %u\n", &a, &b, &c, &running, &all, &last) == 6 && running >= 1 && all >= running && last >= (unsigned)getpid());
	get("/proc/uptime");
	check(sscanf(text, "%lf %lf\n", &a, &b) == 2 && text[strlen(text) - 4] == '.');
	get("/proc/stat");
	show_masked(text);
	show_line("cpu0 ", true);
	static const char *const keys[] = { "ctxt", "btime", "processes", "procs_running", "procs_blocked" };
	for (int i = 0; i < 5; i++)
		show_line(keys[i], true);
	get("/proc/meminfo");
	static const char *const sizes[] = { "MemTotal:", "MemFree:", "MemAvailable:", "Buffers:", "Cached:", "SwapTotal:", "SwapFree:", "AnonPages:", "Shmem:",
		"Slab:", "PageTables:", "CommitLimit:", "Committed_AS:" };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		show_width(sizes[i]);
	show_line("HugePages_Total:", false);
	get("/proc/cpuinfo");
	show_line("processor", true);
	static const char *const headings[] = { "vendor_id\t: ", "cpu family\t: ", "model\t\t: ", "model name\t: ", "flags\t\t: fpu ", "cpu MHz\t\t: ", "bogomips\t: ",
		"address sizes\t: " };
	for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
		printf("%s: %s\n", headings[i], line_of(headings[i]) ? "yes" : "NO");
	get("/proc/filesystems");
	check(line_of("nodev\tproc\n") && line_of("nodev\ttmpfs\n"));
	static const char *const one_number[] = { "vm/overcommit_memory", "vm/max_map_count", "vm/swappiness", "kernel/pid_max", "kernel/threads-max", "kernel/cap_last_cap",
		"kernel/ngroups_max", "fs/file-max", "fs/pipe-max-size", "kernel/random/entropy_avail" };
	for (size_t i = 0; i < sizeof one_number / sizeof *one_number; i++) {
		char path[64], *end;
		snprintf(path, sizeof path, "/proc/sys/%s", one_number[i]);
		get(path);
		strtoul(text, &end, 10);
		printf("%s: %s\n", one_number[i], end > text && !strcmp(end, "\n") ? "a number" : text);
	}
}

int main(int count, char **arguments, char **environment)
{
	if (count < 2) {
		char *again[] = { "formats", "second argument", NULL }, *variables[] = { "ONE=1", "TWO=zwei", NULL };
		execve("/proc/self/exe", again, variables);
		return 99;
	}
	own_stat(arguments, environment);
	own_status();
	own_maps();
	own_rest();
	descriptors();
	children();
	of_system();
	return 0;
}
