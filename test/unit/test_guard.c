/* What of the guard needs no processes. The whole of it: test/system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "node-genctl/config.h"
#include "node-genctl/guard_parts.h"

static struct guard at_rest(void)
{
	return (
	    struct guard){ .stage = STAGE_LIVE, .acked_ever = true, .k = { .known = true } };
}

static void samples_are_taken_as_often_as_what_they_may_end(void **state)
{
	struct guard g = at_rest();

	assert_int_equal(guard_period_ms(&g), SAMPLE_IDLE_MS);
	g.k.relays = RELAY_IGNITION;
	assert_int_equal(guard_period_ms(&g), SAMPLE_ACTIVE_MS);
	g.k.relays = RELAY_IGNITION | RELAY_STARTER;
	assert_int_equal(guard_period_ms(&g), SAMPLE_CRANK_MS);
}

static void an_input_that_is_high_at_rest_is_looked_at_often(void **state)
{
	struct guard g = at_rest();

	g.k.in.x = INPUT_ENGINE;
	assert_int_equal(guard_period_ms(&g), SAMPLE_ACTIVE_MS);
}

/* Whatever little a busy machine adds to each period. */
static void an_engine_that_runs_at_rest_is_proved_on_a_busy_machine(void **state)
{
	struct genctl_config config;
	struct guard g = at_rest();
	struct inputs in;
	int64_t now_ms = 1000;

	conf_defaults(config_keys, config_nkeys, &config);
	inputs_init(&in, &config.engine, now_ms);
	for (int i = 0; i < 20; i++) {
		g.k.in = inputs_step(&in, INPUT_ENGINE, SAMPLE_OK, 0, now_ms);
		now_ms += guard_period_ms(&g) + 7;
	}
	assert_true(g.k.in.run_ms >= RUN_DEBOUNCE_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_taken_as_often_as_what_they_may_end),
		cmocka_unit_test(an_input_that_is_high_at_rest_is_looked_at_often),
		cmocka_unit_test(an_engine_that_runs_at_rest_is_proved_on_a_busy_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
