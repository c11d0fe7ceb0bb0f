# Makes C from abi/errors.tbl (number, name, meaning). POSIX awk.
#   -v output=numbers  build/gen/abi/errors.h: #define NAME number
#   -v output=names    build/gen/trace/errors.h: the names by number, for decoders
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
	if (output == "names")
		print "\t[" $1 "] = \"" $2 "\","
	else
		print "#define " $2 " " $1
}
END {
	if (failed)
		exit 1
	if (output == "names")
		print "};"
	print "#endif"
}
