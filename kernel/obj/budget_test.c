/*
 * Unit test of budgets: random charges in a tree whose budgets lose their last reference while much still names them, against plain sums.
 * host-test: kernel/obj/budget.c kernel/core/share.c kernel/vm/memobj.c kernel/vm/memobj_io.c kernel/vm/family.c kernel/vm/radix.c kernel/vm/map.c kernel/vm/space.c kernel/vm/fault.c kernel/vm/space_access.c tests/host/shim.c tests/host/objects.c tests/host/translations.c
 */
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"
#include "tests/host/shim.h"

#define BUDGETS 12u
#define LIMIT 200u
#define STEPS 4000u

/* What a budget should say, told without husks: each account names a place in the tree, and places never go. */
static struct place {
	struct budget *budget;      /* NULL: nothing names it any more, or it was never made */
	int above;                  /* -1: the root */
	bool alive;
	uint64_t pages, bytes, objects; /* its own */
} places[BUDGETS];
static unsigned used;

static bool named(const struct place *place)
{
	return place->pages || place->bytes || place->objects;
}

/* The nearest budget from there on up that is alive: where its bytes are accounted. */
static int alive_above(int at)
{
	while (at >= 0 && !places[at].alive)
		at = places[at].above;
	return at;
}

static bool is_below(int at, int above)
{
	while (at >= 0 && at != above)
		at = places[at].above;
	return at == above;
}

/* A husk that nothing names is gone, and so may be the husks above it. */
static void forget(void)
{
	for (bool more = true; more;) {
		more = false;
		for (unsigned i = 0; i < used; i++) {
			bool needed = !places[i].budget || places[i].alive || named(&places[i]);
			for (unsigned k = 0; k < used && !needed; k++)
				needed = places[k].above == (int)i && places[k].budget;
			if (!needed) {
				places[i].budget = NULL;
				more = true;
			}
		}
	}
}

static void check(void)
{
	for (unsigned i = 0; i < used; i++) {
		struct budget *budget = places[i].budget;
		uint64_t pages = 0, bytes = 0;
		if (!budget)
			continue;
		for (unsigned k = 0; k < used; k++) {
			if (is_below((int)k, (int)i))
				pages += places[k].pages + (places[k].budget ? places[k].budget->byte_pages : 0);
			if (alive_above((int)k) == (int)i)
				bytes += places[k].bytes;
		}
		CHECK(budget->husk == !places[i].alive && budget->pages_used == pages && budget->objects == places[i].objects);
		CHECK(!budget->husk || (!budget->byte_pages && !budget->share));
		CHECK(budget->husk || (budget->bytes == bytes && budget->byte_pages * PAGE_SIZE >= bytes && budget->pages_used <= budget->pages_limit));
	}
}

static void step(void)
{
	int at = (int)shim_below(used);
	struct place *place = &places[at];
	uint64_t amount = 1 + shim_below(8);
	switch (shim_below(8)) {
	case 0:
		if (used == BUDGETS || !place->alive)
			break;
		places[used] = (struct place){ .budget = budget_create(place->budget, 20 + shim_below(LIMIT)), .above = at, .alive = true };
		CHECK(places[used++].budget);
		break;
	case 1:
		if (place->alive && at && shim_below(4) == 0) {
			/* a living budget below it keeps it alive: it goes when those do */
			for (unsigned k = 0; k < used; k++)
				if (places[k].above == at && places[k].alive)
					return;
			place->alive = false;
			object_unref(&place->budget->object);
		}
		break;
	case 2:
	case 3:
		if ((place->alive || (place->budget && named(place))) && !budget_charge(place->budget, amount))
			place->pages += amount;
		break;
	case 4:
		amount = min(amount, place->pages);
		place->pages -= amount;
		if (amount)
			budget_uncharge(place->budget, amount);
		break;
	case 5:
		amount *= 700;
		if (place->alive && !budget_charge_bytes(place->budget, amount))
			place->bytes += amount;
		break;
	case 6:
		amount = min(amount * 700, place->bytes);
		place->bytes -= amount;
		if (amount)
			budget_uncharge_bytes(place->budget, amount);
		break;
	default:
		if (place->alive && amount > 4) {
			place->objects++;
			budget_object_add(place->budget);
		} else if (place->objects) {
			place->objects--;
			budget_object_remove(place->budget);
		}
	}
	forget();
	check();
}

/* All go, in any order. */
static void finish(void)
{
	for (unsigned i = used; i-- > 1;)
		if (places[i].alive) {
			places[i].alive = false;
			object_unref(&places[i].budget->object);
			forget();
			check();
		}
	for (unsigned i = 0; i < used; i++) {
		struct place *place = &places[i];
		uint64_t pages = place->pages, bytes = place->bytes;
		place->pages = place->bytes = 0;
		if (pages)
			budget_uncharge(place->budget, pages);
		if (bytes)
			budget_uncharge_bytes(place->budget, bytes);
		for (; place->objects; place->objects--)
			budget_object_remove(place->budget);
		forget();
		check();
	}
	CHECK(places[0].budget->pages_used == places[0].budget->byte_pages && !places[0].budget->bytes && !places[0].budget->husks);
	object_unref(&places[0].budget->object);
	CHECK(shim_heap_used() == 0);
}

int main(void)
{
	for (unsigned round = 0, rounds = shim_rounds(20); round < rounds; round++) {
		shim_seed(round);
		places[0] = (struct place){ .budget = budget_create(NULL, LIMIT * 3), .above = -1, .alive = true };
		used = 1;
		for (unsigned i = 0; i < STEPS; i++)
			step();
		finish();
	}
	return 0;
}
