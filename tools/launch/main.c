/*
 * launch [options] [--] [PROGRAM [ARG...]]: what `carillon run` becomes once everything is built; see launch.h.
 * --build FOLDER says where the kernels and base.archive are, --gdb-socket PATH lets the machine wait for gdb there.
 */
#include "tools/launch/launch.h"

int main(int argc, char **argv)
{
	struct options options;
	struct machine machine;
	char stdio[4];
	options_read(&options, argc, argv);
	terminal_describe(stdio);
	machine_start(&machine, &options, stdio);
	int status = relay_run(&machine, &options, stdio);
	machine_stop();
	ktrace_end();
	terminal_restore();
	return status;
}
