/* brk: the data segment grows and shrinks; memory is zero each time. Raw calls: some libcs do not offer sbrk. */
#include "case.h"

int main(void)
{
	uintptr_t start = (uintptr_t)syscall(SYS_brk, 0);
	check(start != 0);
	check((uintptr_t)syscall(SYS_brk, start + (16 << 20)) == start + (16 << 20));
	char *memory = (char *)start;
	size_t nonzero = 0;
	for (size_t i = 0; i < 16 << 20; i++)
		nonzero += memory[i] != 0;
	printf("nonzero %zu\n", nonzero);
	memset(memory, 'b', 16 << 20);
	uintptr_t half = (start + (8 << 20) + 4095) & ~4095ul;
	check((uintptr_t)syscall(SYS_brk, half) == half);
	check((uintptr_t)syscall(SYS_brk, start + (16 << 20)) == start + (16 << 20));
	printf("kept %c, new %d\n", memory[half - start - 1], memory[half - start]);
	/* refused: the break stays */
	check((uintptr_t)syscall(SYS_brk, 1) == start + (16 << 20));
	check((uintptr_t)syscall(SYS_brk, start - 4096 * 100000ul) == start + (16 << 20));
	check((uintptr_t)syscall(SYS_brk, 0x7fffffffffff) == start + (16 << 20));
	wait_for(in_child({ memory[0] = 'c'; syscall(SYS_brk, start); printf("child gave it back\n"); }));
	printf("parent still has %c\n", memory[0]);
	/* by odd numbers of bytes */
	check((uintptr_t)syscall(SYS_brk, start + 12345) == start + 12345);
	memory[12344] = 1;
	check((uintptr_t)syscall(SYS_brk, start) == start);
	return 0;
}
