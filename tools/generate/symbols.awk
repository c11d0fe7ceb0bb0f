# Turns `nm -n KERNEL` into the assembly of the kernel's symbol table (kernel/debug/symbols.c). No input: an empty table.
#   nm -n first.elf | awk -f symbols.awk >symbols.S
# Only functions (t, T, w, W), only text; the first is the base. Linked in the section .symbols, which lies behind all text.

BEGIN {
	count = 0
}

$2 ~ /^[tTwW]$/ && $3 !~ /^(\.L|kernel_start$|kernel_text_end$)/ {
	if ($1 == last)
		next
	last = $1
	address[count] = $1
	name[count++] = $3
}

END {
	print "\t.section .symbols, \"a\", @progbits"
	print "\t.globl kernel_symbols, kernel_symbol_count, kernel_symbol_base, kernel_symbol_names"
	print "\t.balign 8"
	print "kernel_symbol_base:\n\t.quad 0x" (count ? address[0] : 0)
	print "kernel_symbol_count:\n\t.long " (count + 0)
	print "\t.balign 8\nkernel_symbols:"
	for (i = 0; i < count; i++)
		print "\t.long 0x" address[i] " - 0x" address[0] ", name_" i " - kernel_symbol_names"
	print "kernel_symbol_names:"
	for (i = 0; i < count; i++)
		print "name_" i ": .asciz \"" name[i] "\""
	print "\t.section .note.GNU-stack, \"\", @progbits"
}
