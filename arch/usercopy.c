/* The C side of user memory access, for all ports: address checks. The instructions are in the port's usercopy.S. */
#include "arch/usercopy.h"

int usercopy_sleeping(void *target, const void *source, size_t length);
int usercopy_present(void *target, const void *source, size_t length);
int usercopy_store32(uint32_t *target, uint32_t value);
int usercopy_load32(const uint32_t *source, uint32_t *value);

static inline bool user_range(user_t address, size_t length)
{
	return address < USER_TOP && length <= USER_TOP - address;
}

int copy_from_user(void *target, user_t source, size_t length)
{
	return user_range(source, length) ? usercopy_sleeping(target, (const void *)source, length) : -EFAULT;
}

int copy_to_user(user_t target, const void *source, size_t length)
{
	return user_range(target, length) ? usercopy_sleeping((void *)target, source, length) : -EFAULT;
}

int copy_from_user_present(void *target, user_t source, size_t length)
{
	return user_range(source, length) ? usercopy_present(target, (const void *)source, length) : -EFAULT;
}

int copy_to_user_present(user_t target, const void *source, size_t length)
{
	return user_range(target, length) ? usercopy_present((void *)target, source, length) : -EFAULT;
}

int user_load32_present(user_t address, uint32_t *value)
{
	return user_range(address, 4) && !(address & 3) ? usercopy_load32((const uint32_t *)address, value) : -EFAULT;
}

int user_store32(user_t address, uint32_t value)
{
	/* four byte stores of a tail copy would not be atomic */
	if (address & 3)
		return -EFAULT;
	return user_range(address, 4) ? usercopy_store32((uint32_t *)address, value) : -EFAULT;
}
