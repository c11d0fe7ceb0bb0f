/* Faults become signals: address, code, alternate stacks, going on elsewhere. */
#include "case.h"
#include "machine.h"
#include <setjmp.h>

static sigjmp_buf back;
static siginfo_t seen;
static volatile int on_alternate;
static char *alternate;
enum { ALTERNATE = 65536 };
static void handler(int number, siginfo_t *information, void *context)
{
	char here;
	(void)context;
	seen = *information;
	on_alternate = &here >= alternate && &here < alternate + ALTERNATE;
	siglongjmp(back, number);
}
static void stepping(int number, siginfo_t *information, void *context)
{
	(void)number; (void)information;
	machine_step(context, 1234);
}
#define fault(text, statement) do { \
	int number_ = sigsetjmp(back, 1); \
	if (number_ == 0) { statement; printf("%s: nothing happened\n", text); } \
	else printf("%s: signal %d code %d\n", text, number_, seen.si_code); } while (0)
static int recurse(int n) { volatile char room[4096]; room[0] = (char)n; return n <= 0 ? room[0] : recurse(n - 1) + recurse(n - 1) + room[0]; }

int main(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	int numbers[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	for (int i = 0; i < 5; i++)
		must(sigaction(numbers[i], &action, NULL));
	char *page = must(mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	must(munmap(page + 4096, 4096));
	volatile char *wild = page + 4096 + 17;
	fault("read unmapped", (void)*wild);
	check(seen.si_addr == wild);
	fault("write read-only", page[33] = 1);
	check(seen.si_addr == page + 33);
	volatile int *null = NULL;
	fault("write null", *null = 1);
	check(seen.si_addr == NULL);
	fault("non-canonical", (void)*(volatile char *)0x0000a00000000000ul);
	fault("kernel address", (void)*(volatile char *)0xffffffff80100000ul);
	fault("run data", ((void (*)(void))(uintptr_t)page)());
	check(seen.si_addr == page);
	volatile int one = 1, zero = 0;
	fault("divide by zero", one = one / zero);
	fault("illegal instruction", __asm__ volatile(ILLEGAL));
	fault("breakpoint", __asm__ volatile(BREAKPOINT));
	fault("privileged instruction", __asm__ volatile(PRIVILEGED));
	put_file("short", "tiny");
	int fd = must(open("short", O_RDWR));
	char *file = must(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	printf("in the file: %.4s, behind its end: %d\n", file, file[100]);
	fault("beyond the last page", (void)*(volatile char *)(file + 4096));
	check(seen.si_addr == file + 4096);
	must(ftruncate(fd, 0));
	fault("after truncation", (void)*(volatile char *)file);
	must(ftruncate(fd, 8192));
	fault("grown again", (void)*(volatile char *)(file + 4096));

	/* a stack overflow can be handled on another stack */
	alternate = malloc(ALTERNATE);
	stack_t stack = { .ss_sp = alternate, .ss_size = ALTERNATE }, now;
	must(sigaltstack(&stack, NULL));
	fault("stack overflow", recurse(1 << 20));
	printf("on the alternate stack: %d\n", on_alternate);
	must(sigaltstack(NULL, &now));
	check(now.ss_sp == alternate && now.ss_flags == 0);
	show(sigaltstack(&(stack_t){ .ss_sp = alternate, .ss_size = 100 }, NULL));
	stack.ss_flags = SS_DISABLE;
	must(sigaltstack(&stack, NULL));
	fault("read unmapped", (void)*wild);
	printf("on the alternate stack: %d\n", on_alternate);

	/* the handler changes where and how to go on */
	action.sa_sigaction = stepping;
	must(sigaction(SIGILL, &action, NULL));
	printf("went on with %ld\n", machine_illegal());

	/* without a handler, or blocked, or ignored: death */
	for (int how = 0; how < 3; how++) {
		pid_t pid = in_child({
			if (how < 2) signal(SIGSEGV, how ? SIG_IGN : SIG_DFL);
			sigset_t mask; sigemptyset(&mask); sigaddset(&mask, SIGSEGV);
			if (how == 2) sigprocmask(SIG_BLOCK, &mask, NULL);
			*wild = 1;
		});
		show_status(how == 0 ? "default" : how == 1 ? "ignored" : "blocked", wait_for(pid));
	}
	signal(SIGFPE, SIG_DFL);
	show_status("divide by zero", wait_for(in_child({ one = one / zero; })));
	signal(SIGSEGV, SIG_DFL);
	show_status("stack overflow", wait_for(in_child({ recurse(1 << 20); })));
	show_status("abort", wait_for(in_child({ abort(); })));
	return 0;
}
