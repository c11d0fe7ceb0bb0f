/* Where handlers run and how they are left: alternate stacks, overflow, siglongjmp, nested handlers, vector registers kept. */
#include "case.h"
#include "machine.h"
#include <pthread.h>
#include <setjmp.h>

static char *stack;
static size_t stack_size = 65536;
static volatile int on_stack, depth;
static sigjmp_buf jump;
static stack_t inside;

static bool is_on_stack(void) { char here; return &here >= stack && &here < stack + stack_size; }
static void note_stack(int number) { (void)number; on_stack = is_on_stack(); sigaltstack(NULL, &inside); }
static void jump_out(int number) { on_stack = is_on_stack(); siglongjmp(jump, number); }
static void change_inside(int number)
{
	(void)number;
	stack_t other = { .ss_flags = SS_DISABLE };
	show_result("sigaltstack while on it", sigaltstack(&other, NULL));
}
static int overflow(int n)
{
	volatile char room[4096];
	room[0] = (char)n;
	depth = n;
	return overflow(n + 1) + room[0];
}
static void nested(int number)
{
	printf("in %d\n", number == SIGUSR1 ? 1 : 2);
	if (number == SIGUSR1)
		raise(SIGUSR2);
	printf("out %d\n", number == SIGUSR1 ? 1 : 2);
}
static void spoil(int number)
{
	(void)number;
	machine_spoil();
}
static void *thread_stack(void *argument)
{
	stack_t old;
	sigaltstack(NULL, &old);
	printf("a new thread has %s alternate stack\n", old.ss_flags & SS_DISABLE ? "no" : "an");
	return argument;
}
static void edit(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	ucontext_t *c = context;
	machine_step(c, 4711);
	sigaddset(&c->uc_sigmask, SIGUSR2);
}

int main(void)
{
	struct sigaction action = { .sa_handler = note_stack };
	stack_t value, old;
	stack = must(mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	must(sigaltstack(NULL, &old));
	check(old.ss_flags == SS_DISABLE);
	value = (stack_t){ .ss_sp = stack, .ss_size = 100 };
	show_result("too small", sigaltstack(&value, NULL));
	value = (stack_t){ .ss_sp = stack, .ss_size = stack_size, .ss_flags = 0x40 };
	show_result("bad flags", sigaltstack(&value, NULL));
	value.ss_flags = 0;
	show_result("set", sigaltstack(&value, NULL));
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	printf("without SA_ONSTACK: %d, flags %d\n", on_stack, inside.ss_flags);
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	printf("with it: %d, flags %d\n", on_stack, inside.ss_flags);
	action.sa_handler = change_inside;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	pthread_t thread;
	pthread_create(&thread, NULL, thread_stack, NULL);
	pthread_join(thread, NULL);

	/* overflow of the ordinary stack, twice */
	action.sa_handler = jump_out;
	sigaction(SIGSEGV, &action, NULL);
	for (int i = 0; i < 2; i++) {
		struct rlimit_like { int unused; };
		int number = sigsetjmp(jump, 1);
		if (!number)
			overflow(0);
		printf("overflow: signal %d, on the alternate stack %d, deep enough %d\n", number, on_stack, depth > 1000);
	}
	/* without an alternate stack it is the end */
	pid_t child = in_child({
		stack_t none = { .ss_flags = SS_DISABLE };
		sigaltstack(&none, NULL);
		overflow(0);
	});
	show_status("overflow without one", wait_for(child));
	/* overflow of the alternate stack itself */
	child = in_child({
		action.sa_handler = (void (*)(int))overflow;
		action.sa_flags = SA_ONSTACK | SA_NODEFER;
		sigaction(SIGSEGV, &action, NULL);
		mprotect(stack, 8192, PROT_NONE);
		raise(SIGSEGV);
	});
	show_status("overflow of the alternate stack", wait_for(child));
	/* fork keeps it, a thread-less child of exec would not */
	child = in_child({
		sigaltstack(NULL, &old);
		check(old.ss_sp == stack && old.ss_size == stack_size);
	});
	wait_for(child);

	/* siglongjmp restores the mask, many times */
	sigset_t mask;
	action = (struct sigaction){ .sa_handler = jump_out };
	sigaction(SIGUSR1, &action, NULL);
	volatile int count = 0;
	for (volatile int i = 0; i < 10000; i++) {
		if (!sigsetjmp(jump, 1))
			raise(SIGUSR1);
		else
			count++;
	}
	sigprocmask(SIG_SETMASK, NULL, &mask);
	printf("jumped out %d times, blocked %d\n", count, sigismember(&mask, SIGUSR1));
	if (!sigsetjmp(jump, 0))
		raise(SIGUSR1);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	printf("without the mask: blocked %d\n", sigismember(&mask, SIGUSR1));
	sigemptyset(&mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);

	/* nesting and masks */
	action.sa_handler = nested;
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	raise(SIGUSR1);
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);

	/* vector registers */
	action = (struct sigaction){ .sa_handler = spoil };
	sigaction(SIGUSR1, &action, NULL);
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { 0 };
	sigaction(SIGALRM, &action, NULL);
	long wrong = 0;
	setitimer(ITIMER_REAL, &often, NULL);
	double end = seconds_now() + 0.2;
	unsigned long pattern[4] = { 0x1111222233334444ul, 0x5555666677778888ul, 0x9999aaaabbbbccccul, 0xddddeeeeffff0000ul };
	while (seconds_now() < end)
		for (int i = 0; i < 2000; i++)
			wrong += machine_registers_change(pattern);
	setitimer(ITIMER_REAL, &never, NULL);
	printf("registers spoiled %ld times\n", wrong);

	/* the handler may change the registers it returns to */
	action = (struct sigaction){ .sa_sigaction = edit, .sa_flags = SA_SIGINFO };
	sigaction(SIGILL, &action, NULL);
	long result = machine_illegal();
	sigprocmask(SIG_SETMASK, NULL, &mask);
	printf("after the illegal instruction: %ld, SIGUSR2 blocked %d\n", result, sigismember(&mask, SIGUSR2));
	return 0;
}
