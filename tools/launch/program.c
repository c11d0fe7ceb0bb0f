/* Is a file a program that Carillon can run? Only what can be told before booting. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/launch/launch.h"

static const char *machine_name(unsigned machine)
{
	static char other[32];
	switch (machine) {
	case EM_386: return "32-bit x86";
	case EM_ARM: return "32-bit ARM";
	case EM_AARCH64: return "aarch64";
	case EM_RISCV: return "riscv";
	case EM_PPC64: return "ppc64";
	case EM_S390: return "s390x";
	case EM_MIPS: return "mips";
	case EM_X86_64: return "x86_64";
	}
	snprintf(other, sizeof other, "machine number %u", machine);
	return other;
}

static char *read_interpreter(int descriptor, const Elf64_Ehdr *header)
{
	for (unsigned i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr segment;
		if (pread(descriptor, &segment, sizeof segment, (off_t)(header->e_phoff + i * sizeof segment)) != (ssize_t)sizeof segment)
			return NULL;
		if (segment.p_type != PT_INTERP || segment.p_filesz == 0 || segment.p_filesz > 4096)
			continue;
		char *name = must_allocate(NULL, segment.p_filesz + 1);
		if (pread(descriptor, name, segment.p_filesz, (off_t)segment.p_offset) != (ssize_t)segment.p_filesz) {
			free(name);
			return NULL;
		}
		name[segment.p_filesz] = 0;
		return name;
	}
	return NULL;
}

char *program_check(const char *path, const struct architecture *architecture)
{
	struct stat status;
	Elf64_Ehdr header = { 0 };
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (descriptor < 0 || fstat(descriptor, &status) < 0)
		fail("cannot run %s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		fail("cannot run %s: %s", path, S_ISDIR(status.st_mode) ? "it is a directory" : "not a regular file");
	ssize_t size = pread(descriptor, &header, sizeof header, 0);
	if (size < EI_NIDENT + 4 || memcmp(header.e_ident, ELFMAG, SELFMAG))
		fail("cannot run %s: not an ELF program%s", path, size >= 2 && !memcmp(header.e_ident, "#!", 2) ?
			" (a script: run its interpreter and --copy the script)" : "");
	if (header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != architecture->elf_machine) {
		unsigned machine = header.e_machine;
		if (header.e_ident[EI_DATA] == ELFDATA2MSB)
			machine = (machine & 0xff) << 8 | machine >> 8;
		fail("cannot run %s: wrong architecture: it is for %s%s, the machine is %s", path,
			machine == EM_X86_64 && header.e_ident[EI_CLASS] != ELFCLASS64 ? "32-bit x86_64 (x32)" : machine_name(machine),
			machine == EM_RISCV ? header.e_ident[EI_CLASS] == ELFCLASS64 ? "64" : "32" : "", architecture->name);
	}
	if (size != (ssize_t)sizeof header || (header.e_type != ET_EXEC && header.e_type != ET_DYN) || !header.e_phnum ||
		header.e_phentsize != sizeof(Elf64_Phdr))
		fail("cannot run %s: not an ELF program (%s)", path, header.e_type == ET_REL ? "an object file" :
			header.e_type == ET_CORE ? "a core dump" : "no program headers");
	if (!(status.st_mode & 0111))
		fail("cannot run %s: Permission denied (it is not marked executable)", path);
	char *interpreter = read_interpreter(descriptor, &header);
	close(descriptor);
	return interpreter;
}
