/*
 * gencli_timeline - a trace drawn for people: time runs down, each relay and input is a lane.
 *
 * A line a change; a state that lasts draws its lanes on, the more lines the longer it was.
 * What breaks a rule stands at its time. 100 columns; box drawings where the terminal has
 * UTF-8, else ASCII.
 */
#ifndef GENCLI_TIMELINE_H
#define GENCLI_TIMELINE_H

#include <stdio.h>

#include "node-genctl/interlock.h"
#include "node-genctl/tracetext.h"

struct finding { /* the same again within a second is counted, not listed */
	int64_t t_ms, last_ms;
	size_t times;
	enum rule rule;
	const char *column; /* "acked", "contacts" */
	char what[96];
};

/* Findings in the order of time. */
void timeline_draw(FILE *to, bool utf8, const struct tracetext_row *rows, size_t nrows,
    const struct finding *findings, size_t nfindings);

#endif
