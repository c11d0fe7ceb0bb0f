/* Instructions and control registers; what the files of this port share, and plat/virt. Not for portable code. */
#ifndef RISCV_H
#define RISCV_H
#include "arch/frame.h"
#include "arch/processor.h"
#include "board.h"

/* --- instructions --- */
#define CSR_READ(name) ({ uint64_t value_; __asm__ volatile("csrr %0, " #name : "=r"(value_) :: "memory"); value_; })
#define CSR_WRITE(name, v) ({ uint64_t value_ = (v); __asm__ volatile("csrw " #name ", %0" :: "rK"(value_) : "memory"); })
#define CSR_SET(name, v) ({ uint64_t value_ = (v); __asm__ volatile("csrs " #name ", %0" :: "rK"(value_) : "memory"); })
#define CSR_CLEAR(name, v) ({ uint64_t value_ = (v); __asm__ volatile("csrc " #name ", %0" :: "rK"(value_) : "memory"); })
static inline uint64_t read_counter(void)
{
	uint64_t value;
	__asm__ volatile("rdtime %0" : "=r"(value));
	return value;
}
/* value * numerator / denominator with a 128-bit product; the result must fit. For start-up: it is slow. */
static inline uint64_t scale(uint64_t value, uint64_t numerator, uint64_t denominator)
{
	unsigned __int128 rest = 0, product = (unsigned __int128)value * numerator;
	uint64_t quotient = 0;
	for (int bit = 127; bit >= 0; bit--) {
		rest = rest << 1 | (product >> bit & 1);
		quotient <<= 1;
		if (rest >= denominator) {
			rest -= denominator;
			quotient |= 1;
		}
	}
	return quotient;
}
static inline void *direct(physical_t address) { return (void *)(DIRECT_BASE + address); }

/* --- registers --- */
#define SIE_SOFTWARE 0x2ul
#define SIE_TIMER 0x20ul
#define SIE_EXTERNAL 0x200ul
#define SATP_MODE (15ul << 60)
#define SATP_SV39 (8ul << 60)
#define SATP_SV48 (9ul << 60)
#define CAUSE_INTERRUPT (1ul << 63)
enum cause {
	CAUSE_FETCH_ALIGNMENT, CAUSE_FETCH_ACCESS, CAUSE_ILLEGAL, CAUSE_BREAKPOINT, CAUSE_LOAD_ALIGNMENT, CAUSE_LOAD_ACCESS,
	CAUSE_STORE_ALIGNMENT, CAUSE_STORE_ACCESS, CAUSE_USER_CALL, CAUSE_FETCH_PAGE = 12, CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE = 15,
	CAUSE_SOFTWARE_INTERRUPT = 1, CAUSE_TIMER_INTERRUPT = 5, CAUSE_EXTERNAL_INTERRUPT = 9,
};

/* What this port keeps for each processor: struct processor's `arch`. */
struct arch_space;
struct arch_processor {
	struct arch_space *space;  /* whose tables are loaded; NULL: the kernel's own */
	uint64_t hart;             /* the firmware's number of this processor */
};
static inline struct arch_processor *this_arch(void) { return this_processor()->arch; }

struct sbi_result { int64_t error, value; };
struct sbi_result sbi_call(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1, uint64_t a2); /* sbi.c */
void sbi_start(void);
void sbi_timer(uint64_t when);
noreturn void sbi_power(uint32_t action);
/* mmu.c: final kernel tables. sv48: use it if the processor has it, else Sv39; user_top tells. */
void mmu_start(physical_t (*allocate)(void), const physical_t (*ranges)[2], unsigned count, bool sv48);
void clock_start(void);                     /* clock.c */
void vector_start(void);                    /* vector.c */
/* An illegal instruction of user mode. True: it was the thread's first of the vector unit, which it has now. */
bool vector_take(uint64_t instruction) must_check;
void trap_entry(void);
void thread_enter_user(void);
void thread_enter_kernel(void);
void words_resume(void);                    /* words.S */
uint64_t context_switch_stacks(uint64_t *save, uint64_t load);

/* plat/virt */
void plic_start(void);
void plic_interrupt(void);
void power_start(void);
void rtc_start(void);
#endif
