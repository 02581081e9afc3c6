/* What may be believed of the opto inputs, sample by sample. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "node-genctl/inputs.h"

enum { ENGINE = INPUT_ENGINE, IGNITION = INPUT_IGNITION, STARTER = INPUT_STARTER };
enum { STEP_MS = 100, IN3 = INPUT_IN3 };

struct bench {
	struct engine_config config;
	struct inputs inputs;
	struct inputs_view v;
	int64_t now_ms;
	uint8_t relays;
};

static void bench_init(struct bench *b)
{
	*b = (struct bench){ .config = { .lost_ms = 6000 }, .now_ms = 1000000 };
	inputs_init(&b->inputs, &b->config, b->now_ms);
}

static const struct inputs_view *sample(struct bench *b, uint8_t raw, enum sample_fault fault)
{
	b->now_ms += STEP_MS;
	b->v = inputs_step(&b->inputs, raw, fault, b->relays, b->now_ms);
	return &b->v;
}

/* The same sample for so long; the first is taken at once. */
static const struct inputs_view *read_for(struct bench *b, uint8_t raw, int32_t ms)
{
	for (int32_t t = 0; t <= ms; t += STEP_MS)
		sample(b, raw, SAMPLE_OK);
	return &b->v;
}

static void a_high_bit_makes_the_whole_sample_noise(void **state)
{
	struct bench b;

	bench_init(&b);
	sample(&b, ENGINE, SAMPLE_OK);
	for (int bit = 4; bit < 8; bit++) {
		sample(&b, (uint8_t)(IGNITION | 1 << bit), SAMPLE_OK);
		assert_int_equal(b.v.fault, SAMPLE_NOISE);
		assert_int_equal(b.v.x, ENGINE);
		assert_false(b.v.run);
	}
	assert_int_equal(b.v.raw, IGNITION | 0x80);
	assert_int_equal(b.v.bad_ms, 4 * STEP_MS + 1);
}

static void a_failed_or_stuck_transfer_is_what_the_driver_says(void **state)
{
	struct bench b;

	bench_init(&b);
	assert_int_equal(sample(&b, ENGINE, SAMPLE_ERROR)->fault, SAMPLE_ERROR);
	assert_int_equal(sample(&b, ENGINE | 0x80, SAMPLE_STUCK)->fault, SAMPLE_STUCK);
	assert_int_equal(b.v.x, 0);
}

static void bad_from_the_first_sample_on_counts_from_there(void **state)
{
	struct bench b;

	bench_init(&b);
	assert_int_equal(sample(&b, 0, SAMPLE_ERROR)->bad_ms, 1);
	assert_int_equal(sample(&b, 0, SAMPLE_ERROR)->bad_ms, STEP_MS + 1);
	assert_int_equal(sample(&b, 0, SAMPLE_OK)->bad_ms, 0);
}

static void zero_is_believed_until_ignition_was_closed_for_half_a_second(void **state)
{
	struct bench b;

	bench_init(&b);
	assert_int_equal(read_for(&b, 0, 2000)->fault, SAMPLE_OK);
	b.relays = RELAY_IGNITION;
	assert_int_equal(read_for(&b, 0, FEEDBACK_MS - STEP_MS)->fault, SAMPLE_OK);
	assert_int_equal(sample(&b, 0, SAMPLE_OK)->fault, SAMPLE_ZERO);
	assert_int_equal(sample(&b, IN3, SAMPLE_OK)->fault, SAMPLE_ZERO);
	assert_int_equal(sample(&b, IGNITION, SAMPLE_OK)->fault, SAMPLE_OK);
	b.relays = 0;
	assert_int_equal(sample(&b, 0, SAMPLE_OK)->fault, SAMPLE_OK);
}

static void without_the_ignition_wire_zero_is_a_still_engine(void **state)
{
	struct bench b;

	bench_init(&b);
	b.config.ign_feedback = FEEDBACK_ABSENT;
	b.relays = RELAY_IGNITION;
	assert_int_equal(read_for(&b, 0, 2000)->fault, SAMPLE_OK);
	assert_in_range(b.v.alone_samples, ALONE_SAMPLES, SAMPLES_MAX);
	assert_int_equal(sample(&b, STARTER, SAMPLE_OK)->alone_samples, 0);
	sample(&b, 0, SAMPLE_OK);
	assert_int_equal(b.v.alone_samples, 1);
	assert_int_equal(sample(&b, ENGINE, SAMPLE_OK)->alone_samples, 0);
	assert_true(read_for(&b, ENGINE, RUN_DEBOUNCE_MS)->running);
}

static void ignition_alone_is_counted_from_its_closing_and_no_further_than_255(void **state)
{
	struct bench b;

	bench_init(&b);
	assert_int_equal(read_for(&b, IGNITION, 1000)->alone_samples, 0);
	b.relays = RELAY_IGNITION;
	assert_int_equal(sample(&b, IGNITION, SAMPLE_OK)->alone_samples, 1);
	assert_int_equal(read_for(&b, IGNITION, 30000)->alone_samples, SAMPLES_MAX);
	assert_int_equal(sample(&b, IGNITION | ENGINE, SAMPLE_OK)->alone_samples, 0);
	read_for(&b, IGNITION, 1000);
	assert_int_equal(sample(&b, IGNITION, SAMPLE_ERROR)->alone_samples, 0);
}

static void running_takes_half_a_second_of_ignition_and_engine_without_starter(void **state)
{
	struct bench b;

	bench_init(&b);
	b.relays = RELAY_IGNITION;
	assert_false(read_for(&b, ENGINE, 2000)->running); /* fuel off: it turns by itself */
	assert_false(read_for(&b, ENGINE | IGNITION | STARTER, 2000)->running);
	assert_false(read_for(&b, ENGINE | IGNITION, RUN_DEBOUNCE_MS - STEP_MS)->running);
	assert_true(sample(&b, ENGINE | IGNITION, SAMPLE_OK)->running);
	assert_true(b.v.run);
	assert_false(sample(&b, IGNITION, SAMPLE_OK)->running);
}

static void lost_takes_the_configured_time_of_valid_low_samples(void **state)
{
	struct bench b;

	bench_init(&b);
	b.relays = RELAY_IGNITION;
	read_for(&b, ENGINE | IGNITION, 1000);
	assert_false(b.v.lost);
	assert_false(read_for(&b, IGNITION, b.config.lost_ms - STEP_MS)->lost);
	assert_true(sample(&b, IGNITION, SAMPLE_OK)->lost);
	assert_false(sample(&b, IGNITION, SAMPLE_ERROR)->lost); /* not while nothing is seen */
	assert_false(sample(&b, ENGINE | IGNITION, SAMPLE_OK)->lost);
	assert_int_equal(b.v.low_samples, 0);
}

static void a_short_gap_does_not_interrupt_a_run_and_a_long_one_does(void **state)
{
	struct bench b;

	bench_init(&b);
	read_for(&b, ENGINE | IGNITION, 5000);
	for (int i = 0; i < 9; i++)
		sample(&b, 0, SAMPLE_ERROR);
	assert_in_range(b.v.run_ms, 5800, 6000);
	assert_in_range(sample(&b, ENGINE | IGNITION, SAMPLE_OK)->run_ms, 5900, 6100);
	for (int i = 0; i < 11; i++)
		sample(&b, 0, SAMPLE_ERROR);
	assert_int_equal(b.v.run_ms, 0);
	assert_int_equal(sample(&b, ENGINE | IGNITION, SAMPLE_OK)->run_ms, 0);
	assert_int_equal(sample(&b, ENGINE | IGNITION, SAMPLE_OK)->run_ms, STEP_MS);
}

static void stillness_is_broken_by_the_engine_and_by_every_bad_sample(void **state)
{
	struct bench b;

	bench_init(&b);
	assert_int_equal(sample(&b, 0, SAMPLE_OK)->still_ms, 0);
	assert_int_equal(read_for(&b, 0, 900)->still_ms, 1000);
	assert_int_equal(sample(&b, 0, SAMPLE_ERROR)->still_ms, 0);
	assert_int_equal(read_for(&b, 0, 1000)->still_ms, 1000);
	assert_int_equal(sample(&b, ENGINE, SAMPLE_OK)->still_ms, 0);
}

static void ages_of_a_node_that_was_on_for_months_do_not_overflow(void **state)
{
	struct bench b;

	bench_init(&b);
	sample(&b, 0, SAMPLE_OK);
	b.now_ms += INT64_C(4) * INT32_MAX;
	assert_int_equal(sample(&b, 0, SAMPLE_OK)->still_ms, INT32_MAX - 1);
	assert_true(b.v.lost);
}

static void emergency_stop_takes_two_valid_samples_of_an_open_contact(void **state)
{
	struct bench b;

	bench_init(&b);
	assert_false(read_for(&b, 0, 1000)->estop); /* IN3 unused */
	bench_init(&b);
	b.config.in3 = IN3_ESTOP_NC;
	assert_false(read_for(&b, IN3, 1000)->estop);
	assert_false(sample(&b, 0, SAMPLE_OK)->estop);
	assert_false(sample(&b, IN3, SAMPLE_OK)->estop);
	sample(&b, 0, SAMPLE_OK);
	assert_false(sample(&b, 0, SAMPLE_ERROR)->estop);
	assert_true(sample(&b, 0, SAMPLE_OK)->estop);
	assert_false(sample(&b, IN3, SAMPLE_OK)->estop);
}

static void an_adopted_engine_is_credited_with_its_warm_up(void **state)
{
	struct bench b;

	bench_init(&b);
	read_for(&b, ENGINE | IGNITION, 1000);
	inputs_credit(&b.inputs, 60000, b.now_ms);
	assert_int_equal(sample(&b, ENGINE | IGNITION, SAMPLE_OK)->run_ms, 60000 + STEP_MS);
	assert_false(b.v.lost);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_high_bit_makes_the_whole_sample_noise),
		T(a_failed_or_stuck_transfer_is_what_the_driver_says),
		T(bad_from_the_first_sample_on_counts_from_there),
		T(zero_is_believed_until_ignition_was_closed_for_half_a_second),
		T(without_the_ignition_wire_zero_is_a_still_engine),
		T(ignition_alone_is_counted_from_its_closing_and_no_further_than_255),
		T(running_takes_half_a_second_of_ignition_and_engine_without_starter),
		T(lost_takes_the_configured_time_of_valid_low_samples),
		T(a_short_gap_does_not_interrupt_a_run_and_a_long_one_does),
		T(stillness_is_broken_by_the_engine_and_by_every_bad_sample),
		T(ages_of_a_node_that_was_on_for_months_do_not_overflow),
		T(emergency_stop_takes_two_valid_samples_of_an_open_contact),
		T(an_adopted_engine_is_credited_with_its_warm_up),
	};
	return cmocka_run_group_tests_name("inputs", tests, NULL, NULL);
}
