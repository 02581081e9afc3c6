#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "node-monitor/policy/autostart.h"

enum { POLL_S = 30 };

struct site { /* a monitor, and an engine that does what the test says */
	struct autostart a;
	struct autostart_config config;
	struct autostart_in in;
	struct civil local;
	int64_t now_ms, polled_ms;
	bool silent; /* the inverter does not answer */
	struct autostart_out out;
};

static struct autostart_out decide(struct site *s)
{
	int64_t age_ms = s->now_ms - s->polled_ms;

	s->in.soc_pct.age_ms = s->in.battery_mv.age_ms = s->in.load_w.age_ms = age_ms;
	s->out = autostart_decide(&s->a, &s->in, &s->local, s->now_ms);
	return s->out;
}

static struct autostart_out poll(struct site *s)
{
	s->now_ms += POLL_S * 1000;
	if (s->in.engine.running)
		s->in.engine.run_s += POLL_S;
	if (!s->silent)
		s->polled_ms = s->now_ms;
	return decide(s);
}

static struct autostart_out polls(struct site *s, int n)
{
	while (n-- > 0)
		poll(s);
	return s->out;
}

static struct autostart_out pass(struct site *s, int seconds)
{
	return polls(s, seconds / POLL_S);
}

static void engine(struct site *s, enum engine_phase phase)
{
	bool was = s->in.engine.running;

	s->in.engine.phase = phase;
	s->in.engine.running = phase >= ENGINE_WARMUP && phase <= ENGINE_COOLDOWN;
	if (!s->in.engine.running || !was)
		s->in.engine.run_s = 0;
}

static void restart_monitor(struct site *s)
{
	autostart_init(&s->a, &s->config, s->now_ms);
}

static struct site site(int32_t soc_pct)
{
	return (struct site){
		.config = autostart_defaults,
		.in = { .soc_pct.value = soc_pct,
		    .battery_mv.value = 52000,
		    .load_w.value = 500,
		    .engine = { .link = true, .holder = true, .stopped_s = UNKNOWN } },
		.local = { true, 2026, 1, 5, 1, 12, 0, 0 },
		.now_ms = 5000000,
		.polled_ms = 5000000,
	};
}

#define SITE(s, soc)                                                                           \
	struct site s = site(soc);                                                             \
	restart_monitor(&s)

/* Loaded for some time by an order of our own. */
static void run_by_soc(struct site *s, int seconds)
{
	int32_t soc = s->in.soc_pct.value;

	s->in.soc_pct.value = 20;
	polls(s, 3);
	assert_int_equal(s->out.wish, WISH_RUN);
	engine(s, ENGINE_LOADED);
	s->in.soc_pct.value = soc;
	pass(s, seconds);
}

static void single_bad_reading_starts_nothing(void **state)
{
	SITE(s, 60);

	for (int i = 0; i < 40; i++) {
		s.in.soc_pct.value = i % 3 == 0 ? 60 : 0; /* two bad ones, then a good one */
		assert_int_equal(poll(&s).wish, WISH_NONE);
	}
}

static void defect_d14_first_low_reading_waits_for_two_more(void **state)
{
	SITE(s, 10);

	assert_int_equal(decide(&s).wish, WISH_NONE);
	assert_int_equal(s.out.reason, AUTO_CONFIRMING);
	assert_int_equal(s.out.count, 1);
	assert_int_equal(poll(&s).wish, WISH_NONE);
	assert_int_equal(poll(&s).wish, WISH_RUN);
	assert_int_equal(s.out.for_s, 900);
	assert_int_equal(s.out.reason, AUTO_SOC);
	assert_int_equal(s.out.value, 10);
	assert_int_equal(s.out.limit, 25);
}

static void same_reading_seen_often_counts_once(void **state)
{
	SITE(s, 10);

	for (int i = 0; i < 100; i++) {
		s.now_ms += 1000;
		assert_int_equal(decide(&s).wish, WISH_NONE);
	}
	assert_int_equal(s.out.count, 1);
}

static void quick_readings_still_take_the_minimum_time(void **state)
{
	SITE(s, 10);

	for (int i = 0; i < 60; i++) {
		s.polled_ms = s.now_ms;
		assert_int_equal(decide(&s).wish, WISH_NONE);
		s.now_ms += 1000;
	}
	s.polled_ms = s.now_ms;
	assert_int_equal(decide(&s).wish, WISH_RUN);
}

static void soc_at_the_start_threshold_does_not_start(void **state)
{
	SITE(s, 25);

	assert_int_equal(polls(&s, 20).wish, WISH_NONE);
	assert_int_equal(s.out.next, NEXT_START_BELOW);
	assert_int_equal(s.out.next_value, 25);
	s.in.soc_pct.value = 24;
	assert_int_equal(polls(&s, 3).wish, WISH_RUN);
}

static void soc_at_the_stop_threshold_stops(void **state)
{
	SITE(s, 79);

	run_by_soc(&s, 3000);
	assert_int_equal(s.out.wish, WISH_RUN);
	assert_int_equal(s.out.next, NEXT_STOP_AT);
	assert_int_equal(s.out.next_value, 80);
	s.in.soc_pct.value = 80;
	assert_int_equal(polls(&s, 2).wish, WISH_RUN);
	assert_int_equal(poll(&s).wish, WISH_STOP);
	assert_int_equal(s.out.reason, AUTO_SOC_REACHED);
}

static void impossible_soc_is_no_reading(void **state)
{
	SITE(s, 255);

	assert_int_equal(polls(&s, 10).reason, AUTO_NO_DATA);
	s.in.soc_pct.value = -3;
	assert_int_equal(polls(&s, 10).reason, AUTO_NO_DATA);
	assert_true(s.out.alarms & ALARM_STALE);
}

static void stale_readings_start_nothing_and_alarm(void **state)
{
	SITE(s, 60);

	poll(&s);
	s.in.soc_pct.value = 5;
	poll(&s);
	s.silent = true;
	assert_int_equal(polls(&s, 200).wish, WISH_NONE);
	assert_int_equal(s.out.reason, AUTO_NO_DATA);
	assert_true(s.out.alarms & ALARM_STALE);
	s.silent = false;
	assert_int_equal(polls(&s, 2).wish, WISH_NONE); /* counts from the beginning */
	assert_false(s.out.alarms & ALARM_STALE);
	assert_int_equal(poll(&s).wish, WISH_RUN);
}

static void defect_d13_max_run_counts_while_the_inverter_is_silent(void **state)
{
	SITE(s, 50);

	s.config.blind_run_s = 7200;
	run_by_soc(&s, 14400 - 600);
	s.silent = true;
	for (int i = 1; i < 600 / POLL_S - 3; i++)
		assert_int_equal(poll(&s).wish, WISH_RUN);
	assert_in_range(s.out.for_s, 1, 600);
	assert_int_equal(polls(&s, 4).wish, WISH_STOP);
	assert_int_equal(s.out.reason, AUTO_MAX_RUN);
	assert_true(s.out.alarms & ALARM_MAX_RUN);
}

static void silent_inverter_leaves_a_run_its_bounded_deadline(void **state)
{
	int32_t for_s = 900, granted = 0;
	SITE(s, 50);

	run_by_soc(&s, 1200);
	s.silent = true;
	for (int i = 0; i < 2000 / POLL_S && poll(&s).wish == WISH_RUN; i++) {
		assert_true(s.out.for_s <= for_s);
		for_s = s.out.for_s;
		granted = (int32_t)((s.now_ms - s.polled_ms) / 1000) + for_s;
		assert_true(granted <= 120 + 1800 + POLL_S);
	}
	assert_in_range(granted, 1800, 1950);
	assert_int_equal(s.out.reason, AUTO_BLIND_END);
	assert_true(s.out.alarms & ALARM_BLIND);
	assert_true(s.out.alarms & ALARM_STALE);
	engine(&s, ENGINE_COOLDOWN);
	polls(&s, 6);
	engine(&s, ENGINE_OFF);
	assert_int_equal(pass(&s, 20000).wish, WISH_NONE); /* and none begins */
}

static void inverter_back_in_time_keeps_the_run(void **state)
{
	SITE(s, 50);

	run_by_soc(&s, 1200);
	s.silent = true;
	assert_int_equal(pass(&s, 900).reason, AUTO_BLIND);
	s.silent = false;
	assert_int_equal(poll(&s).reason, AUTO_SOC);
	assert_int_equal(s.out.for_s, 900);
}

static void defect_0_7_restarted_monitor_stops_an_engine_running_at_90_percent(void **state)
{
	SITE(s, 90);

	engine(&s, ENGINE_LOADED);
	s.in.engine.run_s = 3000;
	polls(&s, 3);
	assert_int_equal(s.out.wish, WISH_STOP);
	assert_int_equal(s.out.reason, AUTO_SOC_REACHED);
}

static void defect_d6_restarted_monitor_keeps_an_engine_running_at_20_percent(void **state)
{
	SITE(s, 20);

	engine(&s, ENGINE_LOADED);
	s.in.engine.run_s = 3000;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(poll(&s).wish, WISH_RUN);
		assert_int_equal(s.out.ended, AUTO_ENOUGH); /* no start has failed */
	}
	s.in.engine.run_s = 14400 - POLL_S;
	assert_int_equal(poll(&s).wish, WISH_STOP);
	assert_int_equal(s.out.reason, AUTO_MAX_RUN);
}

static void restart_in_every_phase_neither_stops_nor_doubles_a_start(void **state)
{
	for (int p = ENGINE_WAIT; p <= ENGINE_LOADED; p++) {
		SITE(s, 20);
		engine(&s, (enum engine_phase)p);
		assert_int_equal(decide(&s).wish, WISH_RUN);
		assert_int_equal(s.out.reason, AUTO_ADOPTED);
	}
}

static void restart_in_cooldown_lets_it_end_and_rests(void **state)
{
	SITE(s, 20);

	engine(&s, ENGINE_COOLDOWN);
	assert_int_equal(polls(&s, 6).wish, WISH_STOP);
	engine(&s, ENGINE_OFF);
	assert_int_equal(pass(&s, 3570).reason, AUTO_RESTING);
	assert_int_equal(polls(&s, 2).wish, WISH_RUN);
}

static void rest_survives_a_restart_when_the_node_knows_the_last_stop(void **state)
{
	SITE(s, 20);

	s.in.engine.stopped_s = 600;
	for (int i = 0; i < 3000 / POLL_S - 1; i++) {
		s.in.engine.stopped_s += POLL_S;
		assert_int_equal(poll(&s).wish, WISH_NONE);
	}
	assert_int_equal(s.out.reason, AUTO_RESTING);
	s.in.engine.stopped_s += POLL_S;
	assert_int_equal(poll(&s).wish, WISH_RUN);
}

static void lost_link_is_no_stall(void **state)
{
	SITE(s, 50);

	run_by_soc(&s, 1200);
	s.in.engine.link = false;
	s.in.engine.running = false; /* whatever an old struct says */
	s.in.engine.phase = ENGINE_OFF;
	assert_int_equal(pass(&s, 600).wish, WISH_RUN);
	assert_true(s.out.alarms & ALARM_LINK);
	s.in.engine.link = true;
	engine(&s, ENGINE_LOADED);
	assert_int_equal(poll(&s).wish, WISH_RUN);
	assert_int_equal(s.out.ended, AUTO_ENOUGH);
	assert_false(s.out.alarms & (ALARM_STOPPED_ITSELF | ALARM_LINK));
}

static void run_that_ended_while_the_link_was_down_ended_by_its_deadline(void **state)
{
	SITE(s, 20);

	run_by_soc(&s, 1200);
	s.in.engine.link = false;
	pass(&s, 7200);
	s.in.engine.link = true;
	engine(&s, ENGINE_OFF);
	s.in.engine.stopped_s = 6000;
	poll(&s);
	assert_int_equal(s.out.ended, AUTO_DEADLINE);
	assert_false(s.out.alarms & ALARM_STOPPED_ITSELF);
	assert_int_equal(s.out.wish, WISH_NONE); /* rests: it stopped less than 3600 s ago */
}

static void no_start_while_the_engine_is_out_of_sight(void **state)
{
	SITE(s, 10);

	s.in.engine.link = false;
	assert_int_equal(polls(&s, 10).reason, AUTO_LINK_DOWN);
	assert_int_equal(s.out.wish, WISH_NONE);
	s.in.engine.link = true;
	s.in.engine.age_ms = 15001;
	assert_int_equal(polls(&s, 10).reason, AUTO_LINK_DOWN);
	s.in.engine.age_ms = 0;
	s.in.engine.holder = false;
	assert_int_equal(poll(&s).reason, AUTO_NO_LEASE);
	s.in.engine.holder = true;
	assert_int_equal(poll(&s).wish, WISH_RUN);
}

static void engine_that_stops_by_itself_rests_an_hour(void **state)
{
	SITE(s, 20);

	run_by_soc(&s, 1200);
	engine(&s, ENGINE_OFF);
	poll(&s);
	assert_int_equal(s.out.ended, AUTO_STOPPED_ITSELF);
	assert_true(s.out.alarms & ALARM_STOPPED_ITSELF);
	for (int i = 0; i < 3600 / POLL_S - 1; i++)
		assert_int_equal(poll(&s).wish, WISH_NONE);
	assert_int_equal(s.out.reason, AUTO_RESTING);
	assert_int_equal(s.out.cause, AUTO_SOC);
	assert_int_equal(poll(&s).wish, WISH_RUN);
}

static void engine_that_died_and_cranks_again_is_told_to_stop(void **state)
{
	SITE(s, 20);

	run_by_soc(&s, 1200);
	engine(&s, ENGINE_WAIT);
	assert_int_equal(poll(&s).wish, WISH_STOP);
	assert_int_equal(s.out.reason, AUTO_STOPPED_ITSELF);
}

static void defect_d5_and_0_6_lockout_is_shown_and_over_when_the_node_says_so(void **state)
{
	SITE(s, 20);

	polls(&s, 3);
	engine(&s, ENGINE_CRANK);
	poll(&s);
	engine(&s, ENGINE_LOCKOUT);
	s.in.engine.lockout_left_s = 3600;
	for (int i = 0; i < 120; i++) {
		assert_int_equal(poll(&s).wish, WISH_NONE);
		s.in.engine.lockout_left_s -= POLL_S;
	}
	assert_int_equal(s.out.reason, AUTO_LOCKED_OUT);
	assert_true(s.out.alarms & ALARM_LOCKED_OUT);
	assert_int_equal(s.out.next, NEXT_RETRY);
	engine(&s, ENGINE_OFF);
	assert_int_equal(poll(&s).wish, WISH_RUN); /* no count of our own forbids it */
}

static void defect_0_6_files_still_count_after_a_lockout(void **state)
{
	SITE(s, 60);

	engine(&s, ENGINE_LOCKOUT);
	s.in.force_charge = true;
	assert_int_equal(polls(&s, 5).wish, WISH_NONE);
	engine(&s, ENGINE_OFF);
	assert_int_equal(poll(&s).reason, AUTO_MANUAL);
}

static void force_stop_alone_prevents_a_start(void **state)
{
	SITE(s, 5);

	s.in.force_stop = true;
	assert_int_equal(pass(&s, 900).wish, WISH_NONE);
	assert_int_equal(s.out.reason, AUTO_HELD);
	assert_true(s.out.alarms & ALARM_HELD);
	s.in.force_stop = false;
	assert_int_equal(poll(&s).wish, WISH_RUN);
}

static void force_stop_ends_a_run_at_once_and_wins_over_force_charge(void **state)
{
	SITE(s, 50);

	run_by_soc(&s, 60);
	s.in.force_charge = s.in.force_stop = true;
	assert_int_equal(poll(&s).wish, WISH_STOP);
	assert_int_equal(s.out.reason, AUTO_HELD);
}

static void force_charge_runs_at_99_percent_until_the_file_goes(void **state)
{
	SITE(s, 99);

	poll(&s);
	s.in.force_charge = true;
	assert_int_equal(poll(&s).wish, WISH_RUN);
	engine(&s, ENGINE_LOADED);
	assert_int_equal(pass(&s, 9000).wish, WISH_RUN);
	assert_int_equal(s.out.reason, AUTO_MANUAL);
	s.in.force_charge = false;
	assert_int_equal(poll(&s).wish, WISH_STOP);
	assert_int_equal(s.out.reason, AUTO_MANUAL_GONE);
}

static void force_charge_ends_at_max_run_and_one_file_is_one_run(void **state)
{
	SITE(s, 99);

	poll(&s);
	s.in.force_charge = true;
	poll(&s);
	engine(&s, ENGINE_LOADED);
	assert_int_equal(pass(&s, 14400 - 30).wish, WISH_RUN);
	assert_int_equal(polls(&s, 2).reason, AUTO_MAX_RUN);
	engine(&s, ENGINE_OFF);
	assert_int_equal(pass(&s, 40000).wish, WISH_NONE);
	s.in.force_charge = false;
	poll(&s);
	s.in.force_charge = true;
	assert_int_equal(poll(&s).wish, WISH_RUN);
}

static void force_charge_needs_no_inverter_and_no_rest(void **state)
{
	SITE(s, UNKNOWN);

	s.in.battery_mv.value = UNKNOWN;
	poll(&s);
	s.in.engine.stopped_s = 700;
	s.in.force_charge = true;
	assert_int_equal(poll(&s).wish, WISH_RUN);
	s.in.engine.start_ready_s = 60; /* the engine node's own rest counts all the same */
	assert_int_equal(poll(&s).reason, AUTO_NODE_RESTS);
}

static void force_charge_in_cooldown_goes_back_on_load(void **state)
{
	SITE(s, 99);

	poll(&s);
	s.in.force_charge = true;
	poll(&s);
	engine(&s, ENGINE_LOADED);
	pass(&s, 900);
	s.in.force_charge = false;
	assert_int_equal(poll(&s).wish, WISH_STOP);
	engine(&s, ENGINE_COOLDOWN);
	assert_int_equal(poll(&s).wish, WISH_STOP);
	s.in.force_charge = true;
	assert_int_equal(poll(&s).wish, WISH_RUN);
}

static void an_operator_at_the_engine_node_outranks_us(void **state)
{
	SITE(s, 90);

	engine(&s, ENGINE_LOADED);
	s.in.engine.mode = MODE_OPERATOR_RUN;
	assert_int_equal(pass(&s, 20000).wish, WISH_NONE);
	assert_int_equal(s.out.reason, AUTO_MODE);
	s.in.soc_pct.value = 5;
	engine(&s, ENGINE_OFF);
	for (int m = MODE_OFF; m <= MODE_ESTOPPED; m++) {
		s.in.engine.mode = (enum engine_mode)m;
		assert_int_equal(polls(&s, 5).reason, AUTO_MODE);
		assert_int_equal(s.out.wish, WISH_NONE);
	}
	s.in.engine.mode = MODE_AUTO;
	assert_int_equal(poll(&s).reason, AUTO_RESTING); /* the operator's run counts */
}

static void engine_started_by_hand_is_left_alone(void **state)
{
	SITE(s, 10);

	engine(&s, ENGINE_EXTERNAL);
	s.in.engine.running = true;
	assert_int_equal(polls(&s, 10).reason, AUTO_EXTERNAL);
	assert_int_equal(s.out.wish, WISH_NONE);
}

static void minimum_run_outlasts_an_early_stop(void **state)
{
	SITE(s, 85);

	run_by_soc(&s, 540);
	assert_int_equal(s.out.reason, AUTO_MIN_RUN);
	assert_int_equal(s.out.wish, WISH_RUN);
	assert_int_equal(polls(&s, 3).wish, WISH_STOP);
}

static void sun_that_fills_the_battery_before_the_crank_ends_the_start(void **state)
{
	SITE(s, 20);

	polls(&s, 3);
	engine(&s, ENGINE_WAIT);
	s.in.soc_pct.value = 85;
	assert_int_equal(polls(&s, 3).wish, WISH_STOP);
}

static void max_run_is_not_stretched_by_a_run_clock_that_jumps_back(void **state)
{
	SITE(s, 50);

	run_by_soc(&s, 12000);
	s.in.engine.run_s = 0;
	assert_int_equal(pass(&s, 2300).wish, WISH_RUN);
	assert_int_equal(pass(&s, 150).reason, AUTO_MAX_RUN);
}

static void low_voltage_starts_after_its_delay_and_runs_to_its_own_stop(void **state)
{
	SITE(s, 90); /* a drifted counter */

	s.config.voltage_start_mv = 50000;
	s.in.battery_mv.value = 49900;
	assert_int_equal(polls(&s, 4).wish, WISH_NONE);
	assert_int_equal(poll(&s).reason, AUTO_VOLTAGE);
	engine(&s, ENGINE_LOADED);
	s.in.battery_mv.value = 53400;
	assert_int_equal(pass(&s, 3000).wish, WISH_RUN);
	s.in.battery_mv.value = 53500;
	assert_int_equal(polls(&s, 5).reason, AUTO_VOLTAGE_REACHED);
}

static void high_load_starts_and_its_end_stops_unless_soc_is_low(void **state)
{
	SITE(s, 60);

	s.config.load_start_w = 4000;
	s.config.load_stop_w = 2000;
	s.in.load_w.value = 4000;
	assert_int_equal(polls(&s, 4).wish, WISH_NONE);
	assert_int_equal(poll(&s).reason, AUTO_LOAD);
	engine(&s, ENGINE_LOADED);
	pass(&s, 900);
	s.in.load_w.value = 1999;
	s.in.soc_pct.value = 20;
	assert_int_equal(polls(&s, 10).reason, AUTO_SOC);
	s.in.soc_pct.value = 60;
	assert_int_equal(polls(&s, 10).wish, WISH_RUN);
}

static void load_that_goes_away_stops(void **state)
{
	SITE(s, 60);

	s.config.load_start_w = 4000;
	s.config.load_stop_w = 2000;
	s.in.load_w.value = 5000;
	polls(&s, 5);
	engine(&s, ENGINE_LOADED);
	pass(&s, 900);
	s.in.load_w.value = 2000;
	assert_int_equal(polls(&s, 10).wish, WISH_RUN);
	s.in.load_w.value = 1999;
	assert_int_equal(polls(&s, 5).reason, AUTO_LOAD_GONE);
}

static void quiet_hours_wait_for_morning_or_the_floor(void **state)
{
	SITE(s, 20);

	s.config.quiet_from_min = 21 * 60;
	s.config.quiet_to_min = 7 * 60;
	s.local.hour = 23;
	s.local.minute = 30;
	assert_int_equal(polls(&s, 20).wish, WISH_NONE);
	assert_int_equal(s.out.reason, AUTO_QUIET);
	assert_int_equal(s.out.next_ms - s.now_ms, (7 * 60 + 30) * 60000);
	s.in.soc_pct.value = 9;
	assert_int_equal(polls(&s, 3).wish, WISH_RUN);
	engine(&s, ENGINE_LOADED);
	s.in.soc_pct.value = 40; /* enough for the night */
	assert_int_equal(pass(&s, 900).wish, WISH_STOP);
}

static void quiet_hours_have_a_floor_of_voltage_too(void **state)
{
	SITE(s, 60);

	s.config.quiet_from_min = 21 * 60;
	s.config.quiet_to_min = 7 * 60;
	s.config.quiet_start_mv = 48000;
	s.config.voltage_start_mv = 50000;
	s.local.hour = 2;
	s.in.battery_mv.value = 49000;
	assert_int_equal(polls(&s, 20).wish, WISH_NONE);
	s.in.battery_mv.value = 47900;
	assert_int_equal(polls(&s, 5).reason, AUTO_VOLTAGE);
	s.local.hour = 7;
	s.in.battery_mv.value = 49000;
	assert_int_equal(polls(&s, 5).reason, AUTO_VOLTAGE);
}

static void quiet_hours_do_not_apply_before_the_clock_is_set(void **state)
{
	SITE(s, 20);

	s.config.quiet_from_min = 0;
	s.config.quiet_to_min = 1439;
	memset(&s.local, 0, sizeof(s.local));
	assert_int_equal(polls(&s, 3).wish, WISH_RUN);
	assert_true(s.out.alarms & ALARM_CLOCK);
}

static void exercise_site(struct site *s)
{
	s->config.exercise_days = 7;
	s->config.exercise_weekday = 1;
	s->config.exercise_hour = 10;
	s->local.hour = 10;
}

static void exercise_runs_its_length_once(void **state)
{
	SITE(s, 95);

	exercise_site(&s);
	assert_int_equal(polls(&s, 2).reason, AUTO_EXERCISE); /* asked for until obeyed */
	engine(&s, ENGINE_LOADED);
	s.in.engine.run_s = -POLL_S;
	assert_int_equal(pass(&s, 1200).wish, WISH_RUN);
	assert_int_equal(polls(&s, 2).reason, AUTO_EXERCISE_DONE);
	engine(&s, ENGINE_OFF);
	assert_int_equal(pass(&s, 6 * 86400).wish, WISH_NONE);
	assert_int_equal(pass(&s, 86400).wish, WISH_RUN);
}

static void exercise_is_skipped_after_a_recent_run(void **state)
{
	SITE(s, 50);

	run_by_soc(&s, 3000);
	engine(&s, ENGINE_OFF);
	pass(&s, 5 * 86400);
	exercise_site(&s);
	assert_int_equal(polls(&s, 10).wish, WISH_NONE);
}

static void exercise_needs_a_clock_a_day_and_data(void **state)
{
	SITE(s, 95);

	exercise_site(&s);
	s.local.valid = false;
	assert_int_equal(polls(&s, 10).wish, WISH_NONE);
	s.local.valid = true;
	s.local.weekday = 2;
	assert_int_equal(polls(&s, 10).wish, WISH_NONE);
	s.local.weekday = 1;
	s.in.soc_pct.value = UNKNOWN;
	assert_int_equal(polls(&s, 10).wish, WISH_NONE);
}

static void exercise_that_failed_is_not_tried_again_by_a_clock_step(void **state)
{
	SITE(s, 95);

	exercise_site(&s);
	poll(&s);
	engine(&s, ENGINE_CRANK);
	poll(&s);
	engine(&s, ENGINE_LOCKOUT);
	poll(&s);
	engine(&s, ENGINE_OFF);
	s.local.hour = 11;
	pass(&s, 3600);
	s.local.hour = 10; /* the clock was put back */
	assert_int_equal(pass(&s, 3600).wish, WISH_NONE);
}

static void clock_steps_change_no_interval(void **state)
{
	struct autostart_out want[400];
	SITE(s, 50);
	SITE(t, 50);

	for (int i = 0; i < 400; i++) {
		s.in.soc_pct.value = t.in.soc_pct.value = i < 50 ? 20 : 81;
		t.local = i % 2 ? (struct civil){ 0 }
				: (struct civil){ true, (int16_t)(1990 + i), 2, 3, 0, 4, 5, 6 };
		engine(&s, i > 5 && i < 60 ? ENGINE_LOADED : ENGINE_OFF);
		engine(&t, s.in.engine.phase);
		want[i] = poll(&s);
		poll(&t);
		assert_memory_equal(&want[i], &t.out, sizeof(t.out));
	}
}

static void order_that_is_not_obeyed_alarms(void **state)
{
	SITE(s, 20);

	polls(&s, 3);
	assert_false(s.out.alarms & ALARM_NOT_OBEYED);
	assert_true(pass(&s, 330).alarms & ALARM_NOT_OBEYED);
	engine(&s, ENGINE_CRANK);
	assert_false(poll(&s).alarms & ALARM_NOT_OBEYED);
}

static void start_that_is_no_longer_needed_is_no_longer_asked_for(void **state)
{
	SITE(s, 20);

	assert_int_equal(polls(&s, 3).wish, WISH_RUN);
	s.in.soc_pct.value = 30;
	assert_int_equal(poll(&s).wish, WISH_NONE);
}

static void time_to_obey_counts_from_the_present_order(void **state)
{
	SITE(s, 20);

	polls(&s, 9);
	s.in.soc_pct.value = 30;
	poll(&s);
	s.in.soc_pct.value = 20;
	assert_int_equal(polls(&s, 9).wish, WISH_RUN);
	assert_false(s.out.alarms & ALARM_NOT_OBEYED);
}

static void run_that_the_engine_node_ended_is_no_stall(void **state)
{
	SITE(s, 20);

	run_by_soc(&s, 1200);
	engine(&s, ENGINE_COOLDOWN);
	polls(&s, 6);
	engine(&s, ENGINE_OFF);
	poll(&s);
	assert_int_equal(s.out.ended, AUTO_NODE_ENDED);
	assert_false(s.out.alarms & ALARM_STOPPED_ITSELF);
	assert_int_equal(s.out.reason, AUTO_RESTING);
}

static void low_readings_ten_minutes_apart_are_not_in_a_row(void **state)
{
	SITE(s, 10);

	for (int i = 0; i < 5; i++) {
		s.now_ms += 600000;
		s.polled_ms = s.now_ms;
		assert_int_equal(decide(&s).wish, WISH_NONE);
	}
}

static void charging_is_proved_by_soc_or_voltage_within_five_minutes(void **state)
{
	SITE(s, 20);

	run_by_soc(&s, 270);
	assert_false(s.out.alarms & ALARM_NOT_CHARGING);
	assert_true(polls(&s, 2).alarms & ALARM_NOT_CHARGING);
	assert_int_equal(s.out.wish, WISH_RUN); /* it may still feed the house */
	s.in.battery_mv.value += 500;
	assert_false(poll(&s).alarms & ALARM_NOT_CHARGING);

	SITE(t, 20);
	run_by_soc(&t, 120);
	t.in.soc_pct.value = 21;
	assert_false(polls(&t, 20).alarms & ALARM_NOT_CHARGING);
}

static void charging_is_not_judged_without_readings_or_when_full(void **state)
{
	SITE(s, 20);

	run_by_soc(&s, 60);
	s.silent = true;
	assert_false(pass(&s, 900).alarms & ALARM_NOT_CHARGING);
	SITE(t, 96);
	run_by_soc(&t, 600);
	assert_false(t.out.alarms & ALARM_NOT_CHARGING);
}

static void state_words_are_the_originals_six(void **state)
{
	struct engine_truth e = { .link = true };

	assert_string_equal(autostart_state_word(&e), "IDLE");
	for (int p = ENGINE_WAIT; p < ENGINE_LOADED; p++) {
		e.phase = (enum engine_phase)p;
		assert_string_equal(autostart_state_word(&e), "STARTING");
	}
	e.phase = ENGINE_LOADED;
	assert_string_equal(autostart_state_word(&e), "RUNNING");
	e.phase = ENGINE_COOLDOWN;
	assert_string_equal(autostart_state_word(&e), "STOPPING");
	e.phase = ENGINE_LOCKOUT;
	assert_string_equal(autostart_state_word(&e), "ERROR");
	e.lockout_left_s = 5;
	assert_string_equal(autostart_state_word(&e), "ERROR_RECOVERY");
	e.link = false;
	assert_string_equal(autostart_state_word(&e), "ERROR");
}

static void contradictory_thresholds_are_named(void **state)
{
	struct autostart_config c = autostart_defaults;

	assert_null(autostart_fault(&c));
	c.soc_stop_pct = c.soc_start_pct;
	assert_non_null(strstr(autostart_fault(&c), "soc_stop"));
	c = autostart_defaults;
	c.quiet_start_pct = 30;
	assert_non_null(strstr(autostart_fault(&c), "floor"));
	c = autostart_defaults;
	c.min_run_s = c.max_run_s;
	assert_non_null(strstr(autostart_fault(&c), "min_run"));
}

static void run_that_the_node_stops_is_over_only_when_it_is_still(void **state)
{
	SITE(s, 20);

	run_by_soc(&s, 1200);
	engine(&s, ENGINE_STOPPING); /* the node ends it; it is not yet still */
	assert_int_equal(poll(&s).ended, AUTO_ENOUGH);
	engine(&s, ENGINE_OFF);
	assert_int_equal(poll(&s).ended, AUTO_NODE_ENDED);
	assert_false(s.out.alarms & ALARM_STOPPED_ITSELF);
}

static void engine_that_died_and_rests_before_its_next_crank_is_told_to_stop(void **state)
{
	SITE(s, 20);

	run_by_soc(&s, 1200);
	engine(&s, ENGINE_REST);
	assert_int_equal(poll(&s).wish, WISH_STOP);
	assert_int_equal(s.out.reason, AUTO_STOPPED_ITSELF);
}

static void start_that_failed_is_told_and_asked_for_again(void **state)
{
	SITE(s, 20);

	polls(&s, 3);
	engine(&s, ENGINE_CRANK);
	poll(&s);
	engine(&s, ENGINE_OFF);
	assert_int_equal(poll(&s).ended, AUTO_NOT_STARTED);
	assert_false(s.out.alarms & ALARM_STOPPED_ITSELF);
	assert_int_equal(s.out.wish, WISH_RUN);
}

static void engine_found_running_with_a_force_charge_file_is_a_manual_run(void **state)
{
	SITE(s, 90);

	s.in.force_charge = true;
	engine(&s, ENGINE_LOADED);
	assert_int_equal(pass(&s, 6000).wish, WISH_RUN);
	assert_int_equal(s.out.cause, AUTO_MANUAL);
}

static void operator_who_takes_over_a_run_of_ours_ends_our_part_in_it(void **state)
{
	SITE(s, 20);

	run_by_soc(&s, 1200);
	s.in.engine.mode = MODE_OPERATOR_RUN;
	assert_int_equal(poll(&s).wish, WISH_NONE);
	assert_int_equal(s.out.reason, AUTO_MODE);
	assert_int_equal(s.out.ended, AUTO_MODE);
}

static void maintenance_fault_and_an_engine_turned_by_others_forbid_a_start(void **state)
{
	SITE(s, 5);

	engine(&s, ENGINE_MAINTENANCE);
	assert_int_equal(polls(&s, 5).reason, AUTO_MODE);
	engine(&s, ENGINE_FAULT);
	assert_int_equal(polls(&s, 5).reason, AUTO_FAULT);
	engine(&s, ENGINE_OFF);
	s.in.engine.running = true;
	assert_int_equal(polls(&s, 5).reason, AUTO_EXTERNAL);
	assert_int_equal(s.out.wish, WISH_NONE);
}

static void file_from_before_the_monitors_start_waits_for_the_rest(void **state)
{
	SITE(s, 60);

	s.in.force_charge = true;
	s.in.engine.stopped_s = 600;
	assert_int_equal(poll(&s).reason, AUTO_RESTING);
	s.in.engine.stopped_s = 3700;
	restart_monitor(&s);
	assert_int_equal(poll(&s).reason, AUTO_MANUAL);
}

static void run_whose_lease_is_gone_ends_by_the_last_order_the_node_heard(void **state)
{
	SITE(s, 20);

	run_by_soc(&s, 1200);
	s.in.engine.holder = false;
	assert_int_equal(pass(&s, 960).wish, WISH_RUN); /* should the lease come back */
	engine(&s, ENGINE_OFF);
	assert_int_equal(poll(&s).ended, AUTO_DEADLINE);
	assert_false(s.out.alarms & ALARM_STOPPED_ITSELF);
}

static void file_that_has_had_its_run_does_not_hold_a_run_for_another_reason(void **state)
{
	SITE(s, 60);

	poll(&s);
	s.in.force_charge = true;
	poll(&s);
	engine(&s, ENGINE_LOADED);
	pass(&s, 14400);
	assert_int_equal(s.out.ended, AUTO_MAX_RUN);
	engine(&s, ENGINE_OFF);
	pass(&s, 3600);
	s.in.soc_pct.value = 20;
	assert_int_equal(polls(&s, 3).cause, AUTO_SOC);
	engine(&s, ENGINE_LOADED);
	s.in.soc_pct.value = 80;
	assert_int_equal(pass(&s, 900).wish, WISH_STOP);
	assert_int_equal(s.out.reason, AUTO_SOC_REACHED);
}

static void force_stop_in_cooldown_wins_over_a_new_force_charge(void **state)
{
	SITE(s, 85);

	run_by_soc(&s, 900);
	engine(&s, ENGINE_COOLDOWN);
	s.in.force_charge = s.in.force_stop = true;
	assert_int_equal(poll(&s).wish, WISH_STOP);
	s.in.force_stop = false;
	assert_int_equal(poll(&s).wish, WISH_RUN);
}

static void quiet_hours_end_a_run_for_load_or_exercise(void **state)
{
	SITE(s, 60);

	s.config.load_start_w = 4000;
	s.config.load_stop_w = 2000;
	s.config.quiet_from_min = 13 * 60; /* siesta */
	s.config.quiet_to_min = 15 * 60;
	s.in.load_w.value = 5000;
	assert_int_equal(polls(&s, 5).cause, AUTO_LOAD);
	engine(&s, ENGINE_LOADED);
	pass(&s, 900);
	s.local.hour = 13;
	assert_int_equal(poll(&s).wish, WISH_STOP);
	assert_int_equal(s.out.reason, AUTO_QUIET);
	engine(&s, ENGINE_OFF);
	s.local.hour = 15;
	assert_int_equal(pass(&s, 3660).cause, AUTO_LOAD);
	assert_int_equal(s.out.wish, WISH_RUN);
}

static void quiet_hours_end_an_exercise(void **state)
{
	SITE(s, 60);

	s.config.exercise_days = 7;
	s.config.exercise_hour = 12;
	s.config.quiet_from_min = 12 * 60 + 10;
	s.config.quiet_to_min = 15 * 60;
	poll(&s);
	assert_int_equal(s.out.cause, AUTO_EXERCISE);
	engine(&s, ENGINE_LOADED);
	assert_int_equal(pass(&s, 660).wish, WISH_RUN);
	s.local.minute = 10;
	assert_int_equal(poll(&s).reason, AUTO_QUIET);
	assert_int_equal(s.out.wish, WISH_STOP);
}

static void reading_from_the_future_is_no_reading(void **state)
{
	SITE(s, 5);

	s.polled_ms = s.now_ms + 60000;
	s.silent = true;
	assert_int_equal(poll(&s).reason, AUTO_NO_DATA);
}

static void charging_counts_from_the_first_reading_on_load_and_can_be_switched_off(void **state)
{
	SITE(s, UNKNOWN);
	SITE(t, 20);

	s.in.battery_mv.value = UNKNOWN;
	s.in.force_charge = true;
	poll(&s);
	engine(&s, ENGINE_LOADED);
	polls(&s, 2);
	s.in.soc_pct.value = 40;
	assert_false(pass(&s, 270).alarms & ALARM_NOT_CHARGING);
	assert_true(pass(&s, 60).alarms & ALARM_NOT_CHARGING);
	s.in.soc_pct.value = 41;
	assert_false(poll(&s).alarms & ALARM_NOT_CHARGING);

	t.config.charging.within_s = 0;
	run_by_soc(&t, 1200);
	assert_false(t.out.alarms & ALARM_NOT_CHARGING);
}

static void phase_of_a_newer_engine_node_is_shown_as_an_error(void **state)
{
	struct engine_truth e = { .link = true, .phase = ENGINE_NPHASES };

	assert_string_equal(autostart_state_word(&e), "ERROR");
}

static void every_pair_of_settings_that_contradict_each_other_is_named(void **state)
{
	struct autostart_config c = autostart_defaults;

	c.quiet_stop_pct = c.quiet_start_pct;
	assert_non_null(strstr(autostart_fault(&c), "quiet_stop"));
	c = autostart_defaults;
	c.voltage_start_mv = c.voltage_stop_mv;
	assert_non_null(strstr(autostart_fault(&c), "voltage_stop"));
	c.voltage_start_mv--;
	assert_null(autostart_fault(&c));
	c = autostart_defaults;
	c.load_start_w = c.load_stop_w = 3000;
	assert_non_null(strstr(autostart_fault(&c), "load_stop"));
	c.load_stop_w--;
	assert_null(autostart_fault(&c));
	c = autostart_defaults;
	c.exercise_s = c.max_run_s + 1;
	assert_null(autostart_fault(&c)); /* there is none */
	c.exercise_days = 7;
	assert_non_null(strstr(autostart_fault(&c), "exercise"));
	c.exercise_s--;
	assert_null(autostart_fault(&c));
}

#define T(name) cmocka_unit_test(name)

static const struct CMUnitTest tests[] = {
	T(single_bad_reading_starts_nothing),
	T(defect_d14_first_low_reading_waits_for_two_more),
	T(same_reading_seen_often_counts_once),
	T(quick_readings_still_take_the_minimum_time),
	T(soc_at_the_start_threshold_does_not_start),
	T(soc_at_the_stop_threshold_stops),
	T(impossible_soc_is_no_reading),
	T(stale_readings_start_nothing_and_alarm),
	T(defect_d13_max_run_counts_while_the_inverter_is_silent),
	T(silent_inverter_leaves_a_run_its_bounded_deadline),
	T(inverter_back_in_time_keeps_the_run),
	T(defect_0_7_restarted_monitor_stops_an_engine_running_at_90_percent),
	T(defect_d6_restarted_monitor_keeps_an_engine_running_at_20_percent),
	T(restart_in_every_phase_neither_stops_nor_doubles_a_start),
	T(restart_in_cooldown_lets_it_end_and_rests),
	T(rest_survives_a_restart_when_the_node_knows_the_last_stop),
	T(lost_link_is_no_stall),
	T(run_that_ended_while_the_link_was_down_ended_by_its_deadline),
	T(no_start_while_the_engine_is_out_of_sight),
	T(engine_that_stops_by_itself_rests_an_hour),
	T(engine_that_died_and_cranks_again_is_told_to_stop),
	T(defect_d5_and_0_6_lockout_is_shown_and_over_when_the_node_says_so),
	T(defect_0_6_files_still_count_after_a_lockout),
	T(force_stop_alone_prevents_a_start),
	T(force_stop_ends_a_run_at_once_and_wins_over_force_charge),
	T(force_charge_runs_at_99_percent_until_the_file_goes),
	T(force_charge_ends_at_max_run_and_one_file_is_one_run),
	T(force_charge_needs_no_inverter_and_no_rest),
	T(force_charge_in_cooldown_goes_back_on_load),
	T(an_operator_at_the_engine_node_outranks_us),
	T(engine_started_by_hand_is_left_alone),
	T(minimum_run_outlasts_an_early_stop),
	T(sun_that_fills_the_battery_before_the_crank_ends_the_start),
	T(max_run_is_not_stretched_by_a_run_clock_that_jumps_back),
	T(low_voltage_starts_after_its_delay_and_runs_to_its_own_stop),
	T(high_load_starts_and_its_end_stops_unless_soc_is_low),
	T(load_that_goes_away_stops),
	T(quiet_hours_wait_for_morning_or_the_floor),
	T(quiet_hours_have_a_floor_of_voltage_too),
	T(quiet_hours_do_not_apply_before_the_clock_is_set),
	T(exercise_runs_its_length_once),
	T(exercise_is_skipped_after_a_recent_run),
	T(exercise_needs_a_clock_a_day_and_data),
	T(exercise_that_failed_is_not_tried_again_by_a_clock_step),
	T(clock_steps_change_no_interval),
	T(order_that_is_not_obeyed_alarms),
	T(start_that_is_no_longer_needed_is_no_longer_asked_for),
	T(time_to_obey_counts_from_the_present_order),
	T(run_that_the_engine_node_ended_is_no_stall),
	T(low_readings_ten_minutes_apart_are_not_in_a_row),
	T(charging_is_proved_by_soc_or_voltage_within_five_minutes),
	T(charging_is_not_judged_without_readings_or_when_full),
	T(state_words_are_the_originals_six),
	T(contradictory_thresholds_are_named),
	T(run_that_the_node_stops_is_over_only_when_it_is_still),
	T(engine_that_died_and_rests_before_its_next_crank_is_told_to_stop),
	T(start_that_failed_is_told_and_asked_for_again),
	T(engine_found_running_with_a_force_charge_file_is_a_manual_run),
	T(operator_who_takes_over_a_run_of_ours_ends_our_part_in_it),
	T(maintenance_fault_and_an_engine_turned_by_others_forbid_a_start),
	T(file_from_before_the_monitors_start_waits_for_the_rest),
	T(run_whose_lease_is_gone_ends_by_the_last_order_the_node_heard),
	T(file_that_has_had_its_run_does_not_hold_a_run_for_another_reason),
	T(force_stop_in_cooldown_wins_over_a_new_force_charge),
	T(quiet_hours_end_a_run_for_load_or_exercise),
	T(quiet_hours_end_an_exercise),
	T(reading_from_the_future_is_no_reading),
	T(charging_counts_from_the_first_reading_on_load_and_can_be_switched_off),
	T(phase_of_a_newer_engine_node_is_shown_as_an_error),
	T(every_pair_of_settings_that_contradict_each_other_is_named),
};

int main(void)
{
	return cmocka_run_group_tests_name("autostart", tests, NULL, NULL);
}
