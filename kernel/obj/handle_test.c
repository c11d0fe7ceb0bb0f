/*
 * Random operations on the handle tables of three processes, one of them the current one, which share some, against arrays of slots: the lowest free number is always given
 * out, rights and kinds are checked, references and closings are counted, and an operation that finds no memory changes nothing. With "threads",
 * several threads work on one table at once: an object that a lookup returns is alive, and every reference is given back.
 * host-test: kernel/obj/handle.c tests/host/shim.c tests/host/objects.c tests/host/task.c kernel/obj/budget.c kernel/core/share.c
 * host-threads: kernel/obj/handle.c tests/host/shim.c tests/host/objects.c tests/host/task.c kernel/obj/budget.c kernel/core/share.c
 */
#include <stdlib.h>
#include <string.h>
#include "kernel/core/log.h"
#include "shim.h"
#include "task.h"

#define TABLES 3
#define SLOTS 260u /* numbers used in each range: the arrays grow several times */
#define TOKENS 24

struct token { struct object object; uint32_t alive; uint32_t closed; };
struct cell { struct token *token; uint32_t rights, options; };
static struct token token[TOKENS];
static uint32_t closings[TOKENS];        /* of the model */
struct half { uint32_t users, limit; struct cell cell[SLOTS]; }; /* a table's model */
static struct half half[2 * TABLES];
static struct { struct handles handles; struct half *half[2]; } at[TABLES];
static struct process *process;
static bool failing;

static void token_destroy(struct object *object)
{
	struct token *gone = container_of(object, struct token, object);
	CHECK(__atomic_exchange_n(&gone->alive, 0, __ATOMIC_ACQ_REL) == 1);
}
static void token_closed(struct object *object)
{
	__atomic_add_fetch(&container_of(object, struct token, object)->closed, 1, __ATOMIC_RELAXED);
	object_unref(object);
}
static const struct object_operations operations[2] = {
	{ .kind = KIND_EVENT, .name = "token", .destroy = token_destroy, .handle_closed = token_closed },
	{ .kind = KIND_TIMER, .name = "other token", .destroy = token_destroy, .handle_closed = token_closed },
};

static void tokens_init(void)
{
	for (unsigned i = 0; i < TOKENS; i++) {
		token[i] = (struct token){ .alive = 1 };
		object_init(&token[i].object, &operations[i % 2]);
		closings[i] = 0;
	}
}

static struct object *token_any(void)
{
	struct token *some = &token[shim_below(TOKENS)];
	object_ref(&some->object);
	return &some->object;
}

static uint32_t number_of(unsigned range, uint32_t index)
{
	return (range ? HANDLE_HIGH : 0) + index;
}

/* A number that is often in use or next to one that is. */
static uint32_t number_any(void)
{
	switch (shim_below(12)) {
	case 0: return HANDLE_RANGE_MAX + (uint32_t)shim_below(3) - 1;
	case 1: return (uint32_t)HANDLE_HIGH + HANDLE_RANGE_MAX + (uint32_t)shim_below(3) - 1;
	case 2: return (uint32_t)shim_random();
	default: return number_of(shim_below(2), shim_below(shim_below(4) ? 40 : SLOTS));
	}
}

static struct cell *cell_of(unsigned t, uint32_t number)
{
	uint32_t index = number < HANDLE_HIGH ? number : number - HANDLE_HIGH;
	return index < SLOTS ? &at[t].half[number >= HANDLE_HIGH]->cell[index] : NULL;
}

static void model_close(struct cell *cell)
{
	closings[cell->token - token]++;
	*cell = (struct cell){ 0 };
}

static void check(unsigned t)
{
	uint32_t count = 0, options, rights;
	struct object *object;
	for (unsigned range = 0; range < 2; range++)
		for (uint32_t i = 0; i < SLOTS; i++) {
			struct cell *cell = &at[t].half[range]->cell[i];
			int error = handle_table_lookup(&at[t].handles, number_of(range, i), &object, &rights);
			CHECK(error == (cell->token ? 0 : -EBADF));
			CHECK(handle_table_options(&at[t].handles, number_of(range, i)) == cell->options);
			if (error)
				continue;
			CHECK(object == &cell->token->object && rights == cell->rights);
			object_unref(object);
			count++;
		}
	CHECK(handle_table_count(&at[t].handles) == count);
	for (uint32_t first = 0; first < SLOTS; first += 1 + shim_below(30)) {
		uint32_t i = first;
		while (i < SLOTS && !at[t].half[0]->cell[i].token)
			i++;
		int64_t found = handle_table_next(&at[t].handles, first, &object, &rights, &options);
		CHECK(found == (i < SLOTS ? (int64_t)i : -ENOENT));
		if (found < 0)
			continue;
		CHECK(object == &at[t].half[0]->cell[i].token->object && rights == at[t].half[0]->cell[i].rights && options == at[t].half[0]->cell[i].options);
		object_unref(object);
	}
}

static void check_references(void)
{
	for (unsigned k = 0; k < TOKENS; k++) {
		uint32_t slots = 1; /* the test's own */
		for (unsigned i = 0; i < array_count(half) * SLOTS; i++)
			slots += half[i / SLOTS].cell[i % SLOTS].token == &token[k];
		CHECK(token[k].object.references == slots && token[k].closed == closings[k]);
	}
}

static void install(unsigned t)
{
	struct object *object = token_any();
	uint32_t rights = shim_below(RIGHT_ALL + 1), options = shim_below(4), minimum = number_any();
	unsigned range = minimum >= HANDLE_HIGH;
	uint32_t index = minimum - (range ? HANDLE_HIGH : 0), limit = range ? HANDLE_RANGE_MAX : at[t].half[0]->limit;
	int64_t expect = -EINVAL;
	if (index < limit) {
		while (index < SLOTS && at[t].half[range]->cell[index].token)
			index++;
		if (index >= SLOTS && index < limit) { /* beyond the model */
			object_unref(object);
			return;
		}
		expect = index < limit ? (int64_t)number_of(range, index) : -EMFILE;
	}
	int64_t number = t == 0 && shim_below(2) ? handle_install_new(object, rights, options, minimum)
						 : handle_table_install(&at[t].handles, object, rights, options, minimum);
	if (number == -ENOMEM && expect >= 0) {
		CHECK(failing);
		return;
	}
	CHECK(number == expect);
	if (number >= 0)
		at[t].half[range]->cell[index] = (struct cell){ container_of(object, struct token, object), rights, options };
}

static void install_at(unsigned t)
{
	uint32_t rights = shim_below(RIGHT_ALL + 1), options = shim_below(4), number = number_any();
	bool replace = shim_below(2), high = number >= HANDLE_HIGH;
	struct cell *cell = cell_of(t, number);
	uint32_t index = number - (high ? HANDLE_HIGH : 0);
	bool good = index < (high ? HANDLE_RANGE_MAX : at[t].half[0]->limit);
	if (good && !cell)
		return;
	struct object *object = token_any();
	int64_t expect = !good ? -EBADF : cell->token && !replace ? -EBUSY : (int64_t)number;
	int64_t result = handle_table_install_at(&at[t].handles, object, rights, options, number, replace);
	if (result == -ENOMEM && good) {
		CHECK(failing && !cell->token);
		return;
	}
	CHECK(result == expect);
	if (result < 0)
		return;
	if (cell->token)
		model_close(cell);
	*cell = (struct cell){ container_of(object, struct token, object), rights, options };
}

static void look_up(void)
{
	uint32_t number = number_any(), wanted = shim_below(3) ? 1u << shim_below(7) : 0, rights;
	enum object_kind kind = shim_below(3) ? KIND_NONE : shim_below(2) ? KIND_EVENT : KIND_TIMER;
	struct cell *cell = number < HANDLE_HIGH + HANDLE_RANGE_MAX ? cell_of(0, number) : NULL;
	struct object *object;
	if ((int32_t)number < 0)
		number &= INT32_MAX;
	cell = cell_of(0, number);
	int expect = !cell || !cell->token ? -EBADF : kind != KIND_NONE && cell->token->object.operations->kind != kind ? -EINVAL :
		     wanted & ~cell->rights ? -EACCES : 0;
	CHECK(handle_lookup_rights((handle_t)number, kind, wanted, &object, &rights) == expect);
	if (expect)
		return;
	CHECK(object == &cell->token->object && rights == cell->rights);
	object_unref(object);
}

static void look_up_pseudo(void)
{
	struct object *object;
	uint32_t rights;
	CHECK(!handle_lookup(HANDLE_SELF_PROCESS, KIND_PROCESS, RIGHT_ALL, &object) && object == &process->object);
	object_unref(object);
	CHECK(!handle_lookup_rights(HANDLE_SELF_BUDGET, KIND_NONE, 0, &object, &rights) && rights == (RIGHT_ALL & ~RIGHT_WRITE));
	object_unref(object);
	CHECK(handle_lookup(HANDLE_SELF_SPACE, KIND_PROCESS, 0, &object) == -EINVAL);
	CHECK(handle_lookup(HANDLE_NONE, KIND_NONE, 0, &object) == -EBADF && handle_lookup(INT32_MIN, KIND_NONE, 0, &object) == -EBADF);
}

/* Closes or marks from first to last. */
static void close_or_mark(unsigned t)
{
	uint32_t first = number_any(), last = shim_below(3) ? first + (uint32_t)shim_below(60) : number_any(), options = shim_below(4), found = 0;
	unsigned what = shim_below(3);
	for (unsigned range = 0; range < 2; range++)
		for (uint32_t i = 0; i < SLOTS; i++) {
			struct cell *cell = &at[t].half[range]->cell[i];
			uint32_t number = number_of(range, i);
			if (!cell->token || number < first || number > last)
				continue;
			found++;
			if (what == 0)
				model_close(cell);
			else
				cell->options = what == 1 ? options : cell->options | options;
		}
	if (what == 0)
		handle_table_close_range(&at[t].handles, first, last);
	else
		CHECK(handle_table_mark(&at[t].handles, first, last, options, what == 2) == (found ? 0 : -EBADF));
}

static void close_one(unsigned t)
{
	uint32_t number = number_any();
	struct cell *cell = cell_of(t, number);
	struct object *expected = shim_below(2) ? &token[shim_below(TOKENS)].object : NULL;
	bool closes = cell && cell->token && (!expected || expected == &cell->token->object);
	CHECK(handle_table_close(&at[t].handles, number, expected) == (closes ? 0 : -EBADF));
	if (closes)
		model_close(cell);
}

static struct half *half_new(void)
{
	struct half *new = half;
	while (new->users)
		new++;
	*new = (struct half){ .users = 1, .limit = HANDLE_LOW_LIMIT_DEFAULT };
	return new;
}

static void half_unref(struct half *old)
{
	if (--old->users)
		return;
	for (unsigned i = 0; i < SLOTS; i++)
		if (old->cell[i].token)
			model_close(&old->cell[i]);
}

/* What was copied before a copy failed was closed again. */
static void closings_take_over(unsigned from)
{
	for (unsigned i = 0; i < 2 * SLOTS; i++) {
		struct cell *cell = &at[from].half[i / SLOTS]->cell[i % SLOTS];
		if (cell->token)
			closings[cell->token - token] = cell->token->closed;
	}
}

static void copy(unsigned from)
{
	unsigned to = 1 + shim_below(TABLES - 1);
	struct handles handles;
	bool share_low = shim_below(3) == 0;
	if (to == from)
		return;
	if (handles_copy(&handles, &at[from].handles, share_low)) {
		CHECK(failing);
		closings_take_over(from);
		return;
	}
	handles_unref(&at[to].handles);
	at[to].handles = handles;
	for (unsigned range = 0; range < 2; range++) {
		half_unref(at[to].half[range]);
		if (share_low && !range) {
			at[to].half[range] = at[from].half[range];
			at[to].half[range]->users++;
			continue;
		}
		at[to].half[range] = half_new();
		at[to].half[range]->limit = at[from].half[range]->limit;
		for (unsigned i = 0; i < SLOTS; i++)
			if (!(at[from].half[range]->cell[i].options & HANDLE_NOT_COPIED))
				at[to].half[range]->cell[i] = at[from].half[range]->cell[i];
	}
	CHECK(handles_shared(&at[to].handles) == (at[to].half[0]->users > 1));
}

static void step(void)
{
	unsigned t = shim_below(TABLES);
	switch (shim_below(20)) {
	case 0: case 1:
		install_at(t);
		break;
	case 2: case 3: case 4:
		close_one(t);
		break;
	case 5: case 6: case 7:
		look_up();
		break;
	case 8:
		if (shim_below(6) == 0)
			close_or_mark(t);
		break;
	case 9:
		if (shim_below(8))
			break;
		handle_table_close_on_exec(&at[t].handles);
		for (unsigned i = 0; i < 2 * SLOTS; i++)
			if (at[t].half[i / SLOTS]->cell[i % SLOTS].options & HANDLE_CLOSE_ON_EXEC)
				model_close(&at[t].half[i / SLOTS]->cell[i % SLOTS]);
		break;
	case 10:
		if (shim_below(8) == 0)
			copy(t);
		break;
	case 11: {
		uint32_t limit = shim_below(3) ? shim_below(SLOTS) : HANDLE_RANGE_MAX + (uint32_t)shim_below(2);
		CHECK(handle_table_set_limit(&at[t].handles, limit) == (limit > HANDLE_RANGE_MAX ? -EINVAL : 0));
		if (limit <= HANDLE_RANGE_MAX)
			at[t].half[0]->limit = limit;
		break;
	}
	case 12:
		look_up_pseudo();
		break;
	default:
		install(t);
	}
}

static void run_random(void)
{
	for (unsigned round = 0, rounds = shim_rounds(30); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		task_start(process);
		tokens_init();
		for (unsigned t = 0; t < TABLES; t++) {
			if (t)
				CHECK(!handles_create(&at[t].handles));
			else
				at[t].handles = process->handles;
			at[t].half[0] = half_new();
			at[t].half[1] = half_new();
		}
		for (unsigned n = 0; n < 4000; n++) {
			failing = shim_below(4) == 0;
			shim_fail_in = failing ? (int64_t)shim_below(4) : -1;
			step();
			shim_fail_in = -1;
			if (n % 50 == 0) {
				check(shim_below(TABLES));
				check_references();
			}
		}
		for (unsigned t = 0; t < TABLES; t++) {
			check(t);
			if (t)
				handles_unref(&at[t].handles);
		}
		task_end();
		task_process_free(process);
		for (unsigned t = 0; t < 2 * TABLES; t++)
			half_unref(at[t / 2].half[t % 2]);
		check_references();
		CHECK(shim_heap_used() == 0);
	}
}

/* --- threads --- */

#define WORKERS 4
#define SHARED_NUMBERS 90u

static void use(struct object *object)
{
	CHECK(__atomic_load_n(&container_of(object, struct token, object)->alive, __ATOMIC_ACQUIRE));
	object_unref(object);
}

static void work(unsigned worker)
{
	struct object *object;
	struct handles copy;
	uint32_t rights, options;
	task_start(process);
	for (unsigned n = 0; n < 3000; n++) {
		uint32_t number = number_of(shim_below(2), shim_below(SHARED_NUMBERS));
		switch (shim_below(10)) {
		case 0:
			(void)handle_table_close(&process->handles, number, NULL);
			break;
		case 1:
			if (shim_below(20) == 0)
				handle_table_close_range(&process->handles, number, number + 20);
			break;
		case 2:
			CHECK(handle_table_install_at(&process->handles, token_any(), RIGHT_ALL, 0, number, true) == number);
			break;
		case 3:
			if (shim_below(10) == 0)
				if (!handles_copy(&copy, &process->handles, shim_below(2)))
					handles_unref(&copy);
			break;
		case 4:
			if (handle_table_next(&process->handles, shim_below(SHARED_NUMBERS), &object, &rights, &options) >= 0)
				use(object);
			break;
		case 5: case 6:
			CHECK(handle_install_new(token_any(), RIGHT_ALL, shim_below(2), worker) >= 0);
			break;
		default:
			if (!handle_lookup((handle_t)number, KIND_NONE, RIGHT_READ, &object))
				use(object);
		}
		if (n % 500 == 0)
			handle_table_close_on_exec(&process->handles);
	}
	task_end();
}

static void run_threads(void)
{
	for (unsigned round = 0, rounds = shim_rounds(3); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		tokens_init();
		CHECK(handle_table_set_limit(&process->handles, HANDLE_RANGE_MAX) == 0);
		task_parallel(WORKERS, work);
		task_process_free(process);
		for (unsigned i = 0; i < TOKENS; i++)
			CHECK(token[i].object.references == 1);
		CHECK(shim_heap_used() == 0);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "threads"))
		run_threads();
	else
		run_random();
	return 0;
}
