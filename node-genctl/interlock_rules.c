/* The rule book: each rule's sentence and what it says at the gate and to a new attempt. What
 * it demands of standing relays is in interlock_watch.c. */
#include <stddef.h>

#include "node-genctl/rules.h"

enum { ORDER_OLD_MS = 5000 };

static bool rises(const struct interlock *k, uint8_t want, uint8_t relay)
{
	return want & ~k->relays & relay;
}

static bool by_hand(const struct interlock *k)
{
	return k->ledger.mode == MODE_MAINTENANCE;
}

static bool enabled(const struct interlock *k)
{
	return k->ledger.mode == MODE_AUTO || k->ledger.mode == MODE_OPERATOR_RUN;
}

static int64_t later(int64_t a_ms, int64_t since_ms, int64_t window_ms)
{
	int64_t b_ms = since_ms == NEVER ? NEVER : since_ms + window_ms;

	return b_ms > a_ms ? b_ms : a_ms;
}

/* Starter time in the last ten minutes, and one whole crank more, against the budget. */
static bool budget_spent(const struct interlock *k, int64_t now_ms)
{
	int32_t pulse_ms = crank_total_ms(k->config);
	int64_t sum_ms = pulse_ms;

	/*@ loop invariant i <= LEDGER_PULSES &&
		-i * 0x80000000 <= sum_ms - pulse_ms <= i * 0x7fffffff;
	    loop assigns i, sum_ms; */
	for (size_t i = k->permit; i < LEDGER_PULSES; i++)
		if (within(k->ledger.pulses[i].from_ms, BUDGET_WINDOW_MS, now_ms))
			sum_ms += k->ledger.pulses[i].ms;
	return sum_ms > (int64_t)k->config->attempts * (pulse_ms + STARTER_SLACK_MS);
}

/* When the oldest pulses have left the window far enough. */
static int64_t budget_ready_ms(const struct interlock *k, int64_t at_ms)
{
	/*@ loop invariant \at(at_ms, Pre) <= at_ms <= INT64_MAX / 8 && i <= LEDGER_PULSES;
	    loop assigns i, at_ms; */
	for (size_t i = LEDGER_PULSES; i > 0 && budget_spent(k, at_ms); i--)
		at_ms = later(at_ms, k->ledger.pulses[i - 1].from_ms, BUDGET_WINDOW_MS);
	return at_ms;
}

int64_t interlock_ready_ms(const struct interlock *k)
{
	const struct engine_config *c = k->config;
	const struct ledger *l = &k->ledger;
	int64_t at_ms = later(0, l->stopped_ms, c->between_runs_ms);

	at_ms = later(at_ms, l->starts[c->starts_per_hour - 1], HOUR_MS);
	return budget_ready_ms(k, later(at_ms, l->inhibit_ms, 0));
}

/* At the gate. */

static bool gate_s1(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return (want & RELAY_STARTER) &&
	       (want & (RELAY_IGNITION | RELAY_CHARGER)) != RELAY_IGNITION;
}

static bool gate_s2(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_STARTER) &&
	       (k->in.alone_samples < ALONE_SAMPLES || k->in.still_ms < k->config->at_rest_ms);
}

static bool gate_s5(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_STARTER) &&
	       (within(k->starter_off_ms, k->config->crank_rest_ms, now_ms) ||
		   budget_spent(k, now_ms));
}

static bool gate_s6(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_STARTER) && !k->permit && !by_hand(k);
}

static bool gate_s9(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_STARTER) && !k->ready;
}

static bool gate_f1(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_IGNITION) && !k->permit && !by_hand(k);
}

static bool gate_g1(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	if ((want & RELAY_GLOW) && !(want & RELAY_IGNITION))
		return true;
	return rises(k, want, RELAY_GLOW) &&
	       (k->in.run || k->proved || (!k->permit && !by_hand(k)));
}

static bool gate_c1(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	const struct engine_config *c = k->config;

	if ((want & RELAY_CHARGER) && !(want & RELAY_IGNITION))
		return true;
	return rises(k, want, RELAY_CHARGER) &&
	       (!k->proved || !k->in.run || !(k->relays & RELAY_IGNITION) ||
		   k->in.run_ms < c->warmup_ms + c->stabilise_ms);
}

static bool gate_c2(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	bool falls = k->relays & ~want & RELAY_IGNITION;
	bool runs = k->proved && !k->in.lost && !k->ledger.latches;

	return falls && runs && k->ledger.charged && k->ledger.mode != MODE_ESTOP &&
	       ((k->relays & RELAY_CHARGER) ||
		   within(k->charger_off_ms, k->config->cooldown_ms, now_ms));
}

static bool gate_c4(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_CHARGER) && k->sagged &&
	       within(k->charger_off_ms, RECLOSE_MS, now_ms);
}

static bool gate_r3(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_IGNITION) && k->in.run;
}

static bool gate_r5(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_ALL) && (k->ledger.latches || k->descending);
}

static bool gate_p1(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return !k->live && want && !(want == RELAY_IGNITION && interlock_may_adopt(k));
}

static bool gate_p2(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return want & ~RELAY_ALL;
}

static bool gate_l3(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_CHARGER) && by_hand(k);
}

static bool gate_t1(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return now_ms < k->in.at_ms;
}

static bool gate_m1(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_ALL) && !enabled(k) && !by_hand(k);
}

static bool gate_i1(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_ALL) && k->live && !k->known;
}

static bool gate_i2(const struct interlock *k, uint8_t want, int64_t now_ms)
{
	return rises(k, want, RELAY_IGNITION | RELAY_STARTER | RELAY_CHARGER) && k->in.bad_ms;
}

/* To a new attempt. */

static enum begin begin_s5(const struct interlock *k, const struct start *s, int64_t now_ms)
{
	bool rests = (s->first && interlock_ready_ms(k) > now_ms) || budget_spent(k, now_ms);

	return rests ? BEGIN_REST : BEGIN_OK;
}

static enum begin begin_s6(const struct interlock *k, const struct start *s, int64_t now_ms)
{
	return k->ledger.latches ? BEGIN_LATCHED : BEGIN_OK;
}

static enum begin begin_s9(const struct interlock *k, const struct start *s, int64_t now_ms)
{
	return k->ready ? BEGIN_OK : BEGIN_FAULT;
}

static enum begin begin_r3(const struct interlock *k, const struct start *s, int64_t now_ms)
{
	return k->in.x ? BEGIN_EXTERNAL : BEGIN_OK;
}

static enum begin begin_p2(const struct interlock *k, const struct start *s, int64_t now_ms)
{
	return s->by == BY_OPERATOR || s->by == BY_MONITOR ? BEGIN_OK : BEGIN_NOBODY;
}

static enum begin begin_l2(const struct interlock *k, const struct start *s, int64_t now_ms)
{
	return s->age_ms >= 0 && s->age_ms <= ORDER_OLD_MS ? BEGIN_OK : BEGIN_STALE;
}

static enum begin begin_l3(const struct interlock *k, const struct start *s, int64_t now_ms)
{
	return k->relays || k->permit || k->descending ? BEGIN_BUSY : BEGIN_OK;
}

static enum begin begin_m1(const struct interlock *k, const struct start *s, int64_t now_ms)
{
	return enabled(k) ? BEGIN_OK : BEGIN_MODE;
}

static enum begin begin_i2(const struct interlock *k, const struct start *s, int64_t now_ms)
{
	return k->in.bad_ms ? BEGIN_FAULT : BEGIN_OK;
}

static enum begin begin_i4(const struct interlock *k, const struct start *s, int64_t now_ms)
{
	return k->known ? BEGIN_OK : BEGIN_FAULT;
}

/* clang-format off */
const struct rule_info rule_info[RULE_N] = {
	[RULE_NONE] = { .id = "", .text = "" },
	[RULE_S1] = { "S1", "The starter closes only with ignition closed and the charger open.", .gate = gate_s1 },
	[RULE_S2] = { "S2", "The starter closes only on an engine proved at rest, with feedback of ignition alone.", .gate = gate_s2 },
	[RULE_S3] = { "S3", "The starter opens as soon as the running input is seen.", .watch = watch_s3 },
	[RULE_S4] = { "S4", "The starter stays closed no longer than the crank time.", .watch = watch_s4 },
	[RULE_S5] = { "S5", "The starter rests between pulses and keeps its budget in ten minutes; runs rest too.", .gate = gate_s5, .begin = begin_s5 },
	[RULE_S6] = { "S6", "A start request has a limited number of pulses, then it is locked out.", .gate = gate_s6, .watch = watch_s6, .begin = begin_s6 },
	[RULE_S7] = { "S7", "A pulse without the starter's feedback for 1 s is given up.", .watch = watch_s7 },
	[RULE_S8] = { "S8", "Starter feedback while its relay is open cuts the fuel and latches.", .watch = watch_s8 },
	[RULE_S9] = { "S9", "No pulse without a second, independent end of crank standing by.", .gate = gate_s9, .watch = watch_s9, .begin = begin_s9 },
	[RULE_F1] = { "F1", "Ignition closes only for a start, an adoption or maintenance.", .gate = gate_f1 },
	[RULE_F2] = { "F2", "Ignition opens when the engine has not run in the time a start takes.", .watch = watch_f2 },
	[RULE_F3] = { "F3", "The ignition input follows its relay.", .watch = watch_f3 },
	[RULE_G1] = { "G1", "Glow only before and while cranking, and never long.", .gate = gate_g1, .watch = watch_g1 },
	[RULE_C1] = { "C1", "The charger closes only after the engine ran through warm-up and stabilise.", .gate = gate_c1 },
	[RULE_C2] = { "C2", "After load, ignition opens only when the cool-down is over.", .gate = gate_c2 },
	[RULE_C3] = { "C3", "The charger opens when the running input drops out on load.", .watch = watch_c3 },
	[RULE_C4] = { "C4", "The charger does not close again within 30 s of such an opening.", .gate = gate_c4 },
	[RULE_R1] = { "R1", "An engine lost on the run gets every relay opened.", .watch = watch_r1 },
	[RULE_R2] = { "R2", "An engine that turns after ignition opened is not reported stopped.", .watch = watch_r2 },
	[RULE_R3] = { "R3", "An engine that runs by itself is neither cranked nor counted as a failure.", .gate = gate_r3, .watch = watch_r3, .begin = begin_r3 },
	[RULE_R4] = { "R4", "A run has a longest time, whatever the monitor says.", .watch = watch_r4 },
	[RULE_R5] = { "R5", "Stop and emergency stop win in every phase.", .gate = gate_r5, .watch = watch_r5 },
	[RULE_P1] = { "P1", "The first write is 0x00, or 0x08 for an engine proved to be ours.", .gate = gate_p1 },
	[RULE_P2] = { "P2", "A relay closes only for an accepted, fresh command.", .gate = gate_p2, .begin = begin_p2 },
	[RULE_L1] = { "L1", "Permission to run is a lease that ends by itself.", .watch = watch_l1 },
	[RULE_L2] = { "L2", "An order is accepted once, fresh, from the present holder.", .begin = begin_l2 },
	[RULE_L3] = { "L3", "One start at a time; raw relay bytes only in maintenance, never the charger, 10 s at most.", .gate = gate_l3, .watch = watch_l3, .begin = begin_l3 },
	[RULE_T1] = { "T1", "Only the monotonic clock moves a relay.", .gate = gate_t1 },
	[RULE_M1] = { "M1", "Off, maintenance and emergency stop hold over a restart and block every start.", .gate = gate_m1, .watch = watch_m1, .begin = begin_m1 },
	[RULE_I1] = { "I1", "A write counts only when the board acknowledged it.", .gate = gate_i1, .watch = watch_i1 },
	[RULE_I2] = { "I2", "A bad sample energises nothing.", .gate = gate_i2, .watch = watch_i2, .begin = begin_i2 },
	[RULE_I3] = { "I3", "A board that reset itself is not energised again in that attempt.", .watch = watch_i3 },
	[RULE_I4] = { "I4", "Without a board there is a fault, never a silent simulation.", .begin = begin_i4 },
};

const enum rule rules_gate[] = {
	RULE_P2, RULE_T1, RULE_P1, RULE_S1, RULE_G1, RULE_C2, RULE_I1, RULE_R5, RULE_M1, RULE_R3, RULE_F1,
	RULE_L3, RULE_C1, RULE_C4, RULE_S9, RULE_S6, RULE_I2, RULE_S2, RULE_S5, RULE_NONE
};
/* Those that write come before those that only tell. */
const enum rule rules_watch[] = {
	RULE_R5, RULE_S3, RULE_S4, RULE_S9, RULE_F3, RULE_I2, RULE_S7, RULE_I3, RULE_S8, RULE_L3, RULE_F2,
	RULE_R1, RULE_C3, RULE_L1, RULE_R4, RULE_G1, RULE_I1, RULE_R2, RULE_R3, RULE_S6, RULE_M1, RULE_NONE
};
const enum rule rules_begin[] = {
	RULE_S6, RULE_M1, RULE_P2, RULE_L2, RULE_L3, RULE_I4, RULE_S9, RULE_I2, RULE_R3, RULE_S5, RULE_NONE
};
/* clang-format on */
