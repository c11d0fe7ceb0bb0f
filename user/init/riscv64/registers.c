/* The registers of a dead server, for its report. */
#include "abi/process.h"
#include "carillon/runtime.h"
#include "user/init/init.h"

void registers_log(const struct registers *r)
{
	server_log("  pc  %016lx sp  %016lx ra  %016lx gp  %016lx", r->pc, r->sp, r->ra, r->gp);
	server_log("  tp  %016lx t0  %016lx t1  %016lx t2  %016lx", r->tp, r->t0, r->t1, r->t2);
	server_log("  s0  %016lx s1  %016lx a0  %016lx a1  %016lx", r->s0, r->s1, r->a0, r->a1);
	server_log("  a2  %016lx a3  %016lx a4  %016lx a5  %016lx", r->a2, r->a3, r->a4, r->a5);
	server_log("  a6  %016lx a7  %016lx s2  %016lx s3  %016lx", r->a6, r->a7, r->s2, r->s3);
	server_log("  s4  %016lx s5  %016lx s6  %016lx s7  %016lx", r->s4, r->s5, r->s6, r->s7);
	server_log("  s8  %016lx s9  %016lx s10 %016lx s11 %016lx", r->s8, r->s9, r->s10, r->s11);
	server_log("  t3  %016lx t4  %016lx t5  %016lx t6  %016lx", r->t3, r->t4, r->t5, r->t6);
}

uint64_t registers_instruction(const struct registers *r) { return r->pc; }
uint64_t registers_frame(const struct registers *r) { return r->s0; }
