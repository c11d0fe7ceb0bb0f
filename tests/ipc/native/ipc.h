/* What the files of this program share: checks, partner processes, and the tests of the other files. */
#ifndef TESTS_IPC_H
#define TESTS_IPC_H
#include <stdbool.h>
#include "abi/boot.h"
#include "abi/errors.h"
#include "abi/message.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"

#define MILLISECOND 1000000ull
extern const char *test; /* that runs */
_Noreturn void power_off(unsigned status);
#define CHECK(condition) ((condition) ? (void)0 : (server_log("FAIL %s, line %d: %s", test, __LINE__, #condition), power_off(1)))
void sleep_for(uint64_t nanoseconds);
/* A clone of this process with a copy of its handles and one thread, in `function`. */
handle_t partner_start(void (*function)(void), uint32_t priority);
/* Waits for its end; the status it gave. */
uint32_t partner_status(handle_t process);

void test_urgency(void), test_urgency_chain(void), test_urgency_returned(void), test_urgency_undone(void);
void test_select_rendezvous(void), test_select_prepared(void), test_select_killed(void), test_select_ends(void), test_channel_handles(void), test_select_interrupted(void), test_alt(void);
#endif
