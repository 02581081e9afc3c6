/*
 * events - what happened, numbered from 1, the last EVENTS_MAX of them.
 *
 * A ring: the oldest give way. Whoever reads asks for all after a number it knows.
 */
#ifndef GENCTL_EVENTS_H
#define GENCTL_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

enum { EVENTS_MAX = 500, EVENT_TEXT = 160 };

struct event_record {
	uint32_t seq;
	int64_t mono_ms, unix_ms; /* unix_ms 0: the clock was not set */
	const char *kind; /* static: "phase", "alarm", "cleared", "order", "refused" ... */
	const char *code; /* static; "" */
	char text[EVENT_TEXT];
	uint8_t phase, relays, inputs;
	uint32_t left_ms, request;
	uint8_t alarm; /* enum alarm, of "alarm" and "cleared"; ALARM_N: none */
	bool first;    /* it came first */
};

struct events {
	uint32_t last; /* number of the newest; 0: none yet */
	struct event_record ring[EVENTS_MAX];
};

/* A slot with its number set, to be filled by the caller. */
struct event_record *events_add(struct events *e);
/* The first one kept after `seq`; NULL: none. */
const struct event_record *events_after(const struct events *e, uint32_t seq);

#endif
