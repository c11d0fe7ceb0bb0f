/* Floating-point and vector registers survive switches between processes, signals, fork and faults. */
#include "case.h"
#include "machine.h"
#include <fenv.h>

static volatile sig_atomic_t ticks;
static void on_tick(int number)
{
	(void)number;
	volatile double noise = 1.5;
	for (int i = 0; i < 50; i++)
		noise = noise * 1.000001 + (double)i;
	ticks++;
}
static double compute(double seed, int rounds)
{
	double a = seed, b = seed / 3, c = 1, d = seed * seed;
	for (int i = 0; i < rounds; i++) {
		a = a * 0.999 + b;
		b = b * 1.0001 - c * 0.001;
		c = c + a / (d + 1e9);
		d = d * 0.99999 + c;
	}
	return a + b + c + d;
}

int main(void)
{
	signal(SIGALRM, on_tick);
	double alone = compute(2.5, 3000000);
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };
	pid_t pid[3];
	for (int i = 0; i < 3; i++)
		pid[i] = in_child({ double first = compute(i + 1.25, 1500000); double second = compute(i + 1.25, 1500000); _exit(first == second ? 0 : 1); });
	must(setitimer(ITIMER_REAL, &often, NULL));
	double disturbed = compute(2.5, 3000000);
	while (ticks < 3)
		disturbed = compute(2.5, 3000000);
	must(setitimer(ITIMER_REAL, &never, NULL));
	printf("%.17g\n", alone);
	check(alone == disturbed);
	for (int i = 0; i < 3; i++)
		show_status("child", wait_for(pid[i]));
	check(machine_keep_over_call(alone) == alone);
	/* rounding mode is a process's own and inherited by fork */
	fesetround(FE_DOWNWARD);
	volatile double one = 1, three = 3;
	volatile double down = one / three;
	show_status("child", wait_for(in_child({ _exit(fegetround() == FE_DOWNWARD ? 1 : 2); })));
	fesetround(FE_UPWARD);
	volatile double up = one / three;
	fesetround(FE_TONEAREST);
	check(down < up);
	long double wide = 1.0L / 3.0L;
	printf("%.18Lg\n", wide);
	return 0;
}
