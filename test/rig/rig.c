#include "test/rig/rig.h"

#include <string.h>

enum { TICK_MS = 10, RUN_DOWN_MS = 300 };

const struct engine_config rig_defaults = {
	.reset_ms = 1000,
	.ignition_ms = 500,
	.preheat_ms = 10000,
	.crank_ms = 10000,
	.glow_assist_ms = 2000,
	.coast_ms = 4000,
	.warmup_ms = 60000,
	.stabilise_ms = 20000,
	.cooldown_ms = 180000,
	.crank_rest_ms = 15000,
	.at_rest_ms = 10000,
	.attempts = 3,
	.lost_ms = 6000,
	.fail_to_stop_ms = 60000,
	.max_run_ms = 18000000,
	.between_runs_ms = 600000,
	.starts_per_hour = 4,
	.lockout_ms = 3600000,
	.lockout_retries = 2,
	.glow_mode = GLOW_ASSIST,
};

static void start_parts(struct rig *r, const struct ledger *ledger)
{
	inputs_init(&r->inputs, &r->config, r->now_ms);
	interlock_init(&r->lock, &r->config, ledger, r->now_ms);
	seq_init(&r->seq, &r->config, r->now_ms);
	r->lock.ready = true;
	r->in = (struct seq_in){ .in = &r->inputs.view };
}

void rig_init(struct rig *r)
{
	struct ledger ledger;

	memset(r, 0, sizeof(*r));
	r->config = rig_defaults;
	r->now_ms = 1000000;
	r->zero_ms = r->now_ms;
	r->catch_ms = 3000;
	r->raw = -1;
	r->attempts = 3;
	ledger_init(&ledger);
	start_parts(r, &ledger);
	interlock_acked(&r->lock, 0, r->now_ms);
}

static void engine_tick(struct rig *r)
{
	bool fuel = r->contacts & RELAY_IGNITION, starter = r->contacts & RELAY_STARTER;

	r->cranked_ms = starter ? r->cranked_ms + TICK_MS : 0;
	r->off_ms = fuel ? 0 : r->off_ms + TICK_MS;
	if (fuel && starter && r->cranked_ms >= r->catch_ms)
		r->turning = true;
	if (r->die || (r->off_ms >= RUN_DOWN_MS && !r->run_on))
		r->turning = false;
}

static uint8_t inputs_now(const struct rig *r)
{
	uint8_t x = r->turning ? INPUT_ENGINE : 0;

	if (r->contacts & RELAY_IGNITION)
		x |= INPUT_IGNITION;
	if ((r->contacts & RELAY_STARTER) && !r->no_starter_wire)
		x |= INPUT_STARTER;
	return (r->raw >= 0 ? (uint8_t)r->raw : x) | r->extra;
}

static int64_t period_ms(uint8_t relays)
{
	if (relays & RELAY_STARTER)
		return SAMPLE_CRANK_MS;
	return relays ? SAMPLE_ACTIVE_MS : SAMPLE_IDLE_MS;
}

static bool board_write(struct rig *r, uint8_t relays)
{
	int64_t due_ms = r->now_ms + period_ms(relays);

	if (r->deaf)
		return false;
	if (!r->lossy)
		r->contacts = relays | (r->weld ? r->contacts & RELAY_STARTER : 0);
	interlock_acked(&r->lock, relays, r->now_ms);
	if (relays != r->relays_seen && r->nrows < RIG_ROWS)
		r->rows[r->nrows++] = (struct rig_row){ r->now_ms - r->zero_ms, relays };
	r->relays_seen = relays;
	if (due_ms <
	    r->sample_ms) /* a faster pace begins with the write, not after the slow one */
		r->sample_ms = due_ms;
	return true;
}

static void guard_sample(struct rig *r)
{
	struct inputs_view v =
	    inputs_step(&r->inputs, inputs_now(r), r->fault, r->lock.relays, r->now_ms);
	struct verdict out = interlock_watch(&r->lock, &v, r->now_ms);

	if (out.alarm != ALARM_N)
		r->alarms_told |= UINT32_C(1) << out.alarm;
	if (out.write && !r->unguarded && !board_write(r, out.relays))
		interlock_unacked(&r->lock);
	if (!r->lock.known)
		board_write(r, 0);
	r->sample_ms = r->now_ms + period_ms(r->lock.relays);
}

static void note(struct rig *r, enum seq_event event)
{
	if (event != SEQ_NOTHING && r->nevents < 16)
		r->events[r->nevents++] = event;
	if (event == SEQ_GAVE_UP)
		r->wish = SEQ_REST;
	if (event == SEQ_TRY_FAILED)
		r->in.permit = PERMIT_NONE;
}

enum rule rig_ask(struct rig *r, uint8_t relays)
{
	enum rule rule = r->unguarded ? RULE_NONE : interlock_gate(&r->lock, relays, r->now_ms);

	if (rule == RULE_NONE && !board_write(r, relays)) {
		interlock_unacked(&r->lock);
		return RULE_I1;
	}
	return rule;
}

static void control_write(struct rig *r, const struct seq_out *out)
{
	enum rule rule = rig_ask(r, out->relays);

	if (rule != RULE_NONE) {
		r->refused = rule;
		r->in.refused = true;
		return;
	}
	r->in.acks++;
	if (r->seq.phase == PHASE_RESET)
		r->zero_ms = r->now_ms;
}

static void control_step(struct rig *r)
{
	struct seq_out out;

	r->in.acked = r->lock.relays;
	r->in.wish = r->wish;
	r->in.attempts = r->attempts;
	out = seq_step(&r->seq, &r->in, r->now_ms);
	r->in.refused = false;
	note(r, out.event);
	if (r->seq.phase == PHASE_OFF)
		r->in.permit = PERMIT_NONE;
	if (out.begin) {
		enum begin b = interlock_begin(&r->lock,
		    &(struct start){ .first = r->seq.attempt == 1, .by = BY_MONITOR }, r->now_ms);

		r->in.permit = b == BEGIN_OK ? PERMIT_GRANTED : PERMIT_REFUSED;
		if (b == BEGIN_OK)
			interlock_permit(&r->lock);
	}
	if (out.write)
		control_write(r, &out);
}

void rig_run(struct rig *r, int64_t ms)
{
	int64_t end_ms = r->now_ms + ms;

	while (r->now_ms < end_ms) {
		r->now_ms += TICK_MS;
		engine_tick(r);
		if (r->now_ms >= r->sample_ms)
			guard_sample(r);
		if (!r->frozen && r->now_ms >= r->control_ms) {
			r->control_ms = r->now_ms + r->lag_ms;
			control_step(r);
			control_step(
			    r); /* a phase and its byte in one tick, as in the daemon */
		}
	}
}

bool rig_until(struct rig *r, enum phase phase, int64_t limit_ms)
{
	for (int64_t ms = 0; ms < limit_ms; ms += TICK_MS) {
		if (r->seq.phase == phase && r->seq.entered)
			return true;
		rig_run(r, TICK_MS);
	}
	return false;
}

bool rig_told(const struct rig *r, enum alarm alarm)
{
	return r->alarms_told >> alarm & 1;
}

void rig_restart(struct rig *r)
{
	struct ledger ledger = r->lock.ledger;

	start_parts(r, &ledger);
	for (int i = 0; i < 8; i++) { /* the guard looks before it writes */
		r->now_ms += SAMPLE_ACTIVE_MS;
		engine_tick(r);
		r->lock.in = inputs_step(&r->inputs, inputs_now(r), r->fault, 0, r->now_ms);
	}
	if (!interlock_may_adopt(&r->lock)) {
		board_write(r, 0);
		return;
	}
	board_write(r, RELAY_IGNITION);
	interlock_adopt(&r->lock, r->now_ms);
	inputs_credit(&r->inputs, ledger.warm ? r->config.warmup_ms : 0, r->now_ms);
	seq_adopt(&r->seq, PHASE_STABILISE, r->now_ms, RELAY_IGNITION);
	r->wish = SEQ_RUN;
}
