#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/sim/engine.h"

enum { STEP_MS = 10, NEVER = -1 };

static struct engine make(int64_t catch_ms)
{
	struct engine e;

	engine_init(&e);
	e.set.cold_catch_ms = catch_ms;
	e.set.hot_catch_ms = catch_ms / 2;
	return e;
}

/* Steps for for_ms; returns when the running wire was first `level`, from the begin. */
static int64_t step(struct engine *e, bool starter, bool ignition, int64_t for_ms, bool level)
{
	int64_t begin_ms = e->last_ms, at_ms = NEVER;

	while (e->last_ms < begin_ms + for_ms) {
		bool wire = engine_step(e, starter, ignition, e->last_ms + STEP_MS);

		if (wire == level && at_ms == NEVER)
			at_ms = e->last_ms - begin_ms;
	}
	return at_ms;
}

static void catches_after_its_cranking_time_and_then_shows_it(void **state)
{
	struct engine e = make(2500);

	assert_in_range(step(&e, true, true, 4000, true), 2800, 2820);
	assert_int_equal(e.phase, ENGINE_FIRING);
	assert_true(e.ground_ms > 1000); /* the starter was held on into a running engine */
}

static void the_wire_may_rise_after_the_starter_has_opened(void **state)
{
	struct engine e = make(11900);

	e.set.rise_ms = 1000;
	assert_int_equal(step(&e, true, true, 12000, true), NEVER);
	assert_in_range(step(&e, false, true, 4000, true), 880, 940);
	assert_int_equal(e.ground_ms, 0);
}

static void cranking_counts_in_one_pulse_only(void **state)
{
	struct engine e = make(2500);

	for (int i = 0; i < 5; i++) {
		assert_int_equal(step(&e, true, true, 2000, true), NEVER);
		assert_int_equal(step(&e, false, true, 1000, true), NEVER);
	}
}

static void no_ignition_no_fuel_or_stuck_never_fires(void **state)
{
	struct engine no_ignition = make(500), no_fuel = make(500), stuck = make(500);

	no_fuel.set.fuel_out = 1;
	stuck.set.stuck = 1;
	assert_int_equal(step(&no_ignition, true, false, 20000, true), NEVER);
	assert_int_equal(step(&no_fuel, true, true, 20000, true), NEVER);
	assert_int_equal(step(&stuck, true, true, 20000, true), NEVER);
}

static void a_hot_engine_catches_sooner_until_it_has_cooled(void **state)
{
	struct engine e = make(3000);

	step(&e, true, true, 5000, true);
	step(&e, false, false, 5000, true);
	assert_int_equal(e.phase, ENGINE_AT_REST);
	assert_in_range(step(&e, true, true, 5000, true), 1800, 1830);
	step(&e, false, false, 5000, true);
	engine_step(&e, false, false, e.last_ms + e.set.hot_ms);
	assert_in_range(step(&e, true, true, 5000, true), 3300, 3330);
}

static void turns_on_for_a_while_after_ignition_off(void **state)
{
	struct engine e = make(1000);

	e.set.run_on_ms = 3000;
	step(&e, true, true, 2000, true);
	assert_in_range(step(&e, false, false, 6000, false), 3000, 3030);
}

static void without_fuel_it_sputters_and_dies(void **state)
{
	struct engine e = make(1000);

	e.set.run_on_ms = 3000;
	step(&e, true, true, 2000, true);
	e.set.fuel_out = 1;
	assert_in_range(step(&e, false, true, 1000, false), 0, 100);
	assert_in_range(step(&e, false, true, 1000, true), 0, 1000);
	step(&e, false, true, 2000, true);
	assert_int_equal(e.phase, ENGINE_AT_REST);
	assert_int_equal(step(&e, false, true, 5000, true), NEVER);
}

static void a_stumble_drops_the_wire_but_not_the_engine(void **state)
{
	struct engine e = make(1000);

	step(&e, true, true, 2000, true);
	e.set.stumble_until_ms = e.last_ms + 1500;
	assert_in_range(step(&e, false, true, 3000, true), 1500, 1520);
	assert_int_equal(e.phase, ENGINE_FIRING);
}

static void somebody_else_can_run_it_without_our_ignition(void **state)
{
	struct engine e = make(1000);

	e.set.external = 1;
	assert_in_range(step(&e, false, false, 1000, true), 300, 330);
	e.set.external = 0;
	step(&e, false, false, 5000, true);
	assert_int_equal(e.phase, ENGINE_AT_REST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(catches_after_its_cranking_time_and_then_shows_it),
		cmocka_unit_test(the_wire_may_rise_after_the_starter_has_opened),
		cmocka_unit_test(cranking_counts_in_one_pulse_only),
		cmocka_unit_test(no_ignition_no_fuel_or_stuck_never_fires),
		cmocka_unit_test(a_hot_engine_catches_sooner_until_it_has_cooled),
		cmocka_unit_test(turns_on_for_a_while_after_ignition_off),
		cmocka_unit_test(without_fuel_it_sputters_and_dies),
		cmocka_unit_test(a_stumble_drops_the_wire_but_not_the_engine),
		cmocka_unit_test(somebody_else_can_run_it_without_our_ignition),
	};
	return cmocka_run_group_tests_name("simulated engine", tests, NULL, NULL);
}
