/* The registers of a dead server, for its report. */
#include "abi/process.h"
#include "carillon/runtime.h"
#include "user/init/init.h"

void registers_log(const struct registers *r)
{
	server_log("  rip %016lx rsp %016lx rbp %016lx flags %lx", r->rip, r->rsp, r->rbp, r->rflags);
	server_log("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
	server_log("  rsi %016lx rdi %016lx r8  %016lx r9  %016lx", r->rsi, r->rdi, r->r8, r->r9);
	server_log("  r10 %016lx r11 %016lx r12 %016lx r13 %016lx", r->r10, r->r11, r->r12, r->r13);
	server_log("  r14 %016lx r15 %016lx", r->r14, r->r15);
}

uint64_t registers_instruction(const struct registers *r) { return r->rip; }
uint64_t registers_frame(const struct registers *r) { return r->rbp; }
