/* Whole days in virtual time: the shipped policy and plant, and a small engine node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "node-monitor/policy/autostart.h"
#include "node-monitor/policy/plant.h"

enum { STEP_S = 5, POLL_S = 30, HOUR = 3600, DAY = 86400, NODE_REST_S = 600 };

struct node { /* what the engine node promises, not how it does it */
	struct engine_truth truth;
	int64_t phase_s, run_s, deadline_s, stopped_s; /* times; stopped_s < 0: never */
	int failed, starts, runs;
	bool fuel;
};

struct world {
	struct autostart policy;
	struct autostart_config config;
	struct autostart_out out;
	struct plant plant;
	struct plant_out shown, polled; /* now; at the last answer of the inverter */
	struct node node;
	int64_t t_s, polled_s, restarted_s, clock_step_s;
	int32_t load_w, noon_w; /* constant load; sun at noon, a triangle from 8 to 16 */
	bool link, inverter, charge_file;
	int32_t lowest_pct, longest_s, longest_blind_s;
};

/* The engine node */

static void enter(struct world *w, enum engine_phase phase)
{
	struct node *n = &w->node;
	bool was = n->truth.running;

	n->truth.phase = phase;
	n->truth.running = phase >= ENGINE_WARMUP && phase <= ENGINE_COOLDOWN;
	n->phase_s = w->t_s;
	if (n->truth.running && !was) {
		n->run_s = w->t_s;
		n->runs++;
	}
	if (was && !n->truth.running)
		n->stopped_s = w->t_s;
}

static void crank_over(struct world *w)
{
	struct node *n = &w->node;

	if (n->fuel) {
		n->failed = 0;
		enter(w, ENGINE_WARMUP);
	} else {
		enter(w, ++n->failed < 3 ? ENGINE_REST : ENGINE_LOCKOUT);
	}
}

static void turn(struct world *w)
{
	static const struct {
		int lasts_s;
		enum engine_phase next;
	} plan[ENGINE_NPHASES] = {
		[ENGINE_WAIT] = { 15, ENGINE_CRANK },
		[ENGINE_REST] = { 15, ENGINE_CRANK },
		[ENGINE_WARMUP] = { 60, ENGINE_STABILISE },
		[ENGINE_STABILISE] = { 20, ENGINE_LOADED },
		[ENGINE_COOLDOWN] = { 180, ENGINE_OFF },
		[ENGINE_LOCKOUT] = { 3600, ENGINE_OFF },
	};
	struct node *n = &w->node;
	enum engine_phase phase = n->truth.phase;
	int64_t lasted_s = w->t_s - n->phase_s;

	if (n->truth.running && !n->fuel)
		enter(w, ENGINE_OFF);
	else if (phase == ENGINE_CRANK && lasted_s >= 15)
		crank_over(w);
	else if (phase == ENGINE_LOCKOUT && lasted_s >= HOUR)
		n->failed = 0, enter(w, ENGINE_OFF);
	else if (plan[phase].lasts_s > 0 && lasted_s >= plan[phase].lasts_s)
		enter(w, plan[phase].next);
	else if (engine_up(phase) && w->t_s >= n->deadline_s)
		enter(w, n->truth.running ? ENGINE_COOLDOWN : ENGINE_OFF);
}

static void tell(struct world *w)
{
	struct node *n = &w->node;
	int64_t rest_s = n->stopped_s < 0 ? 0 : n->stopped_s + NODE_REST_S - w->t_s;

	n->truth.age_ms = 0;
	n->truth.run_s = n->truth.running ? (int32_t)(w->t_s - n->run_s) : 0;
	n->truth.stopped_s = n->stopped_s < 0 ? UNKNOWN : (int32_t)(w->t_s - n->stopped_s);
	n->truth.start_ready_s = rest_s > 0 ? (int32_t)rest_s : 0;
	n->truth.lockout_left_s =
	    n->truth.phase == ENGINE_LOCKOUT ? (int32_t)(n->phase_s + HOUR - w->t_s) : 0;
}

static bool quiet(const struct world *w)
{
	int64_t minute = (w->t_s + w->clock_step_s) % DAY / 60;

	return w->config.quiet_from_min != w->config.quiet_to_min &&
	       (minute >= w->config.quiet_from_min || minute < w->config.quiet_to_min);
}

/* What no start may ever be. */
static void check_start(const struct world *w)
{
	int32_t limit = quiet(w) ? w->config.quiet_start_pct : w->config.soc_start_pct;

	assert_true(w->node.stopped_s < 0 || w->charge_file ||
		    w->t_s - w->node.stopped_s >= w->config.min_between_s);
	if (w->out.cause == AUTO_MANUAL)
		return;
	assert_in_range(w->t_s - w->polled_s, 0, w->config.stale_s);
	if (w->out.cause == AUTO_SOC)
		assert_true(w->polled.soc_pct < limit);
	else
		assert_true(w->out.cause == AUTO_EXERCISE && !quiet(w));
}

static void obey(struct world *w)
{
	struct node *n = &w->node;
	enum engine_phase phase = n->truth.phase;

	assert_true(w->out.wish != WISH_RUN || phase != ENGINE_LOCKOUT);
	if (w->out.wish == WISH_RUN) {
		assert_in_range(w->out.for_s, 1, AUTO_FOR_S);
		n->deadline_s = w->t_s + w->out.for_s;
	}
	if (w->out.wish == WISH_RUN && phase == ENGINE_OFF) {
		check_start(w);
		assert_true(n->truth.start_ready_s == 0);
		n->starts++;
		enter(w, ENGINE_WAIT);
	} else if (w->out.wish == WISH_RUN && phase == ENGINE_COOLDOWN) {
		enter(w, ENGINE_STABILISE);
	} else if (w->out.wish == WISH_STOP && engine_up(phase)) {
		enter(w, n->truth.running ? ENGINE_COOLDOWN : ENGINE_OFF);
	}
}

/* The site */

static int32_t sun_w(const struct world *w)
{
	int64_t from_noon_s = w->t_s % DAY - 12 * HOUR;

	if (from_noon_s < 0)
		from_noon_s = -from_noon_s;
	return from_noon_s < 4 * HOUR
		   ? (int32_t)(w->noon_w * (4 * HOUR - from_noon_s) / (4 * HOUR))
		   : 0;
}

static struct civil local(const struct world *w)
{
	int64_t t = w->t_s + w->clock_step_s;

	return (struct civil){ .valid = true,
		.year = 2026,
		.month = 1,
		.day = 1,
		.weekday = (uint8_t)(t / DAY % 7),
		.hour = (uint8_t)(t % DAY / HOUR),
		.minute = (uint8_t)(t % HOUR / 60),
		.second = (uint8_t)(t % 60) };
}

static void decide(struct world *w)
{
	int64_t age_ms = (w->t_s - w->polled_s) * 1000;
	struct civil at = local(w);
	struct autostart_in in = {
		.soc_pct = { w->polled.soc_pct, age_ms },
		.battery_mv = { w->polled.battery_mv, age_ms },
		.load_w = { w->polled.load_w, age_ms },
		.force_charge = w->charge_file,
	};

	tell(w);
	in.engine = w->node.truth;
	in.engine.link = in.engine.holder = w->link;
	w->out = autostart_decide(&w->policy, &in, &at, w->t_s * 1000);
	if (w->link)
		obey(w);
}

static int32_t most(int32_t a, int64_t b)
{
	return a > b ? a : (int32_t)b;
}

static void check_always(struct world *w)
{
	const struct node *n = &w->node;
	bool on = n->truth.running && n->truth.phase != ENGINE_COOLDOWN;
	int64_t run_s = on ? w->t_s - n->run_s : 0;
	int64_t blind_s =
	    w->t_s - (w->polled_s > w->restarted_s ? w->polled_s : w->restarted_s);

	w->longest_s = most(w->longest_s, run_s);
	assert_true(run_s <= w->config.max_run_s + 2 * STEP_S);
	if (on && run_s > 900 && !w->charge_file) {
		w->longest_blind_s = most(w->longest_blind_s, blind_s);
		assert_true(blind_s <= w->config.stale_s + w->config.blind_run_s + AUTO_FOR_S);
	}
	if (w->shown.soc_pct < w->lowest_pct)
		w->lowest_pct = w->shown.soc_pct;
}

static void step(struct world *w)
{
	struct plant_in power = { .load_w = w->load_w, .pv_w = sun_w(w) };

	w->t_s += STEP_S;
	turn(w);
	power.engine_running = w->node.truth.running;
	power.charger_on = w->node.truth.phase == ENGINE_LOADED;
	w->shown = plant_step(&w->plant, power, STEP_S * 1000);
	if (w->inverter && w->t_s % POLL_S == 0) {
		w->polled = w->shown;
		w->polled_s = w->t_s;
	}
	decide(w);
	check_always(w);
}

static void pass(struct world *w, int64_t seconds)
{
	for (int64_t end_s = w->t_s + seconds; w->t_s < end_s;)
		step(w);
}

static void until_phase(struct world *w, enum engine_phase phase)
{
	for (int64_t end_s = w->t_s + 5 * DAY; w->node.truth.phase != phase;) {
		assert_true(w->t_s < end_s);
		step(w);
	}
}

static void restart_monitor(struct world *w)
{
	autostart_init(&w->policy, &w->config, w->t_s * 1000);
	w->restarted_s = w->t_s;
}

static struct world world(int32_t soc_pct, int32_t load_w, int32_t noon_w)
{
	struct plant_config plant = plant_defaults;
	struct world w = { .config = autostart_defaults,
		.t_s = DAY,
		.polled_s = DAY - HOUR,
		.load_w = load_w,
		.noon_w = noon_w,
		.link = true,
		.inverter = true,
		.node = { .stopped_s = -1, .fuel = true },
		.lowest_pct = 100 };

	plant.soc_pct = soc_pct;
	plant_init(&w.plant, &plant);
	return w;
}

#define WORLD(w, soc, load, noon)                                                              \
	struct world w = world(soc, load, noon);                                               \
	restart_monitor(&w)

static void winter_week_is_carried_by_two_runs_a_day(void **state)
{
	WORLD(w, 50, 2000, 400);

	w.plant.config.charger_w = 8000;
	pass(&w, 7 * DAY);
	assert_in_range(w.node.starts, 13, 16);
	assert_int_equal(w.node.starts, w.node.runs);
	assert_in_range(w.lowest_pct, 23, 24);
	assert_true(w.plant.unserved_mj == 0);
	assert_int_equal(w.out.alarms, 0);
}

static void small_charger_runs_to_the_longest_run_and_rests(void **state)
{
	WORLD(w, 30, 3500, 0);

	pass(&w, 2 * DAY);
	assert_in_range(w.longest_s, 14400 - 30, 14400 + 10);
	until_phase(&w, ENGINE_COOLDOWN);
	assert_int_equal(w.out.ended, AUTO_MAX_RUN);
	assert_true(w.out.alarms & ALARM_MAX_RUN);
}

static void inverter_dead_for_six_hours_in_a_run_orphans_nothing(void **state)
{
	int starts;
	WORLD(w, 26, 1500, 0);

	until_phase(&w, ENGINE_LOADED);
	pass(&w, 1200);
	starts = w.node.starts;
	w.inverter = false;
	pass(&w, 1500);
	assert_int_equal(w.node.truth.phase, ENGINE_LOADED); /* not dropped at once */
	assert_true(w.out.alarms & ALARM_STALE);
	pass(&w, 6 * HOUR - 1500);
	assert_int_equal(w.node.truth.phase, ENGINE_OFF);
	assert_int_equal(w.node.starts, starts);
	assert_in_range(w.longest_blind_s, 1800, 2000);
	assert_true(w.out.alarms & ALARM_BLIND);
	w.inverter = true;
	pass(&w, DAY);
	assert_true(w.node.starts > starts);
	assert_false(w.out.alarms & (ALARM_STALE | ALARM_BLIND));
}

static void link_down_for_two_hours_ends_the_run_by_its_deadline(void **state)
{
	WORLD(w, 26, 1500, 0);

	until_phase(&w, ENGINE_LOADED);
	pass(&w, 1200);
	w.link = false;
	pass(&w, 890);
	assert_int_equal(w.node.truth.phase, ENGINE_LOADED);
	pass(&w, 2 * HOUR - 890);
	assert_int_equal(w.node.truth.phase, ENGINE_OFF);
	w.link = true;
	step(&w);
	assert_int_equal(w.out.ended, AUTO_DEADLINE);
	assert_false(w.out.alarms & ALARM_STOPPED_ITSELF);
	pass(&w, DAY);
	assert_true(w.node.starts > 1);
}

static void link_back_in_cooldown_takes_the_load_again(void **state)
{
	WORLD(w, 26, 1500, 0);

	until_phase(&w, ENGINE_LOADED);
	pass(&w, 1200);
	w.link = false;
	until_phase(&w, ENGINE_COOLDOWN);
	w.link = true;
	pass(&w, 60);
	assert_int_equal(w.node.truth.phase, ENGINE_LOADED);
	assert_int_equal(w.node.starts, 1);
}

static void defect_d6_monitor_restart_in_every_phase_costs_no_start(void **state)
{
	static const enum engine_phase phases[] = { ENGINE_WAIT, ENGINE_CRANK, ENGINE_WARMUP,
		ENGINE_STABILISE, ENGINE_LOADED, ENGINE_COOLDOWN };

	for (size_t i = 0; i < sizeof(phases) / sizeof(*phases); i++) {
		WORLD(w, 26, 1500, 0);
		w.plant.config.charger_w = 8000;
		until_phase(&w, phases[i]);
		restart_monitor(&w);
		until_phase(&w, ENGINE_OFF);
		restart_monitor(&w);
		assert_int_equal(w.node.starts, 1);
		assert_int_equal(w.shown.soc_pct / 2 * 2, 80);
		pass(&w, HOUR);
		assert_int_equal(w.node.starts, 1);
	}
}

static void defect_0_7_monitor_restarted_every_minute_still_stops_the_engine(void **state)
{
	WORLD(w, 26, 500, 0);

	w.config.debounce_s = 30;
	w.config.debounce_readings = 2;
	until_phase(&w, ENGINE_LOADED);
	plant_set_soc(&w.plant, 90000);
	for (int i = 0; i < 30 && w.node.truth.phase != ENGINE_OFF; i++) {
		restart_monitor(&w);
		pass(&w, 90);
	}
	assert_int_equal(w.node.truth.phase, ENGINE_OFF);
}

static void defect_d5_fuel_out_locks_out_and_the_node_retries(void **state)
{
	int64_t died_s;
	WORLD(w, 26, 1500, 0);

	until_phase(&w, ENGINE_LOADED);
	pass(&w, 900);
	w.node.fuel = false;
	until_phase(&w, ENGINE_OFF);
	step(&w);
	died_s = w.t_s;
	assert_int_equal(w.out.ended, AUTO_STOPPED_ITSELF);
	until_phase(&w, ENGINE_LOCKOUT);
	assert_true(w.t_s - died_s > HOUR);
	assert_int_equal(w.node.starts, 2);
	w.node.fuel = true;
	pass(&w, 50 * 60);
	assert_int_equal(w.node.starts, 2);
	assert_int_equal(w.out.reason, AUTO_LOCKED_OUT);
	pass(&w, 20 * 60);
	assert_int_equal(w.node.truth.phase, ENGINE_LOADED);
	assert_int_equal(w.out.alarms & (ALARM_LOCKED_OUT | ALARM_STOPPED_ITSELF), 0);
}

static void quiet_nights_start_only_at_the_floor(void **state)
{
	WORLD(w, 60, 1500, 2000);

	w.config.quiet_from_min = 21 * 60;
	w.config.quiet_to_min = 7 * 60;
	pass(&w, 14 * DAY); /* check_start() judges every start */
	assert_in_range(w.lowest_pct, 9, 24);
	assert_true(w.node.starts >= 14);
}

static void exercise_keeps_a_sunny_month_to_one_run_a_week(void **state)
{
	WORLD(w, 90, 500, 8000);

	w.config.exercise_days = 7;
	w.config.exercise_weekday = 3;
	for (int day = 0; day < 28; day++) {
		w.clock_step_s = day % 2 ? HOUR : 0; /* as if summer time came and went */
		pass(&w, DAY / 2 - HOUR);
		w.clock_step_s -= HOUR; /* and a step back within the exercise hour */
		pass(&w, DAY / 2 + HOUR);
	}
	assert_int_equal(w.node.runs, 4);
	assert_in_range(w.longest_s, 1190, 1230);
}

static void sudden_sun_ends_the_run_and_starts_none(void **state)
{
	WORLD(w, 26, 1500, 0);

	until_phase(&w, ENGINE_LOADED);
	pass(&w, HOUR);
	w.t_s = w.polled_s = 9 * DAY + 10 * HOUR;
	w.node.run_s = w.t_s - HOUR;
	w.node.deadline_s = w.t_s + 900;
	restart_monitor(&w);
	w.noon_w = 15000;
	until_phase(&w, ENGINE_OFF);
	assert_in_range(w.shown.soc_pct, 80, 84);
	pass(&w, 8 * HOUR);
	assert_int_equal(w.node.starts, 1);
}

static void charge_file_at_99_percent_runs_until_it_goes(void **state)
{
	WORLD(w, 99, 500, 0);

	step(&w);
	w.charge_file = true;
	pass(&w, 3 * HOUR);
	assert_int_equal(w.node.truth.phase, ENGINE_LOADED);
	assert_true(w.plant.unserved_mj == 0);
	w.charge_file = false;
	step(&w);
	step(&w);
	assert_int_equal(w.node.truth.phase, ENGINE_COOLDOWN);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void disturb(struct world *w, uint32_t *seed)
{
	switch (next_random(seed) % 8) {
	case 0:
		w->link = !w->link;
		break;
	case 1:
		w->inverter = !w->inverter;
		break;
	case 2:
		restart_monitor(w);
		break;
	case 3:
		w->clock_step_s = (int64_t)(next_random(seed) % 200) * HOUR;
		break;
	case 4:
		w->node.fuel = next_random(seed) % 4 > 0;
		break;
	case 5:
		w->load_w = (int32_t)(next_random(seed) % 6000);
		break;
	default:
		w->link = w->inverter = w->node.fuel = true;
	}
}

static void two_hundred_days_of_random_faults_break_no_rule(void **state)
{
	for (uint32_t run = 0; run < 10; run++) {
		uint32_t seed = 1000 + run;
		WORLD(w, 40, 1500, 3000);
		w.config.quiet_from_min = 22 * 60;
		w.config.quiet_to_min = 6 * 60;
		w.config.exercise_days = 7;
		while (w.t_s < 21 * DAY) {
			pass(&w, 60 + next_random(&seed) % (2 * HOUR));
			disturb(&w, &seed);
		}
		assert_true(w.node.starts > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(winter_week_is_carried_by_two_runs_a_day),
		cmocka_unit_test(small_charger_runs_to_the_longest_run_and_rests),
		cmocka_unit_test(inverter_dead_for_six_hours_in_a_run_orphans_nothing),
		cmocka_unit_test(link_down_for_two_hours_ends_the_run_by_its_deadline),
		cmocka_unit_test(link_back_in_cooldown_takes_the_load_again),
		cmocka_unit_test(defect_d6_monitor_restart_in_every_phase_costs_no_start),
		cmocka_unit_test(
		    defect_0_7_monitor_restarted_every_minute_still_stops_the_engine),
		cmocka_unit_test(defect_d5_fuel_out_locks_out_and_the_node_retries),
		cmocka_unit_test(quiet_nights_start_only_at_the_floor),
		cmocka_unit_test(exercise_keeps_a_sunny_month_to_one_run_a_week),
		cmocka_unit_test(sudden_sun_ends_the_run_and_starts_none),
		cmocka_unit_test(charge_file_at_99_percent_runs_until_it_goes),
		cmocka_unit_test(two_hundred_days_of_random_faults_break_no_rule),
	};
	return cmocka_run_group_tests_name("days", tests, NULL, NULL);
}
