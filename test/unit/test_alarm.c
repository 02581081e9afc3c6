#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "node-genctl/alarm.h"

#define BIT(alarm) (UINT32_C(1) << (alarm))

static void every_alarm_has_a_code_a_class_and_a_sentence(void **state)
{
	for (int a = 0; a < ALARM_N; a++) {
		const struct alarm_info *i = &alarm_info[a];

		assert_non_null(i->code);
		assert_true(strlen(i->code) < 32); /* as monitord keeps it */
		assert_true(strlen(i->text) < 160);
		assert_int_equal(i->text[strlen(i->text) - 1], '.');
		assert_true(i->class <= ALARM_SHUTDOWN);
		assert_false(i->class == ALARM_WARNING && i->latched);
		for (int b = 0; b < a; b++)
			assert_string_not_equal(i->code, alarm_info[b].code);
	}
	assert_true(ALARM_N <= 32);
}

static void what_is_new_is_told_once_and_keeps_its_time(void **state)
{
	struct alarm_record r;

	alarm_init(&r);
	assert_int_equal(alarm_note(&r, BIT(ALARM_MAX_RUN), 100), BIT(ALARM_MAX_RUN));
	assert_int_equal(alarm_note(&r, BIT(ALARM_MAX_RUN), 200), 0);
	assert_int_equal(r.since_ms[ALARM_MAX_RUN], 100);
	assert_int_equal(alarm_note(&r, 0, 300), 0);
	assert_int_equal(alarm_note(&r, BIT(ALARM_MAX_RUN), 400), BIT(ALARM_MAX_RUN));
	assert_int_equal(r.since_ms[ALARM_MAX_RUN], 400);
}

static void the_first_stays_first_until_none_stands(void **state)
{
	struct alarm_record r;

	alarm_init(&r);
	alarm_note(&r, BIT(ALARM_MODIO_LOST), 1);
	assert_int_equal(r.first, ALARM_MODIO_LOST);
	alarm_note(&r, BIT(ALARM_MODIO_LOST) | BIT(ALARM_OUTPUT_UNKNOWN), 2);
	assert_int_equal(r.first, ALARM_MODIO_LOST);
	alarm_note(&r, BIT(ALARM_OUTPUT_UNKNOWN), 3); /* it is over, and came first still */
	assert_int_equal(r.first, ALARM_MODIO_LOST);
	alarm_note(&r, 0, 4);
	assert_int_equal(r.first, ALARM_N);
	alarm_note(&r, BIT(ALARM_OUTPUT_UNKNOWN), 5);
	assert_int_equal(r.first, ALARM_OUTPUT_UNKNOWN);
}

static void a_warning_is_never_first(void **state)
{
	uint32_t warnings = BIT(ALARM_AUTO_DISABLED) | BIT(ALARM_RESTARTED);
	struct alarm_record r;

	alarm_init(&r);
	alarm_note(&r, warnings, 1);
	assert_int_equal(r.first, ALARM_N);
	alarm_note(&r, warnings | BIT(ALARM_LEASE_LOST), 2);
	assert_int_equal(r.first, ALARM_LEASE_LOST);
	alarm_note(&r, warnings, 3);
	assert_int_equal(r.first, ALARM_N);
}

static void of_several_at_once_the_weightiest_is_first(void **state)
{
	struct alarm_record r;

	alarm_init(&r);
	alarm_note(&r, BIT(ALARM_MODIO_LOST) | BIT(ALARM_OUTPUT_UNKNOWN), 1);
	assert_int_equal(r.first, ALARM_OUTPUT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_alarm_has_a_code_a_class_and_a_sentence),
		cmocka_unit_test(what_is_new_is_told_once_and_keeps_its_time),
		cmocka_unit_test(the_first_stays_first_until_none_stands),
		cmocka_unit_test(a_warning_is_never_first),
		cmocka_unit_test(of_several_at_once_the_weightiest_is_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
