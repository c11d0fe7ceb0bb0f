/*
 * launch [options] [--] [PROGRAM [ARG...]]: what `carillon run` becomes once everything is built; see launch.h.
 * --build FOLDER says where the kernels and base.archive are, --gdb-socket PATH lets the machine wait for gdb there.
 */
#include "tools/launch/launch.h"

#define RESTARTS_MAX 3

int main(int argc, char **argv)
{
	struct options options;
	struct machine machine;
	char stdio[4];
	options_read(&options, argc, argv);
	terminal_describe(stdio);
	/* a program is never run twice; who sits at a shell is told, and has a new one (unless the machine is traced: to the end of this one) */
	options.restarts = !options.program[0] && stdio[0] == 't' && !options.ktrace;
	int status = RELAY_RESTART;
	for (unsigned starts = 0; status == RELAY_RESTART; starts++) {
		options.restarts = options.restarts && starts < RESTARTS_MAX;
		machine_start(&machine, &options, stdio);
		status = relay_run(&machine, &options, stdio);
		machine_stop();
	}
	ktrace_end();
	terminal_restore();
	return status;
}
