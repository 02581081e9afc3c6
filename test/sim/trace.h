/*
 * trace - what really happened: CSV `t_ms,acked,contacts,inputs,event`, a row a change.
 *
 * acked is the last relay byte the bus acknowledged (empty before the first), contacts what
 * the relays' contacts do, inputs the byte a read would answer, BAD while none can. The
 * first row's event is `start mono_ms=N`: t_ms counts from that CLOCK_MONOTONIC.
 * Every row is handed to the kernel at once.
 *
 * Errors: trace_note returns 0 or -errno of the write.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdint.h>

enum { TRACE_UNKNOWN = -1, TRACE_BAD = -2 };

struct trace_row {
	int acked; /* or TRACE_UNKNOWN */
	int contacts;
	int inputs; /* or TRACE_BAD */
};

struct trace {
	int fd; /* -1: no trace is kept */
	int64_t start_ms;
	struct trace_row last;
};

int trace_open(struct trace *t, const char *path, int64_t now_ms);
void trace_close(struct trace *t);
/* Writes a row if it differs from the last one or event is not NULL. */
int trace_note(struct trace *t, struct trace_row row, const char *event, int64_t now_ms);

#endif
