#include "node-genctl/events.h"

#include <stddef.h>
#include <string.h>

#include "node-genctl/alarm.h"

struct event_record *events_add(struct events *e)
{
	struct event_record *r = &e->ring[++e->last % EVENTS_MAX];

	memset(r, 0, sizeof(*r));
	r->seq = e->last;
	r->alarm = ALARM_N;
	return r;
}

const struct event_record *events_after(const struct events *e, uint32_t seq)
{
	uint32_t oldest = e->last > EVENTS_MAX ? e->last - EVENTS_MAX + 1 : 1;
	uint32_t next = seq + 1 > oldest ? seq + 1 : oldest;

	return seq < e->last ? &e->ring[next % EVENTS_MAX] : NULL;
}
