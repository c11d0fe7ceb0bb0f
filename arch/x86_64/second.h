/* Shared by second.S and processors.c. */
#define SECOND_PAGE 8        /* 0x8000: memory below 1 MiB is not used by anybody when the kernel runs */
#define SELECTOR_SECOND 0x18
