/*
 * What the kernel gives the first process. Its only thread starts with argument 0 = address of struct boot_info (read-only page).
 * Handles: fixed numbers below. The boot archive is a cpio "newc" file whose members' contents are page-aligned (names padded
 * with NULs); the kernel starts its member BOOT_INIT and leaves everything else to it.
 */
#ifndef ABI_BOOT_H
#define ABI_BOOT_H
#include "abi/types.h"

#define BOOT_INIT "system/init"
#define BOOT_HANDLE_RESOURCE (HANDLE_HIGH + 0) /* may create physical objects and interrupts, power off, set the clock */
#define BOOT_HANDLE_ARCHIVE (HANDLE_HIGH + 1)  /* memobj: the boot archive, read-only */
#define BOOT_HANDLE_BUDGET (HANDLE_HIGH + 2)   /* the root budget */

#define BOOT_DEVICES 32
struct boot_device {        /* a virtio-mmio window */
	uint64_t address, size;
	uint32_t interrupt;     /* global interrupt number for interrupt_create */
	uint32_t reserved;
};
struct boot_info {
	uint64_t archive_size;
	uint64_t user_top;       /* where user addresses end */
	uint32_t device_count, processors;
	uint32_t vector_bytes;   /* of a vector register, where programs cannot find it out (riscv64); 0: there are none */
	uint32_t reserved;
	struct boot_device device[BOOT_DEVICES];
	char command_line[2048]; /* NUL-terminated */
};
#endif
