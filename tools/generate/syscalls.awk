# Makes from abi/syscalls.tbl (see the head of that file for the rows) everything that depends on the table. POSIX awk.
#   -v output=numbers  build/ARCH/gen/abi/calls.h       CALL_NAME numbers
#   -v output=stubs    build/ARCH/gen/carillon/calls.h  what programs call; abi/call.h of the architecture makes the trap
#   -v output=bodies   build/ARCH/gen/kernel/calls.h    prototypes of the bodies, sys_NAME
#   -v output=table    build/ARCH/gen/kernel/call_table.h  the dispatch table, included once by the dispatcher
#   -v output=trace    build/ARCH/gen/trace/calls.h     names and argument kinds for decoders
#   -v output=manual   build/ARCH/gen/manual/calls.txt  one paragraph a call
function fail(message) {
	print FILENAME ":" FNR ": " message > "/dev/stderr"
	failed = 1
	exit 1
}

# Splits the arguments at blanks outside parentheses into argument_name[], argument_type[]; returns how many.
function split_arguments(text,    i, c, depth, word, count, colon) {
	count = 0; depth = 0; word = ""
	text = text " "
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "(") depth++
		if (c == ")") depth--
		if (c == " " && depth == 0) {
			if (word == "")
				continue
			colon = index(word, ":")
			if (colon < 2)
				fail("argument without a type: " word)
			argument_name[count] = substr(word, 1, colon - 1)
			argument_type[count] = substr(word, colon + 1)
			count++
			word = ""
		} else
			word = word c
	}
	if (depth != 0)
		fail("unbalanced parentheses")
	if (count > 6)
		fail("more than six arguments")
	return count
}

# What stands between the parentheses, and before them.
function inside(type,    open) { open = index(type, "("); return open ? substr(type, open + 1, length(type) - open - 1) : "" }
function base(type,    open) { open = index(type, "("); return open ? substr(type, 1, open - 1) : type }

function is_pointer(type,    b) { b = base(type); return b == "in" || b == "out" || b == "inout" }

function in_registers(type) { return type == "words" || type == "received" }

function value_type(type,    b) {
	b = base(type)
	if (b == "handle") return "handle_t"
	if (b == "u32" || b == "flags") return "uint32_t"
	if (b == "u64" || b == "address" || b == "size" || b == "deadline") return "uint64_t"
	if (b == "i64") return "int64_t"
	fail("unknown type: " type)
}

# The C declaration of an argument in a user stub.
function user_declaration(name, type,    target) {
	if (type == "words")
		return "uint64_t " name "[MESSAGE_WORDS]"
	if (type == "received")
		return "struct message_received *" name
	if (!is_pointer(type))
		return value_type(type) " " name
	target = inside(type)
	if (target ~ /^struct /)
		sub(/\[.*/, "", target)
	else
		target = "void"
	return (base(type) == "in" ? "const " : "") target " *" name
}
function kernel_type(type) { return is_pointer(type) ? "user_t" : value_type(type) }

# The C identifier of a stub: those that libc's headers declare too get another name.
function stub_name(name) { return name == "timer_create" ? "timer_object_create" : name }

BEGIN {
	FS = "[ \t]*[|]([ \t]+|$)"
	if (output != "manual") {
		guard = "GENERATED_" toupper(output) "_CALLS_H"
		print "/* Generated from abi/syscalls.tbl by tools/generate/syscalls.awk. */"
		print "#ifndef " guard "\n#define " guard
	}
	if (output == "stubs") {
		print "#include \"abi/types.h\"\n#include \"abi/memory.h\"\n#include \"abi/message.h\"\n#include \"abi/process.h\""
		print "#include \"abi/description.h\"\n#include \"abi/link.h\"\n#include \"abi/calls.h\"\n#include \"abi/call.h\""
	}
	if (output == "bodies")
		print "#include \"kernel/core/types.h\""
	if (output == "table") {
		print "#include \"abi/calls.h\"\n#include \"kernel/calls.h\""
		print "enum call_waits { CALL_WAITS_NO, CALL_WAITS_KILLABLE, CALL_WAITS_INTERRUPTIBLE };"
		print "struct call_entry {"
		print "\tint64_t (*body)(const uint64_t argument[6]); /* NULL: no such call */"
		print "\tconst char *name;"
		print "\tuint8_t count;       /* arguments */"
		print "\tuint8_t waits;       /* enum call_waits */"
		print "\tuint8_t handle_mask; /* bit i: argument i is a handle */"
		print "} __attribute__((aligned(32)));"
		print "_Static_assert(sizeof(struct call_entry) == 1 << CALL_ENTRY_SHIFT, \"what entry code takes it for\");"
	}
	if (output == "trace") {
		print "enum trace_argument {"
		print "\tTRACE_NONE, TRACE_HANDLE, TRACE_UNSIGNED, TRACE_SIGNED, TRACE_FLAGS, TRACE_ADDRESS, TRACE_SIZE, TRACE_DEADLINE,"
		print "\tTRACE_IN_BYTES, TRACE_OUT_BYTES, TRACE_IN_STRUCT, TRACE_OUT_STRUCT, TRACE_INOUT_STRUCT,"
		print "};"
		print "struct trace_call {"
		print "\tconst char *name;"
		print "\tunsigned char count;"
		print "\tunsigned char kind[6];     /* enum trace_argument */"
		print "\tconst char *argument[6];   /* names */"
		print "\tsigned char length[6];     /* index of the argument that tells the length in bytes (or the count), -1 none */"
		print "\tconst char *structure[6];  /* name of the structure, or NULL */"
		print "};"
		print "static const struct trace_call trace_calls[] = {"
	}
}

/^[ \t]*(#|$)/ { next }

{
	number = $1; name = $2; waits = $4
	if (NF < 6 || number !~ /^[0-9]+$/ || name !~ /^[a-z][a-z_0-9]*$/)
		fail("bad row: " $0)
	if (waits != "no" && waits != "killable" && waits != "interruptible")
		fail("bad waits: " waits)
	if ((number in number_seen) || (name in name_seen))
		fail("number or name used twice: " number " " name)
	number_seen[number] = 1; name_seen[name] = 1
	if (number + 0 > highest)
		highest = number + 0
	count = split_arguments($3)
	for (i = 0; i < count; i++)
		position[name, argument_name[i]] = i
}

output == "numbers" { print "#define CALL_" toupper(name) " " number }

output == "stubs" {
	declarations = ""; values = ""; special = ""
	for (i = 0; i < count; i++) {
		declarations = declarations (i ? ", " : "") user_declaration(argument_name[i], argument_type[i])
		if (in_registers(argument_type[i])) {
			values = values ", " argument_name[i]
			special = "_" argument_type[i]
		} else if (is_pointer(argument_type[i]))
			values = values ", (uint64_t)(uintptr_t)" argument_name[i]
		else if (value_type(argument_type[i]) == "handle_t")
			values = values ", (uint64_t)(int64_t)" argument_name[i]
		else
			values = values ", (uint64_t)" argument_name[i]
	}
	if (special != "")
		print "\n#ifdef KERNEL_CALL_WORDS"
	print "\n/* " $6 (waits == "no" ? "" : " Waits " (waits == "killable" ? "killably" : "interruptibly") ".") ($5 == "" ? "" : " Errors: " $5 ".") " */"
	print "static inline int64_t " stub_name(name) "(" (count ? declarations : "void") ")"
	print "{\n\treturn kernel_call" (special == "" ? count : special) "(CALL_" toupper(name) values ");\n}"
	if (special != "")
		print "#endif"
	if (stub_name(name) != name)
		print "#if !__STDC_HOSTED__ /* libc declares another function of this name */\n#define " name " " stub_name(name) "\n#endif"
}

output == "bodies" {
	line = ""
	for (i = 0; i < count; i++)
		if (!in_registers(argument_type[i]))
			line = line (i ? ", " : "") kernel_type(argument_type[i]) " " argument_name[i]
	print "/* " $6 " */"
	print "int64_t sys_" name "(" (count ? line : "void") ");"
}

output == "table" {
	values = ""; mask = 0; bit = 1
	for (i = 0; i < count; i++) {
		if (in_registers(argument_type[i])) {
			if (i != 1)
				fail("words take the place of the second argument")
			bit *= 2
			continue
		}
		values = values (i ? ", " : "") "(" kernel_type(argument_type[i]) ")argument[" i "]"
		if (base(argument_type[i]) == "handle")
			mask += bit
		bit *= 2
	}
	print "static int64_t call_body_" name "(const uint64_t argument[6])\n{"
	if (!count)
		print "\t(void)argument;"
	print "\treturn sys_" name "(" values ");\n}"
	rows = rows "\t[CALL_" toupper(name) "] = { call_body_" name ", \"" name "\", " count ", CALL_WAITS_" toupper(waits) ", " mask " },\n"
}

output == "trace" {
	kinds = ""; names = ""; lengths = ""; structures = ""
	for (i = 0; i < count; i++) {
		type = argument_type[i]; b = base(type); target = inside(type); length_index = -1; structure = "0"
		if (b == "handle") kind = "HANDLE"
		else if (b == "u32" || b == "u64") kind = "UNSIGNED"
		else if (b == "i64") kind = "SIGNED"
		else if (in_registers(type)) kind = "UNSIGNED"
		else if (!is_pointer(type)) kind = toupper(b)
		else if (target ~ /^struct /) {
			kind = toupper(b) "_STRUCT"
			sub(/^struct /, "", target)
			open = index(target, "[")
			if (open) {
				length_index = position[name, substr(target, open + 1, length(target) - open - 1)]
				target = substr(target, 1, open - 1)
			}
			structure = "\"" target "\""
		} else {
			kind = toupper(b) "_BYTES"
			if (!((name, target) in position))
				fail("no such length argument: " target)
			length_index = position[name, target]
		}
		separator = i ? ", " : ""
		kinds = kinds separator "TRACE_" kind
		names = names separator "\"" argument_name[i] "\""
		lengths = lengths separator length_index
		structures = structures separator structure
	}
	if (count)
		print "\t[" number "] = { \"" name "\", " count ", { " kinds " }, { " names " }, { " lengths " }, { " structures " } },"
	else
		print "\t[" number "] = { .name = \"" name "\" },"
}

output == "manual" {
	line = ""
	for (i = 0; i < count; i++)
		line = line (i ? ", " : "") user_declaration(argument_name[i], argument_type[i])
	print number "  int64_t " stub_name(name) "(" (count ? line : "void") ")"
	print "    " $6
	if (waits != "no")
		print "    Waits " (waits == "killable" ? "killably." : "interruptibly.")
	print "    Errors: EBADF EACCES EINVAL EFAULT" ($5 == "" ? "" : " " $5) "\n"
}

END {
	if (failed)
		exit 1
	if (output == "numbers")
		print "#define CALL_COUNT " highest + 1 " /* one more than the greatest number */\n#define CALL_ENTRY_SHIFT 5 /* bytes of a struct call_entry, for entry code */"
	if (output == "table")
		print "extern const struct call_entry call_table[CALL_COUNT]; /* for the entry code, too */\nconst struct call_entry call_table[CALL_COUNT] = {\n" rows "};"
	if (output == "trace")
		print "};"
	if (output == "stubs")
		print "\n#ifndef KERNEL_CALL_WORDS /* the port has no words in registers */\n#include \"carillon/words.h\"\n#endif"
	if (output != "manual")
		print "#endif"
}
