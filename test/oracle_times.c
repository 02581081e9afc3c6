#include "test/oracle_facts.h"

const struct oracle_times oracle_default = {
	.crank_total_ms = 12000,
	.crank_cap_ms = 15000,
	.crank_rest_ms = 15000,
	.at_rest_ms = 10000,
	.budget_window_ms = 600000,
	.lead_ms = 500,
	.coast_ms = 4000,
	.warmup_ms = 60000,
	.stabilise_ms = 20000,
	.cooldown_ms = 180000,
	.reclose_ms = 30000,
	.max_run_ms = 5 * 3600000,
	.between_runs_ms = 600000,
	.fail_to_stop_ms = 60000,
	.lockout_ms = 3600000,
	.retry_window_ms = 86400000,
	.unexpected_window_ms = 3600000,
	.lost_ms = 6000,
	.running_ms = 500,
	.feedback_ms = 500,
	.no_feedback_ms = 1000,
	.stuck_ms = 500,
	.bad_ms = 500,
	.bad_gap_ms = 1000,
	.glow_max_ms = 15000,
	.glow_after_ms = 1000,
	.raw_max_ms = 10000,
	.period_crank_ms = 20,
	.period_active_ms = 100,
	.period_idle_ms = 1000,
	.slack_ms = 50,
	.attempts = 3,
	.lockout_retries = 2,
	.alone_samples = 3,
	.ignition_feedback = true,
};

void oracle_rebase(struct oracle *o)
{
	const struct oracle_times *t = o->t;
	int64_t react = later(t->period_idle_ms, t->period_active_ms) + t->slack_ms;
	int64_t fuel = fuel_limit(t) + react, cool = (int64_t)t->cooldown_ms + t->coast_ms;
	int64_t lost = later(t->lost_ms, t->feedback_ms) + 2 * react;
	int64_t ready = (int64_t)t->warmup_ms + t->stabilise_ms;
	const int64_t longest[AT_N] = {
		[VALID] = later(lost, fuel),
		[BAD] = later(lost, later(t->bad_gap_ms, t->bad_ms + react)),
		[HIGH] = later(ready, t->running_ms),
		[LOW] = lost,
		[RAN] = later(t->at_rest_ms, fuel),
		[IGN_IN_LOW] = t->feedback_ms + t->lead_ms + 2 * react,
		[STARTER_IN_LOW] = t->no_feedback_ms + 2 * react,
		[STARTER_IN_HIGH] = t->stuck_ms + react,
		[ALONE] = (int64_t)t->alone_samples * t->period_active_ms,
		[STARTER_ON] = t->budget_window_ms,
		[STARTER_OFF] = later(later(t->crank_rest_ms, t->coast_ms + react),
		    t->stuck_ms + t->running_ms + react),
		[CAUGHT] = react,
		[IGN_ON] = later(fuel, t->running_ms),
		[IGN_OFF] = t->fail_to_stop_ms,
		[GLOW_ON] = INT64_C(3) * t->glow_max_ms + react,
		[CHARGER_OFF] = later(t->reclose_ms, later(t->stabilise_ms, cool + 2 * react)),
		[PROVED] = (int64_t)t->max_run_ms + t->glow_after_ms + cool + 2 * react,
		[STOP] = cool + 2 * react,
		[ESTOP] = react,
		[LOCKOUT] = t->lockout_ms,
		[RETRY] = t->retry_window_ms,
		[RETRY + 1] = t->retry_window_ms,
		[RETRY + 2] = t->retry_window_ms,
		[RETRY + 3] = t->retry_window_ms,
		[DIED] = t->unexpected_window_ms,
		[RUN_END] = t->between_runs_ms,
		[RAW] = t->raw_max_ms + react,
	};

	for (int i = 0; i < AT_N; i++)
		if (o->at[i] != ORACLE_NEVER)
			o->at[i] = later(o->at[i] - o->now_ms, -longest[i] - 1);
	for (int i = 0; i < ORACLE_PULSES; i++) {
		o->pulse[i].end_ms -= o->now_ms;
		if (o->pulse[i].on_ms == 0 || o->pulse[i].end_ms <= -t->budget_window_ms)
			o->pulse[i].end_ms = o->pulse[i].on_ms = 0;
	}
	o->now_ms = 0;
}

const char *oracle_rule_name(int rule)
{
	static const char names[ORACLE_RULES][3] = { "S1", "S2", "S3", "S4", "S5", "S6", "S7",
		"S8", "F1", "F2", "F3", "G1", "C1", "C2", "C3", "C4", "R1", "R2", "R3", "R4",
		"R5", "P1", "P2", "L2", "L3", "M1", "I2", "I3" };

	return rule >= 0 && rule < ORACLE_RULES ? names[rule] : "?";
}
