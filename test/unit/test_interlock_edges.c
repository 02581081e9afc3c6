/* The rule book at its edges: each condition of a rule by itself, at the gate, on the watch and
 * for a new attempt; and what the guard tells the interlock beside bytes and samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <cmocka.h>

#include "test/rig/rig.h"

enum { LIMIT_MS = 400000 };
static const struct start first = { .first = true, .by = BY_MONITOR };

/* Rested and still, mode AUTO, nobody in control. */
static void idle(struct rig *r)
{
	rig_init(r);
	rig_run(r, 20000);
	r->frozen = true;
}

static void reach(struct rig *r, enum phase phase)
{
	rig_init(r);
	r->catch_ms = 2000;
	r->wish = SEQ_RUN;
	assert_true(rig_until(r, phase, LIMIT_MS));
	rig_run(r, 20);
	r->frozen = true;
}

/* Ignition closed under a permit, its feedback seen: the next byte may be the starter's. */
static void about_to_crank(struct rig *r)
{
	idle(r);
	assert_int_equal(interlock_begin(&r->lock, &first, r->now_ms), BEGIN_OK);
	interlock_permit(&r->lock);
	assert_int_equal(rig_ask(r, 0x08), RULE_NONE);
	rig_run(r, 500);
	assert_int_equal(interlock_gate(&r->lock, 0x09, r->now_ms), RULE_NONE);
}

static bool standing(const struct rig *r, enum alarm alarm)
{
	return r->lock.alarms >> alarm & 1;
}

static bool latched(const struct rig *r, enum alarm alarm)
{
	return r->lock.ledger.latches >> alarm & 1;
}

static void a_deadline_before_all_time_ends_the_run_with_its_cool_down(void **state)
{
	struct rig r;

	reach(&r, PHASE_LOADED);
	interlock_deadline(&r.lock, INT64_MIN);
	rig_run(&r, 200);
	assert_int_equal(r.lock.relays, RELAY_IGNITION);
	assert_true(standing(&r, ALARM_LEASE_LOST));
}

static void mode_off_ends_a_start_that_has_no_engine_yet(void **state)
{
	struct rig r;

	about_to_crank(&r);
	r.lock.ledger.mode = MODE_OFF;
	rig_run(&r, 200);
	assert_int_equal(r.lock.relays, 0);
}

static void mode_off_cuts_no_proved_engine(void **state)
{
	struct rig r;

	reach(&r, PHASE_LOADED);
	r.lock.ledger.mode = MODE_OFF;
	rig_run(&r, 1000);
	assert_int_equal(r.lock.relays, RELAY_IGNITION | RELAY_CHARGER);
}

/* A new attempt */

static enum begin refusal(const struct rig *r)
{
	struct interlock k = r->lock;

	return interlock_begin(&k, &first, r->now_ms);
}

static void an_attempt_is_opened_only_when_nothing_speaks_against_it(void **state)
{
	struct rig r, good;

	idle(&good);
	assert_int_equal(refusal(&good), BEGIN_OK);
	r = good;
	r.lock.ready = false;
	assert_int_equal(refusal(&r), BEGIN_FAULT);
	r = good;
	r.lock.known = false;
	assert_int_equal(refusal(&r), BEGIN_FAULT);
	r = good;
	r.lock.in.bad_ms = 1;
	assert_int_equal(refusal(&r), BEGIN_FAULT);
	r = good;
	r.lock.in.x = INPUT_ENGINE;
	assert_int_equal(refusal(&r), BEGIN_EXTERNAL);
	r = good;
	r.lock.permit = true;
	assert_int_equal(refusal(&r), BEGIN_BUSY);
	r = good;
	r.lock.descending = true;
	assert_int_equal(refusal(&r), BEGIN_BUSY);
	for (int m = MODE_AUTO; m <= MODE_ESTOP; m++) {
		bool enabled = m == MODE_AUTO || m == MODE_OPERATOR_RUN;

		r = good;
		r.lock.ledger.mode = (uint8_t)m;
		assert_int_equal(refusal(&r), enabled ? BEGIN_OK : BEGIN_MODE);
	}
}

static void an_attempt_needs_somebody_who_ordered_it_and_not_long_ago(void **state)
{
	struct start s = { .first = true, .by = BY_OPERATOR, .age_ms = 5000 };
	struct rig r, good;

	idle(&good);
	r = good;
	assert_int_equal(interlock_begin(&r.lock, &s, r.now_ms), BEGIN_OK);
	r = good;
	s.age_ms = 5001;
	assert_int_equal(interlock_begin(&r.lock, &s, r.now_ms), BEGIN_STALE);
	s.age_ms = -1;
	assert_int_equal(interlock_begin(&r.lock, &s, r.now_ms), BEGIN_STALE);
	s = (struct start){ .first = true, .by = BY_NOBODY };
	assert_int_equal(interlock_begin(&r.lock, &s, r.now_ms), BEGIN_NOBODY);
}

static void a_spent_starter_rests_even_in_the_middle_of_a_request(void **state)
{
	const struct start again = { .first = false, .by = BY_MONITOR };
	struct rig r;

	idle(&r);
	r.lock.ledger.pulses[0] = (struct pulse){ r.now_ms, 30000 };
	assert_int_equal(interlock_begin(&r.lock, &again, r.now_ms), BEGIN_REST);
	assert_int_equal(
	    interlock_begin(&r.lock, &again, r.now_ms + BUDGET_WINDOW_MS), BEGIN_OK);
}

static void a_single_attempt_a_request_rests_until_its_last_pulse_is_out_of_the_window(
    void **state)
{
	struct rig r;

	idle(&r);
	r.config.attempts = 1;
	r.lock.ledger.pulses[0] = (struct pulse){ r.now_ms, 12000 };
	assert_int_equal(interlock_ready_ms(&r.lock), r.now_ms + BUDGET_WINDOW_MS);
}

/* The gate */

static void the_starter_closes_only_when_nothing_speaks_against_it(void **state)
{
	struct rig r, good;

	about_to_crank(&good);
	r = good;
	r.lock.ready = false;
	assert_int_equal(interlock_gate(&r.lock, 0x09, r.now_ms), RULE_S9);
	r = good;
	r.lock.in.bad_ms = 1;
	assert_int_equal(interlock_gate(&r.lock, 0x09, r.now_ms), RULE_I2);
	r = good;
	r.lock.starter_off_ms = r.now_ms - r.config.crank_rest_ms + 1;
	assert_int_equal(interlock_gate(&r.lock, 0x09, r.now_ms), RULE_S5);
	r = good;
	r.lock.ledger.pulses[1] = (struct pulse){ r.now_ms, 30000 };
	assert_int_equal(interlock_gate(&r.lock, 0x09, r.now_ms), RULE_S5);
	r = good;
	r.lock.in.at_ms = r.now_ms + 1;
	assert_int_equal(interlock_gate(&r.lock, 0x09, r.now_ms), RULE_T1);
}

static void nothing_closes_after_a_latch_on_the_way_down_off_or_unacknowledged(void **state)
{
	struct rig r, good;

	about_to_crank(&good);
	r = good;
	interlock_raise(&r.lock, ALARM_STARTER_STUCK);
	assert_int_equal(interlock_gate(&r.lock, 0x09, r.now_ms), RULE_R5);
	r = good;
	interlock_descend(&r.lock, ALARM_N, r.now_ms);
	assert_int_equal(interlock_gate(&r.lock, 0x09, r.now_ms), RULE_R5);
	r = good;
	r.lock.ledger.mode = MODE_OFF;
	assert_int_equal(interlock_gate(&r.lock, 0x09, r.now_ms), RULE_M1);
	r.lock.ledger.mode = MODE_ESTOP;
	assert_int_equal(interlock_gate(&r.lock, 0x09, r.now_ms), RULE_M1);
	r = good;
	r.lock.known = false;
	assert_int_equal(interlock_gate(&r.lock, 0x09, r.now_ms), RULE_I1);
	assert_int_equal(interlock_gate(&r.lock, 0x00, r.now_ms), RULE_NONE);
}

static void a_dropped_permit_lets_nothing_close(void **state)
{
	struct rig r;

	idle(&r);
	interlock_begin(&r.lock, &first, r.now_ms);
	interlock_permit(&r.lock);
	interlock_drop_permit(&r.lock);
	assert_int_equal(rig_ask(&r, 0x08), RULE_F1);
}

static void the_first_byte_is_zero_or_ignition_of_an_engine_proved_to_be_ours(void **state)
{
	struct rig r;
	struct ledger l;

	reach(&r, PHASE_LOADED);
	l = r.lock.ledger;
	interlock_init(&r.lock, &r.config, &l, r.now_ms);
	assert_int_equal(interlock_gate(&r.lock, 0x00, r.now_ms), RULE_NONE);
	assert_int_equal(interlock_gate(&r.lock, 0x08, r.now_ms), RULE_P1);
	r.lock.in = r.inputs.view;
	assert_true(interlock_may_adopt(&r.lock));
	assert_int_not_equal(interlock_gate(&r.lock, 0x08, r.now_ms), RULE_P1);
	assert_int_equal(interlock_gate(&r.lock, 0x0a, r.now_ms), RULE_P1);
}

static void an_engine_is_adopted_only_when_all_speaks_for_it(void **state)
{
	struct interlock k;
	struct rig r;

	reach(&r, PHASE_LOADED);
	rig_run(&r, 1000);
	assert_true(interlock_may_adopt(&r.lock));
	for (int m = MODE_AUTO; m <= MODE_ESTOP; m++) {
		bool ours = m == MODE_AUTO || m == MODE_OPERATOR_RUN || m == MODE_OPERATOR_STOP;

		k = r.lock;
		k.ledger.mode = (uint8_t)m;
		assert_int_equal(interlock_may_adopt(&k), ours);
	}
	k = r.lock;
	k.ledger.held = 0;
	assert_false(interlock_may_adopt(&k));
	k = r.lock;
	interlock_raise(&k, ALARM_IGN_FEEDBACK);
	assert_false(interlock_may_adopt(&k));
	k = r.lock;
	k.in.running = false;
	assert_false(interlock_may_adopt(&k));
	k = r.lock;
	k.in.bad_ms = 1;
	assert_false(interlock_may_adopt(&k));
	k = r.lock;
	k.in.x |= INPUT_STARTER;
	assert_false(interlock_may_adopt(&k));
}

static void glow_closes_before_and_while_cranking_and_by_hand(void **state)
{
	struct rig r;

	about_to_crank(&r);
	assert_int_equal(interlock_gate(&r.lock, 0x0c, r.now_ms), RULE_NONE);
	assert_int_equal(interlock_gate(&r.lock, 0x04, r.now_ms), RULE_G1);
	r.lock.in.run = true;
	assert_int_equal(interlock_gate(&r.lock, 0x0c, r.now_ms), RULE_G1);

	reach(&r, PHASE_WARMUP);
	r.lock.in.run = false; /* it stumbles */
	assert_int_equal(interlock_gate(&r.lock, 0x0c, r.now_ms), RULE_G1);

	idle(&r);
	assert_int_equal(interlock_mode(&r.lock, MODE_MAINTENANCE), 0);
	assert_int_equal(interlock_gate(&r.lock, 0x0c, r.now_ms), RULE_NONE);
}

static void the_charger_closes_on_a_running_engine_whose_ignition_is_closed(void **state)
{
	struct rig r;
	struct interlock k;

	reach(&r, PHASE_LOADED);
	assert_int_equal(rig_ask(&r, 0x08), RULE_NONE);
	assert_int_equal(interlock_gate(&r.lock, 0x0a, r.now_ms), RULE_NONE);
	k = r.lock;
	k.in.run = false;
	assert_int_equal(interlock_gate(&k, 0x0a, r.now_ms), RULE_C1);
	k = r.lock;
	k.relays = 0;
	assert_true(rule_info[RULE_C1].gate(&k, 0x0a, r.now_ms));
}

static void a_dead_latched_or_stopped_engine_needs_no_cool_down(void **state)
{
	struct interlock k;
	struct rig r;

	reach(&r, PHASE_LOADED);
	assert_int_equal(interlock_gate(&r.lock, 0x00, r.now_ms), RULE_C2);
	k = r.lock;
	k.in.lost = true;
	assert_int_equal(interlock_gate(&k, 0x00, r.now_ms), RULE_NONE);
	k = r.lock;
	interlock_raise(&k, ALARM_IGN_FEEDBACK);
	assert_int_equal(interlock_gate(&k, 0x00, r.now_ms), RULE_NONE);
	k = r.lock;
	k.ledger.mode = MODE_ESTOP;
	assert_int_equal(interlock_gate(&k, 0x00, r.now_ms), RULE_NONE);
}

/* The watch */

static void a_pulse_ends_when_deadman_or_saver_no_longer_stands_behind_it(void **state)
{
	struct rig r;

	reach(&r, PHASE_CRANK);
	r.lock.ready = false;
	rig_run(&r, SAMPLE_CRANK_MS + 10);
	assert_int_equal(r.lock.relays, 0x08);
}

static void the_starters_input_may_fall_half_a_second_after_the_pulse(void **state)
{
	struct rig r;

	about_to_crank(&r);
	r.extra = INPUT_STARTER;
	r.lock.stuck_ms = r.now_ms - 10000;
	r.lock.starter_off_ms = r.now_ms;
	rig_run(&r, STUCK_MS - SAMPLE_ACTIVE_MS);
	assert_false(latched(&r, ALARM_STARTER_STUCK));
	rig_run(&r, 2 * SAMPLE_ACTIVE_MS);
	assert_true(latched(&r, ALARM_STARTER_STUCK));
	assert_int_equal(r.lock.relays, 0);
}

static void an_engine_that_turns_before_the_crank_is_no_fault_of_the_ignition_wire(void **state)
{
	struct rig r;

	about_to_crank(&r);
	r.raw = INPUT_ENGINE;
	rig_run(&r, r.config.ignition_ms + FEEDBACK_MS + 1000);
	assert_false(latched(&r, ALARM_IGN_FEEDBACK));
}

static void glow_opens_after_fifteen_seconds_and_on_a_running_engine(void **state)
{
	struct rig r;

	about_to_crank(&r);
	r.config.glow_mode = GLOW_PREHEAT;
	r.config.preheat_ms = 60000;
	assert_int_equal(rig_ask(&r, 0x0c), RULE_NONE);
	rig_run(&r, GLOW_MAX_MS - SAMPLE_ACTIVE_MS);
	assert_int_equal(r.lock.relays, 0x0c);
	rig_run(&r, 2 * SAMPLE_ACTIVE_MS);
	assert_int_equal(r.lock.relays, 0x08);

	about_to_crank(&r);
	assert_int_equal(rig_ask(&r, 0x0c), RULE_NONE);
	r.turning = true;
	rig_run(&r, RUN_DEBOUNCE_MS + 2 * SAMPLE_ACTIVE_MS);
	assert_int_equal(r.lock.relays, 0x08);
}

static void a_run_whose_deadline_passes_comes_down_whatever_control_does(void **state)
{
	struct rig r;

	reach(&r, PHASE_LOADED);
	interlock_deadline(&r.lock, r.now_ms + 10000);
	rig_run(&r, 10000 + DEADLINE_GRACE_MS - 200);
	assert_int_equal(r.lock.relays, 0x0a);
	rig_run(&r, 400);
	assert_int_equal(r.lock.relays, 0x08);
	assert_true(standing(&r, ALARM_LEASE_LOST));
	rig_run(&r, r.config.cooldown_ms + 200);
	assert_int_equal(r.lock.relays, 0);
}

static void a_deadline_is_for_a_running_engine_and_never_past_max_run(void **state)
{
	struct rig r;

	reach(&r, PHASE_IGNITION);
	interlock_deadline(&r.lock, r.now_ms + 1);
	assert_true(r.lock.ledger.deadline_ms == NEVER);
	reach(&r, PHASE_LOADED);
	interlock_deadline(&r.lock, INT64_MAX);
	assert_int_equal(
	    r.lock.ledger.deadline_ms, r.lock.ledger.run_from_ms + r.config.max_run_ms);
}

static void an_attempt_that_is_given_up_or_switched_off_opens_everything(void **state)
{
	struct rig r;

	reach(&r, PHASE_IGNITION);
	interlock_descend(&r.lock, ALARM_N, r.now_ms);
	rig_run(&r, SAMPLE_ACTIVE_MS);
	assert_int_equal(r.lock.relays, 0);
	assert_int_equal(r.lock.alarms, 0);

	idle(&r);
	assert_int_equal(interlock_mode(&r.lock, MODE_MAINTENANCE), 0);
	assert_int_equal(rig_ask(&r, 0x08), RULE_NONE);
	r.lock.raw_ms = r.now_ms;
	assert_int_equal(interlock_mode(&r.lock, MODE_OFF), 0);
	rig_run(&r, SAMPLE_ACTIVE_MS);
	assert_int_equal(r.lock.relays, 0);

	reach(&r, PHASE_LOADED); /* a run is for control to end, with the cool-down */
	r.lock.ledger.mode = MODE_OFF;
	rig_run(&r, 1000);
	assert_int_equal(r.lock.relays, 0x0a);
}

static void the_mode_of_an_emergency_stop_opens_everything_by_itself(void **state)
{
	struct rig r;

	reach(&r, PHASE_LOADED);
	r.lock.ledger.mode = MODE_ESTOP;
	rig_run(&r, SAMPLE_ACTIVE_MS);
	assert_int_equal(r.lock.relays, 0);
}

static void the_emergency_stops_contact_opens_everything_within_two_samples(void **state)
{
	struct rig r;

	rig_init(&r);
	r.config.in3 = IN3_ESTOP_NC;
	r.extra = INPUT_IN3;
	r.catch_ms = 2000;
	r.wish = SEQ_RUN;
	assert_true(rig_until(&r, PHASE_LOADED, LIMIT_MS));
	r.frozen = true;
	r.extra = 0;
	rig_run(&r, 2 * SAMPLE_ACTIVE_MS);
	assert_int_equal(r.lock.relays, 0);
	assert_true(latched(&r, ALARM_EMERGENCY_STOP));
	assert_int_equal(r.lock.ledger.mode, MODE_ESTOP);
	r.lock.dirty = false;
	rig_run(&r, 3000);
	assert_false(r.lock.dirty); /* it is saved once */
	assert_int_equal(interlock_clear(&r.lock), ALARM_EMERGENCY_STOP);
	r.extra = INPUT_IN3;
	rig_run(&r, 3000);
	assert_int_equal(interlock_clear(&r.lock), 0);
	assert_int_equal(r.lock.ledger.mode, MODE_OFF);
}

static void what_cannot_be_read_neither_fails_a_stop_nor_is_an_engine_of_others(void **state)
{
	struct rig r;

	reach(&r, PHASE_LOADED);
	r.run_on = true;
	interlock_estop(&r.lock);
	rig_run(&r, 1000);
	assert_int_equal(r.lock.relays, 0);
	r.fault = SAMPLE_ERROR;
	rig_run(&r, r.config.fail_to_stop_ms + 10000);
	assert_false(standing(&r, ALARM_FAIL_TO_STOP));
	assert_false(standing(&r, ALARM_EXTERNAL_RUN));
	r.fault = SAMPLE_OK;
	rig_run(&r, 3000);
	assert_true(latched(&r, ALARM_FAIL_TO_STOP));
}

static void an_ignition_input_that_stays_high_with_its_relay_open_is_told(void **state)
{
	struct rig r;

	idle(&r);
	r.extra = INPUT_IGNITION;
	rig_run(&r, 3000);
	assert_true(standing(&r, ALARM_INPUT_IMPLAUSIBLE));
	r.extra = 0;
	rig_run(&r, 3000);
	assert_false(standing(&r, ALARM_INPUT_IMPLAUSIBLE));

	about_to_crank(&r);
	r.extra = INPUT_IGNITION;
	assert_int_equal(rig_ask(&r, 0x00), RULE_NONE);
	r.sample_ms = r.now_ms;
	rig_run(&r, 20); /* it may take half a second to fall */
	assert_false(standing(&r, ALARM_INPUT_IMPLAUSIBLE));
	rig_run(&r, 3000);
	assert_true(standing(&r, ALARM_INPUT_IMPLAUSIBLE));
}

static void a_lockout_without_retries_waits_for_an_operator(void **state)
{
	struct rig r;

	idle(&r);
	r.config.lockout_retries = 0;
	interlock_raise(&r.lock, ALARM_FAIL_TO_START);
	r.lock.ledger.lockout_ms = r.now_ms;
	rig_run(&r, 2 * (int64_t)r.config.lockout_ms);
	assert_true(latched(&r, ALARM_FAIL_TO_START));
	assert_int_equal(interlock_clear(&r.lock), 0);
	assert_false(latched(&r, ALARM_FAIL_TO_START));
}

static void an_operators_run_is_no_disabled_automatic(void **state)
{
	struct rig r;

	idle(&r);
	interlock_mode(&r.lock, MODE_OPERATOR_STOP);
	rig_run(&r, DISABLED_MS + 3000);
	assert_true(standing(&r, ALARM_AUTO_DISABLED));
	interlock_mode(&r.lock, MODE_OPERATOR_RUN);
	rig_run(&r, DISABLED_MS + 3000);
	assert_false(standing(&r, ALARM_AUTO_DISABLED));
}

static void a_byte_from_a_stuck_bus_is_said_again_once_ignition_is_seen(void **state)
{
	struct inputs_view v;
	struct verdict d;
	struct rig r;

	reach(&r, PHASE_LOADED);
	rig_run(&r, 100);
	r.lock.in.fault = SAMPLE_STUCK;
	interlock_acked(&r.lock, 0x08, r.now_ms);
	v = r.inputs.view;
	v.x = INPUT_ENGINE; /* not yet: the board may have been reset */
	d = interlock_watch(&r.lock, &v, r.now_ms + 100);
	assert_false(d.write);
	v.x = INPUT_ENGINE | INPUT_IGNITION;
	d = interlock_watch(&r.lock, &v, r.now_ms + 200);
	assert_true(d.write);
	assert_int_equal(d.relays, 0x08);
	assert_int_equal(d.rule, RULE_I1);
}

static void what_a_stuck_bus_acknowledges_leaves_an_unknown_output_unknown(void **state)
{
	struct rig r;

	idle(&r);
	interlock_unacked(&r.lock);
	r.lock.in.fault = SAMPLE_STUCK;
	interlock_acked(&r.lock, 0, r.now_ms);
	assert_false(r.lock.known);
	assert_true(latched(&r, ALARM_OUTPUT_UNKNOWN));
	assert_int_equal(interlock_clear(&r.lock), ALARM_OUTPUT_UNKNOWN);
	r.lock.in.fault = SAMPLE_OK;
	interlock_acked(&r.lock, 0, r.now_ms);
	assert_true(r.lock.known);
	assert_int_equal(interlock_clear(&r.lock), 0);
}

static void without_the_ignition_wire_a_pulse_is_judged_by_the_starters_alone(void **state)
{
	struct rig r;

	rig_init(&r);
	r.config.ign_feedback = FEEDBACK_ABSENT;
	r.catch_ms = INT32_MAX;
	r.wish = SEQ_RUN;
	assert_true(rig_until(&r, PHASE_CRANK, LIMIT_MS));
	r.raw = INPUT_STARTER;
	rig_run(&r, 5000);
	assert_int_equal(r.lock.relays, 0x09);
	r.raw = 0;
	rig_run(&r, (ABSENT_SAMPLES + 1) * SAMPLE_CRANK_MS);
	assert_int_equal(r.lock.relays, 0);
	assert_true(standing(&r, ALARM_MODIO_RESET));
}

/* What the guard tells it */

static void the_way_down_begins_once_and_needs_a_closed_relay(void **state)
{
	struct rig r;
	int64_t began_ms;

	idle(&r);
	interlock_descend(&r.lock, ALARM_CONTROL_LOST, r.now_ms);
	assert_false(r.lock.descending);
	assert_false(standing(&r, ALARM_CONTROL_LOST));
	reach(&r, PHASE_WARMUP);
	interlock_descend(&r.lock, ALARM_CONTROL_LOST, r.now_ms);
	assert_true(standing(&r, ALARM_CONTROL_LOST));
	began_ms = r.now_ms;
	rig_run(&r, r.config.cooldown_ms - 1000);
	interlock_descend(&r.lock, ALARM_MAX_RUN, r.now_ms);
	assert_false(standing(&r, ALARM_MAX_RUN));
	rig_run(&r, 1200);
	assert_int_equal(r.lock.relays, 0);
	assert_in_range(r.now_ms - began_ms, r.config.cooldown_ms, r.config.cooldown_ms + 300);
}

static void control_back_within_the_minute_keeps_the_engine(void **state)
{
	struct rig r;

	reach(&r, PHASE_LOADED);
	interlock_orphan(&r.lock, true, r.now_ms);
	rig_run(&r, ORPHAN_MS - 1000);
	interlock_orphan(&r.lock, false, r.now_ms);
	rig_run(&r, ORPHAN_MS - 1000);
	assert_int_equal(r.lock.relays, 0x0a);
	interlock_orphan(&r.lock, true, r.now_ms);
	rig_run(&r, ORPHAN_MS / 2);
	interlock_orphan(&r.lock, true, r.now_ms); /* told again: the minute goes on */
	rig_run(&r, ORPHAN_MS / 2 + 200);
	assert_int_equal(r.lock.relays, 0x08);
}

static void maintenance_needs_open_relays_and_an_engine_at_rest(void **state)
{
	struct rig r;

	reach(&r, PHASE_WARMUP);
	assert_int_equal(interlock_mode(&r.lock, MODE_MAINTENANCE), -EBUSY);
	idle(&r);
	r.lock.in.run = true;
	assert_int_equal(interlock_mode(&r.lock, MODE_MAINTENANCE), -EBUSY);
	r.lock.in.run = false;
	r.lock.known = false;
	assert_int_equal(interlock_mode(&r.lock, MODE_MAINTENANCE), -EBUSY);
	r.lock.known = true;
	assert_int_equal(interlock_mode(&r.lock, MODE_MAINTENANCE), 0);
	assert_int_equal(interlock_mode(&r.lock, MODE_MAINTENANCE), 0);
}

static void off_is_where_maintenance_and_a_clear_lead_and_nothing_else(void **state)
{
	struct rig r;

	idle(&r);
	assert_int_equal(interlock_mode(&r.lock, MODE_OFF), -EPERM);
	interlock_mode(&r.lock, MODE_MAINTENANCE);
	assert_int_equal(interlock_mode(&r.lock, MODE_AUTO), -EPERM);
	assert_int_equal(interlock_mode(&r.lock, MODE_OFF), 0);
	assert_int_equal(interlock_mode(&r.lock, MODE_OFF), 0);
	assert_int_equal(interlock_mode(&r.lock, MODE_AUTO), 0);
	interlock_estop(&r.lock);
	assert_int_equal(interlock_mode(&r.lock, MODE_OFF), -EPERM);
}

static void only_a_change_of_mode_is_saved(void **state)
{
	struct rig r;

	idle(&r);
	r.lock.dirty = false;
	assert_int_equal(interlock_mode(&r.lock, MODE_AUTO), 0);
	assert_false(r.lock.dirty);
	assert_int_equal(interlock_mode(&r.lock, MODE_OPERATOR_STOP), 0);
	assert_true(r.lock.dirty);
}

static void an_operators_start_that_had_not_begun_is_forgotten_by_a_restart(void **state)
{
	struct rig r;
	struct ledger l;

	idle(&r);
	interlock_mode(&r.lock, MODE_OPERATOR_RUN);
	l = r.lock.ledger;
	interlock_init(&r.lock, &r.config, &l, r.now_ms);
	assert_int_equal(r.lock.ledger.mode, MODE_AUTO);
}

static void raw_cranks_in_maintenance_never_lock_out(void **state)
{
	struct rig r;

	idle(&r);
	interlock_mode(&r.lock, MODE_MAINTENANCE);
	r.lock.ledger.failed = (uint8_t)r.config.attempts;
	assert_int_equal(rig_ask(&r, 0x08), RULE_NONE);
	assert_int_equal(rig_ask(&r, 0x00), RULE_NONE);
	assert_false(latched(&r, ALARM_FAIL_TO_START));
}

static void a_latch_whose_cause_stands_is_not_cleared(void **state)
{
	struct rig r;

	idle(&r);
	interlock_raise(&r.lock, ALARM_STARTER_STUCK);
	interlock_raise(&r.lock, ALARM_FAIL_TO_STOP);
	interlock_raise(&r.lock, ALARM_STARTER_NO_FEEDBACK); /* has none that could stand */
	r.lock.in.x = INPUT_STARTER | INPUT_ENGINE;
	assert_int_equal(interlock_clear(&r.lock), ALARM_FAIL_TO_STOP);
	r.lock.in.x = INPUT_STARTER;
	assert_int_equal(interlock_clear(&r.lock), ALARM_STARTER_STUCK);
	r.lock.in.x = 0;
	assert_int_equal(interlock_clear(&r.lock), 0);
	assert_int_equal(r.lock.ledger.latches, 0);
	assert_int_equal(r.lock.ledger.mode, MODE_OFF);
}

static void a_clear_of_nothing_ends_no_run_and_frees_no_emergency_stop_by_halves(void **state)
{
	struct rig r;

	reach(&r, PHASE_LOADED);
	assert_int_equal(interlock_clear(&r.lock), 0);
	assert_int_equal(r.lock.ledger.mode, MODE_AUTO);
	rig_run(&r, 1000);
	assert_int_equal(r.lock.relays, 0x0a);
	idle(&r);
	r.lock.ledger.mode = MODE_ESTOP; /* as an older record may have it */
	assert_int_equal(interlock_clear(&r.lock), 0);
	assert_int_equal(r.lock.ledger.mode, MODE_OFF);
}

#define T(name) cmocka_unit_test(name)

static const struct CMUnitTest tests[] = {
	T(a_deadline_before_all_time_ends_the_run_with_its_cool_down),
	T(mode_off_ends_a_start_that_has_no_engine_yet),
	T(mode_off_cuts_no_proved_engine),
	T(an_attempt_is_opened_only_when_nothing_speaks_against_it),
	T(an_attempt_needs_somebody_who_ordered_it_and_not_long_ago),
	T(a_spent_starter_rests_even_in_the_middle_of_a_request),
	T(a_single_attempt_a_request_rests_until_its_last_pulse_is_out_of_the_window),
	T(the_starter_closes_only_when_nothing_speaks_against_it),
	T(nothing_closes_after_a_latch_on_the_way_down_off_or_unacknowledged),
	T(a_dropped_permit_lets_nothing_close),
	T(the_first_byte_is_zero_or_ignition_of_an_engine_proved_to_be_ours),
	T(an_engine_is_adopted_only_when_all_speaks_for_it),
	T(glow_closes_before_and_while_cranking_and_by_hand),
	T(the_charger_closes_on_a_running_engine_whose_ignition_is_closed),
	T(a_dead_latched_or_stopped_engine_needs_no_cool_down),
	T(a_pulse_ends_when_deadman_or_saver_no_longer_stands_behind_it),
	T(the_starters_input_may_fall_half_a_second_after_the_pulse),
	T(an_engine_that_turns_before_the_crank_is_no_fault_of_the_ignition_wire),
	T(glow_opens_after_fifteen_seconds_and_on_a_running_engine),
	T(a_run_whose_deadline_passes_comes_down_whatever_control_does),
	T(a_deadline_is_for_a_running_engine_and_never_past_max_run),
	T(an_attempt_that_is_given_up_or_switched_off_opens_everything),
	T(the_mode_of_an_emergency_stop_opens_everything_by_itself),
	T(the_emergency_stops_contact_opens_everything_within_two_samples),
	T(what_cannot_be_read_neither_fails_a_stop_nor_is_an_engine_of_others),
	T(an_ignition_input_that_stays_high_with_its_relay_open_is_told),
	T(a_lockout_without_retries_waits_for_an_operator),
	T(an_operators_run_is_no_disabled_automatic),
	T(a_byte_from_a_stuck_bus_is_said_again_once_ignition_is_seen),
	T(what_a_stuck_bus_acknowledges_leaves_an_unknown_output_unknown),
	T(without_the_ignition_wire_a_pulse_is_judged_by_the_starters_alone),
	T(the_way_down_begins_once_and_needs_a_closed_relay),
	T(control_back_within_the_minute_keeps_the_engine),
	T(maintenance_needs_open_relays_and_an_engine_at_rest),
	T(off_is_where_maintenance_and_a_clear_lead_and_nothing_else),
	T(only_a_change_of_mode_is_saved),
	T(an_operators_start_that_had_not_begun_is_forgotten_by_a_restart),
	T(raw_cranks_in_maintenance_never_lock_out),
	T(a_latch_whose_cause_stands_is_not_cleared),
	T(a_clear_of_nothing_ends_no_run_and_frees_no_emergency_stop_by_halves),
};

int main(void)
{
	return cmocka_run_group_tests_name("interlock edges", tests, NULL, NULL);
}
