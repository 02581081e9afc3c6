#include "node-genctl/interlock.h"

#include <errno.h>
#include <stddef.h>

#include "node-genctl/rules.h"

void interlock_init(struct interlock *k, const struct engine_config *config,
    const struct ledger *ledger, int64_t now_ms)
{
	*k = (struct interlock){
		.config = config,
		.ledger = *ledger,
		.starter_on_ms = NEVER,
		.starter_off_ms = now_ms, /* it may have turned until a moment ago */
		.charger_off_ms = NEVER,
		.ignition_on_ms = NEVER,
		.ignition_off_ms = NEVER,
		.glow_on_ms = NEVER,
		.descend_ms = NEVER,
		.stuck_ms = NEVER,
		.orphan_ms = NEVER,
		.raw_ms = NEVER,
		.mode_ms = now_ms,
		.seen_mode = ledger->mode,
	};
	if (k->ledger.mode == MODE_OPERATOR_RUN && !k->ledger.held)
		k->ledger.mode = MODE_AUTO;
}

static void push_time(int64_t *list, size_t n, int64_t now_ms)
{
	/*@ loop invariant i < n;
	    loop assigns i, list[1 .. n - 1]; */
	for (size_t i = n - 1; i > 0; i--)
		list[i] = list[i - 1];
	list[0] = now_ms;
}

static void charge_pulse(struct ledger *l, int32_t ms, int64_t now_ms)
{
	/*@ loop invariant i < LEDGER_PULSES;
	    loop assigns i, l->pulses[1 .. LEDGER_PULSES - 1]; */
	for (size_t i = LEDGER_PULSES - 1; i > 0; i--)
		l->pulses[i] = l->pulses[i - 1];
	l->pulses[0] = (struct pulse){ now_ms, ms };
}

/* Charged in full before it happens: what a crash cannot tell us must count against us. */
enum begin interlock_begin(struct interlock *k, const struct start *start, int64_t now_ms)
{
	struct ledger *l = &k->ledger;

	for (const enum rule *r = rules_begin; *r; r++) {
		enum begin answer = rule_info[*r].begin(k, start, now_ms);

		if (answer != BEGIN_OK)
			return answer;
	}
	charge_pulse(l, crank_total_ms(k->config), now_ms);
	l->crank_ms = now_ms;
	l->failed++;
	if (start->first) {
		l->request++;
		push_time(l->starts, LEDGER_STARTS, now_ms);
	}
	k->dirty = true;
	return BEGIN_OK;
}

enum rule interlock_gate(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	for (const enum rule *r = rules_gate; *r; r++)
		if (rule_info[*r].gate(k, want, now_ms))
			return *r;
	return RULE_NONE;
}

void interlock_permit(struct interlock *k)
{
	k->permit = true;
}

void interlock_drop_permit(struct interlock *k)
{
	k->permit = false;
}

static void end_of_pulse(struct interlock *k, int64_t now_ms)
{
	k->starter_off_ms = now_ms;
	k->ledger.crank_ms = now_ms;
	k->ledger.pulses[0].ms = (int32_t)(now_ms - k->starter_on_ms);
	k->permit = false;
	k->dirty = true;
}

static void end_of_run(struct interlock *k, int64_t now_ms)
{
	struct ledger *l = &k->ledger;

	k->ignition_off_ms = now_ms;
	k->stopping = k->in.x & INPUT_ENGINE;
	k->descending = k->permit = false;
	if (k->proved) {
		l->stopped_ms = now_ms;
		l->total_run_s += (uint32_t)((now_ms - l->run_from_ms) / 1000);
	}
	if (l->failed >= k->config->attempts && l->mode != MODE_MAINTENANCE) {
		interlock_raise(k, ALARM_FAIL_TO_START);
		l->lockout_ms = now_ms;
	}
	l->held = l->warm = l->charged = 0;
	k->proved = false;
	k->dirty = true;
}

static void begin_of_pulse(struct interlock *k, int64_t now_ms)
{
	k->starter_on_ms = now_ms;
	k->starter_seen = false;
	k->absent = 0;
	if (!k->permit)
		charge_pulse(&k->ledger, crank_total_ms(k->config), now_ms);
	k->ledger.pulses[0].from_ms = now_ms;
	k->dirty = true;
}

static void note_risen(struct interlock *k, uint8_t rose, int64_t now_ms)
{
	if (rose & RELAY_STARTER)
		begin_of_pulse(k, now_ms);
	if (rose & RELAY_GLOW)
		k->glow_on_ms = now_ms;
	if (rose & RELAY_IGNITION) {
		k->ignition_on_ms = now_ms;
		k->proved = false;
	}
	if (rose & RELAY_CHARGER) {
		k->ledger.charged = 1;
		k->sagged = false;
		k->dirty = true;
	}
}

void interlock_acked(struct interlock *k, uint8_t relays, int64_t now_ms)
{
	uint8_t fell = k->relays & ~relays, rose = relays & ~k->relays;
	bool stuck = k->in.fault == SAMPLE_STUCK;

	/* A bus held low acknowledges everything and carries nothing. */
	if (stuck && ((k->relays & RELAY_STARTER) || !k->known)) {
		interlock_unacked(k);
		return;
	}
	k->suspect = stuck;
	k->relays = relays;
	k->known = k->live = true;
	if (!relays)
		k->raw_ms = NEVER;
	interlock_lower(k, ALARM_OUTPUT_UNKNOWN);
	if (fell & RELAY_STARTER)
		end_of_pulse(k, now_ms);
	if (fell & RELAY_CHARGER)
		k->charger_off_ms = k->descend_ms = now_ms; /* a cool-down counts from here */
	if (fell & RELAY_IGNITION)
		end_of_run(k, now_ms);
	note_risen(k, rose, now_ms);
}

void interlock_unacked(struct interlock *k)
{
	k->known = false;
	k->permit = false;
	interlock_raise(k, ALARM_OUTPUT_UNKNOWN);
}

void interlock_descend(struct interlock *k, enum alarm why, int64_t now_ms)
{
	if (k->descending || !k->relays)
		return;
	k->descending = true;
	k->descend_ms = now_ms;
	k->permit = false;
	if (why < ALARM_N)
		interlock_raise(k, why);
}

void interlock_orphan(struct interlock *k, bool gone, int64_t now_ms)
{
	if (!gone)
		k->orphan_ms = NEVER;
	else if (k->orphan_ms == NEVER)
		k->orphan_ms = now_ms;
	if (gone)
		k->permit = false;
}

void interlock_deadline(struct interlock *k, int64_t deadline_ms)
{
	int64_t wall_ms = k->ledger.run_from_ms + k->config->max_run_ms;

	if (!k->proved)
		return;
	if (deadline_ms < 0)
		deadline_ms = 0;
	k->ledger.deadline_ms = deadline_ms < wall_ms ? deadline_ms : wall_ms;
}

void interlock_raise(struct interlock *k, enum alarm alarm)
{
	k->alarms |= UINT32_C(1) << alarm;
	if (alarm_info[alarm].latched && !(k->ledger.latches >> alarm & 1)) {
		k->ledger.latches |= UINT32_C(1) << alarm;
		k->dirty = true;
	}
}

void interlock_lower(struct interlock *k, enum alarm alarm)
{
	k->alarms &= ~(UINT32_C(1) << alarm);
}

static int may_change_mode(const struct interlock *k, enum mode mode)
{
	if (k->ledger.mode == MODE_ESTOP)
		return -EPERM;
	if (k->ledger.mode == MODE_MAINTENANCE)
		return mode == MODE_OFF || mode == MODE_MAINTENANCE ? 0 : -EPERM;
	if (mode == MODE_OFF) /* where maintenance and a clear lead, and nobody else */
		return k->ledger.mode == MODE_OFF ? 0 : -EPERM;
	if (mode == MODE_MAINTENANCE && (!k->known || k->relays || k->in.run))
		return -EBUSY;
	return 0;
}

int interlock_mode(struct interlock *k, enum mode mode)
{
	int rc = may_change_mode(k, mode);

	if (rc < 0)
		return rc;
	k->dirty = k->dirty || k->ledger.mode != mode;
	k->ledger.mode = mode;
	return 0;
}

void interlock_estop(struct interlock *k)
{
	interlock_raise(k, ALARM_EMERGENCY_STOP);
	k->ledger.mode = MODE_ESTOP;
	k->permit = false;
	k->dirty = true;
}

static bool cause_stands(const struct interlock *k, enum alarm alarm)
{
	if (alarm == ALARM_EMERGENCY_STOP)
		return k->in.estop;
	if (alarm == ALARM_STARTER_STUCK)
		return k->in.x & INPUT_STARTER;
	if (alarm == ALARM_FAIL_TO_STOP)
		return k->in.x & INPUT_ENGINE;
	return alarm == ALARM_OUTPUT_UNKNOWN && !k->known;
}

int interlock_clear(struct interlock *k)
{
	/*@ loop invariant 0 <= a <= ALARM_N;
	    loop assigns a; */
	for (int a = 0; a < ALARM_N; a++)
		if ((k->ledger.latches >> a & 1) && cause_stands(k, (enum alarm)a))
			return a;
	k->alarms &= ~ALARMS_PAST;
	if (!k->ledger.latches && k->ledger.mode != MODE_ESTOP)
		return 0; /* nothing latched: no reason to end a run */
	k->alarms &= ~k->ledger.latches;
	k->ledger.latches = 0;
	k->ledger.failed = 0;
	k->ledger.mode = MODE_OFF;
	k->dirty = true;
	return 0;
}

bool interlock_had_run(const struct interlock *k)
{
	enum mode mode = (enum mode)k->ledger.mode;
	bool allowed =
	    mode == MODE_AUTO || mode == MODE_OPERATOR_RUN || mode == MODE_OPERATOR_STOP;

	return allowed && k->ledger.held && !k->ledger.latches;
}

bool interlock_may_adopt(const struct interlock *k)
{
	return interlock_had_run(k) && k->in.running && k->in.bad_ms == 0 &&
	       k->in.x == (INPUT_ENGINE | INPUT_IGNITION);
}

void interlock_adopt(struct interlock *k, int64_t now_ms)
{
	k->proved = true;
	k->charger_off_ms = now_ms;
	k->sagged = false;
}
