/* Its first instruction reads the time-stamp counter, which under --icount is the number of instructions since power-on; prints that number. */
__asm__(".globl _start\n_start: rdtsc\n shl $32, %rdx\n or %rax, %rdx\n mov %rdx, %rdi\n and $-16, %rsp\n call first_main");

static long call3(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

void first_main(unsigned long instructions)
{
	char text[24], *at = text + sizeof text;
	*--at = '\n';
	do
		*--at = '0' + instructions % 10;
	while (instructions /= 10);
	call3(1, 1, (long)at, text + sizeof text - at);
	call3(231, 0, 0, 0);
}
