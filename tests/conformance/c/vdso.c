/* The vDSO: found and looked up as C libraries do it, agrees with the system calls, and signals that arrive in it are neither lost nor harmful. */
#include "case.h"
#include "machine.h"
#include <elf.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static const char *image;
static const Elf64_Dyn *dynamic;

static const void *entry(Elf64_Sxword tag)
{
	for (const Elf64_Dyn *d = dynamic; d->d_tag; d++)
		if (d->d_tag == tag)
			return d->d_un.d_ptr < (uintptr_t)image ? image + d->d_un.d_ptr : (const void *)d->d_un.d_ptr;
	return NULL;
}

static uint32_t name_hash(const char *name)
{
	uint32_t value = 0;
	for (const char *c = name; *c; c++) {
		value = (value << 4) + (unsigned char)*c;
		value = (value ^ (value >> 24 & 0xf0)) & 0xfffffff;
	}
	return value;
}

static bool version_good(unsigned symbol)
{
	const uint16_t *versions = entry(DT_VERSYM);
	const Elf64_Verdef *definition = entry(DT_VERDEF);
	for (;;) {
		if (!(definition->vd_flags & VER_FLG_BASE) && (definition->vd_ndx & 0x7fff) == (versions[symbol] & 0x7fff)) {
			const Elf64_Verdaux *name = (const void *)((const char *)definition + definition->vd_aux);
			return !strcmp((const char *)entry(DT_STRTAB) + name->vda_name, VDSO_VERSION) && definition->vd_hash == name_hash(VDSO_VERSION);
		}
		if (!definition->vd_next)
			return false;
		definition = (const void *)((const char *)definition + definition->vd_next);
	}
}

static void *find(const char *name)
{
	const Elf64_Sym *symbols = entry(DT_SYMTAB);
	const char *strings = entry(DT_STRTAB);
	const uint32_t *hash = entry(DT_HASH);
	if (!hash)
		return NULL;
	/* through the chains of the bucket, so that the table must be right */
	for (uint32_t i = hash[2 + name_hash(name) % hash[0]]; i; i = hash[2 + hash[0] + i])
		if (!strcmp(strings + symbols[i].st_name, name) && symbols[i].st_shndx && version_good(i))
			return (void *)(image + symbols[i].st_value);
	return NULL;
}

static volatile sig_atomic_t ticks;
static void tick(int signal)
{
	ticks++;
}

int main(void)
{
	image = (const char *)getauxval(AT_SYSINFO_EHDR);
	check(image != NULL);
	if (!image)
		return 1;
	const Elf64_Ehdr *header = (const void *)image;
	check(!memcmp(header->e_ident, ELFMAG, SELFMAG) && header->e_type == ET_DYN);
	const Elf64_Phdr *program = (const void *)(image + header->e_phoff);
	int loads = 0, writable = 0;
	for (int i = 0; i < header->e_phnum; i++) {
		loads += program[i].p_type == PT_LOAD;
		writable |= program[i].p_flags & PF_W;
		if (program[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(image + program[i].p_vaddr);
	}
	check(loads == 1 && dynamic && !writable);

	int (*get)(int, struct timespec *) = find("__vdso_clock_gettime");
	int (*day)(struct timeval *, void *) = find("__vdso_gettimeofday");
	time_t (*seconds)(time_t *) = find("__vdso_time");
	long (*processor)(unsigned *, unsigned *, void *) = find("__vdso_getcpu");
	check(get && day && !seconds == !VDSO_TIME && processor && !find("__vdso_nothing"));
	static const int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_TAI,
		CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, 10, 31, 32, 77 };
	for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		struct timespec before, now, after;
		long result = syscall(SYS_clock_gettime, clocks[i], &before) ? -errno : 0;
		int mine = get(clocks[i], &now);
		syscall(SYS_clock_gettime, clocks[i], &after);
		printf("clock %d: %ld %d", clocks[i], result, mine);
		if (!result) {
			bool ordered = (before.tv_sec < now.tv_sec || (before.tv_sec == now.tv_sec && before.tv_nsec <= now.tv_nsec)) &&
				(now.tv_sec < after.tv_sec || (now.tv_sec == after.tv_sec && now.tv_nsec <= after.tv_nsec));
			printf(" %s", ordered && now.tv_nsec >= 0 && now.tv_nsec < 1000000000 ? "between" : "NOT between");
		}
		putchar('\n');
	}
	struct timespec a, b;
	struct timeval v;
	clock_gettime(CLOCK_REALTIME, &a);
	check(day(&v, NULL) == 0);
	clock_gettime(CLOCK_REALTIME, &b);
	long long x = a.tv_sec * 1000000LL + a.tv_nsec / 1000, y = v.tv_sec * 1000000LL + v.tv_usec, z = b.tv_sec * 1000000LL + b.tv_nsec / 1000;
	check(x <= y && y <= z);
	time_t told = 0, answer = seconds ? seconds(&told) : time(&told);
	check(answer == told && answer + 1 >= b.tv_sec && answer <= b.tv_sec + 1);
	unsigned number = 99, node = 99;
	cpu_set_t set;
	check(sched_getaffinity(0, sizeof set, &set) == 0);
	check(processor(&number, &node, NULL) == 0 && CPU_ISSET(number, &set) && node == 0);
	check(sched_getcpu() >= 0 && CPU_ISSET(sched_getcpu(), &set));

	/* Nearly every instruction of this loop is in the vDSO; so that is where the signals arrive. */
	struct sigaction action = { .sa_handler = tick };
	sigaction(SIGALRM, &action, NULL);
	struct itimerval each = { { 0, 2000 }, { 0, 2000 } };
	setitimer(ITIMER_REAL, &each, NULL);
	struct timespec last = { 0 }, now;
	bool forward = true;
	while (ticks < 100) {
		get(CLOCK_MONOTONIC, &now);
		forward &= now.tv_sec > last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec >= last.tv_nsec);
		last = now;
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	check(forward);
	puts("100 signals");
	return 0;
}
