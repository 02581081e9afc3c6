#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "node-genctl/events.h"

static struct events *with(int n)
{
	struct events *e = calloc(1, sizeof(*e));

	while (n-- > 0)
		events_add(e);
	return e;
}

static void events_are_numbered_from_1_and_read_in_order(void **state)
{
	struct events *e = with(3);
	const struct event_record *r = events_after(e, 0);

	for (uint32_t seq = 1; seq <= 3; seq++) {
		assert_int_equal(r->seq, seq);
		r = events_after(e, r->seq);
	}
	assert_null(r);
	free(e);
}

static void nothing_comes_after_the_newest_or_a_number_not_yet_given(void **state)
{
	struct events *e = with(0);

	assert_null(events_after(e, 0));
	events_add(e);
	assert_null(events_after(e, 1));
	assert_null(events_after(e, 99));
	assert_null(events_after(e, UINT32_MAX));
	free(e);
}

static void the_oldest_give_way_and_a_reader_left_behind_goes_on_with_what_is_kept(void **state)
{
	struct events *e = with(EVENTS_MAX + 7);
	const struct event_record *r = events_after(e, 2);
	int n = 0;

	assert_int_equal(r->seq, 8);
	for (; r; r = events_after(e, r->seq))
		n++;
	assert_int_equal(n, EVENTS_MAX);
	free(e);
}

static void a_new_event_carries_nothing_of_the_one_it_replaces(void **state)
{
	struct events *e = with(0);
	struct event_record *r = events_add(e);

	r->text[0] = 'x';
	r->left_ms = 7;
	for (int i = 0; i < EVENTS_MAX - 1; i++)
		events_add(e);
	r = events_add(e);
	assert_int_equal(r->seq, EVENTS_MAX + 1);
	assert_int_equal(r->text[0], 0);
	assert_int_equal(r->left_ms, 0);
	free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_numbered_from_1_and_read_in_order),
		cmocka_unit_test(nothing_comes_after_the_newest_or_a_number_not_yet_given),
		cmocka_unit_test(
		    the_oldest_give_way_and_a_reader_left_behind_goes_on_with_what_is_kept),
		cmocka_unit_test(a_new_event_carries_nothing_of_the_one_it_replaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
