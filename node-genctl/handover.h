/*
 * handover - a running guard passes engine, lock and state on to a newly started binary.
 *
 *   old: SIGUSR2 or SIGHUP -> starts the program at its own path, anew read    (heir)
 *   heir: configuration read, board opened               -> HELLO
 *   old: lets its control go, its port is free           -> STATE with the board's lock
 *   heir: reads inputs, starts control, saver, deadman; when all answer and the inputs
 *         agree with the state                           -> TAKE
 *   old: nothing has changed since                       -> YOURS, writes no more, ends
 *   heir: the first byte it may write comes after YOURS; no relay has moved
 *
 * The old guard samples and gates until YOURS. An heir that is not done in 5 s, dies, or
 * speaks another version is killed, control is started again and the old guard carries on.
 * So it is also how a changed configuration is read: all of it or, with a fault in it,
 * nothing. Another board than the present one is refused. Not offered while an attempt, a
 * descent or an unacknowledged write is under way.
 */
#ifndef GENCTL_HANDOVER_H
#define GENCTL_HANDOVER_H

#include "node-genctl/guard_parts.h"

#define HANDOVER_ENV "PIGENNY_HANDOVER" /* the heir's socket, a number */

void handover_begin(struct guard *g, int64_t now_ms);
void handover_step(struct guard *g, int64_t now_ms); /* both sides, each turn */
void handover_abort(struct guard *g, int64_t now_ms);
/* The heir's start. 0, or -errno: nothing was taken. */
int handover_receive(struct guard *g, int socket);

#endif
