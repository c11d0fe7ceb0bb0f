/* The socket server: names and listening queues of local sockets. Record names: boot_names.h. */
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "keeper.h"
#include "request.h"
#include "socket.h"

void socket_handle_close(handle_t handle) { handle_close(handle); }

int main(void)
{
	static const struct server_port_operations operations = { .request = socket_request, .closed = socket_closed, .interrupted = socket_interrupted };
	socket_listener = record_handle_required(BOOT_NAME_LISTENER);
	socket_start((uint32_t)record_value(BOOT_NAME_EPOCH, 0) % SOCKET_EPOCHS);
	keeper_start(record_handle_required(BOOT_NAME_KEEPER_OUT), record_handle_required(BOOT_NAME_KEEPER_IN));
	for (struct socket *socket = socket_next(NULL); socket; socket = socket_next(socket))
		socket_restored(socket);
	int error = server_add_listener(socket_listener, &operations, NULL);
	if (error < 0)
		server_fail("cannot serve: error %d", -error);
	server_run();
}
