# Makes from linux/calls.tbl (see its head for the rows) what depends on it. POSIX awk.
#   -v output=header  build/ARCH/gen/linux/calls.h         numbers LINUX_CALL_NAME, prototypes, for -v arch=x86_64|riscv64
#   -v output=table   build/ARCH/gen/linux/call_table.h    the dispatch table, included once by linux/process/dispatch.c
#   -v output=trace   build/ARCH/gen/trace/linux_calls.h   argument kinds by number, for linux/trace
#   -v output=names   build/ARCH/gen/linux/call_names.h    names by number of every port, for tools/ktrace
#   -v output=manual  the list of calls for tests/conformance/README
function fail(message) {
	print FILENAME ":" FNR ": " message > "/dev/stderr"
	failed = 1
	exit 1
}
# "fd:fd buffer:out old:out.stat" -> FORMAT_FD, TRACE_OUT | FORMAT_BYTES, TRACE_OUT | FORMAT_STAT (linux/trace/argument.h)
function trace_kinds(list,   word, part, count, k, kind, result) {
	count = split(list, word, / +/)
	if (count > 6) fail("more than six arguments")
	for (k = 1; k <= count; k++) {
		if (split(word[k], part, ":") != 2) fail("an argument is name:type, not " word[k])
		kind = toupper(part[2])
		if (kind ~ /^(IN|OUT|INOUT)$/) kind = "TRACE_" kind " | FORMAT_BYTES"
		else if (sub(/^(IN|OUT|INOUT)[.]/, "TRACE_&", kind)) sub(/[.]/, " | FORMAT_", kind)
		else kind = "FORMAT_" kind
		result = result (k > 1 ? ", " : "") kind
	}
	return result
}
BEGIN { FS = " *[|] *"; if (arch == "") arch = "x86_64"; last = -1 }
/^#/ || /^[ \t]*$/ { next }
{
	if (NF != 8) fail("a row has eight columns, not " NF)
	sub(/ +$/, "", $8)
	if ($7 != "complete" && $7 != "partial" && $7 != "absent") fail("unknown state " $7)
	if (($4 == "-") != ($7 == "absent")) fail("absent calls have no function, all others have one")
	if ($6 != "-" && $6 != "restart" && $6 != "nohand") fail("unknown restart class " $6)
	if ($3 in known) fail("twice: " $3)
	known[$3] = 1
	number = arch == "x86_64" ? $1 : $2
	if (number != "-" && (number in owner)) fail("number " number " twice: " $3 " and " owner[number])
	count++
	name[count] = $3; numbers[count] = number; body[count] = $4; arguments[count] = $5; class[count] = $6; state[count] = $7; note[count] = $8
	x86[count] = $1; generic[count] = $2
	states[$7]++
	if (number != "-") { owner[number] = $3; if (number + 0 > last) last = number + 0 }
}
END {
	if (failed) exit 1
	if (output == "header") {
		print "/* Generated from linux/calls.tbl by tools/generate/linux_calls.awk. */"
		print "#ifndef GENERATED_LINUX_CALLS_H\n#define GENERATED_LINUX_CALLS_H\n#include \"linux/linux.h\""
		print "#define LINUX_CALL_COUNT " last + 1 "u"
		for (i = 1; i <= count; i++)
			# what this port does not have gets a number that no call has
			print "#define LINUX_CALL_" toupper(name[i]) " " (numbers[i] != "-" ? numbers[i] : 65536 + i) "u"
		for (i = 1; i <= count; i++)
			if (body[i] != "-") print "int64_t " body[i] "(struct linux_thread *t, const uint64_t argument[6]);"
		print "#endif"
	} else if (output == "table") {
		print "/* Generated from linux/calls.tbl by tools/generate/linux_calls.awk. */"
		for (i = 1; i <= count; i++)
			if (numbers[i] != "-") {
				after = class[i] == "restart" ? "AFTER_RESTART" : class[i] == "nohand" ? "AFTER_NO_HANDLER" : "AFTER_INTERRUPTED"
				print "[" numbers[i] "] = LINUX_CALL_ENTRY(\"" name[i] "\", " (body[i] == "-" ? "linux_absent" : body[i]) ", " after "),"
			}
	} else if (output == "names") {
		print "/* Generated from linux/calls.tbl by tools/generate/linux_calls.awk. */"
		print "static const char *const linux_call_names[] = { /* x86_64 */"
		for (i = 1; i <= count; i++)
			if (x86[i] != "-") print "\t[" x86[i] "] = \"" name[i] "\","
		print "}, *const linux_call_names_generic[] = { /* riscv64 */"
		for (i = 1; i <= count; i++)
			if (generic[i] != "-") print "\t[" generic[i] "] = \"" name[i] "\","
		print "};"
	} else if (output == "trace") {
		print "/* Generated from linux/calls.tbl by tools/generate/linux_calls.awk. */"
		for (i = 1; i <= count; i++)
			if (numbers[i] != "-" && arguments[i] != "-") print "[" numbers[i] "] = { { " trace_kinds(arguments[i]) " } },"
	} else if (output == "manual") {
		print count " calls: " states["complete"] + 0 " complete, " states["partial"] + 0 " partial, " states["absent"] + 0 " absent."
		print "Absent ones answer ENOSYS and name themselves once in the kernel log."
		print ""
		printf "%-6s %-7s %-26s %-9s %s\n", "x86_64", "generic", "name", "state", "what is missing, or why"
		for (i = 1; i <= count; i++) {
			line = sprintf("%-6s %-7s %-26s %-9s %s", x86[i], generic[i], name[i], state[i], note[i] == "-" ? "" : note[i])
			sub(/ +$/, "", line)
			print line
		}
	} else
		fail("-v output=header, table, names, trace or manual")
}
