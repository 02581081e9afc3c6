/* Gate and watch alone (control silent or hostile), and the sequence alone (no guard). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/rig/rig.h"

static const struct start first = { .first = true, .by = BY_MONITOR };
enum { LIMIT_MS = 400000, RANDOM_STEPS = 200000 };

static void reach(struct rig *r, enum phase phase, int32_t catch_ms)
{
	rig_init(r);
	r->catch_ms = catch_ms;
	r->wish = SEQ_RUN;
	assert_true(rig_until(r, phase, LIMIT_MS));
	r->frozen = true;
}

static void defect_d1_running_engine_drops_the_starter_without_control(void **state)
{
	struct rig r;

	reach(&r, PHASE_CRANK, 1000);
	rig_run(&r, 1000 + SAMPLE_CRANK_MS + 20);
	assert_int_equal(r.lock.relays, RELAY_IGNITION);
}

static void defect_d1_sequence_ends_the_crank_without_the_guard(void **state)
{
	struct rig r;

	rig_init(&r);
	r.unguarded = true;
	r.catch_ms = 1000;
	r.wish = SEQ_RUN;
	assert_true(rig_until(&r, PHASE_CRANK, LIMIT_MS));
	rig_run(&r, 1000 + SAMPLE_CRANK_MS + 20);
	assert_int_equal(r.contacts, RELAY_IGNITION);
}

static void defect_d2_engine_lost_in_warm_up_is_noticed_without_control(void **state)
{
	struct rig r;

	reach(&r, PHASE_WARMUP, 1000);
	r.die = true;
	rig_run(&r, r.config.lost_ms + 200);
	assert_int_equal(r.lock.relays, 0);
}

static void defect_d3_sequence_alone_closes_nothing_on_a_stop_before_the_start(void **state)
{
	struct rig r;

	rig_init(&r);
	r.unguarded = true;
	r.wish = SEQ_RUN;
	assert_true(rig_until(&r, PHASE_WAIT, LIMIT_MS));
	r.wish = SEQ_REST;
	rig_run(&r, 200000);
	assert_int_equal(r.nrows, 0);
}

static void defect_d4_dead_bus_while_cranking_opens_the_starter_without_control(void **state)
{
	struct rig r;

	reach(&r, PHASE_CRANK, INT32_MAX);
	r.fault = SAMPLE_ERROR;
	rig_run(&r, BAD_MS + 50);
	assert_int_equal(r.lock.relays, 0);
}

static void crank_ends_by_time_without_control(void **state)
{
	struct rig r;

	reach(&r, PHASE_CRANK, INT32_MAX);
	rig_run(&r, 12000 + 100);
	assert_int_equal(r.lock.relays & RELAY_STARTER, 0);
}

static void ignition_closes_only_under_a_permit(void **state)
{
	struct rig r;

	rig_init(&r);
	rig_run(&r, 20000);
	r.frozen = true;
	assert_int_equal(rig_ask(&r, 0x08), RULE_F1);
	assert_int_equal(rig_ask(&r, 0x02), RULE_C1);
	assert_int_equal(rig_ask(&r, 0x04), RULE_G1);
	assert_int_equal(rig_ask(&r, 0x01), RULE_S1);
	assert_int_equal(rig_ask(&r, 0x0b), RULE_S1);
	assert_int_equal(rig_ask(&r, 0x80), RULE_P2);
	assert_int_equal(rig_ask(&r, 0x00), RULE_NONE);
}

static void ignition_stays_open_on_a_bad_sample(void **state)
{
	struct rig r;

	reach(&r, PHASE_RESET, INT32_MAX);
	r.fault = SAMPLE_ERROR;
	rig_run(&r, SAMPLE_IDLE_MS);
	assert_int_equal(rig_ask(&r, 0x08), RULE_I2);
}

/* It caught each time, so that the guard proved it for a moment. */
static void engine_that_stalls_in_every_coast_is_locked_out(void **state)
{
	struct rig r;

	rig_init(&r);
	r.catch_ms = 1000;
	r.wish = SEQ_RUN;
	for (int i = 0; i < r.config.attempts; i++) {
		r.die = false;
		assert_true(rig_until(&r, PHASE_COAST, LIMIT_MS));
		rig_run(&r, 1000);
		assert_true(r.lock.proved);
		r.die = true;
		rig_run(&r, r.config.coast_ms);
	}
	assert_true(r.lock.ledger.latches >> ALARM_FAIL_TO_START & 1);
}

/* Whoever leaves maintenance within the 10 s leaves nothing closed, not even on an engine
 * that the raw bytes have started. */
static void raw_bytes_end_with_maintenance(void **state)
{
	struct rig r;

	rig_init(&r);
	r.frozen = true;
	rig_run(&r, 20000);
	assert_int_equal(interlock_mode(&r.lock, MODE_MAINTENANCE), 0);
	r.lock.raw_ms = r.now_ms;
	assert_int_equal(rig_ask(&r, RELAY_IGNITION), RULE_NONE);
	r.turning = true;
	rig_run(&r, 2000);
	assert_true(r.lock.proved);
	assert_int_equal(interlock_mode(&r.lock, MODE_OFF), 0);
	rig_run(&r, 2 * SAMPLE_ACTIVE_MS);
	assert_int_equal(r.lock.relays, 0);
}

static void zero_that_a_stuck_bus_swallowed_is_said_again(void **state)
{
	struct rig r;

	reach(&r, PHASE_LOADED, 1000);
	r.fault = SAMPLE_STUCK;
	r.lossy = true;
	interlock_estop(&r.lock);
	rig_run(&r, 2 * SAMPLE_ACTIVE_MS);
	assert_int_equal(r.lock.relays, 0);
	assert_int_equal(r.contacts, RELAY_IGNITION | RELAY_CHARGER);
	r.fault = SAMPLE_OK;
	r.lossy = false;
	rig_run(&r, 2 * SAMPLE_IDLE_MS);
	assert_int_equal(r.contacts, 0);
}

static void engine_is_not_proved_while_samples_are_bad(void **state)
{
	struct rig r;

	reach(&r, PHASE_COAST, 1000);
	rig_run(&r, RUN_DEBOUNCE_MS - 2 * SAMPLE_ACTIVE_MS);
	r.fault = SAMPLE_ERROR;
	rig_run(&r, 2000);
	assert_false(r.lock.proved);
	r.fault = SAMPLE_OK;
	rig_run(&r, 2 * SAMPLE_ACTIVE_MS);
	assert_true(r.lock.proved);
}

static void one_permit_is_one_pulse(void **state)
{
	struct rig r;

	reach(&r, PHASE_CRANK, INT32_MAX);
	rig_run(&r, 100);
	assert_int_equal(rig_ask(&r, 0x08), RULE_NONE);
	rig_run(&r, 16000);
	assert_int_equal(rig_ask(&r, 0x09), RULE_S6);
}

static void charger_waits_for_warm_up_and_stabilise(void **state)
{
	struct rig r;

	reach(&r, PHASE_WARMUP, 1000);
	assert_int_equal(rig_ask(&r, 0x0a), RULE_C1);
	rig_run(&r, 70000);
	assert_int_equal(rig_ask(&r, 0x0a), RULE_C1);
	rig_run(&r, 11000);
	assert_int_equal(rig_ask(&r, 0x0a), RULE_NONE);
}

static void ignition_holds_through_the_cool_down_whatever_control_asks(void **state)
{
	struct rig r;

	reach(&r, PHASE_LOADED, 1000);
	assert_int_equal(rig_ask(&r, 0x00), RULE_C2);
	assert_int_equal(rig_ask(&r, 0x08), RULE_NONE);
	rig_run(&r, 170000);
	assert_int_equal(rig_ask(&r, 0x00), RULE_C2);
	rig_run(&r, 10100);
	assert_int_equal(rig_ask(&r, 0x00), RULE_NONE);
}

static void charger_opened_by_a_sag_stays_open_30_s(void **state)
{
	struct rig r;

	reach(&r, PHASE_LOADED, 1000);
	r.config.warmup_ms = r.config.stabilise_ms = 0;
	r.raw = INPUT_IGNITION;
	rig_run(&r, 300);
	assert_int_equal(r.lock.relays, 0x08);
	r.raw = -1;
	rig_run(&r, 20000);
	assert_int_equal(rig_ask(&r, 0x0a), RULE_C4);
	rig_run(&r, 11000);
	assert_int_equal(rig_ask(&r, 0x0a), RULE_NONE);
}

static void maintenance_takes_raw_bytes_for_ten_seconds_and_never_the_charger(void **state)
{
	struct rig r;

	rig_init(&r);
	rig_run(&r, 20000);
	r.frozen = true;
	r.catch_ms = INT32_MAX;
	assert_int_equal(interlock_mode(&r.lock, MODE_MAINTENANCE), 0);
	assert_int_equal(rig_ask(&r, 0x09), RULE_S2);
	assert_int_equal(rig_ask(&r, 0x08), RULE_NONE);
	r.lock.raw_ms = r.now_ms;
	assert_int_equal(rig_ask(&r, 0x0a), RULE_L3);
	rig_run(&r, 500);
	assert_int_equal(rig_ask(&r, 0x09), RULE_NONE);
	rig_run(&r, 9700);
	assert_int_equal(r.lock.relays, 0);
	assert_int_equal(interlock_mode(&r.lock, MODE_AUTO), -1);
	assert_int_equal(interlock_mode(&r.lock, MODE_OFF), 0);
}

static void every_latch_opens_everything_and_blocks_a_start(void **state)
{
	struct rig r;

	for (int a = 0; a < ALARM_N; a++) {
		if (!alarm_info[a].latched)
			continue;
		reach(&r, PHASE_LOADED, 1000);
		interlock_raise(&r.lock, (enum alarm)a);
		rig_run(&r, 110);
		assert_int_equal(r.lock.relays, 0);
		rig_run(&r, 700000);
		assert_int_equal(interlock_begin(&r.lock, &first, r.now_ms), BEGIN_LATCHED);
	}
}

static void starts_are_limited_to_four_an_hour_and_ten_minutes_apart(void **state)
{
	struct rig r;
	int begun = 0;

	rig_init(&r);
	r.frozen = true;
	for (int minute = 0; minute < 60; minute++) {
		rig_run(&r, 60000);
		if (interlock_begin(&r.lock, &first, r.now_ms) == BEGIN_OK) {
			begun++;
			r.lock.ledger.failed = 0;
			r.lock.ledger.pulses[0].ms = 0;
		}
	}
	assert_int_equal(begun, 4);
}

static void ledger_of_another_boot_counts_no_age(void **state)
{
	struct rig r;
	struct ledger l;

	reach(&r, PHASE_LOADED, 1000);
	l = r.lock.ledger;
	l.stopped_ms = 5;
	ledger_rebase(&l, r.now_ms);
	interlock_init(&r.lock, &r.config, &l, r.now_ms);
	assert_true(interlock_ready_ms(&r.lock) >= r.now_ms + r.config.between_runs_ms);
}

struct judge { /* the least that must hold of any trace, from the rules' text alone */
	int64_t closed_ms, opened_ms, charger_ms, both_ms;
	uint8_t relays;
	bool loaded;
};

static void judge_tick(struct judge *j, const struct rig *r)
{
	uint8_t rose = r->contacts & ~j->relays, fell = j->relays & ~r->contacts;

	if (rose & RELAY_STARTER) {
		assert_false(r->turning);
		assert_true(
		    j->opened_ms == 0 || r->now_ms - j->opened_ms >= r->config.crank_rest_ms);
		j->closed_ms = r->now_ms;
	}
	if (fell & RELAY_STARTER)
		j->opened_ms = r->now_ms;
	if (r->contacts & RELAY_STARTER) {
		assert_true(r->now_ms - j->closed_ms <= crank_total_ms(&r->config) + 100);
		assert_true(r->contacts & RELAY_IGNITION);
		assert_false(r->contacts & RELAY_CHARGER);
		j->both_ms = r->turning ? j->both_ms + 10 : 0;
		assert_true(j->both_ms <= 100);
	}
	if (rose & RELAY_CHARGER)
		assert_true(r->turning && (r->contacts & RELAY_IGNITION));
	if (fell & RELAY_CHARGER)
		j->charger_ms = r->now_ms;
	if ((fell & RELAY_IGNITION) && j->loaded && r->turning)
		assert_true(r->now_ms - j->charger_ms >= r->config.cooldown_ms);
	j->loaded =
	    (r->contacts & RELAY_IGNITION) && (j->loaded || (r->contacts & RELAY_CHARGER));
	j->relays = r->contacts;
}

/* Control is in hostile hands: any byte at any time, permits as it can get them. */
static void random_bytes_from_a_hostile_control_break_no_rule(void **state)
{
	static const uint8_t likely[] = { 0x08, 0x08, 0x09, 0x0d, 0x0a, 0x08, 0x0b, 0x01 };
	struct judge j = { 0 };
	uint32_t seed = 12345;
	struct rig r;
	int closed = 0, loaded = 0;

	rig_init(&r);
	r.frozen = true;
	r.config.warmup_ms = 2000;
	r.config.stabilise_ms = 1000;
	r.config.cooldown_ms = 3000;
	r.config.between_runs_ms = 0;
	r.config.starts_per_hour = LEDGER_STARTS;
	r.config.attempts = ATTEMPTS_CAP;
	for (int i = 0; i < RANDOM_STEPS; i++) {
		seed = seed * 1664525 + 1013904223;
		r.catch_ms = seed >> 8 & 1 ? 1500 : INT32_MAX;
		if (seed >> 9 & 1 && interlock_begin(&r.lock, &first, r.now_ms) == BEGIN_OK)
			interlock_permit(&r.lock);
		if (rig_ask(&r, seed >> 26 ? likely[seed >> 16 & 7] : 0) == RULE_NONE) {
			closed += r.contacts & RELAY_STARTER;
			loaded += (r.contacts & RELAY_CHARGER) != 0;
		}
		judge_tick(&j, &r);
		for (int t = seed >> 20 & 31; t >= 0; t--) {
			rig_run(&r, 10);
			judge_tick(&j, &r);
		}
		r.lock.ledger.latches = 0; /* or the first latch would end the test */
		r.lock.ledger.failed = 0;
		r.lock.ledger.starts[LEDGER_STARTS - 1] = NEVER;
	}
	assert_true(closed > 0 && loaded > 0); /* it did get somewhere */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defect_d1_running_engine_drops_the_starter_without_control),
		cmocka_unit_test(defect_d1_sequence_ends_the_crank_without_the_guard),
		cmocka_unit_test(defect_d2_engine_lost_in_warm_up_is_noticed_without_control),
		cmocka_unit_test(
		    defect_d3_sequence_alone_closes_nothing_on_a_stop_before_the_start),
		cmocka_unit_test(
		    defect_d4_dead_bus_while_cranking_opens_the_starter_without_control),
		cmocka_unit_test(crank_ends_by_time_without_control),
		cmocka_unit_test(ignition_closes_only_under_a_permit),
		cmocka_unit_test(ignition_stays_open_on_a_bad_sample),
		cmocka_unit_test(engine_that_stalls_in_every_coast_is_locked_out),
		cmocka_unit_test(raw_bytes_end_with_maintenance),
		cmocka_unit_test(zero_that_a_stuck_bus_swallowed_is_said_again),
		cmocka_unit_test(engine_is_not_proved_while_samples_are_bad),
		cmocka_unit_test(one_permit_is_one_pulse),
		cmocka_unit_test(charger_waits_for_warm_up_and_stabilise),
		cmocka_unit_test(ignition_holds_through_the_cool_down_whatever_control_asks),
		cmocka_unit_test(charger_opened_by_a_sag_stays_open_30_s),
		cmocka_unit_test(
		    maintenance_takes_raw_bytes_for_ten_seconds_and_never_the_charger),
		cmocka_unit_test(every_latch_opens_everything_and_blocks_a_start),
		cmocka_unit_test(starts_are_limited_to_four_an_hour_and_ten_minutes_apart),
		cmocka_unit_test(ledger_of_another_boot_counts_no_age),
		cmocka_unit_test(random_bytes_from_a_hostile_control_break_no_rule),
	};

	return cmocka_run_group_tests_name("interlock", tests, NULL, NULL);
}
