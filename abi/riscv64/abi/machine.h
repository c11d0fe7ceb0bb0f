/* What the programs of this port are called and numbered as. */
#ifndef ABI_MACHINE_H
#define ABI_MACHINE_H
#define ABI_ELF_MACHINE 243u /* EM_RISCV */
#endif
