/* What control tells: to the log, to who asks for events, and to who subscribed. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "node-genctl/control_parts.h"
#include "node-genctl/server.h"

static struct event_record *new_event(struct control *c, const char *kind, const char *code)
{
	struct event_record *r = events_add(&c->events);

	r->mono_ms = clock_ms();
	r->unix_ms = clock_unix_ms();
	r->kind = kind;
	r->code = code;
	r->phase = (uint8_t)status_phase(c);
	r->relays = c->g.relays;
	r->inputs = c->g.in.x;
	r->request = c->g.request;
	if (seq_ends_ms(&c->seq) > r->mono_ms && seq_ends_ms(&c->seq) != INT64_MAX)
		r->left_ms = (uint32_t)(seq_ends_ms(&c->seq) - r->mono_ms);
	return r;
}

void control_event(struct control *c, const char *kind, const char *code, const char *fmt, ...)
{
	struct event_record *r = new_event(c, kind, code);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	log_info(kind, "%s%s%s", code, *code ? ": " : "", r->text);
	server_push(c->server, r);
}

/* The guard has logged the alarm itself. */
static void alarm_event(struct control *c, const char *kind, enum alarm alarm, const char *text)
{
	const struct alarm_info *info = &alarm_info[alarm];
	struct event_record *r = new_event(c, kind, info->code);

	r->alarm = alarm;
	r->first = c->g.first == alarm;
	snprintf(r->text, sizeof(r->text), "%s", text);
	if (strcmp(kind, "cleared") == 0)
		log_info(kind, "%s: %s", info->code, text);
	server_push(c->server, r);
}

void control_tell_alarms(struct control *c)
{
	uint32_t now = c->g.alarms | c->g.latches, changed = now ^ c->told;

	c->told = now;
	for (int a = 0; a < ALARM_N; a++) {
		if (!(changed >> a & 1))
			continue;
		if (now >> a & 1)
			alarm_event(c, "alarm", (enum alarm)a, alarm_info[a].text);
		else
			alarm_event(c, "cleared", (enum alarm)a, "The alarm is over.");
	}
}
