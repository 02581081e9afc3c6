/* Sequence, inputs and interlock together, against the seed's timing tables and its defects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/rig/rig.h"

static const struct start first = { .first = true, .by = BY_MONITOR };
enum { LIMIT_MS = 400000 };

static void expect_rows(const struct rig *r, const struct rig_row *want, int n)
{
	for (int i = 0; i < n; i++) {
		assert_true(i < r->nrows);
		assert_int_equal(r->rows[i].relays, want[i].relays);
		assert_in_range(r->rows[i].at_ms, want[i].at_ms, want[i].at_ms + 60);
	}
}

static int closings(const struct rig *r, uint8_t bit)
{
	int n = 0;

	for (int i = 0; i < r->nrows; i++)
		n += (r->rows[i].relays & bit) && (i == 0 || !(r->rows[i - 1].relays & bit));
	return n;
}

static void start(struct rig *r, int32_t catch_ms)
{
	rig_init(r);
	r->catch_ms = catch_ms;
	r->wish = SEQ_RUN;
}

static void load(struct rig *r)
{
	start(r, 2000);
	assert_true(rig_until(r, PHASE_LOADED, LIMIT_MS));
}

static void late_engine_gives_the_seeds_table_exactly(void **state)
{
	static const struct rig_row want[] = {
		{ 1000, 0x08 },
		{ 1500, 0x09 },
		{ 11500, 0x0d },
		{ 13500, 0x08 },
		{ 97500, 0x0a },
	};
	struct rig r;

	start(&r, 12000); /* catches as the starter lets go */
	rig_run(&r, 200000);
	assert_int_equal(r.nrows, 5);
	expect_rows(&r, want, 5);
	assert_int_equal(r.seq.phase, PHASE_LOADED);
}

static void a_start_on_an_input_that_never_falls_is_given_up(void **state)
{
	struct rig r;

	start(&r, 1000);
	r.extra = INPUT_STARTER;
	rig_run(&r, WAIT_MAX_MS);
	assert_int_equal(r.seq.phase, PHASE_WAIT);
	rig_run(&r, 60000);
	assert_int_equal(r.lock.relays, 0);
	assert_true(r.nevents > 0);
	assert_int_equal(r.events[0], SEQ_GAVE_UP);
}

static void defect_d1_starter_opens_as_soon_as_the_engine_runs(void **state)
{
	struct rig r;

	start(&r, 1000);
	assert_true(rig_until(&r, PHASE_COAST, LIMIT_MS));
	assert_int_equal(r.rows[1].relays, 0x09);
	assert_int_equal(r.rows[2].relays, 0x08);
	assert_in_range(r.rows[2].at_ms - r.rows[1].at_ms, 1000, 1000 + SAMPLE_CRANK_MS + 20);
	assert_true(rig_until(&r, PHASE_LOADED, LIMIT_MS));
	assert_int_equal(closings(&r, RELAY_STARTER), 1);
}

static void defect_d2_engine_that_dies_in_warm_up_never_gets_the_charger(void **state)
{
	struct rig r;

	start(&r, 1000);
	assert_true(rig_until(&r, PHASE_WARMUP, LIMIT_MS));
	r.die = true;
	rig_run(&r, 20000);
	assert_int_equal(closings(&r, RELAY_CHARGER), 0);
	assert_int_equal(r.lock.relays, 0);
	assert_true(rig_told(&r, ALARM_UNEXPECTED_STOP));
}

static void defect_d3_stop_while_idle_changes_no_relay(void **state)
{
	struct rig r;

	rig_init(&r);
	r.wish = SEQ_REST;
	rig_run(&r, 200000);
	assert_int_equal(r.nrows, 0);
}

static void defect_d4_dead_bus_while_cranking_opens_the_starter(void **state)
{
	struct rig r;

	start(&r, INT32_MAX);
	assert_true(rig_until(&r, PHASE_CRANK, LIMIT_MS));
	r.fault = SAMPLE_ERROR;
	rig_run(&r, BAD_MS + 100);
	assert_int_equal(r.lock.relays & RELAY_STARTER, 0);
}

static void defect_d4_phase_never_advances_on_an_unacknowledged_write(void **state)
{
	struct rig r;

	start(&r, 2000);
	assert_true(rig_until(&r, PHASE_IGNITION, LIMIT_MS));
	r.deaf = true;
	rig_run(&r, 3000);
	assert_int_not_equal(r.seq.phase, PHASE_CRANK);
	assert_false(r.lock.known);
	r.deaf = false;
	rig_run(&r, 3000);
	assert_int_equal(r.contacts, 0);
	assert_true(r.lock.ledger.latches >> ALARM_OUTPUT_UNKNOWN & 1);
}

static void defect_d8_stop_while_cranking_opens_every_relay_at_once(void **state)
{
	struct rig r;

	start(&r, INT32_MAX);
	assert_true(rig_until(&r, PHASE_CRANK, LIMIT_MS));
	rig_run(&r, 5000);
	r.wish = SEQ_REST;
	rig_run(&r, 10);
	assert_int_equal(r.lock.relays, 0);
	rig_run(&r, 60000);
	assert_int_equal(r.rows[r.nrows - 1].relays, 0);
	assert_int_equal(closings(&r, RELAY_STARTER), 1);
}

static void defect_d12_in3_noise_leaves_a_running_engine_running(void **state)
{
	struct rig r;

	load(&r);
	r.extra = INPUT_IN3;
	rig_run(&r, 60000);
	assert_int_equal(r.seq.phase, PHASE_LOADED);
	assert_int_equal(r.lock.relays, 0x0a);
}

static void stop_on_load_cools_down_180_s_then_opens_all(void **state)
{
	struct rig r;
	int n;
	int64_t at_ms;

	load(&r);
	n = r.nrows;
	at_ms = r.now_ms - r.zero_ms;
	r.wish = SEQ_REST;
	assert_true(rig_until(&r, PHASE_OFF, LIMIT_MS));
	assert_int_equal(r.rows[n].relays, 0x08);
	assert_in_range(r.rows[n].at_ms, at_ms, at_ms + 20);
	assert_int_equal(r.rows[n + 1].relays, 0x00);
	assert_in_range(r.rows[n + 1].at_ms - r.rows[n].at_ms, 180000, 180060);
	assert_int_equal(r.nrows, n + 2);
	assert_int_equal(r.events[r.nevents - 1], SEQ_STOPPED);
}

/* An order may still be on its way to the board when a stop ends its phase. */
static void stop_writes_over_a_charger_order_that_was_under_way(void **state)
{
	struct sequence s;
	struct inputs_view v = { .run = true, .running = true, .run_ms = 100000, .x = 3 };
	struct seq_in in = { .in = &v, .acked = RELAY_IGNITION, .wish = SEQ_RUN };
	struct seq_out out;

	seq_init(&s, &rig_defaults, 0);
	seq_adopt(&s, PHASE_STABILISE, 0, RELAY_IGNITION);
	assert_int_equal(seq_step(&s, &in, 20000).relays, RELAY_IGNITION | RELAY_CHARGER);
	in.wish = SEQ_REST;
	seq_step(&s, &in, 20001);
	assert_int_equal(s.phase, PHASE_COOLDOWN);
	in.acked = RELAY_IGNITION | RELAY_CHARGER; /* the late order */
	out = seq_step(&s, &in, 20002);
	assert_true(out.write);
	assert_int_equal(out.relays, RELAY_IGNITION);
	in.acked = RELAY_IGNITION;
	seq_step(&s, &in, 20010);
	seq_step(&s, &in, 20009 + rig_defaults.cooldown_ms);
	assert_int_equal(s.phase, PHASE_COOLDOWN);
	assert_int_equal(seq_step(&s, &in, 20010 + rig_defaults.cooldown_ms).relays, 0);
}

static void stop_writes_over_an_ignition_order_that_was_under_way(void **state)
{
	struct sequence s;
	struct inputs_view v = { .still_ms = 60000 };
	struct seq_in in = {
		.in = &v, .wish = SEQ_RUN, .permit = PERMIT_GRANTED, .attempts = 1
	};
	struct seq_out out = { 0 };

	seq_init(&s, &rig_defaults, 0);
	for (int64_t now_ms = 60000; out.relays != RELAY_IGNITION; now_ms += 100) {
		in.acks++;
		out = seq_step(&s, &in, now_ms);
		assert_true(now_ms < 70000);
	}
	in.wish = SEQ_REST;
	seq_step(&s, &in, 70000);
	in.acked = RELAY_IGNITION; /* the late order */
	out = seq_step(&s, &in, 70001);
	assert_true(out.write);
	assert_int_equal(out.relays, 0);
}

static void request_in_cool_down_goes_back_on_load_through_stabilise(void **state)
{
	struct rig r;
	int n;

	load(&r);
	r.wish = SEQ_REST;
	rig_run(&r, 50000);
	n = r.nrows;
	r.wish = SEQ_RUN;
	assert_true(rig_until(&r, PHASE_LOADED, LIMIT_MS));
	assert_int_equal(r.rows[n].relays, 0x0a);
	assert_in_range(r.rows[n].at_ms - r.rows[n - 1].at_ms, 69000, 71000);
}

static void three_failed_attempts_lock_out_and_retry_by_themselves_twice_a_day(void **state)
{
	struct rig r;

	start(&r, INT32_MAX);
	rig_run(&r, 300000);
	assert_int_equal(closings(&r, RELAY_STARTER), 3);
	assert_true(r.lock.ledger.latches >> ALARM_FAIL_TO_START & 1);
	assert_int_equal(r.events[r.nevents - 2], SEQ_GAVE_UP);
	for (int retry = 1; retry <= 3; retry++) {
		r.wish = SEQ_RUN;
		rig_run(&r, 3000000);
		r.wish = SEQ_RUN;
		rig_run(&r, 700000);
		r.wish = SEQ_RUN;
		rig_run(&r, 600000);
	}
	assert_int_equal(closings(&r, RELAY_STARTER), 9); /* two retries, three pulses each */
	assert_true(r.lock.ledger.latches >> ALARM_FAIL_TO_START & 1);
}

static void pulses_that_end_a_little_late_leave_room_for_all_attempts(void **state)
{
	struct rig r;

	start(&r, INT32_MAX);
	r.lag_ms = 50;
	rig_run(&r, 300000);
	assert_int_equal(closings(&r, RELAY_STARTER), 3);
	assert_true(r.lock.ledger.latches >> ALARM_FAIL_TO_START & 1);
}

static void spent_starter_budget_is_a_rest_whose_end_is_known(void **state)
{
	struct rig r;

	start(&r, INT32_MAX);
	r.attempts = 1;
	r.config.between_runs_ms = 0;
	for (int i = 0; i < 3; i++) {
		r.wish = SEQ_RUN;
		rig_run(&r, 60000);
		r.lock.ledger.failed = 0; /* no lockout: only the budget stands */
		r.lock.ledger.latches = 0;
	}
	assert_int_equal(closings(&r, RELAY_STARTER), 3);
	assert_in_range(interlock_ready_ms(&r.lock) - r.now_ms, 400000, 600000);
	assert_int_equal(interlock_begin(&r.lock, &first, r.now_ms), BEGIN_REST);
	rig_run(&r, interlock_ready_ms(&r.lock) - r.now_ms);
	assert_int_equal(interlock_begin(&r.lock, &first, r.now_ms), BEGIN_OK);
}

static void pulses_rest_at_least_15_s_and_none_is_longer_than_12_s(void **state)
{
	struct rig r;
	int64_t closed_ms = 0, opened_ms = -100000;

	start(&r, INT32_MAX);
	rig_run(&r, 300000);
	for (int i = 1; i < r.nrows; i++) {
		bool is = r.rows[i].relays & RELAY_STARTER,
		     was = r.rows[i - 1].relays & RELAY_STARTER;

		if (is && !was) {
			closed_ms = r.rows[i].at_ms;
			assert_true(closed_ms - opened_ms < 0 ||
				    closed_ms - opened_ms >= 15000 || i < 3);
		} else if (was && !is) {
			opened_ms = r.rows[i].at_ms;
			assert_in_range(opened_ms - closed_ms, 0, 12060);
		}
	}
}

static void engine_lost_on_load_opens_the_charger_first_then_everything(void **state)
{
	struct rig r;
	int n;
	int64_t at_ms;

	load(&r);
	n = r.nrows;
	r.die = true;
	at_ms = r.now_ms - r.zero_ms;
	rig_run(&r, 10000);
	assert_int_equal(r.rows[n].relays, 0x08);
	assert_in_range(r.rows[n].at_ms - at_ms, 0, 250);
	assert_int_equal(r.rows[n + 1].relays, 0x00);
	assert_in_range(r.rows[n + 1].at_ms - at_ms, 6000, 6300);
	assert_true(rig_told(&r, ALARM_UNEXPECTED_STOP));
}

static void zero_on_load_with_a_silent_canary_is_not_a_dead_engine_for_six_seconds(void **state)
{
	struct rig r;

	load(&r);
	r.raw = 0;
	rig_run(&r, 5500);
	assert_int_equal(r.lock.relays, 0x08); /* the charger is open, the engine is held */
	rig_run(&r, 1500);
	assert_int_equal(r.lock.relays, 0);
	assert_true(r.lock.ledger.latches >> ALARM_IGN_FEEDBACK & 1);
}

static void stuck_bus_on_load_holds_the_engine(void **state)
{
	struct rig r;

	load(&r);
	r.raw = 0;
	r.fault = SAMPLE_STUCK;
	r.lossy = true;
	rig_run(&r, 60000);
	assert_int_equal(r.lock.relays, 0x08);
	assert_int_equal(r.contacts, 0x0a);
	assert_true(rig_told(&r, ALARM_MODIO_LOST));
	r.raw = -1;
	r.fault = SAMPLE_OK;
	r.lossy = false;
	rig_run(&r, 200);
	assert_int_equal(r.contacts, 0x08); /* the lost opening is written again */
	assert_true(rig_until(&r, PHASE_LOADED, LIMIT_MS));
}

static void bus_stuck_while_cranking_is_told_to_open_until_it_hears(void **state)
{
	struct rig r;

	start(&r, INT32_MAX);
	assert_true(rig_until(&r, PHASE_CRANK, LIMIT_MS));
	r.raw = 0;
	r.fault = SAMPLE_STUCK;
	r.lossy = true;
	rig_run(&r, 20000);
	assert_false(r.lock.known);
	r.lossy = false;
	rig_run(&r, 1100);
	assert_int_equal(r.contacts, 0);
	r.raw = -1;
	r.fault = SAMPLE_OK;
	rig_run(&r, 1100);
	assert_true(r.lock.known);
}

static void automatic_starts_left_off_are_told_after_ten_minutes(void **state)
{
	struct rig r;

	rig_init(&r);
	assert_int_equal(interlock_mode(&r.lock, MODE_OPERATOR_STOP), 0);
	rig_run(&r, 599000);
	assert_false(rig_told(&r, ALARM_AUTO_DISABLED));
	rig_run(&r, 4000);
	assert_true(rig_told(&r, ALARM_AUTO_DISABLED));
	assert_int_equal(interlock_mode(&r.lock, MODE_AUTO), 0);
	rig_run(&r, 2000);
	assert_false(r.lock.alarms >> ALARM_AUTO_DISABLED & 1);
}

static void wedged_bus_that_reads_zero_never_cranks_a_running_engine(void **state)
{
	struct rig r;

	rig_init(&r);
	r.turning = r.run_on = true; /* somebody started it by hand */
	r.raw = 0;
	r.wish = SEQ_RUN;
	rig_run(&r, 120000);
	assert_int_equal(closings(&r, RELAY_STARTER), 0);
	assert_int_equal(r.lock.relays, 0);
}

static void engine_that_runs_by_itself_is_never_cranked(void **state)
{
	struct rig r;

	rig_init(&r);
	r.turning = r.run_on = true;
	r.wish = SEQ_RUN;
	rig_run(&r, 120000);
	assert_int_equal(r.nrows, 0);
	assert_true(rig_told(&r, ALARM_EXTERNAL_RUN));
	assert_int_equal(r.lock.ledger.failed, 0);
}

static void welded_starter_cuts_the_fuel_and_latches(void **state)
{
	struct rig r;

	start(&r, 2000);
	r.weld = true;
	rig_run(&r, 60000);
	assert_int_equal(r.lock.relays, 0);
	assert_true(r.lock.ledger.latches >> ALARM_STARTER_STUCK & 1);
	assert_int_equal(interlock_clear(&r.lock), ALARM_STARTER_STUCK);
}

static void starter_without_feedback_is_given_up_after_a_second(void **state)
{
	struct rig r;

	start(&r, INT32_MAX);
	r.no_starter_wire = true;
	assert_true(rig_until(&r, PHASE_CRANK, LIMIT_MS));
	rig_run(&r, 1100);
	assert_int_equal(r.lock.relays, 0);
	rig_run(&r, 100000);
	assert_int_equal(closings(&r, RELAY_STARTER), 1);
	assert_true(r.lock.ledger.latches >> ALARM_STARTER_NO_FEEDBACK & 1);
}

static void brown_out_in_a_pulse_is_not_followed_by_a_second_strike(void **state)
{
	struct rig r;
	int64_t at_ms;

	start(&r, INT32_MAX);
	assert_true(rig_until(&r, PHASE_CRANK, LIMIT_MS));
	rig_run(&r, 2000);
	r.contacts = 0; /* the board has reset itself; the host does not know */
	at_ms = r.now_ms;
	rig_run(&r, 100);
	assert_int_equal(r.lock.relays, 0);
	while (!(r.contacts & RELAY_STARTER) && r.now_ms < at_ms + 60000)
		rig_run(&r, 10);
	assert_in_range(r.now_ms - at_ms, 15000, 40000);
}

static void missing_ignition_feedback_never_closes_the_starter(void **state)
{
	struct rig r;

	start(&r, 2000);
	assert_true(rig_until(&r, PHASE_IGNITION, LIMIT_MS));
	r.raw = 0;
	rig_run(&r, 60000);
	assert_int_equal(closings(&r, RELAY_STARTER), 0);
	assert_int_equal(r.lock.relays, 0);
	assert_true(r.lock.ledger.latches >> ALARM_IGN_FEEDBACK & 1);
}

static void silent_control_opens_the_starter_and_comes_down_after_a_minute(void **state)
{
	struct rig r;

	start(&r, INT32_MAX);
	assert_true(rig_until(&r, PHASE_CRANK, LIMIT_MS));
	r.frozen = true;
	interlock_orphan(&r.lock, true, r.now_ms);
	rig_run(&r, 30);
	assert_int_equal(r.lock.relays & RELAY_STARTER, 0);
	rig_run(&r, 40000);
	assert_int_equal(r.lock.relays, 0); /* F2: nothing runs, so nothing burns */

	load(&r);
	r.frozen = true;
	interlock_orphan(&r.lock, true, r.now_ms);
	rig_run(&r, 59000);
	assert_int_equal(r.lock.relays, 0x0a);
	rig_run(&r, 2000);
	assert_int_equal(r.lock.relays, 0x08);
	rig_run(&r, 181000);
	assert_int_equal(r.lock.relays, 0);
}

static void a_run_ends_at_its_wall_whatever_control_does(void **state)
{
	struct rig r;

	load(&r);
	r.frozen = true;
	interlock_deadline(&r.lock, INT64_MAX);
	rig_run(&r, r.config.max_run_ms);
	assert_int_equal(r.lock.relays, 0x08);
	assert_true(r.lock.alarms >> ALARM_MAX_RUN & 1);
	rig_run(&r, 181000);
	assert_int_equal(r.lock.relays, 0);
	assert_true(interlock_ready_ms(&r.lock) > r.now_ms);
}

static void hostile_bytes_cannot_skip_the_cool_down_or_crank_a_running_engine(void **state)
{
	struct rig r;

	load(&r);
	for (int want = 0; want < 256; want++) {
		enum rule rule = interlock_gate(&r.lock, (uint8_t)want, r.now_ms);

		assert_true(rule != RULE_NONE || want == 0x08 || want == 0x0a);
	}
}

static void defect_d6_d9_guard_restarted_on_load_adopts_its_engine(void **state)
{
	struct rig r;

	load(&r);
	rig_restart(&r);
	assert_int_equal(r.lock.relays, 0x08);
	assert_true(r.turning);
	assert_true(rig_until(&r, PHASE_LOADED, LIMIT_MS));
	assert_int_equal(closings(&r, RELAY_STARTER), 1);
}

static void adopted_run_goes_back_on_load_only_when_somebody_asks_for_it(void **state)
{
	struct rig r;

	load(&r);
	rig_restart(&r);
	r.in.no_load = true;
	rig_run(&r, 300000);
	assert_int_equal(r.seq.phase, PHASE_STABILISE);
	assert_int_equal(r.lock.relays, 0x08);
	r.in.no_load = false;
	assert_true(rig_until(&r, PHASE_LOADED, 1000));
}

static void operators_run_survives_a_restart_of_the_guard(void **state)
{
	struct rig r;

	load(&r);
	assert_int_equal(interlock_mode(&r.lock, MODE_OPERATOR_RUN), 0);
	rig_restart(&r);
	assert_int_equal(r.lock.ledger.mode, MODE_OPERATOR_RUN);
	assert_int_equal(r.lock.relays, 0x08);
}

static void guard_restarted_while_cranking_opens_everything_and_rests(void **state)
{
	struct rig r;
	int64_t at_ms;

	start(&r, INT32_MAX);
	assert_true(rig_until(&r, PHASE_CRANK, LIMIT_MS));
	rig_restart(&r);
	assert_int_equal(r.lock.relays, 0);
	at_ms = r.now_ms;
	while (!(r.contacts & RELAY_STARTER) && r.now_ms < at_ms + 60000)
		rig_run(&r, 10);
	assert_true(r.now_ms - at_ms >= 15000);
}

static void emergency_stop_opens_everything_and_holds_over_a_restart(void **state)
{
	struct rig r;

	load(&r);
	interlock_estop(&r.lock);
	rig_run(&r, 110);
	assert_int_equal(r.lock.relays, 0);
	rig_restart(&r);
	r.wish = SEQ_RUN;
	rig_run(&r, 700000);
	assert_int_equal(r.lock.relays, 0);
	assert_int_equal(interlock_mode(&r.lock, MODE_AUTO), -1);
	assert_int_equal(interlock_clear(&r.lock), 0);
	assert_int_equal(r.lock.ledger.mode, MODE_OFF);
}

static void run_on_after_stop_is_fail_to_stop_and_forbids_a_start(void **state)
{
	struct rig r;

	load(&r);
	r.run_on = true;
	r.wish = SEQ_REST;
	rig_run(&r, 180000 + 61500);
	assert_true(rig_told(&r, ALARM_FAIL_TO_STOP));
	assert_int_equal(r.seq.phase, PHASE_STOPPING);
	assert_int_equal(interlock_clear(&r.lock), ALARM_FAIL_TO_STOP);
}

static void second_unexpected_stop_within_an_hour_latches(void **state)
{
	struct rig r;

	load(&r);
	r.die = true;
	rig_run(&r, 10000);
	assert_int_equal(r.lock.ledger.latches, 0);
	r.die = false;
	r.wish = SEQ_REST;
	rig_run(&r, 600000);
	r.wish = SEQ_RUN;
	assert_true(rig_until(&r, PHASE_LOADED, LIMIT_MS));
	r.die = true;
	rig_run(&r, 10000);
	assert_true(r.lock.ledger.latches >> ALARM_UNEXPECTED_STOP & 1);
}

static void glow_modes_change_only_the_glow(void **state)
{
	static const struct rig_row off[] = { { 1000, 0x08 }, { 1500, 0x09 }, { 11500, 0x08 } };
	static const struct rig_row pre[] = { { 1000, 0x0c }, { 11500, 0x09 },
		{ 21500, 0x08 } };
	struct rig r;

	start(&r, INT32_MAX);
	r.config.glow_mode = GLOW_OFF;
	rig_run(&r, 55000);
	expect_rows(&r, off, 3);
	start(&r, INT32_MAX);
	r.config.glow_mode = GLOW_PREHEAT;
	rig_run(&r, 55000);
	expect_rows(&r, pre, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_engine_gives_the_seeds_table_exactly),
		cmocka_unit_test(a_start_on_an_input_that_never_falls_is_given_up),
		cmocka_unit_test(defect_d1_starter_opens_as_soon_as_the_engine_runs),
		cmocka_unit_test(defect_d2_engine_that_dies_in_warm_up_never_gets_the_charger),
		cmocka_unit_test(defect_d3_stop_while_idle_changes_no_relay),
		cmocka_unit_test(defect_d4_dead_bus_while_cranking_opens_the_starter),
		cmocka_unit_test(defect_d4_phase_never_advances_on_an_unacknowledged_write),
		cmocka_unit_test(defect_d8_stop_while_cranking_opens_every_relay_at_once),
		cmocka_unit_test(defect_d12_in3_noise_leaves_a_running_engine_running),
		cmocka_unit_test(stop_on_load_cools_down_180_s_then_opens_all),
		cmocka_unit_test(stop_writes_over_a_charger_order_that_was_under_way),
		cmocka_unit_test(stop_writes_over_an_ignition_order_that_was_under_way),
		cmocka_unit_test(request_in_cool_down_goes_back_on_load_through_stabilise),
		cmocka_unit_test(
		    three_failed_attempts_lock_out_and_retry_by_themselves_twice_a_day),
		cmocka_unit_test(pulses_that_end_a_little_late_leave_room_for_all_attempts),
		cmocka_unit_test(spent_starter_budget_is_a_rest_whose_end_is_known),
		cmocka_unit_test(pulses_rest_at_least_15_s_and_none_is_longer_than_12_s),
		cmocka_unit_test(engine_lost_on_load_opens_the_charger_first_then_everything),
		cmocka_unit_test(
		    zero_on_load_with_a_silent_canary_is_not_a_dead_engine_for_six_seconds),
		cmocka_unit_test(stuck_bus_on_load_holds_the_engine),
		cmocka_unit_test(bus_stuck_while_cranking_is_told_to_open_until_it_hears),
		cmocka_unit_test(automatic_starts_left_off_are_told_after_ten_minutes),
		cmocka_unit_test(wedged_bus_that_reads_zero_never_cranks_a_running_engine),
		cmocka_unit_test(engine_that_runs_by_itself_is_never_cranked),
		cmocka_unit_test(welded_starter_cuts_the_fuel_and_latches),
		cmocka_unit_test(starter_without_feedback_is_given_up_after_a_second),
		cmocka_unit_test(brown_out_in_a_pulse_is_not_followed_by_a_second_strike),
		cmocka_unit_test(missing_ignition_feedback_never_closes_the_starter),
		cmocka_unit_test(
		    silent_control_opens_the_starter_and_comes_down_after_a_minute),
		cmocka_unit_test(a_run_ends_at_its_wall_whatever_control_does),
		cmocka_unit_test(
		    hostile_bytes_cannot_skip_the_cool_down_or_crank_a_running_engine),
		cmocka_unit_test(defect_d6_d9_guard_restarted_on_load_adopts_its_engine),
		cmocka_unit_test(adopted_run_goes_back_on_load_only_when_somebody_asks_for_it),
		cmocka_unit_test(operators_run_survives_a_restart_of_the_guard),
		cmocka_unit_test(guard_restarted_while_cranking_opens_everything_and_rests),
		cmocka_unit_test(emergency_stop_opens_everything_and_holds_over_a_restart),
		cmocka_unit_test(run_on_after_stop_is_fail_to_stop_and_forbids_a_start),
		cmocka_unit_test(second_unexpected_stop_within_an_hour_latches),
		cmocka_unit_test(glow_modes_change_only_the_glow),
	};

	return cmocka_run_group_tests_name("sequence", tests, NULL, NULL);
}
