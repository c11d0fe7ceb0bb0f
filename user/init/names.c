/*
 * The first namespace: fs is the root, proc serves /proc, and the terminal server's nodes appear in /dev as forwarding nodes of fs. It is written
 * into init's own record, from which every program inherits it.
 */
#include <string.h>
#include <sys/stat.h>
#include "abi/errors.h"
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/file_protocol.h"
#include "carillon/process_protocol.h"
#include "carillon/runtime.h"
#include "carillon/server.h"
#include "carillon/socket_protocol.h"
#include "carillon/terminal_protocol.h"
#include "user/init/init.h"

struct ports ports;

struct path_range {
	struct file_path head;
	char text[64];
};

static size_t path_fill(struct path_range *range, const char *path, uint32_t flags)
{
	size_t length = strlen(path);
	range->head = (struct file_path){ .path_length = (uint32_t)length, .flags = flags };
	memcpy(range->text, path, length);
	return sizeof range->head + length;
}

static int64_t attributes_get(handle_t port, struct file_attributes *attributes)
{
	struct path_range range;
	size_t size = path_fill(&range, "", 0);
	uint64_t words[] = { FILE_GETATTR };
	int64_t result = server_call(port, words, 1, &range, size, attributes, sizeof *attributes, NULL);
	return result > 0 ? -EIO : result;
}

/* A node port by its path below root, which crosses no mount or link. */
static int64_t walk(handle_t root, const char *path, handle_t *port, uint64_t *qid)
{
	struct path_range range;
	size_t size = path_fill(&range, path, FILE_NO_FOLLOW);
	uint64_t words[] = { FILE_WALK };
	struct message reply;
	int64_t result = server_call(root, words, 1, &range, size, NULL, 0, &reply);
	if (result != 0 || reply.handle_count < 1)
		return result < 0 ? result : -EIO;
	*port = reply.handle[0];
	if (qid)
		*qid = reply.word[1];
	return 0;
}

void names_prepare(void)
{
	ports.fs_root = server_port(SERVER_FS, FILE_PORT_ROOT);
	ports.fs_system = server_port(SERVER_FS, FILE_PORT_SYSTEM);
	ports.proc_ordinary = server_port(SERVER_PROC, PROCESS_PORT_ORDINARY);
	ports.proc_system = server_port(SERVER_PROC, PROCESS_PORT_SYSTEM);
	ports.proc_files = server_port(SERVER_PROC, PROCESS_PORT_FILES);
	ports.socket_ordinary = server_port(SERVER_SOCKET, SOCKET_PORT_ORDINARY);
	ports.terminal_root = server_port(SERVER_TERMINAL, FILE_PORT_ROOT);
	ports.terminal_pseudo = server_port(SERVER_TERMINAL, FILE_PORT_PSEUDO);
	ports.terminal_system = server_port(SERVER_TERMINAL, FILE_PORT_SYSTEM);
}

/* Puts the terminal server's nodes into /dev. One that cannot be had is told and left out: a run without a terminal needs none. */
static void terminals_place(void)
{
	static const struct { const char *name, *path; uint64_t device; } nodes[] = {
		{ "console", "dev/console", TERMINAL_DEVICE_CONSOLE },
		{ "ptmx", "dev/ptmx", TERMINAL_DEVICE_MULTIPLEXER },
		{ "tty", "dev/tty", TERMINAL_DEVICE_TTY },
		{ "tty0", "dev/tty0", TERMINAL_DEVICE_VIRTUAL(0) },
		{ "tty1", "dev/tty1", TERMINAL_DEVICE_VIRTUAL(1) },
	};
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		handle_t node;
		int64_t error = walk(ports.terminal_root, nodes[i].name, &node, NULL);
		if (!error) {
			struct path_range range;
			size_t size = path_fill(&range, nodes[i].path, 0);
			struct message message = {
				.word = { FILE_PLACE_FORWARD, S_IFCHR | 0620, nodes[i].device },
				.send_address = (uint64_t)&range,
				.send_size = size,
				.handle = { node },
				.handle_count = 1,
			};
			error = port_call(ports.fs_system, &message, 0);
			if (!error)
				error = (int64_t)message.word[0];
			handle_close(node);
		}
		if (error)
			server_log("/%s is missing: error %d", nodes[i].path, (int)-error);
	}
}

static int64_t root_mount(struct process_record *record)
{
	struct file_attributes root;
	int64_t error = attributes_get(ports.fs_root, &root);
	if (error)
		return error;
	record->mount[0] = (struct record_mount){
		.root_device = root.device,
		.root_qid = root.qid,
		.port = ports.fs_root,
		.parent = -1,
		.parent_port = HANDLE_NONE,
		.path = "/",
		.type = "tmpfs",
	};
	record->mount_count = 1;
	return 0;
}

/* Mounts another server's directory at a place of fs. parent: the directory that holds the place, HANDLE_NONE: the root */
static int64_t other_mount(struct process_record *record, const char *place_path, const char *name, const char *type, handle_t port, handle_t parent)
{
	struct file_attributes root;
	handle_t place;
	uint64_t qid;
	int64_t error = walk(ports.fs_root, place_path, &place, &qid);
	if (error)
		return error;
	handle_close(place);
	error = attributes_get(port, &root);
	if (error)
		return error;
	struct record_mount *mount = &record->mount[record->mount_count++];
	*mount = (struct record_mount){
		.device = record->mount[0].root_device,
		.qid = qid,
		.root_device = root.device,
		.root_qid = root.qid,
		.port = port,
		.parent = 0,
		.parent_port = parent == HANDLE_NONE ? ports.fs_root : parent,
	};
	strncpy(mount->path, name, sizeof mount->path - 1);
	strncpy(mount->type, type, sizeof mount->type - 1);
	return 0;
}

int64_t names_build(struct process_record *record)
{
	terminals_place();
	int64_t error = root_mount(record);
	if (!error) {
		error = other_mount(record, "proc", "/proc", "proc", ports.proc_files, HANDLE_NONE);
		if (error)
			server_log("/proc is missing: error %d", (int)-error);
		handle_t devices;
		error = walk(ports.fs_root, "dev", &devices, NULL);
		if (!error)
			error = other_mount(record, "dev/pts", "/dev/pts", "devpts", ports.terminal_pseudo, devices);
		if (error)
			server_log("/dev/pts is missing: error %d", (int)-error);
		error = 0;
	}
	return error;
}
