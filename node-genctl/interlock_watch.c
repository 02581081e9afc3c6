/* The interlock's own eyes: what each rule of the book demands now, asked or not. */
#include "node-genctl/rules.h"

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

static struct verdict tell(struct interlock *k, enum rule rule, enum alarm alarm)
{
	bool told = k->alarms >> alarm & 1;

	interlock_raise(k, alarm);
	return (struct verdict){ .alarm = told ? ALARM_N : alarm, .rule = rule };
}

static bool cranks(const struct interlock *k)
{
	return k->relays & RELAY_STARTER;
}

static bool fuelled(const struct interlock *k)
{
	return k->relays & RELAY_IGNITION;
}

static int64_t pulse_ms(const struct interlock *k, int64_t now_ms)
{
	return now_ms - k->starter_on_ms;
}

/* The starter */

struct verdict watch_s3(struct interlock *k, int64_t now_ms)
{
	return cranks(k) && k->in.run ? force(RELAY_IGNITION, RULE_S3) : nothing;
}

struct verdict watch_s4(struct interlock *k, int64_t now_ms)
{
	int64_t most_ms = crank_total_ms(k->config) + STARTER_SLACK_MS;

	return cranks(k) && pulse_ms(k, now_ms) >= most_ms ? force(RELAY_IGNITION, RULE_S4)
							   : nothing;
}

struct verdict watch_s7(struct interlock *k, int64_t now_ms)
{
	if (!cranks(k) || k->starter_seen || pulse_ms(k, now_ms) < NO_FEEDBACK_MS)
		return nothing;
	return force_alarm(k, 0, RULE_S7, ALARM_STARTER_NO_FEEDBACK);
}

/* Runaway starter: fuel off too, for a starter that turns for ever burns. */
struct verdict watch_s8(struct interlock *k, int64_t now_ms)
{
	bool told = k->ledger.latches >> ALARM_STARTER_STUCK & 1;

	if (told || cranks(k) || !elapsed(k->stuck_ms, STUCK_MS, now_ms) ||
	    !elapsed(k->starter_off_ms, STUCK_MS, now_ms))
		return nothing;
	return force_alarm(k, 0, RULE_S8, ALARM_STARTER_STUCK);
}

struct verdict watch_s9(struct interlock *k, int64_t now_ms)
{
	bool alone = k->orphan_ms != NEVER || k->descending || !k->ready;

	return cranks(k) && alone ? force(RELAY_IGNITION, RULE_S9) : nothing;
}

struct verdict watch_i3(struct interlock *k, int64_t now_ms)
{
	if (!cranks(k) || !k->starter_seen || k->absent < ABSENT_SAMPLES)
		return nothing;
	return force_alarm(k, 0, RULE_I3, ALARM_MODIO_RESET);
}

/* Fuel before the engine runs */

static bool starts(const struct interlock *k)
{
	return fuelled(k) && !k->proved && k->ledger.mode != MODE_MAINTENANCE;
}

static int32_t lead_ms(const struct engine_config *c)
{
	return c->ignition_ms + (c->glow_mode == GLOW_PREHEAT ? c->preheat_ms : 0);
}

struct verdict watch_f2(struct interlock *k, int64_t now_ms)
{
	const struct engine_config *c = k->config;
	int64_t most_ms = lead_ms(c) + crank_total_ms(c) + c->coast_ms + c->lost_ms;

	return starts(k) && elapsed(k->ignition_on_ms, most_ms, now_ms) ? force(0, RULE_F2)
									: nothing;
}

/* Before the crank its input never rose; on the run every input fell and the bus is sound. */
struct verdict watch_f3(struct interlock *k, int64_t now_ms)
{
	const struct inputs_view *in = &k->in;
	bool cranked = cranks(k) || k->starter_off_ms >= k->ignition_on_ms;
	bool unseen = starts(k) && !cranked && in->alone_samples == 0 && !in->run &&
		      elapsed(k->ignition_on_ms, lead_ms(k->config) + FEEDBACK_MS, now_ms);
	bool fell = fuelled(k) && k->proved && in->fault == SAMPLE_ZERO &&
		    in->bad_ms >= k->config->lost_ms;

	return unseen || fell ? force_alarm(k, 0, RULE_F3, ALARM_IGN_FEEDBACK) : nothing;
}

struct verdict watch_g1(struct interlock *k, int64_t now_ms)
{
	if ((k->relays & RELAY_GLOW) &&
	    (k->in.running || elapsed(k->glow_on_ms, GLOW_MAX_MS, now_ms)))
		return force(k->relays & ~RELAY_GLOW, RULE_G1);
	return nothing;
}

/* The run */

struct verdict watch_c3(struct interlock *k, int64_t now_ms)
{
	bool sags = k->in.low_samples >= SAG_SAMPLES || k->in.bad_ms >= BAD_MS;

	if (!(k->relays & RELAY_CHARGER) || !sags)
		return nothing;
	k->sagged = true;
	return force(RELAY_IGNITION, RULE_C3);
}

struct verdict watch_r1(struct interlock *k, int64_t now_ms)
{
	struct ledger *l = &k->ledger;

	if (!fuelled(k) || !k->proved || !k->in.lost)
		return nothing;
	if (within(l->unexpected_ms, HOUR_MS, now_ms))
		l->latches |= UINT32_C(1) << ALARM_UNEXPECTED_STOP;
	l->unexpected_ms = now_ms;
	k->dirty = true;
	return force_alarm(k, 0, RULE_R1, ALARM_UNEXPECTED_STOP);
}

struct verdict watch_l1(struct interlock *k, int64_t now_ms)
{
	if (!k->proved || k->descending)
		return nothing;
	if (now_ms >= k->ledger.deadline_ms + DEADLINE_GRACE_MS)
		interlock_descend(k, ALARM_LEASE_LOST, now_ms);
	else if (elapsed(k->orphan_ms, ORPHAN_MS, now_ms))
		interlock_descend(k, ALARM_CONTROL_LOST, now_ms);
	return nothing;
}

/* The wall of max_run also keeps the next automatic start away for an hour; then the way
 * down, whoever began it. */
struct verdict watch_r4(struct interlock *k, int64_t now_ms)
{
	struct ledger *l = &k->ledger;

	if (!fuelled(k) || !k->proved)
		return nothing;
	if (!k->descending && elapsed(l->run_from_ms, k->config->max_run_ms, now_ms)) {
		l->inhibit_ms = now_ms + HOUR_MS;
		interlock_descend(k, ALARM_MAX_RUN, now_ms);
	}
	if (!k->descending)
		return nothing;
	if (k->relays != RELAY_IGNITION)
		return force(RELAY_IGNITION, RULE_R4);
	return elapsed(k->descend_ms, k->config->cooldown_ms, now_ms) ? force(0, RULE_R4)
								      : nothing;
}

struct verdict watch_r5(struct interlock *k, int64_t now_ms)
{
	bool shut = k->ledger.latches || k->ledger.mode == MODE_ESTOP;
	bool given_up = k->descending && !k->proved;

	return k->relays && (shut || given_up) ? force(0, RULE_R5) : nothing;
}

struct verdict watch_l3(struct interlock *k, int64_t now_ms)
{
	bool raw = k->ledger.mode == MODE_MAINTENANCE;

	if (!k->relays)
		return nothing;
	if (raw ? elapsed(k->raw_ms, RAW_MAX_MS, now_ms)
		: k->raw_ms != NEVER || (k->ledger.mode == MODE_OFF && !k->proved))
		return force(0, RULE_L3);
	return nothing;
}

/* Ignition is open: who turns the engine then? */

struct verdict watch_r2(struct interlock *k, int64_t now_ms)
{
	if (fuelled(k) || k->in.bad_ms || !k->stopping)
		return nothing;
	if (!elapsed(k->ignition_off_ms, k->config->fail_to_stop_ms, now_ms))
		return nothing;
	return tell(k, RULE_R2, ALARM_FAIL_TO_STOP);
}

struct verdict watch_r3(struct interlock *k, int64_t now_ms)
{
	bool settled =
	    k->ignition_off_ms == NEVER || elapsed(k->ignition_off_ms, FEEDBACK_MS, now_ms);

	if (fuelled(k) || k->in.bad_ms)
		return nothing;
	if (!k->stopping && k->in.run_ms >= RUN_DEBOUNCE_MS)
		return tell(k, RULE_R3, ALARM_EXTERNAL_RUN);
	if (k->in.still_ms < RUN_DEBOUNCE_MS)
		return nothing;
	interlock_lower(k, ALARM_EXTERNAL_RUN);
	interlock_lower(k, ALARM_FAIL_TO_STOP);
	if ((k->in.x & INPUT_IGNITION) && settled)
		return tell(k, RULE_F3, ALARM_INPUT_IMPLAUSIBLE);
	interlock_lower(k, ALARM_INPUT_IMPLAUSIBLE);
	return nothing;
}

/* A lockout ends by itself, a few times a day. */
struct verdict watch_s6(struct interlock *k, int64_t now_ms)
{
	struct ledger *l = &k->ledger;
	uint32_t bit = UINT32_C(1) << ALARM_FAIL_TO_START;
	int32_t n = k->config->lockout_retries;

	if (!(l->latches & bit) || n == 0 || within(l->retries[n - 1], DAY_MS, now_ms) ||
	    !elapsed(l->lockout_ms, k->config->lockout_ms, now_ms))
		return nothing;
	/*@ loop invariant 0 <= i < LEDGER_RETRIES;
	    loop assigns i, l->retries[1 .. LEDGER_RETRIES - 1]; */
	for (int i = LEDGER_RETRIES - 1; i > 0; i--)
		l->retries[i] = l->retries[i - 1];
	l->retries[0] = now_ms;
	l->latches &= ~bit;
	l->failed = 0;
	k->alarms &= ~bit;
	k->dirty = true;
	return tell(k, RULE_S6, ALARM_LOCKOUT_RETRY);
}

struct verdict watch_m1(struct interlock *k, int64_t now_ms)
{
	enum mode mode = k->ledger.mode;

	if (mode == MODE_AUTO || mode == MODE_OPERATOR_RUN)
		interlock_lower(k, ALARM_AUTO_DISABLED);
	else if (elapsed(k->mode_ms, DISABLED_MS, now_ms))
		return tell(k, RULE_M1, ALARM_AUTO_DISABLED);
	return nothing;
}

/* The bus */

/* It is sound again: what it may have swallowed is said once more. */
struct verdict watch_i1(struct interlock *k, int64_t now_ms)
{
	if (!k->suspect || k->in.bad_ms || (fuelled(k) && !(k->in.x & INPUT_IGNITION)))
		return nothing;
	return force(k->relays, RULE_I1);
}

struct verdict watch_i2(struct interlock *k, int64_t now_ms)
{
	if (k->in.bad_ms == 0)
		interlock_lower(k, ALARM_MODIO_LOST);
	if (cranks(k) && k->in.bad_ms >= BAD_MS)
		return force_alarm(k, 0, RULE_I2, ALARM_MODIO_LOST);
	return k->in.bad_ms >= k->config->lost_ms ? tell(k, RULE_I2, ALARM_MODIO_LOST)
						  : nothing;
}

/* What the sample says, before any rule is asked. */

static void see_starter(struct interlock *k, int64_t now_ms)
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
	else if (k->absent < ABSENT_SAMPLES)
		k->absent++;
}

static void see_stuck(struct interlock *k, int64_t now_ms)
{
	if (k->in.bad_ms)
		return;
	if (!(k->in.x & INPUT_STARTER))
		k->stuck_ms = NEVER;
	else if (k->stuck_ms == NEVER)
		k->stuck_ms = now_ms;
}

static void see_run(struct interlock *k, int64_t now_ms)
{
	struct ledger *l = &k->ledger;

	if (!k->proved && k->in.running) {
		k->proved = true;
		l->held = 1;
		l->run_from_ms = now_ms;
		l->deadline_ms = now_ms + k->config->max_run_ms;
		l->total_starts++;
		k->alarms &= ~ALARMS_PAST;
		k->dirty = true;
	}
	/* Not before: one that stalls in the coast has failed. */
	if (k->proved && l->failed && k->in.run &&
	    elapsed(k->starter_off_ms, k->config->coast_ms, now_ms)) {
		l->failed = 0;
		k->dirty = true;
	}
	if (k->proved && !l->warm && k->in.run_ms >= k->config->warmup_ms) {
		l->warm = 1;
		k->dirty = true;
	}
}

static void see(struct interlock *k, int64_t now_ms)
{
	if (k->in.estop && k->ledger.mode != MODE_ESTOP)
		interlock_estop(k);
	if (k->ledger.mode != k->seen_mode) {
		k->seen_mode = k->ledger.mode;
		k->mode_ms = now_ms;
	}
	if (!k->known)
		return;
	if (cranks(k))
		see_starter(k, now_ms);
	else
		see_stuck(k, now_ms);
	if (fuelled(k))
		see_run(k, now_ms);
	if (!fuelled(k) && !k->in.bad_ms && k->in.still_ms >= RUN_DEBOUNCE_MS)
		k->stopping = false;
}

struct verdict interlock_watch(
    struct interlock *k, const struct inputs_view *in, int64_t now_ms)
{
	k->in = *in;
	see(k, now_ms);
	for (const enum rule *r = rules_watch; k->known && *r; r++) {
		struct verdict v = rule_info[*r].watch(k, now_ms);

		if (v.write || v.alarm != ALARM_N)
			return v;
	}
	return nothing;
}
