/* What the programs of this port are called and numbered as. */
#ifndef ABI_MACHINE_H
#define ABI_MACHINE_H
#define ABI_ELF_MACHINE 62u /* EM_X86_64 */
#endif
