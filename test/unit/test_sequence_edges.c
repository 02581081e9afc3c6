/* The sequence by itself, without the guard behind it or against what the guard forced: each
 * of its own precautions, step by step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/rig/rig.h"

enum { LIMIT_MS = 400000, TICK_MS = 10 };

/* No gate and no forced byte: what is kept is kept by the sequence. */
static void alone(struct rig *r, enum phase phase)
{
	rig_init(r);
	r->unguarded = true;
	r->catch_ms = 2000;
	r->wish = SEQ_RUN;
	assert_true(rig_until(r, phase, LIMIT_MS));
}

/* One step with this view and this acknowledged byte. */
static struct seq_out step(struct rig *r, const struct inputs_view *v, uint8_t acked)
{
	struct seq_in in = r->in;

	in.in = v;
	in.acked = acked;
	in.wish = r->wish;
	r->now_ms += TICK_MS;
	return seq_step(&r->seq, &in, r->now_ms);
}

static bool happened(const struct rig *r, enum seq_event event)
{
	for (int i = 0; i < r->nevents; i++)
		if (r->events[i] == event)
			return true;
	return false;
}

static void relays_opened_between_a_phase_and_its_byte_stay_open(void **state)
{
	static const struct {
		enum phase in, to;
		enum seq_wish wish;
	} ways[] = {
		{ PHASE_LOADED, PHASE_COOLDOWN, SEQ_REST },
		{ PHASE_STABILISE, PHASE_COOLDOWN, SEQ_REST },
		{ PHASE_COOLDOWN, PHASE_STABILISE, SEQ_RUN },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct rig r;
		struct inputs_view v;
		struct seq_out out;

		alone(&r, ways[i].in == PHASE_COOLDOWN ? PHASE_LOADED : ways[i].in);
		r.wish = ways[i].in == PHASE_COOLDOWN ? SEQ_REST : SEQ_RUN;
		assert_true(rig_until(&r, ways[i].in, LIMIT_MS));
		v = r.lock.in;
		r.wish = ways[i].wish;
		step(&r, &v, r.lock.relays);
		assert_int_equal(r.seq.phase, ways[i].to);
		r.wish = SEQ_REST; /* an emergency stop came in between */
		out = step(&r, &v, 0);
		assert_int_equal(out.relays, 0);
		assert_int_equal(r.seq.phase, PHASE_STOPPING);
	}
}

/* Until the start */

static void start_delay_is_waited_for_once_a_request(void **state)
{
	struct rig r;
	int64_t asked_ms;

	rig_init(&r);
	rig_run(&r, 60000);
	r.config.start_delay_ms = 30000;
	r.catch_ms = INT32_MAX;
	asked_ms = r.now_ms;
	r.wish = SEQ_RUN;
	assert_true(rig_until(&r, PHASE_RESET, LIMIT_MS));
	assert_in_range(r.now_ms - asked_ms, 30000, 30100);
	assert_true(rig_until(&r, PHASE_REST, LIMIT_MS));
	asked_ms = r.now_ms;
	assert_true(rig_until(&r, PHASE_RESET, LIMIT_MS));
	assert_in_range(
	    r.now_ms - asked_ms, r.config.crank_rest_ms, r.config.crank_rest_ms + 1200);
}

static void bad_samples_delay_a_start_and_a_permit_already_given(void **state)
{
	struct rig r;
	struct inputs_view v;

	rig_init(&r);
	rig_run(&r, 20000);
	r.wish = SEQ_RUN;
	v = r.inputs.view;
	v.bad_ms = 1;
	step(&r, &v, 0);
	assert_int_equal(r.seq.phase, PHASE_WAIT);
	assert_false(step(&r, &v, 0).begin);
	r.in.permit = PERMIT_GRANTED;
	step(&r, &v, 0);
	assert_int_equal(r.seq.phase, PHASE_WAIT);
	v.bad_ms = 0;
	step(&r, &v, 0);
	assert_int_equal(r.seq.phase, PHASE_RESET);
}

static void reset_begins_with_a_write_of_its_own_not_with_the_zero_that_stands(void **state)
{
	struct rig r;

	rig_init(&r);
	r.wish = SEQ_RUN;
	assert_true(rig_until(&r, PHASE_WAIT, LIMIT_MS));
	r.deaf = true;
	for (int i = 0; i < 20000 / TICK_MS && r.seq.phase != PHASE_RESET; i++)
		rig_run(&r, TICK_MS);
	assert_int_equal(r.seq.phase, PHASE_RESET);
	r.in.refused = false; /* no answer yet */
	assert_true(step(&r, &r.inputs.view, 0).write);
	assert_false(r.seq.entered);
	assert_int_equal(r.seq.phase, PHASE_RESET);
}

static void a_relay_that_others_closed_is_left_alone_while_nothing_is_wanted(void **state)
{
	struct rig r;
	struct seq_out out;

	rig_init(&r);
	rig_run(&r, 1000);
	out = step(&r, &r.inputs.view, RELAY_GLOW);
	assert_int_equal(r.seq.phase, PHASE_OFF);
	assert_false(out.write);
}

/* Ignition and crank */

static void ignition_waits_for_a_good_sample_and_not_for_long(void **state)
{
	struct rig r;
	struct inputs_view v;

	alone(&r, PHASE_RESET);
	v = r.inputs.view;
	r.now_ms += r.config.reset_ms;
	v.bad_ms = 1;
	assert_int_equal(step(&r, &v, 0).relays, 0);
	v.bad_ms = 0;
	assert_int_equal(step(&r, &v, 0).relays, RELAY_IGNITION);

	alone(&r, PHASE_RESET);
	r.now_ms += r.config.reset_ms;
	v.bad_ms = BAD_MS;
	assert_int_equal(step(&r, &v, 0).event, SEQ_TRY_FAILED);
}

static void a_crank_needs_good_samples_of_ignition_alone(void **state)
{
	struct rig r;
	struct inputs_view v;

	alone(&r, PHASE_IGNITION);
	v = r.inputs.view;
	v.alone_samples = ALONE_SAMPLES;
	v.bad_ms = 1;
	r.now_ms += r.config.ignition_ms;
	step(&r, &v, RELAY_IGNITION);
	assert_int_equal(r.seq.phase, PHASE_IGNITION);
	v.bad_ms = 0;
	step(&r, &v, RELAY_IGNITION);
	assert_int_equal(r.seq.phase, PHASE_CRANK);
}

static void ignition_without_its_feedback_ends_the_attempt_uncranked(void **state)
{
	struct rig r;

	alone(&r, PHASE_IGNITION);
	r.raw = 0;
	rig_run(&r, r.config.ignition_ms + FEEDBACK_MS + 2 * SAMPLE_ACTIVE_MS);
	assert_true(happened(&r, SEQ_TRY_FAILED));
	assert_int_equal(r.seq.phase, PHASE_REST);
	assert_int_equal(r.contacts, 0);
}

static void a_pulse_the_guard_ended_with_everything_open_is_a_failed_attempt(void **state)
{
	struct rig r;
	struct inputs_view v;

	alone(&r, PHASE_CRANK);
	v = r.inputs.view;
	v.run = true; /* it caught, yet the guard had a reason to cut the fuel */
	assert_int_equal(step(&r, &v, 0).event, SEQ_TRY_FAILED);
	assert_int_equal(r.seq.phase, PHASE_REST);
}

static void a_stop_in_the_step_that_ends_an_attempt_begins_no_other(void **state)
{
	struct rig r;

	alone(&r, PHASE_CRANK);
	r.wish = SEQ_REST;
	assert_int_equal(step(&r, &r.inputs.view, 0).event, SEQ_GAVE_UP);
	assert_int_equal(r.seq.phase, PHASE_STOPPING);
}

/* The run */

static void stop_while_coasting_cools_down_what_runs_and_opens_what_does_not(void **state)
{
	struct rig r;

	alone(&r, PHASE_COAST);
	r.wish = SEQ_REST;
	rig_run(&r, 100);
	assert_int_equal(r.seq.phase, PHASE_COOLDOWN);
	assert_int_equal(r.contacts, RELAY_IGNITION);

	rig_init(&r);
	r.catch_ms = INT32_MAX;
	r.wish = SEQ_RUN;
	assert_true(rig_until(&r, PHASE_COAST, LIMIT_MS));
	r.wish = SEQ_REST;
	rig_run(&r, 100);
	assert_int_equal(r.seq.phase, PHASE_STOPPING);
	assert_int_equal(r.contacts, 0);
}

static void an_engine_lost_on_the_run_is_stopped_without_the_guard(void **state)
{
	struct rig r;

	alone(&r, PHASE_WARMUP);
	r.die = true;
	rig_run(&r, r.config.lost_ms + 200);
	assert_true(happened(&r, SEQ_LOST));
	assert_int_equal(r.contacts, 0);
}

static void a_sag_on_load_opens_the_charger_without_the_guard(void **state)
{
	struct rig r;

	alone(&r, PHASE_LOADED);
	r.raw = INPUT_IGNITION;
	rig_run(&r, SAG_SAMPLES * SAMPLE_ACTIVE_MS + 100);
	assert_int_equal(r.contacts, RELAY_IGNITION);
	assert_int_equal(r.seq.phase, PHASE_WARMUP);
	r.raw = -1;
	assert_true(rig_until(&r, PHASE_LOADED, LIMIT_MS)); /* after a whole warm-up */
}

static void blindness_on_load_opens_the_charger_without_the_guard(void **state)
{
	struct rig r;

	alone(&r, PHASE_LOADED);
	r.fault = SAMPLE_ERROR;
	rig_run(&r, BAD_MS + 200);
	assert_int_equal(r.contacts, RELAY_IGNITION);
}

static void after_a_sag_the_charger_rests_30_s_however_short_the_warm_up(void **state)
{
	struct rig r;
	int64_t opened_ms;

	alone(&r, PHASE_LOADED);
	r.config.warmup_ms = r.config.stabilise_ms = 1000;
	r.raw = INPUT_IGNITION;
	for (int i = 0; i < 100 && (r.contacts & RELAY_CHARGER); i++)
		rig_run(&r, TICK_MS);
	opened_ms = r.now_ms;
	r.raw = -1;
	assert_true(rig_until(&r, PHASE_LOADED, LIMIT_MS));
	assert_in_range(r.now_ms - opened_ms, RECLOSE_MS, RECLOSE_MS + 300);
}

static void a_stumble_at_the_end_of_stabilise_takes_no_load(void **state)
{
	struct rig r;

	alone(&r, PHASE_STABILISE);
	rig_run(&r, r.config.stabilise_ms - 1000);
	r.raw = INPUT_IGNITION;
	rig_run(&r, 2000);
	assert_int_equal(r.seq.phase, PHASE_STABILISE);
	r.raw = -1;
	rig_run(&r, r.config.warmup_ms); /* its run counts from the stumble */
	assert_int_equal(r.seq.phase, PHASE_STABILISE);
	assert_true(rig_until(&r, PHASE_LOADED, LIMIT_MS));
}

static void a_refused_charger_is_asked_for_again_after_stabilise(void **state)
{
	struct rig r;
	struct inputs_view v;

	alone(&r, PHASE_STABILISE);
	v = r.inputs.view;
	v.run_ms = r.config.warmup_ms + r.config.stabilise_ms;
	r.now_ms += r.config.stabilise_ms;
	step(&r, &v, RELAY_IGNITION);
	assert_int_equal(r.seq.phase, PHASE_LOADED);
	r.in.refused = true;
	step(&r, &r.inputs.view, RELAY_IGNITION);
	assert_int_equal(r.seq.phase, PHASE_STABILISE);
}

static void a_request_in_the_cool_down_of_a_cold_engine_warms_it_first(void **state)
{
	struct rig r;

	alone(&r, PHASE_WARMUP);
	rig_run(&r, 5000);
	r.wish = SEQ_REST;
	assert_true(rig_until(&r, PHASE_COOLDOWN, LIMIT_MS));
	r.wish = SEQ_RUN;
	rig_run(&r, 100);
	assert_int_equal(r.seq.phase, PHASE_WARMUP);
}

/* What control finds when it begins */

static void what_runs_is_taken_on_by_its_byte_and_then_by_what_it_was_said_to_be(void **state)
{
	const uint8_t ignition = RELAY_IGNITION, load = RELAY_IGNITION | RELAY_CHARGER;
	static const enum phase runs[] = { PHASE_WARMUP, PHASE_STABILISE, PHASE_COOLDOWN };
	struct sequence s;

	seq_init(&s, &rig_defaults, 0);
	seq_adopt(&s, PHASE_WARMUP, 500, load);
	assert_int_equal(s.phase, PHASE_LOADED);
	assert_true(s.entered);
	seq_adopt(&s, PHASE_LOADED, 500, ignition);
	assert_int_equal(s.phase, PHASE_STABILISE);
	for (int i = 0; i < 3; i++) {
		seq_adopt(&s, runs[i], 500, ignition);
		assert_int_equal(s.phase, runs[i]);
		assert_int_equal(s.since_ms, 500);
	}
	seq_adopt(&s, PHASE_IGNITION, 500, ignition);
	assert_int_equal(s.phase, PHASE_COAST);
	seq_adopt(&s, PHASE_CRANK, 500, RELAY_IGNITION | RELAY_STARTER);
	assert_int_equal(s.phase, PHASE_STOPPING);
	assert_false(s.entered);
}

static void every_phase_has_a_name_and_no_other_number_has_one(void **state)
{
	for (int p = 0; p < PHASE_N; p++)
		assert_string_not_equal(phase_name((enum phase)p), "unknown");
	assert_string_equal(phase_name(PHASE_N), "unknown");
}

#define T(name) cmocka_unit_test(name)

static const struct CMUnitTest tests[] = {
	T(relays_opened_between_a_phase_and_its_byte_stay_open),
	T(start_delay_is_waited_for_once_a_request),
	T(bad_samples_delay_a_start_and_a_permit_already_given),
	T(reset_begins_with_a_write_of_its_own_not_with_the_zero_that_stands),
	T(a_relay_that_others_closed_is_left_alone_while_nothing_is_wanted),
	T(ignition_waits_for_a_good_sample_and_not_for_long),
	T(a_crank_needs_good_samples_of_ignition_alone),
	T(ignition_without_its_feedback_ends_the_attempt_uncranked),
	T(a_pulse_the_guard_ended_with_everything_open_is_a_failed_attempt),
	T(a_stop_in_the_step_that_ends_an_attempt_begins_no_other),
	T(stop_while_coasting_cools_down_what_runs_and_opens_what_does_not),
	T(an_engine_lost_on_the_run_is_stopped_without_the_guard),
	T(a_sag_on_load_opens_the_charger_without_the_guard),
	T(blindness_on_load_opens_the_charger_without_the_guard),
	T(after_a_sag_the_charger_rests_30_s_however_short_the_warm_up),
	T(a_stumble_at_the_end_of_stabilise_takes_no_load),
	T(a_refused_charger_is_asked_for_again_after_stabilise),
	T(a_request_in_the_cool_down_of_a_cold_engine_warms_it_first),
	T(what_runs_is_taken_on_by_its_byte_and_then_by_what_it_was_said_to_be),
	T(every_phase_has_a_name_and_no_other_number_has_one),
};

int main(void)
{
	return cmocka_run_group_tests_name("sequence edges", tests, NULL, NULL);
}
