/* The process protocol on proc's listener. */
#ifndef PROC_OPERATIONS_H
#define PROC_OPERATIONS_H
#include "carillon/server.h"

extern handle_t proc_listener;
/* A client port of our own listener that death notices come through; its data word. */
#define PROCESS_PORT_WATCH 4
extern handle_t proc_watch_port;

/* PROC_* requests that came through port_data PROCESS_PORT_ORDINARY or _SYSTEM. */
int64_t proc_request(struct server_request *request);
/* NOTIFY_DEATH: word is the badge the process was given. */
void proc_death(uint64_t word, uint32_t status);
/* User time of all that have died, and how many processes there ever were. */
extern uint64_t proc_dead_user, proc_started;
/* Sets the loop's alarm to the earliest of all processes'. */
void proc_set_alarm(void);
#endif
