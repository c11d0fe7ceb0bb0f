/*
 * The names under which init puts handles and values into the process records of the first servers (record_handle, record_value), and
 * the data words of the client ports init makes on their listeners. One list, so that init and the servers cannot disagree.
 *
 *   every server   LISTENER, MEMORY; console, fs and terminal: STATE
 *   fs             ARCHIVE, ARCHIVE_SIZE, DEVICE, PAGES
 *   proc           PROCESS_TABLE (writable; PROCESS_SLOTS * 64 bytes, made by init), DEVICE, TRACE
 *   terminal       PROC (a PROCESS_PORT_SYSTEM port), PROCESS_TABLE (readable), FILES, CONSOLE_INPUT, CONSOLE_OUTPUT, EVENTS_IN, EVENTS_OUT,
 *                  DEVICE, UTF8, ROWS, COLUMNS
 *   socket         KEEPER_IN, KEEPER_OUT, EPOCH
 */
#ifndef CARILLON_BOOT_NAMES_H
#define CARILLON_BOOT_NAMES_H

#define BOOT_NAME_LISTENER "listener"             /* listener, manage and receive */
#define BOOT_NAME_STATE "state"                   /* memobj, zero at first, that a server leaves to its successor; value: bytes */
#define BOOT_NAME_ARCHIVE "archive"               /* memobj, read */
#define BOOT_NAME_ARCHIVE_SIZE "archive-size"     /* value, bytes */
#define BOOT_NAME_DEVICE "device"                 /* value: the server's device number (fs 1, proc 2, terminal 3 when absent) */
#define BOOT_NAME_TRACE "trace"          /* proc, with --strace: a non-blocking description of the error stream */
#define BOOT_NAME_PAGES "pages"                   /* limit (budget_create without a parent) of the pages of files' contents; value: how many */
#define BOOT_NAME_MEMORY "memory"                 /* value: bytes a server may take for its callers' things; 0 or absent: no limit */
#define BOOT_NAME_PROCESS_TABLE "process-table"   /* memobj of struct process_slot[PROCESS_SLOTS] */
#define BOOT_NAME_FILES "files"                   /* client port to fs, its root directory */
#define BOOT_NAME_PROC "proc"                     /* client port to proc */
#define BOOT_NAME_CONSOLE_INPUT "console-input"   /* receiver of a stream channel (or a description of a flow): raw key bytes */
#define BOOT_NAME_CONSOLE_OUTPUT "console-output" /* sender of a stream channel (or a description of a flow): raw screen bytes */
#define BOOT_NAME_KEEPER_IN "keeper-in"           /* receiver and sender of a packet channel: what a restarted server finds again (servers/socket/keeper.h) */
#define BOOT_NAME_KEEPER_OUT "keeper-out"
#define BOOT_KEEPER_ROOM 1024u                    /* packets it can hold */
#define BOOT_NAME_EPOCH "epoch"                   /* value: how often the server has been started before */
#define BOOT_NAME_EVENTS_IN "events-in"           /* receiver and sender of one packet channel: events a restarted server goes on with (servers/terminal/keeper.c) */
#define BOOT_NAME_EVENTS_OUT "events-out"
#define BOOT_NAME_UTF8 "utf8"                     /* value: the console starts with IUTF8 */
#define CONSOLE_STATE_SIZE 0x10000ul              /* of console's STATE */
#define FS_STATE_SIZE (1ul << 32)                 /* of fs's STATE; only pages that were written exist */
#define BOOT_NAME_ROWS "rows"                     /* value: window size at start; 0 or absent: unknown */
#define BOOT_NAME_COLUMNS "columns"

/*
 * Data words of the ports init makes with client_create on the listeners. The root directory ports are what gets mounted.
 * The words of proc are PROCESS_PORT_* in process_protocol.h; PROCESS_PORT_FILES is the root directory of /proc.
 */
#define FILE_PORT_ROOT 1ul   /* fs, terminal: the exported root directory */
#define FILE_PORT_SYSTEM 2ul /* fs, terminal: the same directory, and privileged operations are allowed */
#define FILE_PORT_PSEUDO 3ul /* terminal: the directory of pseudo terminals */
#endif
