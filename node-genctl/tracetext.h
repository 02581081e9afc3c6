/*
 * tracetext - a trace as text: CSV `t_ms,acked,contacts,inputs,event`, a row a line.
 *
 *   t_ms      monotonic, ms
 *   acked     the byte the board last acknowledged, two hex digits; empty: unknown
 *   contacts  what the relays' contacts do; empty but in traces of a simulated site
 *   inputs    as the bus gave them, two hex digits; BAD: it gave none; empty: no sample
 *   event     one of the words below with what belongs to it, or whatever the simulator says
 *
 *   boot adopt begin [first] by=WHO age_ms=N permit drop mode=WORD estop clear orphan back
 *   deadline_ms=N alarm=CODE forced=RULE refused=RULE byte=HH phase=NAME handover lost
 *
 * A line that begins with # is a comment; the head line names the columns.
 * Units:  deadline_ms on the clock of t_ms.
 * Errors: tracetext_parse: -EINVAL and a sentence.
 */
#ifndef GENCTL_TRACETEXT_H
#define GENCTL_TRACETEXT_H

#include "node-genctl/recorder.h"

enum { TRACETEXT_LINE = 128, TRACETEXT_EVENT = 96, TRACETEXT_UNKNOWN = -1, TRACETEXT_BAD = -2 };
#define TRACETEXT_HEAD "t_ms,acked,contacts,inputs,event"

struct tracetext_row {
	int64_t t_ms;
	int acked, contacts; /* or TRACETEXT_UNKNOWN */
	int inputs;	     /* or TRACETEXT_UNKNOWN, TRACETEXT_BAD */
	char event[TRACETEXT_EVENT];
};

/* A line with its end; its length. `first` of what is shown tells its phase, if nothing else.
 */
int tracetext_format(
    const struct recorder_row *row, bool first, char out[static TRACETEXT_LINE]);
/* 1: a row; 0: a line that holds none; or -EINVAL, and *why a sentence. */
int tracetext_parse(const char *line, struct tracetext_row *out, const char **why);

const char *tracetext_phase(uint8_t phase); /* "CRANK" */

#endif
