/* Questions that change nothing. */
#include "common/clock.h"
#include "common/mem.h"
#include "node-genctl/health.h"
#include "node-genctl/server_parts.h"
#include "node-genctl/textserver.h"
#include "node-genctl/tracetext.h"

enum { EVENTS_A_REPLY = 200, TRACE_A_REPLY = 49152 };

void server_ping(struct peer *p, const Genctl__Request *q)
{
	Genctl__Empty pong = GENCTL__EMPTY__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;

	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_PONG;
	r.pong = &pong;
	server_reply(p, &r);
}

void server_status(struct peer *p, const Genctl__Request *q)
{
	Genctl__Status status = GENCTL__STATUS__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;
	struct status_text text;

	status_fill(p->server->control, &status, &text, clock_ms());
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_STATUS;
	r.status = &status;
	server_reply(p, &r);
}

void server_inputs(struct peer *p, const Genctl__Request *q)
{
	Genctl__Inputs inputs = GENCTL__INPUTS__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;

	status_inputs(p->server->control, &inputs, clock_ms());
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_INPUTS;
	r.inputs = &inputs;
	server_reply(p, &r);
}

void server_health(struct peer *p, const Genctl__Request *q)
{
	const struct control *c = p->server->control;
	struct health h = health_read();
	Genctl__Health health = GENCTL__HEALTH__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;
	static char version[] = PIGENNY_VERSION, protocol[] = "1.0";

	health.connections =
	    (uint32_t)(link_count(p->server->listener) + textserver_connections(c->text));
	health.uptime_s = h.uptime_s > 0 ? (uint32_t)h.uptime_s : 0;
	health.service_uptime_s = (uint32_t)((clock_ms() - c->born_ms) / 1000);
	health.memory_pct = h.memory_pct > 0 ? (uint32_t)h.memory_pct : 0;
	health.disk_free = h.disk_free > 0 ? (uint64_t)h.disk_free : 0;
	health.disk_pct = h.disk_pct > 0 ? (uint32_t)h.disk_pct : 0;
	health.i2c_errors = c->g.io_errors;
	health.i2c_reads = c->g.reads;
	health.version = version;
	health.protocol = protocol;
	health.control_restarts = c->g.restarts_control;
	health.saver_restarts = c->g.restarts_saver;
	health.deadman_restarts = c->g.restarts_deadman;
	health.i2c = (char *)(uintptr_t)status_i2c(c);
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_HEALTH;
	r.health = &health;
	server_reply(p, &r);
}

void server_fill_event(Genctl__Event *out, const struct event_record *e)
{
	genctl__event__init(out);
	out->seq = e->seq;
	out->mono_ms = (uint64_t)e->mono_ms;
	out->unix_ms = e->unix_ms;
	out->kind = (char *)(uintptr_t)e->kind;
	out->code = (char *)(uintptr_t)e->code;
	out->text = (char *)(uintptr_t)e->text;
	out->phase = (Genctl__Phase)e->phase;
	out->relays = e->relays;
	out->inputs = e->inputs;
	out->left_ms = e->left_ms;
	out->request = e->request;
	out->alarm_class = status_alarm_class((enum alarm)e->alarm);
	out->first = e->first;
}

void server_events(struct peer *p, const Genctl__Request *q)
{
	const struct events *all = &p->server->control->events;
	const struct event_record *e = events_after(all, q->events->after);
	uint32_t limit = q->events->limit;
	Genctl__Event event[EVENTS_A_REPLY], *list[EVENTS_A_REPLY];
	Genctl__Events events = GENCTL__EVENTS__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;

	if (limit == 0 || limit > EVENTS_A_REPLY)
		limit = EVENTS_A_REPLY;
	events.event = list;
	events.last = all->last;
	for (; e && events.n_event < limit; e = events_after(all, e->seq)) {
		server_fill_event(&event[events.n_event], e);
		list[events.n_event] = &event[events.n_event];
		events.n_event++;
	}
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_EVENTS;
	r.events = &events;
	server_reply(p, &r);
}

/* A reply's worth of rows from *after on; false: the ring holds no more. */
static bool fill_rows(const struct recorder *r, int64_t since_ms, uint32_t *after, char *rows)
{
	bool first = *after == 0;
	struct recorder_row row;
	size_t n = 0;

	*rows = 0;
	while (recorder_next(r, after, &row)) {
		if (row.t_ms < since_ms)
			continue;
		n += (size_t)tracetext_format(&row, first, rows + n);
		first = false;
		if (n + TRACETEXT_LINE > TRACE_A_REPLY)
			return true;
	}
	return false;
}

void server_trace(struct peer *p, const Genctl__Request *q)
{
	const struct genctl_config *config = p->server->control->config;
	int64_t since_ms =
	    q->trace->since_s ? clock_ms() - (int64_t)q->trace->since_s * 1000 : 0;
	uint32_t after = q->trace->after > UINT32_MAX ? UINT32_MAX : (uint32_t)q->trace->after;
	Genctl__Trace trace = GENCTL__TRACE__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;
	struct recorder recorder;

	if (recorder_view(&recorder, config->runtime_dir) < 0) {
		server_error(p, q->id, GENCTL__CODE__FAULT, 0,
		    "There is no trace: the log says why genctl.trace could not be made.");
		return;
	}
	trace.rows = xcalloc(1, TRACE_A_REPLY);
	trace.more = fill_rows(&recorder, since_ms, &after, trace.rows);
	recorder_close(&recorder);
	trace.last = after;
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_TRACE;
	r.trace = &trace;
	server_reply(p, &r);
	free(trace.rows);
}
