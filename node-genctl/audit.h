/*
 * audit - a recorded trace against the rule book, by the checks of the live gate.
 *
 * The rows are played through the same inputs and interlock that guard the relays: a byte that
 * the gate would have refused is a violation, and so is one that the watch demanded and that
 * did not come within its limit. What the trace says of starts and modes (`event`) is taken at
 * its word; what it does not say did not happen.
 *
 *   event words: boot | adopt | begin [first] by=operator|monitor [age_ms=N] | permit | drop |
 *		  mode=auto|off|operator_run|operator_stop|maintenance|estop | estop | clear |
 *		  orphan | back | deadline_ms=N ; all others are ignored
 *
 * A reading stands until the next row that has one, so a row is needed only where something
 * changes. A trace that does not begin with `boot` is taken to have been right before.
 *
 * Units:  t_ms of one monotonic clock, never backwards.
 * Errors: none; a finding is told through found(), in the order of time.
 */
#ifndef GENCTL_AUDIT_H
#define GENCTL_AUDIT_H

#include "node-genctl/interlock.h"

enum { AUDIT_UNKNOWN = -1, AUDIT_BAD = -2 };

struct audit_row {
	int64_t t_ms;
	int relays;	   /* acknowledged, or what the contacts did; AUDIT_UNKNOWN: as before */
	int inputs;	   /* raw byte; AUDIT_BAD; AUDIT_UNKNOWN: no sample in this row */
	const char *event; /* words as above, or "" */
};

struct audit {
	void (*found)(void *owner, int64_t t_ms, enum rule rule, const char *what);
	void *owner;
	struct inputs inputs;
	struct interlock k;
	int raw; /* the reading that stands */
	int64_t now_ms, due_ms;
	struct verdict due; /* demanded since due_ms and not done yet */
	bool began;
};

void audit_init(struct audit *a, const struct engine_config *config);
void audit_row(struct audit *a, const struct audit_row *row);
void audit_end(struct audit *a, int64_t t_ms); /* what stood until then */

#endif
