/* Ages of samples stay true, or as old as a number can say, for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "node-genctl/inputs.h"

static const struct engine_config config = { .lost_ms = 6000 };

static void bus_dead_for_longer_than_a_number_holds_stays_dead(void **state)
{
	struct inputs in;
	struct inputs_view v;

	inputs_init(&in, &config, 0);
	v = inputs_step(&in, INPUT_ENGINE | INPUT_IGNITION, SAMPLE_OK, RELAY_IGNITION, 1000);
	assert_true(v.run);
	for (int64_t day = 20; day <= 40; day++) {
		v = inputs_step(&in, 0, SAMPLE_ERROR, RELAY_IGNITION, day * DAY_MS);
		assert_true(v.bad_ms >= BAD_MS);
		assert_false(v.run);
		assert_int_equal(v.run_ms, 0);
	}
}

static void engine_at_rest_for_longer_than_a_number_holds_stays_at_rest(void **state)
{
	struct inputs in;
	struct inputs_view v;

	inputs_init(&in, &config, 0);
	for (int64_t day = 0; day <= 40; day++) {
		v = inputs_step(&in, 0, SAMPLE_OK, 0, day * DAY_MS);
		assert_true(day == 0 || v.still_ms >= DAY_MS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bus_dead_for_longer_than_a_number_holds_stays_dead),
		cmocka_unit_test(engine_at_rest_for_longer_than_a_number_holds_stays_at_rest),
	};

	return cmocka_run_group_tests_name("inputs", tests, NULL, NULL);
}
