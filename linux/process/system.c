/* About the system and the thread: uname, sysinfo, getrandom, personality, prctl. */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "machine.h"

int64_t linux_uname(struct linux_thread *t, const uint64_t argument[6])
{
	static const char fields[6][65] = { "Linux", "carillon", "6.1.0-carillon", "#1 Carillon", MACHINE_PLATFORM, "(none)" };
	return user_write(t, argument[0], fields, sizeof fields);
}

int64_t linux_sysinfo(struct linux_thread *t, const uint64_t argument[6])
{
	struct {
		int64_t uptime;
		uint64_t loads[3], total, free, shared, buffer, swap_total, swap_free;
		uint16_t processes, padding, padding2[2];
		uint64_t high_total, high_free;
		uint32_t unit, padding3;
	} info = { .unit = 1 };
	_Static_assert(sizeof info == 112, "struct sysinfo");
	struct system_info system;
	int64_t result = system_get(&system);
	if (result < 0)
		return result;
	info.uptime = (int64_t)(time_monotonic(t) / NANOSECONDS);
	info.total = system.pages_total * PAGE_SIZE;
	info.free = system.pages_free * PAGE_SIZE;
	const volatile struct process_table_head *head = (const volatile struct process_table_head *)(uintptr_t)LIBRARY_PROCESS_TABLE;
	for (int i = 0; i < 3 && t->process->slot; i++)
		info.loads[i] = head->load[i];
	info.processes = (uint16_t)MINIMUM(system.processes, 65535u);
	return user_write(t, argument[0], &info, sizeof info);
}

int64_t linux_getrandom(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t length = MINIMUM(argument[1], 0x1ffffffful);
	(void)t;
	if (argument[2] & ~7ul || (argument[2] & 6) == 6)
		return -EINVAL;
	if (!user_range(argument[0], length))
		return -EFAULT;
	/* The kernel has a limit for one call; a fault after the first piece tells what was written. */
	uint64_t done = 0;
	while (done < length) {
		uint64_t piece = MINIMUM(length - done, 65536ul);
		int64_t result = random_get((void *)(uintptr_t)(argument[0] + done), piece);
		if (result < 0)
			return done ? (int64_t)done : result;
		done += piece;
	}
	return (int64_t)done;
}

int64_t linux_personality(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t old = t->process->personality;
	if ((uint32_t)argument[0] != 0xffffffff)
		t->process->personality = (uint32_t)argument[0];
	return old;
}

/* An option that proc keeps, because it acts when the process itself is gone: set it (value may be NULL), tell the old value. */
static int64_t proc_option(struct linux_thread *t, uint32_t option, const uint64_t *value, int32_t *old)
{
	struct message message = { .word = { PROC_OPTION, option, value != NULL, value ? *value : 0 } };
	int64_t result = proc_call(t, &message, 0);
	*old = (int32_t)message.word[1];
	return result;
}

/* Where the program's limits of memory are, for PR_SET_MM and nothing else: not offered. */
int64_t linux_prctl(struct linux_thread *t, const uint64_t argument[6])
{
	enum {
		SET_PDEATHSIG = 1, GET_PDEATHSIG, GET_DUMPABLE, SET_DUMPABLE, GET_KEEPCAPS = 7, SET_KEEPCAPS, SET_NAME = 15, GET_NAME,
		CAPBSET_READ = 23, CAPBSET_DROP, GET_SECUREBITS = 27, SET_SECUREBITS, SET_TIMERSLACK, GET_TIMERSLACK, SET_CHILD_SUBREAPER = 36,
		GET_CHILD_SUBREAPER, SET_NO_NEW_PRIVS, GET_NO_NEW_PRIVS, GET_TID_ADDRESS, SET_THP_DISABLE, GET_THP_DISABLE, SET_VMA = 0x53564d41,
	};
	struct linux_process *p = t->process;
	uint64_t a = argument[1];
	int64_t result;
	int32_t old;
	switch ((int)argument[0]) {
	case SET_PDEATHSIG:
		return a > LINUX_SIGNALS ? -EINVAL : proc_option(t, PROC_OPTION_DEATH_SIGNAL, &a, &old);
	case GET_PDEATHSIG:
		result = proc_option(t, PROC_OPTION_DEATH_SIGNAL, NULL, &old);
		return result < 0 ? result : user_write(t, a, &old, sizeof old);
	case GET_DUMPABLE:
		return p->dumpable;
	case SET_DUMPABLE:
		if (a > 1)
			return -EINVAL;
		p->dumpable = (int32_t)a;
		return 0;
	case GET_KEEPCAPS:
		return t->keep_capabilities;
	case GET_SECUREBITS:
	case GET_THP_DISABLE:
		return 0;
	case SET_KEEPCAPS: /* kept and told; there is no other user to change to */
		if (a > 1)
			return -EINVAL;
		t->keep_capabilities = a;
		return 0;
	case SET_THP_DISABLE:
		return a > 1 ? -EINVAL : 0;
	case SET_SECUREBITS:
		return a ? -EPERM : 0;
	case SET_NAME: {
		char name[16] = { 0 };
		int64_t length = user_string(t, name, a, sizeof name);
		if (length == -EFAULT)
			return length;
		name[15] = 0;
		memcpy(t->name, name, sizeof t->name);
		if (t->id == p->pid) { /* the process's too; other threads' names are found here (servers/proc/inside.c) */
			struct message message = { .word = { PROC_SET_NAME } };
			memcpy(&message.word[1], name, sizeof name);
			(void)proc_call(t, &message, 0);
		}
		return 0;
	}
	case GET_NAME:
		return user_write(t, a, t->name, sizeof t->name);
	case CAPBSET_READ:
		return a > 40 ? -EINVAL : 1;
	case CAPBSET_DROP:
		return a > 40 ? -EINVAL : -EPERM;
	case SET_TIMERSLACK:
		return 0;
	case GET_TIMERSLACK:
		return 50000;
	case SET_CHILD_SUBREAPER:
		a = a != 0;
		return proc_option(t, PROC_OPTION_SUBREAPER, &a, &old);
	case GET_CHILD_SUBREAPER:
		result = proc_option(t, PROC_OPTION_SUBREAPER, NULL, &old);
		return result < 0 ? result : user_write(t, a, &old, sizeof old);
	case SET_NO_NEW_PRIVS:
		if (a != 1 || argument[2] || argument[3] || argument[4])
			return -EINVAL;
		p->no_new_privileges = 1;
		return 0;
	case GET_NO_NEW_PRIVS:
		return p->no_new_privileges;
	case GET_TID_ADDRESS:
		return user_write(t, a, &t->clear_tid, sizeof t->clear_tid);
	case SET_VMA: /* names of anonymous mappings: kernels without CONFIG_ANON_VMA_NAME refuse too */
	default:
		return -EINVAL;
	}
}
