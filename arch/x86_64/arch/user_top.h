/* Where user addresses end: a constant of this port. */
#ifndef ARCH_USER_TOP_H
#define ARCH_USER_TOP_H
#define USER_TOP USER_TOP_MAX
#endif
