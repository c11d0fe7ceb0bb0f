/* Translations of one space on the host: a hash from page number to frame and flags. */
#ifndef ARCH_SPACE_H
#define ARCH_SPACE_H
struct shim_translation { uint64_t page, frame; unsigned flags; bool used; };
struct arch_space { struct shim_translation *entry; uint64_t capacity, count; };
#endif
