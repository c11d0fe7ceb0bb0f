/* /proc/cpuinfo, as the processor tells of itself. */
#include <string.h>
#include "servers/proc/files.h"

struct answer { uint32_t a, b, c, d; };

static struct answer ask(uint32_t leaf, uint32_t part)
{
	struct answer answer;
	__asm__ volatile("cpuid" : "=a"(answer.a), "=b"(answer.b), "=c"(answer.c), "=d"(answer.d) : "a"(leaf), "c"(part));
	return answer;
}

/* Names of the bits of a register in Linux's spelling, "" where there is none */
static void flags_add(struct text *text, uint32_t bits, const char *names)
{
	for (int bit = 0; bit < 32 && *names; bit++) {
		const char *end = strchr(names, ' ');
		size_t length = end ? (size_t)(end - names) : strlen(names);
		if ((bits >> bit & 1) && !(length == 1 && *names == '-')) {
			text_add_bytes(text, " ", 1);
			text_add_bytes(text, names, length);
		}
		names += length + (end != NULL);
	}
}

static void flags_all(struct text *text)
{
	struct answer basic = ask(1, 0), extended = ask(0x80000001, 0), seven = ask(0, 0).a >= 7 ? ask(7, 0) : (struct answer){ 0 };
	flags_add(text, basic.d, "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe");
	flags_add(text, extended.d, "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow");
	flags_add(text, basic.c, "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca sse4_1 sse4_2 x2apic movbe "
		"popcnt tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor");
	flags_add(text, extended.c, "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt - lwp fma4");
	flags_add(text, seven.b, "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f avx512dq rdseed adx smap avx512ifma - "
		"clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl");
}

void text_processors(struct text *text, unsigned processors)
{
	struct answer first = ask(0, 0), basic = ask(1, 0), sizes = ask(0x80000000, 0).a >= 0x80000008 ? ask(0x80000008, 0) : (struct answer){ .a = 0x3028 };
	uint32_t vendor[4] = { first.b, first.d, first.c, 0 }, name[13] = { 0 };
	uint32_t family = basic.a >> 8 & 15, model = basic.a >> 4 & 15;
	if (family == 15 || family == 6)
		model += (basic.a >> 16 & 15) << 4;
	if (family == 15)
		family += basic.a >> 20 & 255;
	for (uint32_t i = 0; i < 3 && ask(0x80000000, 0).a >= 0x80000004; i++) {
		struct answer part = ask(0x80000002 + i, 0);
		memcpy(name + 4 * i, &part, sizeof part);
	}
	const char *shown = (const char *)name;
	shown += strspn(shown, " ");
	for (unsigned i = 0; i < processors; i++) {
		text_add(text, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n"
			"cpu MHz\t\t: 1000.000\ncache size\t: 1024 KB\nphysical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\napicid\t\t: %u\n"
			"initial apicid\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t:", i, (const char *)vendor,
			family, model, *shown ? shown : "unknown", basic.a & 15, processors, i, processors, i, i, first.a);
		flags_all(text);
		text_add(text, "\nbugs\t\t:\nbogomips\t: 2000.00\nclflush size\t: %u\ncache_alignment\t: 64\naddress sizes\t: %u bits physical, %u bits virtual\n"
			"power management:\n\n", (basic.b >> 8 & 255) * 8, sizes.a & 255, sizes.a >> 8 & 255);
	}
}
