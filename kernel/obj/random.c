/*
 * Random bytes: the ChaCha20 block function (RFC 8439) as a generator with fast key erasure.
 *
 * Every request makes a key stream from the current key; its first 32 bytes replace the key at once, so what was handed out cannot be
 * computed from a later state. The key starts from the processor's hardware source and the clock, and takes in more of both at every
 * 1,024th request. Without a hardware source the log says so once.
 */
#include "kernel/obj/random.h"
#include "arch/processor.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/lock.h"
#include "kernel/core/log.h"
#include "kernel/obj/thread.h"

#define KEY_WORDS 8u
#define BLOCK_SIZE 64u
#define REQUEST_MAX 4096u
#define RESEED_INTERVAL 1024u

static struct spinlock random_lock = SPINLOCK_INIT("random", RANK_HEAP);
static uint32_t random_key[KEY_WORDS];
static uint64_t random_requests;

static inline uint32_t rotate(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static inline void quarter_round(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
	x[a] += x[b]; x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d]; x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b]; x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d]; x[b] = rotate(x[b] ^ x[c], 7);
}

static void chacha_block(const uint32_t key[KEY_WORDS], uint64_t counter, uint32_t output[16])
{
	uint32_t start[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }; /* "expand 32-byte k" */

	memcpy(start + 4, key, KEY_WORDS * sizeof(uint32_t));
	start[12] = (uint32_t)counter;
	start[13] = (uint32_t)(counter >> 32);
	memcpy(output, start, sizeof(start));
	for (unsigned round = 0; round < 10; round++) {
		quarter_round(output, 0, 4, 8, 12);
		quarter_round(output, 1, 5, 9, 13);
		quarter_round(output, 2, 6, 10, 14);
		quarter_round(output, 3, 7, 11, 15);
		quarter_round(output, 0, 5, 10, 15);
		quarter_round(output, 1, 6, 11, 12);
		quarter_round(output, 2, 7, 8, 13);
		quarter_round(output, 3, 4, 9, 14);
	}
	for (unsigned i = 0; i < 16; i++)
		output[i] += start[i];
}

/* Lock held. */
static bool random_stir(void)
{
	uint64_t seed[4];
	uint32_t block[16];
	bool hardware = arch_random_seed(seed);

	seed[0] ^= arch_time_now();
	for (unsigned i = 0; i < 4; i++) {
		random_key[2 * i] ^= (uint32_t)seed[i];
		random_key[2 * i + 1] ^= (uint32_t)(seed[i] >> 32);
	}
	chacha_block(random_key, ~0ul, block);
	memcpy(random_key, block, sizeof(random_key));
	return hardware;
}

void random_init(void)
{
	spin_lock(&random_lock);
	bool hardware = random_stir();
	spin_unlock(&random_lock);
	if (!hardware)
		log_print("random: no hardware source; seeded from clocks only");
}

void random_fill(void *buffer, size_t length)
{
	uint32_t key[KEY_WORDS], block[16];
	char *target = buffer;

	assert(length <= REQUEST_MAX);
	spin_lock(&random_lock);
	if (++random_requests % RESEED_INTERVAL == 0)
		random_stir();
	memcpy(key, random_key, sizeof(key));
	chacha_block(key, 0, block);
	memcpy(random_key, block, sizeof(random_key));
	spin_unlock(&random_lock);
	for (uint64_t counter = 1; length > 0; counter++) {
		size_t part = min(length, (size_t)BLOCK_SIZE);
		chacha_block(key, counter, block);
		memcpy(target, block, part);
		target += part;
		length -= part;
	}
	memset(key, 0, sizeof(key));
	memset(block, 0, sizeof(block));
	__asm__ volatile("" : : "r"(key), "r"(block) : "memory"); /* the clearing is not optimised away */
}

int64_t sys_random_get(user_t buffer, size_t length)
{
	char part[512];

	for (size_t done = 0; done < length; ) {
		size_t count = min(length - done, sizeof(part));
		if (thread_current()->kill_pending)
			return -EINTR;
		random_fill(part, count);
		if (copy_to_user(buffer + done, part, count))
			return -EFAULT;
		done += count;
	}
	return 0;
}
