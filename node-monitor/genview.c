#include "node-monitor/genview.h"

#include <stdio.h>

#include "proto/genctl.pb-c.h"

static const char *const phase_names[ENGINE_NPHASES] = {
	[ENGINE_OFF] = "OFF",
	[ENGINE_WAIT] = "WAIT",
	[ENGINE_RESET] = "RESET",
	[ENGINE_IGNITION] = "IGNITION",
	[ENGINE_CRANK] = "CRANK",
	[ENGINE_ASSIST] = "ASSIST",
	[ENGINE_COAST] = "COAST",
	[ENGINE_WARMUP] = "WARMUP",
	[ENGINE_STABILISE] = "STABILISE",
	[ENGINE_LOADED] = "LOADED",
	[ENGINE_COOLDOWN] = "COOLDOWN",
	[ENGINE_REST] = "REST",
	[ENGINE_LOCKOUT] = "LOCKOUT",
	[ENGINE_EXTERNAL] = "EXTERNAL_RUN",
	[ENGINE_STOPPING] = "STOPPING",
	[ENGINE_MAINTENANCE] = "MAINTENANCE",
	[ENGINE_FAULT] = "FAULT",
};

static const char *const mode_names[] = {
	[MODE_AUTO] = "auto",
	[MODE_OFF] = "off",
	[MODE_OPERATOR_RUN] = "operator run",
	[MODE_OPERATOR_STOP] = "operator stop",
	[MODE_MAINTENANCE] = "maintenance",
	[MODE_ESTOPPED] = "emergency stop",
};

const char *genview_phase_name(enum engine_phase phase)
{
	return phase_names[phase];
}

const char *genview_mode_name(enum engine_mode mode)
{
	return mode_names[mode];
}

const char *genview_class_name(enum gen_class class)
{
	static const char *const names[] = { "alarm", "warning", "trip", "shutdown" };

	return names[class];
}

static enum gen_class class_of(Genctl__AlarmClass c)
{
	return c >= 0 && (int)c <= GEN_SHUTDOWN ? (enum gen_class)c : GEN_NO_CLASS;
}

static enum engine_phase phase_of(Genctl__Phase p)
{
	return (uint32_t)p < ENGINE_NPHASES ? (enum engine_phase)p : ENGINE_FAULT;
}

/* A mode we do not know is one in which nothing is automatic. */
static enum engine_mode mode_of(Genctl__Mode m)
{
	return (uint32_t)m <= MODE_ESTOPPED ? (enum engine_mode)m : MODE_OFF;
}

static int32_t seconds(uint32_t s)
{
	return s > INT32_MAX ? INT32_MAX : (int32_t)s;
}

static void take_alarms(struct gen_status *s, const Genctl__Status *m)
{
	for (size_t i = 0; i < m->n_alarms && s->nalarms < GEN_ALARMS; i++) {
		struct gen_alarm *a = &s->alarms[s->nalarms++];

		snprintf(a->code, sizeof(a->code), "%s", m->alarms[i]->code);
		snprintf(a->text, sizeof(a->text), "%s", m->alarms[i]->text);
		a->latched = m->alarms[i]->latched;
		a->class = class_of(m->alarms[i]->alarm_class);
		a->first = m->alarms[i]->first;
		a->since_ms = s->at_ms - (int64_t)m->alarms[i]->age_s * 1000;
	}
}

static void take_texts(struct gen_status *s, const Genctl__Status *m)
{
	snprintf(s->i2c, sizeof(s->i2c), "%s", m->i2c);
	snprintf(s->why, sizeof(s->why), "%s", m->why);
	snprintf(s->blocks, sizeof(s->blocks), "%s", m->blocks);
	snprintf(s->next, sizeof(s->next), "%s", m->next);
}

void genview_status(struct gen_view *v, const Genctl__Status *m, int64_t now_ms)
{
	struct gen_status s = {
		.at_ms = now_ms,
		.phase = phase_of(m->phase),
		.next_phase = phase_of(m->next_phase),
		.mode = mode_of(m->mode),
		.phase_left_ms = m->phase_left_ms,
		.relays = m->relays & 0x0f,
		.relays_known = m->relays_known,
		.inputs = m->inputs ? m->inputs->raw & 0x0f : 0,
		.inputs_valid = m->inputs && m->inputs->valid,
		.running = m->running,
		.start_in_progress = m->start_in_progress,
		.simulated = m->engine_node_simulated,
		.run_s = m->run_s,
		.run_left_s = m->run_left_s,
		.attempts = m->attempts,
		.start_ready_ms = m->start_ready_ms,
		.lockout_left_s = m->lockout_left_s,
		.stopped_s = m->stopped_known ? seconds(m->stopped_s) : UNKNOWN,
	};

	take_texts(&s, m);
	take_alarms(&s, m);
	v->status = s;
	v->heard = true;
}

void genview_health(struct gen_view *v, const Genctl__Health *m, int64_t now_ms)
{
	v->health = (struct gen_health){
		.at_ms = now_ms,
		.connections = m->connections,
		.uptime_s = m->uptime_s,
		.service_uptime_s = m->service_uptime_s,
		.memory_pct = m->memory_pct,
		.disk_pct = m->disk_pct,
		.disk_free = m->disk_free,
		.i2c_errors = m->i2c_errors,
	};
	snprintf(v->health.version, sizeof(v->health.version), "%s", m->version);
}

struct engine_truth genview_truth(const struct gen_view *v, int64_t now_ms)
{
	const struct gen_status *s = &v->status;

	return (struct engine_truth){
		.link = v->heard,
		.age_ms = now_ms - s->at_ms,
		.phase = s->phase,
		.mode = s->mode,
		.running = s->running,
		.holder = v->holder && now_ms < v->lease_ms,
		.run_s = seconds(s->run_s),
		.stopped_s = s->stopped_s,
		.lockout_left_s = seconds(s->lockout_left_s),
		.start_ready_s =
		    seconds(s->start_ready_ms / 1000 + (s->start_ready_ms % 1000 > 0)),
	};
}
