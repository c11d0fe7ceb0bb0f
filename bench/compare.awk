# Two results of microbench, Linux's (or `other`'s) first: one line each with both medians and their ratio.
function figure(value) { return sprintf(value < 10 ? "%.3f" : "%.0f", value) }
FNR == 1 { file++ }
/^#/ || NF < 2 { next }
file == 1 { linux[$1] = $2; next }
{
	if (!header++)
		printf "%-32s %12s %12s %7s\n", "instructions an operation", "Carillon", other == "" ? "Linux" : other, "ratio"
	ratio = $1 in linux && linux[$1] > 0 ? sprintf("%.2f", $2 / linux[$1]) : "-"
	printf "%-32s %12s %12s %7s%s\n", $1, figure($2), $1 in linux ? figure(linux[$1]) : "-", ratio, ($5 > 0 ? "  (the processor idled)" : "")
}
