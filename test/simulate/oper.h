/*
 * oper - the people at the site: look after it now and then, start, stop, clear, repair.
 *
 * Each visit is a connection over the network, as gencli makes one. What is latched is
 * cleared over the guard's own socket, so that life goes on.
 */
#ifndef SIMULATE_OPER_H
#define SIMULATE_OPER_H

#include <stdbool.h>
#include <stdint.h>

enum oper_act {
	OPER_NOTHING,
	OPER_START,
	OPER_STOP,
	OPER_ESTOP,
	OPER_RAW,
	OPER_FORCE,
	OPER_HOLD,
	OPER_ACTS
};

extern int64_t oper_acts[OPER_ACTS];
extern const char *const oper_names[OPER_ACTS];

void oper_reset(uint64_t seed);
void oper_visit(enum oper_act act); /* now, by somebody of his own */
void oper_live(bool busy);	    /* comes by from now on; busy: does things as well */

#endif
