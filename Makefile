# Builds Carillon. `./carillon build` calls this; nothing here installs or downloads (tools/setup does).
#   make generated   headers made from the tables of abi/, in build/ARCH/gen
#   make kernel      build/ARCH/carillon.elf, and carillon-debug.elf with KERNEL_DEBUG's checks
#   make library     build/ARCH/library: the Linux personality as the image that unmodified programs get
#   make servers     build/ARCH/system/NAME: init, the servers and drivers
#   make tools       build/host/NAME: programs that run on this machine
#   make archive     build/ARCH/base.archive: everything the guest finds in every run
#   make all         all of it
# Sources are found by folder; a file NAME_test.c is a unit test (tests/host builds it) and is never linked here.

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

ARCH ?= x86_64
PLAT_x86_64 := pc
PLAT_riscv64 := virt
PLAT := $(PLAT_$(ARCH))
BUILD := build/$(ARCH)
GEN := $(BUILD)/gen
OBJECT := $(BUILD)/object

CROSS_riscv64 := riscv64-linux-gnu-
CROSS := $(CROSS_$(ARCH))
CC := $(CROSS)gcc
AR := $(CROSS)ar
NM := $(CROSS)nm
STRIP := $(CROSS)strip
AWK := awk
HOST_CC := gcc

WARNINGS := -Wall -Wextra -Werror
COMMON := -std=gnu11 -O2 -g $(WARNINGS) -fno-stack-protector -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -I. -Iabi/$(ARCH) -Ilinux/$(ARCH) -I$(GEN) $(COMMON_$(ARCH))
# riscv64: nothing is relaxed, so nobody but programs themselves uses gp, which is the library's pointer to a thread's block
COMMON_riscv64 := -mno-relax
LINK_riscv64 := -Wl,--no-relax
LINK := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack $(LINK_$(ARCH))
KERNEL_FLAGS_x86_64 := -mcmodel=kernel -mno-red-zone -mgeneral-regs-only
KERNEL_FLAGS_riscv64 := -mcmodel=medany -march=rv64ima_zicsr_zifencei -mabi=lp64
# a sleeper on its own stack hangs in a list while it sleeps, which gcc takes for a dangling pointer
KERNEL_FLAGS := $(COMMON) -Wno-dangling-pointer -ffreestanding -fno-pic -fno-pie $(KERNEL_FLAGS_$(ARCH)) -Iarch/include -Iarch/$(ARCH) -Ikernel/include
# The library runs inside other people's programs: no global offset into libc, no vector registers, one image.
LIBRARY_FLAGS_x86_64 := -mgeneral-regs-only -mno-red-zone
# riscv64 has no option that keeps off the floating-point registers alone
FLOAT_REGISTERS_riscv64 := $(foreach n,0 1 2 3 4 5 6 7 8 9 10 11,ft$(n) fs$(n)) $(foreach n,0 1 2 3 4 5 6 7,fa$(n))
LIBRARY_FLAGS_riscv64 := $(addprefix -ffixed-,$(FLOAT_REGISTERS_riscv64))
LIBRARY_FLAGS := $(COMMON) -ffreestanding -fPIE -fvisibility=hidden $(LIBRARY_FLAGS_$(ARCH)) -Iuser/include -Ilinux/include
# Native programs: static, on musl's headers and libc with the system calls replaced by the library.
MUSL := build/$(ARCH)/musl
MUSL_LIBC := $(MUSL)/lib/libc.a
NATIVE_FLAGS := $(COMMON) -fno-pic -fno-pie -nostdinc -isystem $(MUSL)/include -isystem $(shell $(CC) -print-file-name=include) -Iuser/include -Ilinux/include
HOST_FLAGS := -std=gnu11 -O2 -g $(WARNINGS) -D_GNU_SOURCE -I. -Iabi/$(ARCH) -I$(GEN) -Iuser/include
DEPEND = -MMD -MP -MF $@.d

OTHER_ARCHITECTURES := $(filter-out $(ARCH),x86_64 riscv64 hosted)
sources = $(filter-out %_test.c $(foreach other,$(OTHER_ARCHITECTURES),linux/$(other)/% lib/$(other)/%),$(foreach pattern,$(1),$(wildcard $(pattern))))
objects = $(patsubst %,$(OBJECT)/$(1)/%.o,$(2))

# -- generated headers

GENERATED := $(GEN)/abi/errors.h $(GEN)/abi/calls.h $(GEN)/carillon/calls.h $(GEN)/kernel/calls.h $(GEN)/kernel/call_table.h \
	$(GEN)/trace/calls.h $(GEN)/trace/errors.h $(GEN)/manual/calls.txt \
	$(GEN)/linux/calls.h $(GEN)/linux/call_table.h $(GEN)/linux/call_names.h $(GEN)/trace/linux_calls.h $(GEN)/manual/linux_calls.txt

generated: $(GENERATED)

# Writes the target only when its content changes, so that touching a table does not rebuild the world.
define generate
@mkdir -p $(@D)
@$(AWK) -v output=$(1) -f $(2) $(3) >$@.new && if cmp -s $@.new $@; then rm $@.new; touch $@; else mv $@.new $@; fi
endef
$(GEN)/abi/errors.h: abi/errors.tbl tools/generate/errors.awk
	$(call generate,numbers,tools/generate/errors.awk,abi/errors.tbl)
$(GEN)/trace/errors.h: abi/errors.tbl tools/generate/errors.awk
	$(call generate,names,tools/generate/errors.awk,abi/errors.tbl)
CALLS := abi/syscalls.tbl tools/generate/syscalls.awk
$(GEN)/abi/calls.h: $(CALLS)
	$(call generate,numbers,tools/generate/syscalls.awk,abi/syscalls.tbl)
$(GEN)/carillon/calls.h: $(CALLS)
	$(call generate,stubs,tools/generate/syscalls.awk,abi/syscalls.tbl)
$(GEN)/kernel/calls.h: $(CALLS)
	$(call generate,bodies,tools/generate/syscalls.awk,abi/syscalls.tbl)
$(GEN)/kernel/call_table.h: $(CALLS)
	$(call generate,table,tools/generate/syscalls.awk,abi/syscalls.tbl)
$(GEN)/trace/calls.h: $(CALLS)
	$(call generate,trace,tools/generate/syscalls.awk,abi/syscalls.tbl)
$(GEN)/manual/calls.txt: $(CALLS)
	$(call generate,manual,tools/generate/syscalls.awk,abi/syscalls.tbl)

LINUX_CALLS := linux/calls.tbl tools/generate/linux_calls.awk
$(GEN)/linux/calls.h: $(LINUX_CALLS)
	$(call generate,header -v arch=$(ARCH),tools/generate/linux_calls.awk,linux/calls.tbl)
$(GEN)/linux/call_table.h: $(LINUX_CALLS)
	$(call generate,table -v arch=$(ARCH),tools/generate/linux_calls.awk,linux/calls.tbl)
$(GEN)/linux/call_names.h: $(LINUX_CALLS)
	$(call generate,names,tools/generate/linux_calls.awk,linux/calls.tbl)
$(GEN)/trace/linux_calls.h: $(LINUX_CALLS)
	$(call generate,trace -v arch=$(ARCH),tools/generate/linux_calls.awk,linux/calls.tbl)
$(GEN)/manual/linux_calls.txt: $(LINUX_CALLS)
	$(call generate,manual -v arch=$(ARCH),tools/generate/linux_calls.awk,linux/calls.tbl)

# -- kernel: carillon.elf, for one processor, and carillon-debug.elf with the checks of KERNEL_DEBUG (lock order, poisoned memory), which tests use

KERNEL_SOURCES := $(filter-out arch/$(ARCH)/offsets.c,$(call sources,kernel/*/*.c arch/*.c arch/$(ARCH)/*.c arch/$(ARCH)/*.S plat/$(PLAT)/*.c plat/$(PLAT)/*.S lib/*.c lib/*/*.c))
KERNEL_SCRIPT := $(firstword $(wildcard arch/$(ARCH)/kernel.ld arch/$(ARCH)/*.ld))
# and carillon-several for more than one processor, where the port has that
PROCESSORS_x86_64 := 8
PROCESSORS := $(or $(PROCESSORS_$(ARCH)),1)
KERNELS := carillon carillon-debug $(if $(PROCESSORS_$(ARCH)),carillon-several)
# checks on the machine itself (arch/test)
CHECK_SOURCES := kernel/debug/check.c $(call sources,arch/test/*.c arch/$(ARCH)/test/*.S)
SOURCES_carillon := $(filter-out $(CHECK_SOURCES),$(KERNEL_SOURCES))
SOURCES_carillon-several := $(SOURCES_carillon)
SOURCES_carillon-debug := $(sort $(KERNEL_SOURCES) $(CHECK_SOURCES))
KERNEL_OBJECTS := $(foreach kernel,$(KERNELS),$(call objects,$(kernel),$(SOURCES_$(kernel))))

kernel: $(KERNELS:%=$(BUILD)/%.elf)

# Two passes: the first link tells the addresses, the second carries them as the table that backtraces use. The table's
# section comes last in the image, so adding it moves nothing.
KERNEL_LINK = $(CC) $(KERNEL_FLAGS_$(ARCH)) $(LINK) -Wl,--no-warn-rwx-segments -T $(KERNEL_SCRIPT)
$(BUILD)/symbols_none.o: tools/generate/symbols.awk Makefile
	@mkdir -p $(@D)
	@$(AWK) -f tools/generate/symbols.awk </dev/null >$(BUILD)/symbols_none.S
	$(CC) -fno-pic -fno-pie $(KERNEL_FLAGS_$(ARCH)) $(COMMON_$(ARCH)) -c $(BUILD)/symbols_none.S -o $@
# of a port whose assembly needs them: arch/offsets.h
OFFSETS := $(wildcard arch/$(ARCH)/offsets.c)
define kernel # NAME, flags
$(OBJECT)/$(1)/%.o: % Makefile | generated $(if $(OFFSETS),$(OBJECT)/$(1)/offsets/arch/offsets.h)
	@mkdir -p $$(@D)
	$(CC) $(KERNEL_FLAGS) -I$(OBJECT)/$(1)/offsets $(2) $$(DEPEND) -c $$< -o $$@
$(OBJECT)/$(1)/offsets/arch/offsets.h: $(OFFSETS) Makefile | generated
	@mkdir -p $$(@D)
	$(CC) $(KERNEL_FLAGS) $(2) $$(DEPEND) -MT $$@ -S $$< -o $$@.s
	@sed -n 's/^->\([A-Z0-9_]*\) \(-*[0-9]*\)$$$$/#define \1 \2/p' $$@.s >$$@
$(BUILD)/$(1).first.elf: $(call objects,$(1),$(SOURCES_$(1))) $(BUILD)/symbols_none.o $(KERNEL_SCRIPT)
	$(KERNEL_LINK) $(call objects,$(1),$(SOURCES_$(1))) $(BUILD)/symbols_none.o -o $$@
$(BUILD)/$(1).symbols.o: $(BUILD)/$(1).first.elf
	@$(NM) -n $$< | $(AWK) -f tools/generate/symbols.awk >$(BUILD)/$(1).symbols.S
	$(CC) -fno-pic -fno-pie $(KERNEL_FLAGS_$(ARCH)) $(COMMON_$(ARCH)) -c $(BUILD)/$(1).symbols.S -o $$@
$(BUILD)/$(1).elf: $(call objects,$(1),$(SOURCES_$(1))) $(BUILD)/$(1).symbols.o $(KERNEL_SCRIPT)
	$(KERNEL_LINK) $(call objects,$(1),$(SOURCES_$(1))) $(BUILD)/$(1).symbols.o -o $$@
endef
$(eval $(call kernel,carillon,))
$(eval $(call kernel,carillon-debug,-DKERNEL_DEBUG=1 -DPROCESSORS_MAX=$(PROCESSORS)u))
$(eval $(call kernel,carillon-several,-DPROCESSORS_MAX=$(PROCESSORS)u))

# -- the Linux personality

LIBRARY_SOURCES := $(filter-out linux/vdso/%.c linux/vdso/$(ARCH)/% $(foreach other,$(OTHER_ARCHITECTURES),linux/vdso/$(other)/%),$(call sources,linux/*.c linux/*.S linux/*/*.c linux/*/*.S linux/*/*/*.c linux/*/*/*.S user/ns/*.c lib/$(ARCH)/*.c))
LIBRARY_OBJECTS := $(call objects,library,$(LIBRARY_SOURCES))
LIBRARY := $(BUILD)/library
LIBRARY_ARCHIVE := $(BUILD)/liblinux.a

library: $(LIBRARY)

$(OBJECT)/library/%.o: % Makefile | generated
	@mkdir -p $(@D)
	$(CC) $(LIBRARY_FLAGS) $(DEPEND) -c $< -o $@

VDSO := $(BUILD)/vdso
VDSO_OBJECTS := $(call objects,vdso,$(wildcard linux/vdso/*.c linux/vdso/$(ARCH)/*.S))
$(OBJECT)/vdso/%.o: % Makefile | generated
	@mkdir -p $(@D)
	$(CC) $(COMMON) -ffreestanding -fPIC -fvisibility=hidden $(LIBRARY_FLAGS_$(ARCH)) -fomit-frame-pointer -Iuser/include -Ilinux/include $(DEPEND) -c $< -o $@
LINK_VDSO_riscv64 := -Wl,-e,__vdso_rt_sigreturn # where handlers return to: linux/riscv64/frame.c
$(VDSO): $(VDSO_OBJECTS) linux/vdso/vdso.ld linux/vdso/$(ARCH)/names.map
	$(CC) -nostdlib -shared $(LINK_$(ARCH)) $(LINK_VDSO_$(ARCH)) -Wl,-soname,linux-vdso.so.1 -Wl,-Bsymbolic -Wl,--hash-style=both -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
		-Wl,-z,noexecstack -Wl,--version-script=linux/vdso/$(ARCH)/names.map -T linux/vdso/vdso.ld $(VDSO_OBJECTS) -o $@.whole
	$(STRIP) -o $@ $@.whole
$(OBJECT)/library/linux/vdso/image.S.o: LIBRARY_FLAGS += -DVDSO_FILE='"$(VDSO)"'
$(OBJECT)/library/linux/vdso/image.S.o: $(VDSO)

LAYOUT := abi/$(ARCH)/abi/layout.h
LINK_LIBRARY = $(LINK) -Wl,--defsym=LIBRARY_START=$$(sed -n 's/^\#define LIBRARY_START \(0x[0-9a-f]*\)ul$$/\1/p' $(LAYOUT)) -T linux/image.ld
$(LIBRARY): $(LIBRARY_OBJECTS) linux/image.ld $(LAYOUT)
	$(CC) $(LINK_LIBRARY) $(LIBRARY_OBJECTS) -o $@
$(LIBRARY_ARCHIVE): $(LIBRARY_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

# -- native programs: user/init, servers/NAME, drivers/NAME; what they share is in lib/ and in user/ outside init, commands and ns

NATIVE_SHARED := $(filter-out user/init/% user/commands/% user/ns/% user/musl/%,$(call sources,user/*/*.c user/*/*.S user/*/$(ARCH)/*.S user/*/$(ARCH)/*.c lib/*/*.c))
NATIVE_ARCHIVE := $(BUILD)/libcarillon.a
NATIVE_NAMES := $(if $(call sources,user/init/*.c),init) \
	$(sort $(foreach folder,$(wildcard servers/* drivers/*),$(if $(call sources,$(folder)/*.c),$(notdir $(folder)))))
NATIVE := $(addprefix $(BUILD)/system/,$(NATIVE_NAMES))

servers: $(NATIVE)

$(OBJECT)/native/%.o: % Makefile $(MUSL_LIBC) | generated
	@mkdir -p $(@D)
	$(CC) $(NATIVE_FLAGS) $(DEPEND) -c $< -o $@
$(NATIVE_ARCHIVE): $(call objects,native,$(NATIVE_SHARED))
	@rm -f $@
	$(AR) rcs $@ $^

# Each program is linked at addresses of its own, so that a trace of the machine tells whose an instruction is (tools/profile).
native_counter :=
define native_program
$(eval native_counter += x)
$(BUILD)/system/$(1): native_base := 0x$(words $(native_counter))000000
$(BUILD)/system/$(1): $(call objects,native,$(call sources,$(2)/*.c $(2)/*.S $(2)/$(ARCH)/*.c)) $(NATIVE_ARCHIVE) $(LIBRARY_ARCHIVE) $(MUSL_LIBC)
	@mkdir -p $$(@D)
	$(CC) $(LINK) -Wl,-Ttext-segment=$$(native_base) $$(filter %.o,$$^) \
		-Wl,--start-group $(NATIVE_ARCHIVE) $(LIBRARY_ARCHIVE) $(MUSL_LIBC) $(shell $(CC) -print-libgcc-file-name) -Wl,--end-group -o $$@
endef
$(foreach name,$(NATIVE_NAMES),$(eval $(call native_program,$(name),$(wildcard $(if $(filter init,$(name)),user/init) servers/$(name) drivers/$(name)))))

# the program of tests/fuzz, which takes init's place; not part of the system
$(eval $(call native_program,fuzz,tests/fuzz/native))
# servers and the library with the heaps of tests/fuzz
define heap_program
$(BUILD)/heap/$(1): $(call objects,native,$(call sources,servers/$(1)/*.c servers/$(1)/$(ARCH)/*.c) tests/fuzz/heap/heap.c) $(NATIVE_ARCHIVE) $(LIBRARY_ARCHIVE) $(MUSL_LIBC)
	@mkdir -p $$(@D)
	$(CC) $(LINK) -Wl,-Ttext-segment=0x1000000 $$(filter %.o,$$^) \
		-Wl,--start-group $(NATIVE_ARCHIVE) $(LIBRARY_ARCHIVE) $(MUSL_LIBC) $(shell $(CC) -print-libgcc-file-name) -Wl,--end-group -o $$@
endef
HEAP_NAMES := $(notdir $(patsubst %/,%,$(wildcard servers/*/)))
$(foreach name,$(HEAP_NAMES),$(eval $(call heap_program,$(name))))
$(BUILD)/heap/library: $(LIBRARY_OBJECTS) $(call objects,library,tests/fuzz/heap/library.c) linux/image.ld $(LAYOUT)
	@mkdir -p $(@D)
	$(CC) $(LINK_LIBRARY) -Wl,--wrap=linux_alloc $(filter %.o,$^) -o $@
fuzz: $(BUILD)/system/fuzz $(addprefix $(BUILD)/heap/,$(HEAP_NAMES) library) kernel tools
# the same of tests/ipc
$(eval $(call native_program,ipc,tests/ipc/native))
ipc: $(BUILD)/system/ipc kernel tools
# the same of tests/torture
$(eval $(call native_program,torture,tests/torture/native))
torture: $(BUILD)/system/torture kernel tools
# the same of bench: Carillon's own calls
$(eval $(call native_program,bench,bench/native))
bench: $(BUILD)/system/bench kernel tools

# musl from Debian's source package with its system-call layer replaced (tools/setup/musl.sh fetches and builds it)
$(MUSL_LIBC): tools/setup/musl.sh tools/setup/sources.sh $(shell find user/musl -type f 2>/dev/null)
	ARCH=$(ARCH) CROSS_COMPILE=$(CROSS) CC=$(CC) CFLAGS="$(COMMON_$(ARCH))" sh tools/setup/musl.sh $(MUSL)
	@touch $@

# -- programs of this machine

HOST_TOOLS := archive ktrace launch profile
SOURCES_launch := tools/archive/archive.c
tools: $(addprefix build/host/,$(HOST_TOOLS))

build/host/object/%.o: % Makefile | generated
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_FLAGS) $(DEPEND) -c $< -o $@
define host_program
build/host/$(1): $(patsubst %,build/host/object/%.o,$(call sources,tools/$(1)/*.c $(SOURCES_$(1))))
	@mkdir -p $$(@D)
	$(HOST_CC) $$^ -o $$@
endef
$(foreach name,$(HOST_TOOLS),$(eval $(call host_program,$(name))))

# what tests of the launcher run in place of QEMU
STANDIN := build/host/standin
build/host/standin: tests/command/machine.c build/host/object/tools/archive/archive.c.o Makefile
	@mkdir -p $(@D)
	$(HOST_CC) $(HOST_FLAGS) tests/command/machine.c build/host/object/tools/archive/archive.c.o -lpthread -o $@
standin: $(STANDIN)

# -- the boot archive without the program of a run

# what this machine runs itself is its own; else the set-up fetches it
BUSYBOX_x86_64 := /bin/busybox
BUSYBOX := $(or $(BUSYBOX_$(ARCH)),$(BUILD)/busybox)
$(BUILD)/busybox $(BUILD)/bash-static: $(BUILD)/%: tools/setup/program.sh tools/setup/sources.sh
	ARCH=$(ARCH) sh tools/setup/program.sh $(patsubst %-static,%,$*)-static $@
	@touch $@
BASE_ARCHIVE := $(BUILD)/base.archive
# without what only debuggers read; symbol names stay, for backtraces
STRIPPED := $(patsubst %,$(BUILD)/stripped/%,$(NATIVE_NAMES) library)
$(BUILD)/stripped/library: $(LIBRARY)
$(filter-out $(BUILD)/stripped/library,$(STRIPPED)): $(BUILD)/stripped/%: $(BUILD)/system/%
$(STRIPPED):
	@mkdir -p $(@D)
	$(STRIP) --strip-debug -o $@ $<
archive: $(BASE_ARCHIVE)
$(BASE_ARCHIVE): build/host/archive $(STRIPPED) $(BUSYBOX) tools/archive/base.sh $(shell find tools/archive/root -type f)
	@for file in $(BUILD)/stripped/*; do case " $(STRIPPED) " in *" $$file "*) ;; *) rm -f "$$file" ;; esac; done
	sh tools/archive/base.sh $(BUILD) $(BUSYBOX) >$(BUILD)/base.list
	build/host/archive create $@ <$(BUILD)/base.list

all: kernel library servers tools archive

clean:
	rm -rf build


.PHONY: fuzz ipc torture bench standin generated kernel library servers tools archive all clean
-include $(addsuffix .d,$(KERNEL_OBJECTS) $(KERNELS:%=$(OBJECT)/%/offsets/arch/offsets.h) $(LIBRARY_OBJECTS) $(call objects,library,tests/fuzz/heap/library.c) $(VDSO_OBJECTS) $(foreach name,$(NATIVE_NAMES),$(call objects,native,$(call sources,user/$(name)/*.c servers/$(name)/*.c servers/$(name)/$(ARCH)/*.c user/$(name)/$(ARCH)/*.c drivers/$(name)/*.c))) \
	$(call objects,native,$(NATIVE_SHARED) $(wildcard tests/fuzz/native/*.c tests/fuzz/heap/heap.c tests/ipc/native/*.c tests/torture/native/*.c bench/native/*.c)) $(foreach name,$(HOST_TOOLS),$(patsubst %,build/host/object/%.o,$(call sources,tools/$(name)/*.c))))
