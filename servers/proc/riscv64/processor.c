/* /proc/cpuinfo: what the kernel requires of a processor, for it cannot be asked from here. */
#include "servers/proc/files.h"

void text_processors(struct text *text, unsigned processors)
{
	for (unsigned i = 0; i < processors; i++)
		text_add(text, "processor\t: %u\nhart\t\t: %u\nisa\t\t: rv64imafdc_zicntr_zicsr_zifencei\nmmu\t\t: sv48\n\n", i, i);
}
