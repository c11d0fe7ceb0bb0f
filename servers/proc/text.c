/* Text that grows, and the targets of links in /proc; files.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "files.h"
#include "inside.h"

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
	if (text->length + length > text->room) {
		size_t room = text->room ? text->room * 2 : 1024;
		while (room < text->length + length)
			room *= 2;
		char *more = realloc(text->bytes, room);
		if (!more) {
			text->failed = true;
			return;
		}
		text->bytes = more;
		text->room = room;
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

void text_add(struct text *text, const char *format, ...)
{
	char line[1536];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (length > 0)
		text_add_bytes(text, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

void text_of_link(struct text *text, enum files_entry entry, struct process *process, struct process *caller)
{
	struct process_record *record;
	char directory[RECORD_PATH];
	switch (entry) {
	case FILE_SELF:
		if (caller)
			text_add(text, "%u", caller->pid);
		break;
	case FILE_THREAD_SELF: /* a message does not tell which thread sent it */
		if (caller)
			text_add(text, "%u/task/%u", caller->pid, caller->pid);
		break;
	case FILE_MOUNTS_LINK: text_add(text, "self/mounts"); break;
	case FILE_PID_ROOT: text_add(text, "/"); break;
	case FILE_PID_EXE:
		record = process ? inside_record(process) : NULL;
		if (record && record->executable[0])
			text_add(text, "%s", record->executable);
		else if (process && process->path)
			text_add(text, "%s", process->path);
		free(record);
		break;
	case FILE_PID_CWD:
		if (process && inside_directory(process, directory))
			text_add(text, "%s", directory);
		else if (process && process->handle != HANDLE_NONE)
			text_add(text, "/");
		break;
	default: break;
	}
}
