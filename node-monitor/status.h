/*
 * status - the running monitor's window: a UNIX socket that answers one word with a text.
 *
 *   "screen\n" or "line\n" or "json\n"  ->  the text, then the connection is closed
 *
 * The socket is runtime_dir/monitord.sock, mode 0600; beside it monitord.lock says that a
 * monitor runs. At most four askers at a time, one second each; it can change nothing.
 *
 * Errors: status_open 0 or -errno; -EBUSY another monitor has the lock.
 */
#ifndef MONITOR_STATUS_H
#define MONITOR_STATUS_H

#include "node-monitor/site.h"

struct event_base;
struct status;

int status_open(struct event_base *base, const char *runtime_dir, const struct site *site,
    struct status **out);
void status_close(struct status *st); /* removes the socket */

/* Client: asks once and copies the answer. 0 or -errno; blocks one second at most. */
int status_ask(const char *runtime_dir, const char *word, char *text, size_t size);

#endif
