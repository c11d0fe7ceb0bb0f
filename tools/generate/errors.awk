# Makes C from abi/errors.tbl (number, name, meaning). POSIX awk.
#   -v output=numbers  build/ARCH/gen/abi/errors.h: #define NAME number
#   -v output=names    build/ARCH/gen/trace/errors.h: the names and meanings by number, for decoders
BEGIN {
	guard = output == "names" ? "TRACE_ERRORS_H" : "ABI_ERRORS_H"
	print "/* Generated from abi/errors.tbl by tools/generate/errors.awk. */"
	print "#ifndef " guard "\n#define " guard
	if (output == "names")
		print "static const char *const error_names[] = {"
}
/^[ \t]*(#|$)/ { next }
{
	if ($1 !~ /^[0-9]+$/ || $2 !~ /^E[A-Z0-9]+$/ || ($1 in seen)) {
		print FILENAME ":" FNR ": bad row: " $0 > "/dev/stderr"
		failed = 1
		exit 1
	}
	seen[$1] = $2
	if ($1 + 0 > last) last = $1 + 0
	meaning = $0
	sub(/^[0-9]+[ \t]+[A-Z0-9]+[ \t]+/, "", meaning)
	meanings[$1] = meaning
	if (output == "names")
		print "\t[" $1 "] = \"" $2 "\","
	else
		print "#define " $2 " " $1
}
END {
	if (failed)
		exit 1
	if (output == "names") {
		print "};\nstatic const char *const error_meanings[] = {"
		for (i = 1; i <= last; i++)
			if (i in meanings) print "\t[" i "] = \"" meanings[i] "\","
		print "};"
	}
	print "#endif"
}
