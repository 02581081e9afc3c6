#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "node-genctl/control_parts.h"

static uint32_t left_ms(int64_t until_ms, int64_t now_ms)
{
	if (until_ms <= now_ms || until_ms == INT64_MAX)
		return 0;
	return until_ms - now_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)(until_ms - now_ms);
}

static uint32_t age_s(int64_t since_ms, int64_t now_ms)
{
	return since_ms == NEVER || since_ms > now_ms ? 0
						      : (uint32_t)((now_ms - since_ms) / 1000);
}

/* "3 h 12 min", "4 min 10 s", "17 s" */
static const char *span(int64_t ms, char out[static 32])
{
	int64_t s = (ms + 999) / 1000;

	if (s >= 3600)
		snprintf(out, 32, "%d h %d min", (int)(s / 3600), (int)(s / 60 % 60));
	else if (s >= 60)
		snprintf(out, 32, "%d min %d s", (int)(s / 60), (int)(s % 60));
	else
		snprintf(out, 32, "%d s", (int)s);
	return out;
}

enum phase status_phase(const struct control *c)
{
	bool idle = c->seq.phase == PHASE_OFF || c->seq.phase == PHASE_STOPPING;

	if (!c->known || (idle && (!c->g.known || (c->g.alarms >> ALARM_MODIO_LOST & 1))))
		return PHASE_FAULT;
	if (c->g.mode == MODE_MAINTENANCE)
		return PHASE_MAINTENANCE;
	if (idle && c->g.external)
		return PHASE_EXTERNAL;
	if (c->seq.phase == PHASE_OFF && c->g.latches)
		return PHASE_LOCKOUT;
	return c->seq.phase;
}

bool status_starting(const struct control *c)
{
	enum phase p = c->seq.phase;

	return (p >= PHASE_WAIT && p <= PHASE_STABILISE) || p == PHASE_REST;
}

const char *status_i2c(const struct control *c)
{
	if (!c->known || !c->g.known || c->g.in.bad_ms)
		return "ERROR";
	return c->g.simulated ? "SIMULATED" : "OK";
}

void status_inputs(const struct control *c, Genctl__Inputs *out, int64_t now_ms)
{
	out->valid = c->known && c->g.in.bad_ms == 0;
	out->raw = out->valid ? c->g.in.raw : c->g.in.x;
	out->age_ms = (uint32_t)(now_ms - c->g.in.at_ms + c->g.in.bad_ms);
}

static int first_latch(uint32_t latches)
{
	int a = 0;

	while (a < ALARM_N - 1 && !(latches >> a & 1))
		a++;
	return a;
}

static void say_lockout(const struct control *c, int64_t now_ms, char *out, size_t size)
{
	const struct alarm_info *a = &alarm_info[first_latch(c->g.latches)];
	int64_t until_ms = c->g.lockout_until_ms;
	char t[32];

	if (until_ms != NEVER && until_ms != INT64_MAX)
		snprintf(out, size, "%s: %s It tries again by itself in %s.", a->code, a->text,
		    span(until_ms - now_ms, t));
	else
		snprintf(out, size, "%s: %s", a->code, a->text);
}

void status_blocks(const struct control *c, int64_t now_ms, char *out, size_t size)
{
	const struct guard_state *g = &c->g;
	char t[32];

	*out = 0;
	if (!c->known || !g->known || g->in.bad_ms >= BAD_MS)
		snprintf(
		    out, size, "The relay board does not answer: check its cable and supply.");
	else if (g->latches)
		say_lockout(c, now_ms, out, size);
	else if (g->mode == MODE_MAINTENANCE)
		snprintf(out, size, "Maintenance: `maintenance off`, then `auto` or `start`.");
	else if (g->mode == MODE_ESTOP)
		snprintf(out, size, "Emergency stop: `clear` on the engine node, then `auto`.");
	else if (g->mode == MODE_OFF || g->mode == MODE_OPERATOR_STOP)
		snprintf(out, size, "%s: `auto` or `start` allows it again.",
		    g->mode == MODE_OFF ? "Off" : "Stopped by an operator");
	else if (g->external)
		snprintf(out, size, "The engine runs by itself: stop it by hand first.");
	else if (g->shutdown)
		snprintf(out, size, "The service is shutting down.");
	else if (g->ready_ms > now_ms && c->seq.phase == PHASE_OFF)
		snprintf(out, size, "Rest before the next start: %s left.",
		    span(g->ready_ms - now_ms, t));
	else if (c->hold_ms > now_ms && c->seq.phase == PHASE_OFF)
		snprintf(out, size, "The last start was given up: %s until the next.",
		    span(c->hold_ms - now_ms, t));
}

static void say_why(const struct control *c, int64_t now_ms, char *out, size_t size)
{
	struct lease_wish w = lease_wish(&c->lease, now_ms);
	const char *phase = phase_name(status_phase(c));

	if (c->g.descending)
		snprintf(out, size, "%s: the guard brings the engine down.", phase);
	else if (c->g.shutdown)
		snprintf(out, size, "%s: the service is shutting down.", phase);
	else if (w.run && c->lease.mode == MODE_OPERATOR_RUN)
		snprintf(out, size, "%s: an operator started it%s%s.", phase,
		    *c->operator_reason ? ": " : "", c->operator_reason);
	else if (w.run && !w.may_start)
		snprintf(out, size,
		    "%s: nobody holds the lease; the run goes on to its deadline.", phase);
	else if (w.run)
		snprintf(out, size, "%s: %s wants it to run: %s", phase, c->holder, c->reason);
	else if (lease_held(&c->lease, now_ms) && c->lease.mode == MODE_AUTO && *c->reason)
		snprintf(out, size, "%s: %s wants no run: %s", phase, c->holder, c->reason);
	else if (c->lease.mode == MODE_AUTO)
		snprintf(out, size, "%s: no order stands.", phase);
	else
		snprintf(out, size, "%s.", phase);
}

static void say_next(const struct control *c, int64_t now_ms, char *out, size_t size)
{
	int64_t ends_ms = seq_ends_ms(&c->seq), until_ms = c->g.deadline_ms;
	struct lease_wish w = lease_wish(&c->lease, now_ms);
	char t[32];

	*out = 0;
	if (c->seq.phase == PHASE_LOADED && w.run && w.deadline_ms < until_ms)
		until_ms = w.deadline_ms;
	if (ends_ms != INT64_MAX && ends_ms > now_ms)
		snprintf(out, size, "%s in %s.", phase_name(seq_next(&c->seq)),
		    span(ends_ms - now_ms, t));
	else if (c->seq.phase == PHASE_LOADED && until_ms != NEVER)
		snprintf(out, size, "cool-down when the order ends, in %s at most.",
		    span(until_ms - now_ms, t));
	else if (c->seq.phase == PHASE_WAIT)
		snprintf(out, size, "crank when engine and starter have rested.");
	else if (c->seq.phase == PHASE_STABILISE && c->g.adopted && !w.may_start)
		snprintf(out, size, "charger on when a monitor or an operator asks for it.");
	else if (c->seq.phase == PHASE_STABILISE)
		snprintf(out, size, "charger on when the engine has run steadily long enough.");
	else if (c->seq.phase == PHASE_STOPPING)
		snprintf(out, size, "off when the engine is proved at rest.");
	else if (c->g.lockout_until_ms != NEVER && c->g.lockout_until_ms != INT64_MAX)
		snprintf(out, size, "automatic retry in %s.",
		    span(c->g.lockout_until_ms - now_ms, t));
}

Genctl__AlarmClass status_alarm_class(enum alarm alarm)
{
	static const Genctl__AlarmClass classes[] = {
		[ALARM_WARNING] = GENCTL__ALARM_CLASS__WARNING,
		[ALARM_TRIP] = GENCTL__ALARM_CLASS__TRIP,
		[ALARM_SHUTDOWN] = GENCTL__ALARM_CLASS__SHUTDOWN,
	};

	return alarm < ALARM_N ? classes[alarm_info[alarm].class]
			       : GENCTL__ALARM_CLASS__NO_CLASS;
}

static void fill_alarms(
    const struct control *c, Genctl__Status *s, struct status_text *t, int64_t now_ms)
{
	uint32_t standing = c->g.alarms | c->g.latches;

	s->alarms = t->alarms;
	for (int a = 0; a < ALARM_N && a < ALARMS_MAX; a++) {
		Genctl__Alarm *out = &t->alarm[s->n_alarms];

		if (!(standing >> a & 1))
			continue;
		genctl__alarm__init(out);
		out->code = (char *)(uintptr_t)alarm_info[a].code;
		out->text = (char *)(uintptr_t)alarm_info[a].text;
		out->latched = c->g.latches >> a & 1;
		out->age_s = age_s(c->g.alarm_ms[a], now_ms);
		out->alarm_class = status_alarm_class((enum alarm)a);
		out->first = c->g.first == a;
		t->alarms[s->n_alarms++] = out;
	}
}

static void fill_engine(const struct control *c, Genctl__Status *s, int64_t now_ms)
{
	const struct guard_state *g = &c->g;

	s->phase = (Genctl__Phase)status_phase(c);
	s->phase_age_ms = (uint32_t)(now_ms - c->seq.since_ms);
	s->phase_left_ms = left_ms(seq_ends_ms(&c->seq), now_ms);
	s->next_phase = (Genctl__Phase)seq_next(&c->seq);
	s->relays = g->relays;
	s->relays_known = c->known && g->known;
	s->running = g->running;
	s->start_in_progress = status_starting(c);
	s->run_s = g->run_from_ms == NEVER ? 0 : age_s(g->run_from_ms, now_ms);
	s->run_left_s = g->deadline_ms == NEVER ? 0 : left_ms(g->deadline_ms, now_ms) / 1000;
	s->stopped_known = g->stopped_ms != NEVER;
	s->stopped_s = age_s(g->stopped_ms, now_ms);
	s->attempts = g->failed;
	s->start_ready_ms = left_ms(g->ready_ms, now_ms);
	s->lockout_left_s =
	    g->lockout_until_ms == NEVER ? 0 : left_ms(g->lockout_until_ms, now_ms) / 1000;
	s->total_run_s = g->total_run_s + s->run_s;
	s->starts = g->total_starts;
	s->request_id = g->request;
}

void status_fill(
    const struct control *c, Genctl__Status *s, struct status_text *t, int64_t now_ms)
{
	genctl__inputs__init(&t->inputs);
	status_inputs(c, &t->inputs, now_ms);
	s->inputs = &t->inputs;
	fill_engine(c, s, now_ms);
	fill_alarms(c, s, t, now_ms);
	s->mode = (Genctl__Mode)c->g.mode;
	s->board = (char *)(uintptr_t)(c->g.simulated ? "sim" : "modio");
	s->engine_node_simulated = c->g.simulated;
	s->i2c = (char *)(uintptr_t)status_i2c(c);
	s->third_crank_end = (char *)(uintptr_t)(c->g.reset_gpio ? "reset_gpio" : "none");
	say_why(c, now_ms, t->why, sizeof(t->why));
	status_blocks(c, now_ms, t->blocks, sizeof(t->blocks));
	say_next(c, now_ms, t->next, sizeof(t->next));
	s->why = t->why;
	s->blocks = t->blocks;
	s->next = t->next;
	if (lease_held(&c->lease, now_ms)) {
		s->holder = (char *)(uintptr_t)c->holder;
		s->lease_left_ms = left_ms(c->lease.expires_ms, now_ms);
		s->holder_reason = (char *)(uintptr_t)c->reason;
		s->holder_next = (char *)(uintptr_t)c->next;
	}
}
