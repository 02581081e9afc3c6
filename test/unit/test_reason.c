#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "node-monitor/reason.h"

static const char *text(const struct autostart_out *o)
{
	static char buf[REASON_LEN];

	reason_text(buf, sizeof(buf), o);
	return buf;
}

static const char *next(const struct autostart_out *o, int64_t now_ms)
{
	static char buf[REASON_LEN];

	reason_next(buf, sizeof(buf), o, now_ms);
	return buf;
}

static void start_names_reading_threshold_and_count(void **state)
{
	struct autostart_out o = { .wish = WISH_RUN,
		.reason = AUTO_SOC,
		.cause = AUTO_SOC,
		.value = 24,
		.limit = 25,
		.count = 3 };

	assert_string_equal(text(&o), "SOC 24 % is below 25 % for 3 readings; starting");
	assert_string_equal(next(&o, 0), "the engine starts");
}

static void run_names_both_ways_it_can_end(void **state)
{
	struct autostart_out o = { .wish = WISH_RUN,
		.reason = AUTO_SOC,
		.cause = AUTO_SOC,
		.value = 45,
		.limit = 80,
		.next = NEXT_STOP_AT,
		.next_value = 80,
		.next_ms = 1000 + (3 * 60 + 12) * 60000 };

	assert_string_equal(text(&o), "SOC 45 % is below 80 %; running");
	assert_string_equal(next(&o, 1000), "stop at SOC 80 % or in 3 h 12 min");
}

static void blocked_start_names_what_blocks_it_and_for_how_long(void **state)
{
	struct autostart_out o = { .reason = AUTO_RESTING,
		.cause = AUTO_VOLTAGE,
		.value = 49900,
		.limit = 50000,
		.left_s = 1500,
		.next = NEXT_START_AT,
		.next_ms = 1500000 };

	assert_string_equal(text(&o),
	    "battery 49.90 V is below 50.00 V; the rest between runs is not over, left 25 min");
	assert_string_equal(next(&o, 0), "start in 25 min if it is still needed");
}

static void stop_names_its_reason(void **state)
{
	struct autostart_out o = { .wish = WISH_STOP,
		.reason = AUTO_SOC_REACHED,
		.cause = AUTO_SOC,
		.value = 80,
		.limit = 80,
		.ended = AUTO_SOC_REACHED };

	assert_string_equal(
	    text(&o), "SOC 80 % is at or above 80 %; stopping: SOC has reached its stop");
	assert_string_equal(reason_ended(&o), "SOC has reached its stop");
}

static void every_reason_has_words_and_fits_any_buffer(void **state)
{
	char small[8];

	for (int r = 0; r < AUTO_NREASONS; r++)
		for (int w = WISH_NONE; w <= WISH_STOP; w++) {
			struct autostart_out o = { .wish = (enum auto_wish)w,
				.reason = (enum auto_reason)r,
				.value = UNKNOWN };
			assert_true(strlen(text(&o)) > 10);
			reason_text(small, sizeof(small), &o);
			assert_int_equal(strlen(small), sizeof(small) - 1);
		}
}

static void every_alarm_bit_has_one_row(void **state)
{
	uint32_t bits = 0;

	for (int i = 0; i < REASON_NALARMS; i++) {
		assert_int_equal(bits & reason_alarms[i].bit, 0);
		bits |= reason_alarms[i].bit;
		assert_true(strlen(reason_alarms[i].text) > 20);
	}
	assert_int_equal(bits, 1023);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_names_reading_threshold_and_count),
		cmocka_unit_test(run_names_both_ways_it_can_end),
		cmocka_unit_test(blocked_start_names_what_blocks_it_and_for_how_long),
		cmocka_unit_test(stop_names_its_reason),
		cmocka_unit_test(every_reason_has_words_and_fits_any_buffer),
		cmocka_unit_test(every_alarm_bit_has_one_row),
	};
	return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
