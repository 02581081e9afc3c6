/* Orders of several parties, late, twice, reordered and forged, come to one wish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "node-genctl/lease.h"

enum { A = 1, B = 2 };

static struct lease fresh(void)
{
	struct lease l;

	lease_init(&l, 77);
	return l;
}

static struct lease_order order(const struct lease *l, uint32_t seq, bool run, uint32_t for_s)
{
	return (struct lease_order){
		.boot_id = l->boot_id, .epoch = l->epoch, .seq = seq, .run = run, .for_s = for_s
	};
}

static enum lease_code give(
    struct lease *l, uint64_t who, uint32_t seq, bool run, uint32_t for_s, int64_t now_ms)
{
	struct lease_order o = order(l, seq, run, for_s);

	return lease_order(l, who, &o, now_ms);
}

static void holder_runs_the_engine_until_its_deadline(void **state)
{
	struct lease l = fresh();

	assert_int_equal(lease_acquire(&l, A, 0, 1000), LEASE_OK);
	assert_int_equal(give(&l, A, 1, true, 900, 1000), LEASE_OK);
	assert_true(lease_wish(&l, 2000).run && lease_wish(&l, 2000).may_start);
	assert_int_equal(lease_wish(&l, 2000).deadline_ms, 901000);
	assert_true(lease_wish(&l, 900999).run);
	assert_false(lease_wish(&l, 901000).run);
}

static void lost_lease_keeps_a_run_to_its_deadline_and_starts_nothing(void **state)
{
	struct lease l = fresh();

	lease_acquire(&l, A, 0, 0);
	give(&l, A, 1, true, 600, 0);
	assert_true(lease_wish(&l, 19999).may_start);
	assert_false(lease_wish(&l, 20000).may_start);
	assert_true(lease_wish(&l, 20000).run);
	lease_acquire(&l, A, 0, 30000);
	lease_release(&l, A);
	assert_false(lease_wish(&l, 30001).may_start);
	assert_true(lease_wish(&l, 30001).run);
}

static void next_holder_starts_nothing_that_the_last_one_wanted(void **state)
{
	struct lease l = fresh();

	lease_acquire(&l, A, 0, 0);
	give(&l, A, 1, true, 600, 0);
	lease_release(&l, A);
	lease_acquire(&l, B, 0, 1000);
	assert_true(lease_wish(&l, 1000).run); /* an engine that runs is not dropped */
	assert_false(lease_wish(&l, 1000).may_start);
	give(&l, B, 1, true, 60, 1000);
	assert_true(lease_wish(&l, 1000).may_start);
}

static void order_that_travelled_counts_from_when_it_was_decided(void **state)
{
	struct lease l = fresh();
	struct lease_order o = order(&l, 1, true, 10);

	lease_acquire(&l, A, 0, 0);
	o.epoch = l.epoch;
	o.age_ms = 4000;
	assert_int_equal(lease_order(&l, A, &o, 5000), LEASE_OK);
	assert_int_equal(lease_wish(&l, 5000).deadline_ms, 11000);
}

static void second_monitor_is_refused_until_the_lease_ends(void **state)
{
	struct lease l = fresh();

	lease_acquire(&l, A, 0, 0);
	assert_int_equal(lease_acquire(&l, B, 0, 100), LEASE_TAKEN);
	assert_int_equal(give(&l, B, 1, true, 60, 100), LEASE_NOT_HOLDER);
	assert_int_equal(lease_acquire(&l, B, 0, 20000), LEASE_OK);
	assert_int_equal(give(&l, A, 1, true, 60, 20100), LEASE_NOT_HOLDER);
}

static void order_of_an_older_epoch_is_stale_even_from_the_holder(void **state)
{
	struct lease l = fresh();
	struct lease_order late;

	lease_acquire(&l, A, 0, 0);
	late = order(&l, 5, true, 900);
	lease_acquire(&l, A, 0, 60000); /* lapsed meanwhile: a new epoch */
	assert_int_equal(lease_order(&l, A, &late, 60001), LEASE_STALE);
	assert_false(lease_wish(&l, 60001).run);
}

static void order_from_before_a_restart_of_the_node_is_stale(void **state)
{
	struct lease l = fresh();
	struct lease_order o;

	lease_acquire(&l, A, 0, 0);
	o = order(&l, 1, true, 900);
	lease_init(&l, 78);
	lease_acquire(&l, A, 0, 10);
	assert_int_equal(lease_order(&l, A, &o, 20), LEASE_STALE);
}

static void defect_d11_order_older_than_five_seconds_is_not_carried_out(void **state)
{
	struct lease l = fresh();
	struct lease_order o;

	lease_acquire(&l, A, 0, 0);
	o = order(&l, 1, true, 900);
	o.age_ms = 5001;
	assert_int_equal(lease_order(&l, A, &o, 10), LEASE_STALE);
	o.age_ms = 5000;
	assert_int_equal(lease_order(&l, A, &o, 10), LEASE_OK);
	assert_int_equal(lease_wish(&l, 10).deadline_ms, 10 - 5000 + 900000);
}

static void repeated_order_gets_the_stored_answer_and_acts_once(void **state)
{
	struct lease l = fresh();

	lease_acquire(&l, A, 0, 0);
	assert_int_equal(give(&l, A, 1, true, 901, 0), LEASE_BAD_VALUE);
	assert_int_equal(give(&l, A, 1, true, 900, 1), LEASE_BAD_VALUE);
	assert_int_equal(give(&l, A, 2, true, 900, 2), LEASE_OK);
	assert_int_equal(give(&l, A, 2, false, 0, 3), LEASE_OK);
	assert_true(lease_wish(&l, 4).run);
}

static void reordered_order_is_stale(void **state)
{
	struct lease l = fresh();

	lease_acquire(&l, A, 0, 0);
	give(&l, A, 4, false, 0, 0);
	assert_int_equal(give(&l, A, 3, true, 900, 1), LEASE_STALE);
	assert_int_equal(give(&l, A, 0, true, 900, 1), LEASE_STALE);
	assert_false(lease_wish(&l, 2).run);
}

static void operator_stop_ends_the_holders_run_and_holds_until_auto(void **state)
{
	struct lease l = fresh();

	lease_acquire(&l, A, 0, 0);
	give(&l, A, 1, true, 900, 0);
	lease_mode(&l, MODE_OPERATOR_STOP);
	assert_false(lease_wish(&l, 1).run);
	assert_int_equal(give(&l, A, 2, true, 900, 2), LEASE_MODE);
	assert_int_equal(give(&l, A, 3, false, 0, 2), LEASE_OK);
	lease_mode(&l, MODE_AUTO);
	assert_false(lease_wish(&l, 3).run); /* the holder must state it anew */
	assert_int_equal(give(&l, A, 4, true, 900, 4), LEASE_OK);
	assert_true(lease_wish(&l, 5).run);
}

static void operator_start_outweighs_the_holder(void **state)
{
	struct lease l = fresh();

	lease_operator_run(&l, 0, 0);
	lease_acquire(&l, A, 0, 0);
	assert_int_equal(give(&l, A, 1, false, 0, 1), LEASE_OK);
	assert_true(lease_wish(&l, 1000000000).run);
	lease_operator_run(&l, 60, 0);
	assert_true(lease_wish(&l, 59999).run);
	assert_false(lease_wish(&l, 60000).run);
}

static void no_order_outweighs_maintenance_or_an_emergency_stop(void **state)
{
	struct lease l = fresh();

	lease_acquire(&l, A, 0, 0);
	give(&l, A, 1, true, 900, 0);
	lease_mode(&l, MODE_MAINTENANCE);
	assert_false(lease_wish(&l, 1).run);
	lease_mode(&l, MODE_ESTOP);
	assert_false(lease_wish(&l, 1).run);
	assert_int_equal(give(&l, A, 2, true, 900, 1), LEASE_MODE);
}

static void adopted_run_goes_on_without_a_holder_and_starts_nothing(void **state)
{
	struct lease l = fresh();

	lease_adopt(&l, 5000);
	assert_true(lease_wish(&l, 4999).run);
	assert_false(lease_wish(&l, 4999).may_start);
	assert_false(lease_wish(&l, 5000).run);
}

static void lease_may_not_be_asked_for_over_a_minute(void **state)
{
	struct lease l = fresh();

	assert_int_equal(lease_acquire(&l, A, LEASE_TTL_MAX_MS + 1, 0), LEASE_BAD_VALUE);
	assert_false(lease_held(&l, 0));
	assert_int_equal(lease_acquire(&l, A, LEASE_TTL_MAX_MS, 0), LEASE_OK);
}

/* Two monitors that both believe to be the one, with late, doubled and replayed orders. */
static void split_brain_never_lets_an_order_of_the_other_through(void **state)
{
	struct lease l = fresh();
	struct lease_order kept[64] = { 0 };
	uint64_t from[64] = { 0 };
	uint32_t seed = 1, seq[3] = { 0 };
	int accepted = 0;

	for (int64_t now_ms = 0; now_ms < 40000000; now_ms += 977) {
		uint64_t who = 1 + (seed >> 9 & 1);
		int slot = seed >> 12 & 63;
		bool held = lease_held(&l, now_ms);

		seed = seed * 1664525 + 1013904223;
		if ((seed >> 28) < 3) {
			lease_acquire(&l, who, 0, now_ms);
		} else if ((seed >> 28) < 9) {
			kept[slot] = order(&l, ++seq[who], seed >> 20 & 1, 900);
			from[slot] = who;
		} else {
			struct lease before = l;
			enum lease_code code = lease_order(&l, from[slot], &kept[slot], now_ms);
			bool acted = code == LEASE_OK && kept[slot].seq > before.seq;

			accepted += acted;
			if (acted)
				assert_true(held && from[slot] == l.holder &&
					    kept[slot].epoch == l.epoch);
			else
				assert_memory_equal(&before, &l, sizeof(l));
		}
	}
	assert_true(accepted > 100);
}

static void release_by_another_than_the_holder_changes_nothing(void **state)
{
	struct lease l = fresh();

	lease_acquire(&l, A, 0, 0);
	lease_release(&l, B);
	assert_true(lease_held(&l, 1));
	assert_int_equal(lease_acquire(&l, B, 0, 1), LEASE_TAKEN);
}

static void run_for_no_time_or_too_long_and_order_number_0_are_refused(void **state)
{
	struct lease l = fresh();

	lease_acquire(&l, A, 0, 0);
	assert_int_equal(give(&l, A, 0, true, 900, 0), LEASE_STALE);
	assert_int_equal(give(&l, A, 1, true, 0, 0), LEASE_BAD_VALUE);
	assert_int_equal(give(&l, A, 2, true, ORDER_FOR_MAX_S + 1, 0), LEASE_BAD_VALUE);
	assert_false(lease_wish(&l, 0).run);
	assert_int_equal(give(&l, A, 3, false, 0, 0), LEASE_OK);
}

static void mode_that_the_guard_repeats_or_that_keeps_a_run_ends_nothing(void **state)
{
	struct lease l = fresh();

	lease_acquire(&l, A, 0, 0);
	give(&l, A, 1, true, 900, 0);
	lease_mode(&l, MODE_AUTO);
	assert_true(lease_wish(&l, 1).may_start);
	lease_mode(&l, MODE_OPERATOR_RUN);
	assert_true(lease_wish(&l, 1).run);
	lease_mode(&l, MODE_OPERATOR_STOP);
	lease_mode(&l, MODE_AUTO);
	assert_false(lease_wish(&l, 1).run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(release_by_another_than_the_holder_changes_nothing),
		cmocka_unit_test(run_for_no_time_or_too_long_and_order_number_0_are_refused),
		cmocka_unit_test(mode_that_the_guard_repeats_or_that_keeps_a_run_ends_nothing),
		cmocka_unit_test(holder_runs_the_engine_until_its_deadline),
		cmocka_unit_test(lost_lease_keeps_a_run_to_its_deadline_and_starts_nothing),
		cmocka_unit_test(next_holder_starts_nothing_that_the_last_one_wanted),
		cmocka_unit_test(order_that_travelled_counts_from_when_it_was_decided),
		cmocka_unit_test(second_monitor_is_refused_until_the_lease_ends),
		cmocka_unit_test(order_of_an_older_epoch_is_stale_even_from_the_holder),
		cmocka_unit_test(order_from_before_a_restart_of_the_node_is_stale),
		cmocka_unit_test(defect_d11_order_older_than_five_seconds_is_not_carried_out),
		cmocka_unit_test(repeated_order_gets_the_stored_answer_and_acts_once),
		cmocka_unit_test(reordered_order_is_stale),
		cmocka_unit_test(operator_stop_ends_the_holders_run_and_holds_until_auto),
		cmocka_unit_test(operator_start_outweighs_the_holder),
		cmocka_unit_test(no_order_outweighs_maintenance_or_an_emergency_stop),
		cmocka_unit_test(adopted_run_goes_on_without_a_holder_and_starts_nothing),
		cmocka_unit_test(lease_may_not_be_asked_for_over_a_minute),
		cmocka_unit_test(split_brain_never_lets_an_order_of_the_other_through),
	};

	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
