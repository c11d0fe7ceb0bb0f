/*
 * Deaths on purpose, for tests (tests/restart): with
 *
 *   kill=SEED,COUNT,LEAST,MOST,NAME[+NAME...]     on the kernel's command line
 *
 * the supervisor kills COUNT times one of the named servers, LEAST to MOST milliseconds after the one before; which and when follows from SEED.
 * The name init stands for this process itself. It does so in its own thread, between death notices, so what it kills is never a corpse or another process with the same handle.
 */
#include <stdlib.h>
#include <string.h>
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "carillon/server.h"
#include "user/init/init.h"

#define SIGNAL_KILL 9u

static struct {
	uint64_t random;
	unsigned long count, done, least, most;
	bool victim[SERVERS + 1]; /* the last is init */
	bool program_runs; /* atomic: told by the second thread */
} killer;

/* xorshift64*, by Vigna */
static uint64_t random_next(void)
{
	killer.random ^= killer.random >> 12;
	killer.random ^= killer.random << 25;
	killer.random ^= killer.random >> 27;
	return killer.random * 0x2545f4914f6cdd1dul;
}

static void plan(void);

static void kill_one(void *context)
{
	(void)context;
	if (!__atomic_load_n(&killer.program_runs, __ATOMIC_RELAXED)) {
		plan();
		return;
	}
	unsigned server;
	do
		server = (unsigned)(random_next() >> 32) % (SERVERS + 1);
	while (!killer.victim[server]);
	if (server == SERVERS)
		process_kill(HANDLE_SELF_PROCESS, SIGNAL_KILL);
	else if (server_kill(server)) {
		killer.done++;
		server_log("killed %s, %lu of %lu", server_name(server), killer.done, killer.count);
	}
	if (killer.done < killer.count)
		plan();
	else
		server_log("no more servers are killed");
}

static void plan(void)
{
	uint64_t wait = killer.least * 1000000 + random_next() % (1 + (killer.most - killer.least) * 1000000);
	server_set_alarm((uint64_t)clock_get(CLOCK_MONOTONIC_ID) + wait, kill_one, NULL);
}

static bool plan_read(void)
{
	char *at = (char *)boot.kill;
	unsigned long number[4];
	for (unsigned i = 0; i < 4; i++, at++) {
		number[i] = strtoul(at, &at, 10);
		if (*at != ',')
			return false;
	}
	killer.random = number[0] * 2 + 1;
	killer.count = number[1];
	killer.least = number[2];
	killer.most = number[3] > number[2] ? number[3] : number[2];
	bool any = false;
	for (size_t length; *at; at += length + (at[length] == '+')) {
		length = strcspn(at, "+");
		for (enum server i = 0; i < SERVERS; i++)
			if (strlen(server_name(i)) == length && !strncmp(server_name(i), at, length))
				any = killer.victim[i] = true;
		if (length == 4 && !strncmp(at, "init", 4))
			any = killer.victim[SERVERS] = true;
	}
	return any;
}

void killer_start(void)
{
	if (!boot.kill)
		return;
	if (!plan_read())
		server_log("kill=%s is not understood", boot.kill);
	else if (killer.count)
		plan();
}

void killer_program_runs(void)
{
	__atomic_store_n(&killer.program_runs, true, __ATOMIC_RELAXED);
}

void killer_count(const char *when)
{
	struct system_info info;
	if (boot.kill && system_get(&info) == 0)
		server_log("%s: %lu pages free, %lu handles of servers", when, (unsigned long)info.pages_free, servers_handle_count());
}
