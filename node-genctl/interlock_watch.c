/* The interlock's own eyes: what must be written now, asked or not. Checks in order of weight.
 */
#include <stddef.h>

#include "node-genctl/interlock.h"

static const struct verdict nothing = { .alarm = ALARM_N };

static struct verdict force(uint8_t relays, enum rule rule)
{
	return (
	    struct verdict){ .write = true, .relays = relays, .alarm = ALARM_N, .rule = rule };
}

static struct verdict force_alarm(
    struct interlock *k, uint8_t relays, enum rule rule, enum alarm alarm)
{
	struct verdict v = force(relays, rule);

	interlock_raise(k, alarm);
	v.alarm = alarm;
	return v;
}

static bool elapsed(int64_t since_ms, int64_t span_ms, int64_t now_ms)
{
	return since_ms != NEVER && now_ms - since_ms >= span_ms;
}

static void note_starter_feedback(struct interlock *k)
{
	const struct inputs_view *in = &k->in;
	uint8_t need =
	    INPUT_STARTER | (k->config->ign_feedback == FEEDBACK_PRESENT ? INPUT_IGNITION : 0);
	bool absent =
	    in->fault == SAMPLE_ZERO || (in->fault == SAMPLE_OK && (in->x & need) != need);

	if (in->fault == SAMPLE_OK && (in->x & INPUT_STARTER))
		k->starter_seen = true;
	if (!absent)
		k->absent = 0;
	else if (k->absent < UINT8_MAX)
		k->absent++;
}

static struct verdict watch_starter(struct interlock *k, int64_t now_ms)
{
	int64_t on_ms = now_ms - k->starter_on_ms;

	note_starter_feedback(k);
	if (k->in.run)
		return force(RELAY_IGNITION, RULE_S3);
	if (on_ms >= crank_total_ms(k->config) + STARTER_SLACK_MS)
		return force(RELAY_IGNITION, RULE_S4);
	if (k->orphan_ms != NEVER || k->descending || !k->ready)
		return force(RELAY_IGNITION, RULE_S9);
	if (k->in.bad_ms >= BAD_MS)
		return force_alarm(k, 0, RULE_I2, ALARM_MODIO_LOST);
	if (!k->starter_seen && on_ms >= NO_FEEDBACK_MS)
		return force_alarm(k, 0, RULE_S7, ALARM_STARTER_NO_FEEDBACK);
	if (k->starter_seen && k->absent >= ABSENT_SAMPLES)
		return force_alarm(k, 0, RULE_I3, ALARM_MODIO_RESET);
	return nothing;
}

/* Runaway starter: fuel off too, for a starter that turns for ever burns. */
static struct verdict watch_stuck(struct interlock *k, int64_t now_ms)
{
	bool told = k->ledger.latches >> ALARM_STARTER_STUCK & 1;

	if (!k->in.bad_ms && !(k->in.x & INPUT_STARTER))
		k->stuck_ms = NEVER;
	else if (!k->in.bad_ms && k->stuck_ms == NEVER)
		k->stuck_ms = now_ms;
	if (told || !elapsed(k->stuck_ms, STUCK_MS, now_ms) ||
	    !elapsed(k->starter_off_ms, STUCK_MS, now_ms))
		return nothing;
	return force_alarm(k, 0, RULE_S8, ALARM_STARTER_STUCK);
}

static struct verdict watch_prestart(struct interlock *k, int64_t now_ms)
{
	const struct engine_config *c = k->config;
	int64_t lead_ms = c->ignition_ms + (c->glow_mode == GLOW_PREHEAT ? c->preheat_ms : 0);
	bool cranked = (k->relays & RELAY_STARTER) || k->starter_off_ms >= k->ignition_on_ms;
	bool raw = k->ledger.mode == MODE_MAINTENANCE;

	if (k->proved || raw)
		return nothing;
	if (!cranked && k->in.alone_samples == 0 && !k->in.run &&
	    elapsed(k->ignition_on_ms, lead_ms + FEEDBACK_MS, now_ms))
		return force_alarm(k, 0, RULE_F3, ALARM_IGN_FEEDBACK);
	if (elapsed(k->ignition_on_ms, lead_ms + crank_total_ms(c) + c->coast_ms + c->lost_ms,
		now_ms))
		return force(0, RULE_F2);
	return nothing;
}

static void prove(struct interlock *k, int64_t now_ms)
{
	struct ledger *l = &k->ledger;

	k->proved = true;
	l->held = 1;
	l->run_from_ms = now_ms;
	l->deadline_ms = now_ms + k->config->max_run_ms;
	l->total_starts++;
	k->dirty = true;
}

static struct verdict lose(struct interlock *k, int64_t now_ms)
{
	struct ledger *l = &k->ledger;
	bool again = l->unexpected_ms != NEVER && now_ms - l->unexpected_ms < HOUR_MS;

	l->unexpected_ms = now_ms;
	k->dirty = true;
	if (again)
		l->latches |= UINT32_C(1) << ALARM_UNEXPECTED_STOP;
	return force_alarm(k, 0, RULE_R1, ALARM_UNEXPECTED_STOP);
}

static struct verdict watch_engine(struct interlock *k, int64_t now_ms)
{
	const struct inputs_view *in = &k->in;
	bool charger = k->relays & RELAY_CHARGER;

	if (!k->proved && in->running)
		prove(k, now_ms);
	if (!k->proved)
		return nothing;
	if (!k->ledger.warm && in->run_ms >= k->config->warmup_ms) {
		k->ledger.warm = 1;
		k->dirty = true;
	}
	if (k->ledger.failed && in->run &&
	    elapsed(k->starter_off_ms, k->config->coast_ms, now_ms)) {
		k->ledger.failed = 0; /* not before: one that stalls in the coast has failed */
		k->dirty = true;
	}
	if (in->lost)
		return lose(k, now_ms);
	if (in->fault == SAMPLE_ZERO && in->bad_ms >= k->config->lost_ms)
		return force_alarm(k, 0, RULE_F3, ALARM_IGN_FEEDBACK);
	if (charger && (in->low_samples >= SAG_SAMPLES || in->bad_ms >= BAD_MS)) {
		k->sagged = true;
		return force(RELAY_IGNITION, RULE_C3);
	}
	return nothing;
}

/* The wall of max_run also keeps the next automatic start away for an hour. */
static void watch_deadline(struct interlock *k, int64_t now_ms)
{
	struct ledger *l = &k->ledger;

	if (!k->proved || k->descending)
		return;
	if (now_ms - l->run_from_ms >= k->config->max_run_ms) {
		l->inhibit_ms = now_ms + HOUR_MS;
		interlock_descend(k, ALARM_MAX_RUN, now_ms);
	} else if (now_ms >= l->deadline_ms + DEADLINE_GRACE_MS) {
		interlock_descend(k, ALARM_LEASE_LOST, now_ms);
	} else if (elapsed(k->orphan_ms, ORPHAN_MS, now_ms)) {
		interlock_descend(k, ALARM_CONTROL_LOST, now_ms);
	}
}

static struct verdict watch_descent(struct interlock *k, int64_t now_ms)
{
	if (!k->descending)
		return nothing;
	if (!k->proved)
		return force(0, RULE_R5);
	if (k->relays != RELAY_IGNITION)
		return force(RELAY_IGNITION, RULE_R4);
	if (elapsed(k->descend_ms, k->config->cooldown_ms, now_ms))
		return force(0, RULE_R4);
	return nothing;
}

static struct verdict watch_glow(struct interlock *k, int64_t now_ms)
{
	if ((k->relays & RELAY_GLOW) &&
	    (k->in.running || elapsed(k->glow_on_ms, GLOW_MAX_MS, now_ms)))
		return force(k->relays & ~RELAY_GLOW, RULE_G1);
	return nothing;
}

static struct verdict watch_raw(struct interlock *k, int64_t now_ms)
{
	bool raw = k->ledger.mode == MODE_MAINTENANCE;

	if (raw ? elapsed(k->raw_ms, RAW_MAX_MS, now_ms)
		: k->raw_ms != NEVER || (k->ledger.mode == MODE_OFF && !k->proved))
		return force(0, RULE_L3);
	return nothing;
}

/* The bus is sound again and the engine is held: say once more what was last acknowledged. */
static struct verdict watch_suspect(struct interlock *k, int64_t now_ms)
{
	if (!k->suspect || k->in.bad_ms || !(k->in.x & INPUT_IGNITION))
		return nothing;
	return force(k->relays, RULE_I1);
}

static struct verdict watch_closed(struct interlock *k, int64_t now_ms)
{
	static struct verdict (*const checks[])(struct interlock *, int64_t) = {
		watch_raw,
		watch_prestart,
		watch_engine,
		watch_descent,
		watch_glow,
		watch_suspect,
	};

	watch_deadline(k, now_ms);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct verdict v = checks[i](k, now_ms);

		if (v.write)
			return v;
	}
	return nothing;
}

static struct verdict tell(struct interlock *k, enum alarm alarm)
{
	bool told = k->alarms >> alarm & 1;

	interlock_raise(k, alarm);
	return (struct verdict){ .alarm = told ? ALARM_N : alarm, .rule = RULE_R3 };
}

/* Ignition is open: who turns the engine then? */
static struct verdict watch_open(struct interlock *k, int64_t now_ms)
{
	if (k->in.bad_ms)
		return nothing;
	if (k->suspect)
		return force(
		    0, RULE_I1); /* the bus is sound again: what was lost is said once more */
	if (k->stopping && k->in.still_ms >= RUN_DEBOUNCE_MS)
		k->stopping = false;
	if (k->stopping && elapsed(k->ignition_off_ms, k->config->fail_to_stop_ms, now_ms))
		return tell(k, ALARM_FAIL_TO_STOP);
	if (!k->stopping && k->in.run_ms >= RUN_DEBOUNCE_MS)
		return tell(k, ALARM_EXTERNAL_RUN);
	if (k->in.still_ms < RUN_DEBOUNCE_MS)
		return nothing;
	interlock_lower(k, ALARM_EXTERNAL_RUN);
	interlock_lower(k, ALARM_FAIL_TO_STOP);
	if ((k->in.x & INPUT_IGNITION) &&
	    (k->ignition_off_ms == NEVER || elapsed(k->ignition_off_ms, FEEDBACK_MS, now_ms)))
		return tell(k, ALARM_INPUT_IMPLAUSIBLE);
	interlock_lower(k, ALARM_INPUT_IMPLAUSIBLE);
	return nothing;
}

static struct verdict watch_lockout(struct interlock *k, int64_t now_ms)
{
	struct ledger *l = &k->ledger;
	uint32_t bit = UINT32_C(1) << ALARM_FAIL_TO_START;
	int32_t n = k->config->lockout_retries;
	bool allowed = n > 0 && n <= LEDGER_RETRIES &&
		       (l->retries[n - 1] == NEVER || now_ms - l->retries[n - 1] >= DAY_MS);

	if (!(l->latches & bit) || !allowed ||
	    !elapsed(l->lockout_ms, k->config->lockout_ms, now_ms))
		return nothing;
	for (int i = LEDGER_RETRIES - 1; i > 0; i--)
		l->retries[i] = l->retries[i - 1];
	l->retries[0] = now_ms;
	l->latches &= ~bit;
	l->failed = 0;
	k->alarms &= ~bit;
	k->dirty = true;
	return (struct verdict){ .alarm = ALARM_LOCKOUT_RETRY };
}

static struct verdict watch_mode(struct interlock *k, int64_t now_ms)
{
	enum mode mode = k->ledger.mode;

	if (mode != k->seen_mode) {
		k->seen_mode = mode;
		k->mode_ms = now_ms;
	}
	if (mode == MODE_AUTO || mode == MODE_OPERATOR_RUN)
		interlock_lower(k, ALARM_AUTO_DISABLED);
	else if (elapsed(k->mode_ms, DISABLED_MS, now_ms))
		return tell(k, ALARM_AUTO_DISABLED);
	return nothing;
}

static struct verdict watch_bus(struct interlock *k)
{
	if (k->in.bad_ms == 0) {
		interlock_lower(k, ALARM_MODIO_LOST);
		return nothing;
	}
	if (k->in.bad_ms < k->config->lost_ms || (k->alarms >> ALARM_MODIO_LOST & 1))
		return nothing;
	return tell(k, ALARM_MODIO_LOST);
}

struct verdict interlock_watch(
    struct interlock *k, const struct inputs_view *in, int64_t now_ms)
{
	struct verdict v = nothing;

	k->in = *in;
	if (in->estop && k->ledger.mode != MODE_ESTOP)
		interlock_estop(k);
	if (!k->known)
		return nothing;
	if (k->relays && (k->ledger.latches || k->ledger.mode == MODE_ESTOP))
		return force(0, RULE_R5);
	if (k->relays & RELAY_STARTER)
		v = watch_starter(k, now_ms);
	else
		v = watch_stuck(k, now_ms);
	if (!v.write && (k->relays & RELAY_IGNITION))
		v = watch_closed(k, now_ms);
	else if (!v.write)
		v = watch_open(k, now_ms);
	if (!v.write && v.alarm == ALARM_N)
		v = watch_lockout(k, now_ms);
	if (!v.write && v.alarm == ALARM_N)
		v = watch_mode(k, now_ms);
	return v.write || v.alarm != ALARM_N ? v : watch_bus(k);
}
