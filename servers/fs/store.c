/* The records of the store; store.h has the rules. */
#include <stdlib.h>
#include <string.h>
#include "carillon/boot_names.h"
#include "store.h"

#define MAGIC 0x316572747366u /* "fstre1" */
#define LOG_WORDS 8192u
#define CLOSES 64u
#define NO_RECORD UINT32_MAX

struct log_word { uint64_t offset, value; };
struct header {
	uint64_t magic, log_count;
	uint64_t word[STORE_WORDS];
	uint64_t used[STORE_KINDS];
	struct log_word log[LOG_WORDS];
};

static const struct { uint32_t size, capacity; } shape[STORE_KINDS] = {
	[STORE_NODE] = { 128, 1u << 22 }, [STORE_NAME_SHORT] = { 64, 1u << 23 }, [STORE_NAME] = { 128, 1u << 22 }, [STORE_NAME_LONG] = { 320, 1u << 20 },
	[STORE_TARGET] = { 128, 1u << 20 }, [STORE_TARGET_LONG] = { 4160, 1u << 17 }, [STORE_OPENED] = { 32, 1u << 22 }, [STORE_LOCK] = { 64, 1u << 20 },
	[STORE_FIFO] = { 64, 1u << 12 }, [STORE_FIFO_FILE] = { 32, 1u << 20 }, [STORE_QUEUE] = { 64, 1u << 10 }, [STORE_WATCH] = { 64, 1u << 16 },
};
#define RECORD_WORDS_MAX (4160u / 8)

static unsigned char *base;
static struct header *header;
static uint64_t offset_of[STORE_KINDS], rings_offset;
static store_compose *composer[STORE_KINDS];
static struct stored *changed;
static uint32_t *next_free[STORE_KINDS], room[STORE_KINDS]; /* lists through record numbers: of free records, and of those that will be */
static uint32_t free_head[STORE_KINDS], gone_head[STORE_KINDS];
static bool any_gone;
static handle_t closes[CLOSES];
static unsigned close_count;
static uint64_t word_value[STORE_WORDS];
static bool words_changed;
static uint64_t bytes_used, bytes_limit = UINT64_MAX; /* store_cost of all records with an owner */
void (*store_write_hook)(void);

/* The one way to change the memory: in order, one word at a time. */
static void put(uint64_t *place, uint64_t value)
{
	if (store_write_hook)
		store_write_hook();
	__atomic_store_n(place, value, __ATOMIC_RELEASE);
}

static void log_apply(void)
{
	for (uint64_t i = 0; i < header->log_count; i++)
		put((uint64_t *)(base + header->log[i].offset), header->log[i].value);
	put(&header->log_count, 0);
}

/* A predecessor's log may be as wrong as all else. */
static bool log_is_sound(void)
{
	if (header->log_count > LOG_WORDS)
		return false;
	for (uint64_t i = 0; i < header->log_count; i++) {
		uint64_t offset = header->log[i].offset;
		bool in_header = offset >= offsetof(struct header, word) && offset < offsetof(struct header, log);
		if (offset % 8 || (!in_header && (offset < offset_of[0] || offset >= rings_offset)))
			return false;
	}
	return true;
}

bool store_start(void *memory)
{
	uint64_t at = (sizeof(struct header) + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	base = memory;
	header = memory;
	for (unsigned kind = 0; kind < STORE_KINDS; kind++) {
		offset_of[kind] = at;
		at += ((uint64_t)shape[kind].size * shape[kind].capacity + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
		free_head[kind] = gone_head[kind] = NO_RECORD;
	}
	rings_offset = at;
	if (at + (uint64_t)STORE_RING_SIZE * shape[STORE_FIFO].capacity > FS_STATE_SIZE)
		abort();
	if (header->magic == MAGIC) {
		if (log_is_sound())
			log_apply();
		else
			put(&header->log_count, 0);
		for (unsigned kind = 0; kind < STORE_KINDS; kind++)
			if (header->used[kind] > shape[kind].capacity)
				put(&header->used[kind], shape[kind].capacity);
		memcpy(word_value, header->word, sizeof word_value);
		return true;
	}
	put(&header->log_count, 0);
	put(&header->magic, MAGIC);
	return false;
}

/* The owner, its name's or its own, is about as long as the record; the rest is what malloc and the tables that find it take. */
uint64_t store_cost(enum store_kind kind)
{
	return 2 * shape[kind].size + 128 + (kind == STORE_FIFO ? STORE_RING_SIZE : 0);
}

void store_limit(uint64_t more)
{
	bytes_limit = more ? bytes_used + more : UINT64_MAX;
}

uint64_t store_room(void)
{
	return bytes_limit > bytes_used ? bytes_limit - bytes_used : 0;
}

void store_set_composer(enum store_kind kind, store_compose *compose) { composer[kind] = compose; }
uint32_t store_capacity(enum store_kind kind) { return shape[kind].capacity; }
size_t store_record_size(enum store_kind kind) { return shape[kind].size; }
uint32_t store_used(enum store_kind kind) { return (uint32_t)header->used[kind]; }
uint64_t store_word(enum store_word word) { return word_value[word]; }
uint64_t store_ring_offset(uint32_t fifo) { return rings_offset + (uint64_t)fifo * STORE_RING_SIZE; }
unsigned char *store_ring(uint32_t fifo) { return base + store_ring_offset(fifo); }

uint64_t *store_record(enum store_kind kind, uint32_t index)
{
	return (uint64_t *)(base + offset_of[kind] + (uint64_t)index * shape[kind].size);
}

void store_set_word(enum store_word word, uint64_t value)
{
	word_value[word] = value;
	words_changed = true;
}

/* -- which records are free */

static bool room_for(enum store_kind kind, uint32_t index)
{
	uint32_t wanted = room[kind] ? room[kind] : 256;
	while (wanted <= index)
		wanted *= 2;
	if (wanted == room[kind])
		return true;
	uint32_t *more = realloc(next_free[kind], wanted * sizeof *more);
	if (!more)
		return false;
	next_free[kind] = more;
	room[kind] = wanted;
	return true;
}

/* Before a record is used: a crash then leaves at most a free one below `used`. */
void store_touch(enum store_kind kind, uint32_t index)
{
	if (index >= header->used[kind])
		put(&header->used[kind], index + 1ul);
}

static bool within_limit(enum store_kind kind)
{
	return store_cost(kind) <= store_room();
}

static void take(struct stored *stored, enum store_kind kind, uint32_t index)
{
	bytes_used += store_cost(kind);
	*stored = (struct stored){ .index = index, .kind = (uint8_t)kind, .has_record = true };
	store_touch(kind, index);
	stored_changed(stored);
}

bool stored_take(struct stored *stored, enum store_kind kind)
{
	uint32_t index = free_head[kind];
	if (!within_limit(kind))
		return false;
	if (index != NO_RECORD) {
		free_head[kind] = next_free[kind][index];
	} else {
		index = store_used(kind);
		if (index >= shape[kind].capacity || !room_for(kind, index))
			return false;
	}
	take(stored, kind, index);
	return true;
}

bool stored_take_at(struct stored *stored, enum store_kind kind, uint32_t index)
{
	if (!within_limit(kind) || index >= shape[kind].capacity || !room_for(kind, index))
		return false;
	take(stored, kind, index);
	return true;
}

void stored_adopt(struct stored *stored, enum store_kind kind, uint32_t index)
{
	bytes_used += store_cost(kind);
	*stored = (struct stored){ .index = index, .kind = (uint8_t)kind, .has_record = true };
}

void stored_changed(struct stored *stored)
{
	if (stored->place || !stored->has_record)
		return;
	stored->next = changed;
	stored->place = &changed;
	if (changed)
		changed->place = &stored->next;
	changed = stored;
}

static void unmark(struct stored *stored)
{
	if (!stored->place)
		return;
	*stored->place = stored->next;
	if (stored->next)
		stored->next->place = stored->place;
	stored->place = NULL;
}

void stored_gone(struct stored *stored)
{
	if (!stored->has_record)
		return;
	unmark(stored);
	bytes_used -= store_cost(stored->kind);
	stored->has_record = false;
	next_free[stored->kind][stored->index] = gone_head[stored->kind];
	gone_head[stored->kind] = stored->index;
	any_gone = true;
}

/* -- recovery's part */

static uint64_t seal_of(enum store_kind kind, const uint64_t *words)
{
	uint64_t sum = kind + 1;
	for (size_t i = 1; i < shape[kind].size / 8; i++)
		sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15u, sum ^= sum >> 29;
	return sum << 16 | 0xc0u | (unsigned)kind;
}

enum store_check store_check(enum store_kind kind, uint32_t index)
{
	const uint64_t *words = store_record(kind, index);
	return words[0] == 0 ? STORE_FREE : words[0] == seal_of(kind, words) ? STORE_GOOD : STORE_BAD;
}

void store_drop(enum store_kind kind, uint32_t index)
{
	put(store_record(kind, index), 0);
}

void store_collect_free(void)
{
	for (unsigned kind = 0; kind < STORE_KINDS; kind++) {
		if (!store_used(kind))
			continue;
		if (!room_for(kind, store_used(kind) - 1))
			abort();
		if (kind == STORE_OPENED || kind == STORE_NODE) /* these have lists of their own */
			continue;
		for (uint32_t index = store_used(kind); index-- > 0;)
			if (store_record(kind, index)[0] == 0) {
				next_free[kind][index] = free_head[kind];
				free_head[kind] = index;
			}
	}
}

/* -- committing */

static uint64_t logged; /* words in the log that do not count yet */

static void log_flush(void)
{
	if (!logged)
		return;
	put(&header->log_count, logged);
	logged = 0;
	log_apply();
}

static void log_put(uint64_t *place, uint64_t value)
{
	if (*place == value)
		return;
	put(&header->log[logged].offset, (uint64_t)((unsigned char *)place - base));
	put(&header->log[logged++].value, value);
}

static void record_log(const struct stored *stored)
{
	static uint64_t words[RECORD_WORDS_MAX];
	enum store_kind kind = stored->kind;
	size_t count = shape[kind].size / 8;
	uint64_t *record = store_record(kind, stored->index);
	if (logged + count > LOG_WORDS)
		log_flush();
	memset(words, 0, count * sizeof *words);
	composer[kind](stored, words);
	words[0] = seal_of(kind, words);
	for (size_t i = 0; i < count; i++)
		log_put(&record[i], words[i]);
}

/* Seals of what is gone are broken; the records are free when that counts. */
static void gone_log(enum store_kind kind)
{
	for (uint32_t index = gone_head[kind]; index != NO_RECORD; index = next_free[kind][index]) {
		if (logged == LOG_WORDS)
			log_flush();
		log_put(store_record(kind, index), 0);
	}
}

static void gone_free(enum store_kind kind)
{
	while (gone_head[kind] != NO_RECORD) {
		uint32_t index = gone_head[kind];
		gone_head[kind] = next_free[kind][index];
		if (kind == STORE_NODE) /* the tree has a list of its own */
			continue;
		next_free[kind][index] = free_head[kind];
		free_head[kind] = index;
	}
}

static void closes_do(void)
{
	while (close_count)
		store_handle_close(closes[--close_count]);
}

void store_commit(void)
{
	if (!changed && !any_gone && !words_changed) {
		closes_do();
		return;
	}
	for (unsigned kind = 0; kind < STORE_KINDS && any_gone; kind++) /* first: a node's number may have been given again */
		gone_log(kind);
	while (changed) {
		struct stored *stored = changed;
		unmark(stored);
		record_log(stored);
	}
	if (logged + STORE_WORDS > LOG_WORDS)
		log_flush();
	for (unsigned i = 0; i < STORE_WORDS; i++)
		log_put(&header->word[i], word_value[i]);
	words_changed = false;
	log_flush();
	for (unsigned kind = 0; kind < STORE_KINDS && any_gone; kind++)
		gone_free(kind);
	any_gone = false;
	closes_do();
}

void store_handle_close_later(handle_t handle)
{
	if (close_count == CLOSES)
		store_commit();
	closes[close_count++] = handle;
}
