#include "test/oracle_facts.h"

static int64_t pulse_limit(const struct oracle *o)
{
	const struct oracle_times *t = o->t;

	return (t->crank_total_ms < t->crank_cap_ms ? t->crank_total_ms : t->crank_cap_ms) +
	       t->period_active_ms;
}

static bool over_budget(const struct oracle *o)
{
	int64_t sum = overlap(o, o->at[STARTER_ON], o->now_ms);

	for (int i = 0; i < ORACLE_PULSES; i++)
		sum += overlap(o, o->pulse[i].end_ms - o->pulse[i].on_ms, o->pulse[i].end_ms);
	return sum > o->t->attempts * pulse_limit(o);
}

static uint64_t starter_due(const struct oracle *o)
{
	const struct oracle_times *t = o->t;
	int32_t react = reaction(o);
	int32_t twice = t->period_crank_ms + react; /* the second sample, and a reaction */

	if (!on(o, STARTER))
		return 0;
	return when(longer(o, o->at[CAUGHT], react), ORACLE_S3) |
	       when(longer(o, o->at[STARTER_ON], pulse_limit(o)), ORACLE_S4) |
	       when(over_budget(o), ORACLE_S5) |
	       when(unheard(o, t->no_feedback_ms + react) && !has(o, MAINTENANCE), ORACLE_S7) |
	       when(has(o, SEEN) && (longer(o, o->at[STARTER_IN_LOW], twice) ||
					longer(o, o->at[IGN_IN_LOW], twice)),
		   ORACLE_S7) |
	       when(longer(o, o->at[BAD], t->bad_ms + react), ORACLE_I2);
}

static uint64_t ignition_due(const struct oracle *o)
{
	const struct oracle_times *t = o->t;
	int32_t react = reaction(o), follow = t->feedback_ms + react;
	bool proved = o->at[PROVED] != ORACLE_NEVER;
	int64_t absent = later(o->at[IGN_ON], o->at[RAN]), silent = o->at[IGN_IN_LOW];

	if (!on(o, IGNITION))
		return 0;
	if (proved)
		absent = valid(o) ? later(absent, o->at[VALID]) : ORACLE_NEVER;
	if (valid(o) && silent != ORACLE_NEVER)
		silent = later(silent, o->at[VALID]);
	else if (proved || has(o, IGN_SEEN))
		silent = ORACLE_NEVER; /* a stuck bus rather: held, or ended after lost_ms */
	else
		follow += t->lead_ms;
	return when(longer(o, absent, fuel_limit(t) + react), ORACLE_F2) |
	       when(longer(o, silent, follow) && !has(o, MAINTENANCE), ORACLE_F3) |
	       when(proved && valid(o) && longer(o, o->at[LOW], t->lost_ms + react) &&
			longer(o, o->at[VALID], react),
		   ORACLE_R1) |
	       when(longer(o, o->at[PROVED], t->max_run_ms + t->cooldown_ms + 2 * react),
		   ORACLE_R4);
}

static uint64_t load_due(const struct oracle *o)
{
	const struct oracle_times *t = o->t;
	int32_t react = reaction(o);

	if (!on(o, CHARGER))
		return 0;
	return when(valid(o) && o->at[LOW] != ORACLE_NEVER &&
			longer(o, later(o->at[LOW], o->at[VALID]), period(o) + react),
		   ORACLE_C3) |
	       when(longer(o, o->at[BAD], t->bad_ms + react), ORACLE_I2) |
	       when(longer(o, o->at[PROVED], t->max_run_ms + react), ORACLE_R4);
}

static uint64_t glow_due(const struct oracle *o)
{
	const struct oracle_times *t = o->t;
	int64_t stood = o->now_ms - o->at[GLOW_ON];
	int32_t react = reaction(o);

	if (!on(o, GLOW))
		return 0;
	return when(stood > t->glow_max_ms + react ||
			o->glow_total_ms + stood > 3 * t->glow_max_ms + react ||
			longer(o, o->at[PROVED], t->glow_after_ms + react),
	    ORACLE_G1);
}

/* Orders to stop, raw bytes, a starter that is stuck. */
static uint64_t stop_due(const struct oracle *o)
{
	const struct oracle_times *t = o->t;
	int32_t react = reaction(o);
	int must_open = has(o, STOPPED_EARLY) ? RELAYS : STARTER | CHARGER;
	int64_t cooling = later(later(o->at[STOP], o->at[PROVED]), o->at[CHARGER_OFF]);
	bool proved = o->at[PROVED] != ORACLE_NEVER;

	return when(on(o, must_open) && longer(o, o->at[STOP], react), ORACLE_R5) |
	       when(on(o, IGNITION) && has(o, STOPPED) && proved &&
			longer(o, cooling, t->cooldown_ms + t->coast_ms + 2 * react),
		   ORACLE_R5) |
	       when(o->relays && longer(o, o->at[ESTOP], react), ORACLE_R5) |
	       when(o->relays && longer(o, o->at[RAW], t->raw_max_ms + react), ORACLE_L3) |
	       when(o->relays && has(o, STUCK), ORACLE_S8);
}

uint64_t oracle_due(const struct oracle *o)
{
	return starter_due(o) | ignition_due(o) | load_due(o) | glow_due(o) | stop_due(o);
}

static bool locked(const struct oracle *o)
{
	int32_t retries = o->t->lockout_retries;

	return o->at[LOCKOUT] != ORACLE_NEVER &&
	       (within(o, LOCKOUT, o->t->lockout_ms) || retries == 0 ||
		   within(o, RETRY + retries - 1, o->t->retry_window_ms));
}

static uint64_t starter_rises(const struct oracle *o)
{
	const struct oracle_times *t = o->t;
	bool raw = has(o, MAINTENANCE);
	bool alone = o->alone >= t->alone_samples ||
		     lasted(o, ALONE, (t->alone_samples - 1) * t->period_active_ms);

	return when(!alone || within(o, RAN, t->at_rest_ms), ORACLE_S2) |
	       when(within(o, STARTER_OFF, t->crank_rest_ms), ORACLE_S5) |
	       when(o->pulses >= t->attempts && !raw, ORACLE_S6) |
	       when(has(o, NO_FEEDBACK) && !raw, ORACLE_S7);
}

static uint64_t ignition_rises(const struct oracle *o)
{
	bool raw = has(o, MAINTENANCE), ours = has(o, TURNING | ADOPTED);
	bool resting = within(o, RUN_END, o->t->between_runs_ms) && !has(o, ADOPTED);

	if (raw)
		return 0;
	return when(locked(o), has(o, DIED_TWICE) ? ORACLE_R1 : ORACLE_S6) |
	       when(!has(o, ORDERED) || has(o, LATCHED) || resting, ORACLE_F1) |
	       when(running(o) && lasted(o, HIGH, o->t->running_ms) && !ours, ORACLE_R3);
}

static uint64_t charger_rises(const struct oracle *o, int relays)
{
	const struct oracle_times *t = o->t;
	bool again = has(o, ADOPTED | LOADED) && !has(o, SAGGED);
	int32_t need = again ? t->stabilise_ms : t->warmup_ms + t->stabilise_ms;
	int32_t apart = has(o, SAGGED) ? t->reclose_ms : t->stabilise_ms;

	return when(!lasted(o, HIGH, need) || !(relays & IGNITION) || (relays & STARTER),
		   ORACLE_C1) |
	       when(within(o, CHARGER_OFF, apart), ORACLE_C4) |
	       when(has(o, MAINTENANCE), ORACLE_L3);
}

static uint64_t any_rises(const struct oracle *o, int rise)
{
	bool bad = o->sample == SAMPLE_BAD || zero(o);
	bool raw = has(o, MAINTENANCE);

	return when(!raw && !has(o, ORDERED), ORACLE_P2) |
	       when(!raw && has(o, OFF), ORACLE_M1) | when(has(o, STUCK), ORACLE_S8) |
	       when(has(o, RESET), ORACLE_I3) | when(o->at[ESTOP] != ORACLE_NEVER, ORACLE_R5) |
	       when(bad && (rise & ~GLOW), ORACLE_I2) |
	       when(has(o, TURNING) && lasted(o, IGN_OFF, o->t->fail_to_stop_ms), ORACLE_R2);
}

/* May ignition open before a cool-down: the shutdown class, or nothing is there to cool. */
static bool excused(const struct oracle *o)
{
	const struct oracle_times *t = o->t;

	return has(o, LATCHED | STUCK | RESET | UNSURE | MAINTENANCE) ||
	       o->at[ESTOP] != ORACLE_NEVER || (has(o, FRESH) && !proves(o)) ||
	       (o->at[PROVED] == ORACLE_NEVER && !on(o, CHARGER)) ||
	       (zero(o) && lasted(o, BAD, t->lost_ms)) || dead(o) || stalled(o) ||
	       (lasted(o, IGN_IN_LOW, t->feedback_ms) && lasted(o, VALID, t->feedback_ms)) ||
	       (!on(o, STARTER) && lasted(o, STARTER_IN_HIGH, t->stuck_ms));
}

static uint64_t ignition_falls(const struct oracle *o, int relays)
{
	int64_t cooling = o->at[PROVED];
	bool cooled;

	if (o->at[STOP] != ORACLE_NEVER)
		cooling = o->at[STOP];
	if (o->at[CHARGER_OFF] != ORACLE_NEVER)
		cooling = o->at[CHARGER_OFF];
	cooled = !on(o, CHARGER) && o->now_ms - cooling >= o->t->cooldown_ms;
	return when((relays & CHARGER) || !(cooled || excused(o)), ORACLE_C2);
}

/* A new process's first byte is 0, or what the inputs prove: ignition of a running engine. */
bool oracle_fresh_allows(const struct oracle *o, int relays)
{
	return relays == 0 ||
	       (relays == IGNITION && proves(o) && lasted(o, HIGH, o->t->running_ms));
}

uint64_t oracle_judge(const struct oracle *o, int relays)
{
	int rise = relays & ~o->relays, fall = o->relays & ~relays;
	bool glow = (relays & GLOW) && !has(o, MAINTENANCE);

	return when((relays & STARTER) && (!(relays & IGNITION) || (relays & CHARGER)),
		   ORACLE_S1) |
	       when(glow && (!(relays & IGNITION) || (relays & CHARGER)), ORACLE_G1) |
	       when(has(o, FRESH) && !oracle_fresh_allows(o, relays), ORACLE_P1) |
	       (rise ? any_rises(o, rise) : 0) | (rise & STARTER ? starter_rises(o) : 0) |
	       (rise & IGNITION ? ignition_rises(o) : 0) |
	       (rise & CHARGER ? charger_rises(o, relays) : 0) |
	       (fall & IGNITION ? ignition_falls(o, relays) : 0);
}
