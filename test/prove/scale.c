#include "test/prove/scale.h"

#include <stdio.h>

#include "node-genctl/config.h" /* here the shipped times.h */
#include "test/oracle.h"

enum { TIMES = 34, CUTS = 1 };
struct scale scale;

/* Where the shipped times are told apart, in ms; a time over a cut is a tick longer. */
static const int32_t slices[][CUTS] = {
	{ 500 },
	{ 1000 },
	{ 2000 },
	{ 4000 },
	{ 5000 },
	{ 6000 },
	{ 10000 },
	{ 15000 },
	{ 20000 },
	{ 30000 },
	{ 60000 },
	{ 120000 },
	{ 180000 },
	{ 600000 },
	{ 3600000 },
	{ 18000000 },
};
const size_t scale_slices = sizeof(slices) / sizeof(slices[0]);

struct row {
	int32_t shipped_ms;
	int32_t *ticks;
};

static int32_t ticks_of(size_t slice, int32_t ms)
{
	int32_t n = 2;

	for (int i = 0; i < CUTS; i++)
		n += ms > slices[slice][i];
	return n;
}

/* Every timer of the node once: as shipped, and where its ticks go. */
static size_t rows(struct row out[static TIMES], struct engine_config *c)
{
	struct genctl_config shipped;
	const struct engine_config *e = &shipped.engine;

	conf_defaults(config_keys, config_nkeys, &shipped);
	const struct row all[] = {
		{ RUN_DEBOUNCE_MS, &scale.run_debounce },
		{ FEEDBACK_MS, &scale.feedback },
		{ BAD_MS, &scale.bad },
		{ STUCK_MS, &scale.stuck },
		{ RUN_GAP_MS, &scale.run_gap },
		{ NO_FEEDBACK_MS, &scale.no_feedback },
		{ GLOW_MAX_MS, &scale.glow_max },
		{ RAW_MAX_MS, &scale.raw_max },
		{ RECLOSE_MS, &scale.reclose },
		{ ORPHAN_MS, &scale.orphan },
		{ DEADLINE_GRACE_MS, &scale.deadline_grace },
		{ WAIT_MAX_MS, &scale.wait_max },
		{ DISABLED_MS, &scale.disabled },
		{ BUDGET_WINDOW_MS, &scale.budget_window },
		{ HOUR_MS, &scale.hour },
		{ DAY_MS, &scale.day },
		{ e->ignition_ms, &c->ignition_ms },
		{ e->reset_ms, &c->reset_ms },
		{ e->crank_ms, &c->crank_ms },
		{ e->glow_assist_ms, &c->glow_assist_ms },
		{ e->coast_ms, &c->coast_ms },
		{ e->warmup_ms, &c->warmup_ms },
		{ e->stabilise_ms, &c->stabilise_ms },
		{ e->cooldown_ms, &c->cooldown_ms },
		{ e->crank_rest_ms, &c->crank_rest_ms },
		{ e->at_rest_ms, &c->at_rest_ms },
		{ e->lost_ms, &c->lost_ms },
		{ e->fail_to_stop_ms, &c->fail_to_stop_ms },
		{ e->max_run_ms, &c->max_run_ms },
		{ e->between_runs_ms, &c->between_runs_ms },
		{ e->lockout_ms, &c->lockout_ms },
	};
	size_t n = sizeof(all) / sizeof(all[0]);

	for (size_t i = 0; i < n; i++)
		out[i] = all[i];
	return n;
}

static void tell_oracle(struct oracle_times *t, const struct engine_config *c)
{
	*t = (struct oracle_times){
		.crank_total_ms = crank_total_ms(c) + 1,
		.crank_cap_ms = crank_total_ms(c) + 1,
		.crank_rest_ms = c->crank_rest_ms,
		.at_rest_ms = c->at_rest_ms,
		.budget_window_ms = scale.budget_window,
		.lead_ms = c->ignition_ms,
		.coast_ms = c->coast_ms,
		.warmup_ms = c->warmup_ms,
		.stabilise_ms = c->stabilise_ms,
		.cooldown_ms = c->cooldown_ms,
		.reclose_ms = scale.reclose,
		.max_run_ms = c->max_run_ms,
		.between_runs_ms = 0,
		.fail_to_stop_ms = c->fail_to_stop_ms,
		.lockout_ms = 0,
		.retry_window_ms = scale.day,
		.unexpected_window_ms = scale.hour,
		.lost_ms = c->lost_ms,
		.running_ms = scale.run_debounce,
		.feedback_ms = scale.feedback,
		.no_feedback_ms = scale.no_feedback,
		.stuck_ms = scale.stuck,
		.bad_ms = scale.bad,
		.bad_gap_ms = scale.run_gap,
		.glow_max_ms = scale.glow_max,
		.glow_after_ms = 2,
		.raw_max_ms = scale.raw_max,
		.period_crank_ms = 1,
		.period_active_ms = 1,
		.period_idle_ms = 1,
		.slack_ms = 0,
		.attempts = c->attempts,
		.lockout_retries = c->lockout_retries,
		.alone_samples = 3,
		.ignition_feedback = c->ign_feedback == FEEDBACK_PRESENT,
	};
}

void scale_use(size_t slice, struct engine_config *config, struct oracle_times *times)
{
	struct row all[TIMES];
	size_t n;

	*config = (struct engine_config){ .attempts = 2,
		.starts_per_hour = 8,
		.lockout_retries = 1,
		.glow_mode = GLOW_ASSIST,
		.ign_feedback = FEEDBACK_PRESENT };
	n = rows(all, config);
	for (size_t i = 0; i < n; i++)
		*all[i].ticks = ticks_of(slice, all[i].shipped_ms);
	tell_oracle(times, config);
}

static bool told_apart(int32_t a_ms, int32_t b_ms)
{
	for (size_t s = 0; s < scale_slices; s++)
		if (ticks_of(s, a_ms) != ticks_of(s, b_ms))
			return true;
	return a_ms == b_ms;
}

bool scale_covers(void)
{
	struct engine_config config;
	struct row all[TIMES];
	size_t n = rows(all, &config);
	bool ok = true;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (!told_apart(all[i].shipped_ms, all[j].shipped_ms)) {
				printf("%d ms and %d ms are equal in every slice\n",
				    all[i].shipped_ms, all[j].shipped_ms);
				ok = false;
			}
	printf("%zu timers, each at least 2 ticks long in each of %zu slices; every pair of "
	       "different\nlengths keeps its order, and differs in a slice at least: %s\n",
	    n, scale_slices, ok ? "yes" : "NO");
	return ok;
}
