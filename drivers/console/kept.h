/*
 * What the driver leaves to a successor, in its state object: enough to tell exactly which bytes went where. Each word is written when what it says has
 * become true, in an order that makes doing a step again harmless.
 *
 * Output: bytes taken from a stream lie in a slot's buffer until the device returns it. The stream itself knows how many were read (description_get), so
 * bytes whose reading was not noted are those of the slot that was being read into. A successor sends again what the device had not returned; of a buffer that
 * it was still writing (the host does not read), the part already written comes twice: at most one buffer a stream.
 * Input: the stream knows how many bytes were written to it. What the device had received and the stream had not is rescued into `rescued`, and goes first.
 */
#ifndef DRIVERS_CONSOLE_KEPT_H
#define DRIVERS_CONSOLE_KEPT_H
#include <stdint.h>

#define KEPT_MAGIC 0x316e6f63u
#define RESCUE_MAX 32768u /* all input buffers */

struct kept_output {
	uint64_t moved;      /* bytes of the stream that slots were given */
	uint64_t sequence[4], next_sequence;
	uint32_t length[4];  /* by slot: bytes that the device has not returned; 0: free */
	uint16_t used_at[4]; /* by slot: the used ring's end when it was offered */
	uint32_t reading;    /* the slot being read into */
};

struct kept {
	uint64_t magic;
	int32_t port[4];     /* by role: the port it had */
	struct kept_output output[3]; /* by role; ROLE_INPUT's is not used */
	/* input */
	uint64_t input;      /* bytes passed on with whole buffers << 16 | number of the used ring's first entry that was not */
	uint64_t input_end;  /* as told; UINT64_MAX */
	uint64_t rescue_base;
	uint64_t rescue_length; /* bytes in rescued, of which the stream has (written - rescue_base); 0: none */
	/* control lines: entry of the used ring << 32 | offset in its buffer << 16 | line_length << 1 | too long */
	uint64_t control;
	char line[128];
	uint8_t rescued[RESCUE_MAX];
};

static inline void kept_set(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
#endif
