#include "node-genctl/interlock.h"

#include <errno.h>
#include <stddef.h>

/* clang-format off */
const struct rule_info rule_info[RULE_N] = {
	[RULE_NONE] = { "", "" },
	[RULE_S1] = { "S1", "The starter closes only with ignition closed and the charger open." },
	[RULE_S2] = { "S2", "The starter closes only on an engine proved at rest, with feedback of ignition alone." },
	[RULE_S3] = { "S3", "The starter opens as soon as the running input is seen." },
	[RULE_S4] = { "S4", "The starter stays closed no longer than the crank time." },
	[RULE_S5] = { "S5", "The starter rests between pulses and keeps its budget in ten minutes." },
	[RULE_S6] = { "S6", "A start request has a limited number of pulses, then it is locked out." },
	[RULE_S7] = { "S7", "A pulse without the starter's feedback for 1 s is given up." },
	[RULE_S8] = { "S8", "Starter feedback while its relay is open cuts the fuel and latches." },
	[RULE_S9] = { "S9", "No pulse without a second, independent end of crank standing by." },
	[RULE_F1] = { "F1", "Ignition closes only for a start, an adoption or maintenance." },
	[RULE_F2] = { "F2", "Ignition opens when the engine has not run in the time a start takes." },
	[RULE_F3] = { "F3", "The ignition input follows its relay." },
	[RULE_G1] = { "G1", "Glow only before and while cranking, and never long." },
	[RULE_C1] = { "C1", "The charger closes only after the engine ran through warm-up and stabilise." },
	[RULE_C2] = { "C2", "After load, ignition opens only when the cool-down is over." },
	[RULE_C3] = { "C3", "The charger opens when the running input drops out on load." },
	[RULE_C4] = { "C4", "The charger does not close again within 30 s of such an opening." },
	[RULE_R1] = { "R1", "An engine lost on the run gets every relay opened." },
	[RULE_R2] = { "R2", "An engine that turns after ignition opened is not reported stopped." },
	[RULE_R3] = { "R3", "An engine that runs by itself is neither cranked nor counted as a failure." },
	[RULE_R4] = { "R4", "A run has a longest time, whatever the monitor says." },
	[RULE_R5] = { "R5", "Stop and emergency stop win in every phase." },
	[RULE_P1] = { "P1", "The first write is 0x00, or 0x08 for an engine proved to be ours." },
	[RULE_P2] = { "P2", "A relay closes only for an accepted, fresh command." },
	[RULE_L1] = { "L1", "Permission to run is a lease that ends by itself." },
	[RULE_L2] = { "L2", "An order is accepted once, fresh, from the present holder." },
	[RULE_L3] = { "L3", "Raw relay bytes only in maintenance, never the charger, 10 s at most." },
	[RULE_T1] = { "T1", "Only the monotonic clock moves a relay." },
	[RULE_M1] = { "M1", "Off, maintenance and emergency stop hold over a restart and block every start." },
	[RULE_I1] = { "I1", "A write counts only when the board acknowledged it." },
	[RULE_I2] = { "I2", "A bad sample energises nothing." },
	[RULE_I3] = { "I3", "A board that reset itself is not energised again in that attempt." },
	[RULE_I4] = { "I4", "Without a board there is a fault, never a silent simulation." },
};
/* clang-format on */

static bool within(int64_t since_ms, int64_t window_ms, int64_t now_ms)
{
	return since_ms != NEVER && now_ms - since_ms < window_ms;
}

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

/* Starter time in the last ten minutes, and one whole crank more, against the budget. */
static bool budget_spent(const struct interlock *k, int64_t now_ms)
{
	int32_t pulse_ms = crank_total_ms(k->config);
	int64_t sum_ms = pulse_ms;

	for (size_t i = k->permit; i < LEDGER_PULSES; i++)
		if (within(k->ledger.pulses[i].from_ms, BUDGET_WINDOW_MS, now_ms))
			sum_ms += k->ledger.pulses[i].ms;
	return sum_ms > (int64_t)k->config->attempts * (pulse_ms + STARTER_SLACK_MS);
}

static int64_t later(int64_t a_ms, int64_t since_ms, int64_t window_ms)
{
	int64_t b_ms = since_ms == NEVER ? NEVER : since_ms + window_ms;

	return b_ms > a_ms ? b_ms : a_ms;
}

/* When the oldest pulses have left the window far enough. */
static int64_t budget_ready_ms(const struct interlock *k, int64_t at_ms)
{
	for (size_t i = LEDGER_PULSES; i > 0 && budget_spent(k, at_ms); i--)
		at_ms = later(at_ms, k->ledger.pulses[i - 1].from_ms, BUDGET_WINDOW_MS);
	return at_ms;
}

int64_t interlock_ready_ms(const struct interlock *k)
{
	const struct engine_config *c = k->config;
	const struct ledger *l = &k->ledger;
	int64_t at_ms = later(0, l->stopped_ms, c->between_runs_ms);

	if (c->starts_per_hour <= LEDGER_STARTS)
		at_ms = later(at_ms, l->starts[c->starts_per_hour - 1], HOUR_MS);
	return budget_ready_ms(k, later(at_ms, l->inhibit_ms, 0));
}

static enum begin may_begin(const struct interlock *k, bool first, int64_t now_ms)
{
	if (k->ledger.latches)
		return BEGIN_LATCHED;
	if (k->ledger.mode != MODE_AUTO && k->ledger.mode != MODE_OPERATOR_RUN)
		return BEGIN_MODE;
	if (k->relays || k->permit || k->descending)
		return BEGIN_BUSY;
	if (!k->known || !k->ready || k->in.bad_ms)
		return BEGIN_FAULT;
	if (k->in.x)
		return BEGIN_EXTERNAL;
	if ((first && interlock_ready_ms(k) > now_ms) || budget_spent(k, now_ms))
		return BEGIN_REST;
	return BEGIN_OK;
}

static void push_time(int64_t *list, size_t n, int64_t now_ms)
{
	for (size_t i = n - 1; i > 0; i--)
		list[i] = list[i - 1];
	list[0] = now_ms;
}

/* Charged in full before it happens: what a crash cannot tell us must count against us. */
enum begin interlock_begin(struct interlock *k, bool first, int64_t now_ms)
{
	struct ledger *l = &k->ledger;
	enum begin answer = may_begin(k, first, now_ms);

	if (answer != BEGIN_OK)
		return answer;
	for (size_t i = LEDGER_PULSES - 1; i > 0; i--)
		l->pulses[i] = l->pulses[i - 1];
	l->pulses[0] = (struct pulse){ now_ms, crank_total_ms(k->config) };
	l->crank_ms = now_ms;
	l->failed++;
	if (first) {
		l->request++;
		push_time(l->starts, LEDGER_STARTS, now_ms);
	}
	k->dirty = true;
	return BEGIN_OK;
}

void interlock_permit(struct interlock *k)
{
	k->permit = true;
}

void interlock_drop_permit(struct interlock *k)
{
	k->permit = false;
}

static enum rule gate_starter(const struct interlock *k, int64_t now_ms)
{
	const struct engine_config *c = k->config;

	if (!k->ready)
		return RULE_S9;
	if (!k->permit && k->ledger.mode != MODE_MAINTENANCE)
		return RULE_S6;
	if (k->in.bad_ms)
		return RULE_I2;
	if (k->in.alone_samples < ALONE_SAMPLES || k->in.still_ms < c->at_rest_ms)
		return RULE_S2;
	if (within(k->starter_off_ms, c->crank_rest_ms, now_ms) || budget_spent(k, now_ms))
		return RULE_S5;
	return RULE_NONE;
}

static enum rule gate_charger(const struct interlock *k, int64_t now_ms)
{
	if (k->ledger.mode == MODE_MAINTENANCE)
		return RULE_L3;
	if (!k->proved || !k->in.run || !(k->relays & RELAY_IGNITION) ||
	    k->in.run_ms < k->config->warmup_ms + k->config->stabilise_ms)
		return RULE_C1;
	if (k->sagged && within(k->charger_off_ms, RECLOSE_MS, now_ms))
		return RULE_C4;
	return RULE_NONE;
}

static enum rule gate_rising(const struct interlock *k, uint8_t rising, int64_t now_ms)
{
	enum mode mode = k->ledger.mode;
	enum rule rule = RULE_NONE;

	if (!k->known)
		return RULE_I1;
	if (k->ledger.latches || k->descending)
		return RULE_R5;
	if (mode == MODE_ESTOP || mode == MODE_OFF)
		return RULE_M1;
	if ((rising & RELAY_IGNITION) && k->in.run)
		return RULE_R3;
	if ((rising & RELAY_IGNITION) && !k->permit && mode != MODE_MAINTENANCE)
		return RULE_F1;
	if ((rising & RELAY_GLOW) &&
	    (k->in.run || k->proved || (!k->permit && mode != MODE_MAINTENANCE)))
		return RULE_G1;
	if (rising & RELAY_CHARGER)
		rule = gate_charger(k, now_ms);
	if (!rule && (rising & RELAY_STARTER))
		rule = gate_starter(k, now_ms);
	return rule;
}

static bool cools_too_little(const struct interlock *k, int64_t now_ms)
{
	bool engine_runs = k->proved && !k->in.lost && !k->ledger.latches;

	return engine_runs && k->ledger.charged && k->ledger.mode != MODE_ESTOP &&
	       ((k->relays & RELAY_CHARGER) ||
		   within(k->charger_off_ms, k->config->cooldown_ms, now_ms));
}

enum rule interlock_gate(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	uint8_t rising = want & ~k->relays, falling = k->relays & ~want;

	if (want & ~RELAY_ALL)
		return RULE_P2;
	if ((want & RELAY_STARTER) &&
	    (want & (RELAY_IGNITION | RELAY_CHARGER)) != RELAY_IGNITION)
		return RULE_S1;
	if ((want & (RELAY_CHARGER | RELAY_GLOW)) && !(want & RELAY_IGNITION))
		return want & RELAY_GLOW ? RULE_G1 : RULE_C1;
	if ((falling & RELAY_IGNITION) && cools_too_little(k, now_ms))
		return RULE_C2;
	return rising ? gate_rising(k, rising, now_ms) : RULE_NONE;
}

static void end_of_pulse(struct interlock *k, int64_t now_ms)
{
	k->starter_off_ms = now_ms;
	k->ledger.crank_ms = now_ms;
	if (k->permit)
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
	} else if (l->failed >= k->config->attempts && l->mode != MODE_MAINTENANCE) {
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
	if (k->permit)
		k->ledger.pulses[0].from_ms = now_ms;
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
	k->known = true;
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
	if (k->ledger.mode == MODE_MAINTENANCE && mode != MODE_OFF)
		return -EPERM;
	if (mode == MODE_MAINTENANCE && (k->relays || k->in.run))
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
	for (int a = 0; a < ALARM_N; a++)
		if ((k->ledger.latches >> a & 1) && cause_stands(k, (enum alarm)a))
			return a;
	if (!k->ledger.latches && k->ledger.mode != MODE_ESTOP)
		return 0; /* nothing to clear: no reason to end a run */
	k->alarms &= ~k->ledger.latches;
	k->ledger.latches = 0;
	k->ledger.failed = 0;
	k->ledger.mode = MODE_OFF;
	k->dirty = true;
	return 0;
}

bool interlock_may_adopt(const struct interlock *k)
{
	enum mode mode = (enum mode)k->ledger.mode;
	bool allowed =
	    mode == MODE_AUTO || mode == MODE_OPERATOR_RUN || mode == MODE_OPERATOR_STOP;

	return allowed && k->ledger.held && !k->ledger.latches && k->in.running &&
	       k->in.bad_ms == 0 && k->in.x == (INPUT_ENGINE | INPUT_IGNITION);
}

void interlock_adopt(struct interlock *k, int64_t now_ms)
{
	k->proved = true;
	k->charger_off_ms = now_ms;
	k->sagged = false;
}
