/*
 * first.c for riscv64: its first instruction reads the time, which under --icount is a hundredth of the instructions since power-on; prints those.
 * riscv64-linux-gnu-gcc -O2 -static -nostdlib -ffreestanding -fno-pie -no-pie -fno-stack-protector bench/first_riscv64.c -o first
 */
__asm__(".globl _start\n_start: rdtime a0\n andi sp, sp, -16\n call first_main");

static long call3(long number, long first, long second, long third)
{
	register long a7 __asm__("a7") = number;
	register long a0 __asm__("a0") = first;
	register long a1 __asm__("a1") = second;
	register long a2 __asm__("a2") = third;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
	return a0;
}

void first_main(unsigned long ticks)
{
	unsigned long instructions = ticks * 100;
	char text[24], *at = text + sizeof text;
	*--at = '\n';
	do
		*--at = '0' + instructions % 10;
	while (instructions /= 10);
	call3(64, 1, (long)at, text + sizeof text - at);
	call3(94, 0, 0, 0);
}
