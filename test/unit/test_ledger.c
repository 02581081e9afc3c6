#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "node-genctl/ledger.h"

static const char boot[] = "01234567-89ab-cdef-0123-456789abcdef";

static struct ledger lived(void)
{
	struct ledger l;

	ledger_init(&l);
	l.mode = MODE_OPERATOR_STOP;
	l.held = 1;
	l.latches = 1u << 3;
	l.run_from_ms = 1000;
	l.deadline_ms = 9000;
	l.starts[0] = 900;
	l.pulses[0] = (struct pulse){ 950, 12000 };
	l.stopped_ms = 5000;
	l.inhibit_ms = 8000;
	l.total_starts = 17;
	return l;
}

static void a_record_comes_back_as_it_was_saved(void **state)
{
	struct ledger l = lived(), back;
	uint8_t slot[LEDGER_SLOT];
	char id[BOOT_ID_LEN + 1];
	uint32_t seq;

	ledger_encode(&l, 42, boot, slot);
	assert_int_equal(ledger_decode(slot, &back, &seq, id), 0);
	assert_int_equal(seq, 42);
	assert_string_equal(id, boot);
	assert_memory_equal(&back, &l, sizeof(l));
}

static void a_slot_with_any_bit_flipped_is_refused(void **state)
{
	struct ledger l = lived(), back;
	uint8_t slot[LEDGER_SLOT];
	char id[BOOT_ID_LEN + 1];
	uint32_t seq;

	ledger_encode(&l, 42, boot, slot);
	for (int bit = 0; bit < LEDGER_SLOT * 8; bit++) {
		slot[bit / 8] ^= 1u << bit % 8;
		assert_int_equal(ledger_decode(slot, &back, &seq, id), -EBADMSG);
		slot[bit / 8] ^= 1u << bit % 8;
	}
}

static void an_empty_slot_is_refused(void **state)
{
	uint8_t slot[LEDGER_SLOT] = { 0 };
	struct ledger back;
	char id[BOOT_ID_LEN + 1];
	uint32_t seq;

	assert_int_equal(ledger_decode(slot, &back, &seq, id), -EBADMSG);
}

static int decoded(const struct ledger *l)
{
	uint8_t slot[LEDGER_SLOT];
	struct ledger back;
	char id[BOOT_ID_LEN + 1];
	uint32_t seq;

	ledger_encode(l, 42, boot, slot);
	return ledger_decode(slot, &back, &seq, id);
}

static void a_sound_slot_that_holds_what_no_ledger_can_is_refused(void **state)
{
	struct ledger l = lived();

	assert_int_equal(decoded(&l), 0);
	l.mode = MODE_ESTOP + 1;
	assert_int_equal(decoded(&l), -EBADMSG);
	l = lived();
	l.crank_ms = NEVER + 1;
	assert_int_equal(decoded(&l), -EBADMSG);
	l = lived();
	l.pulses[LEDGER_PULSES - 1].from_ms = INT64_MAX;
	assert_int_equal(decoded(&l), -EBADMSG);
	l = lived();
	l.pulses[0].ms = -1;
	assert_int_equal(decoded(&l), -EBADMSG);
	l = lived();
	l.held = 1;
	l.run_from_ms = NEVER;
	assert_int_equal(decoded(&l), -EBADMSG);
}

static void every_time_of_a_record_is_one_that_a_clock_can_show(void **state)
{
	static const size_t times[] = { offsetof(struct ledger, run_from_ms),
		offsetof(struct ledger, deadline_ms), offsetof(struct ledger, stopped_ms),
		offsetof(struct ledger, unexpected_ms), offsetof(struct ledger, lockout_ms),
		offsetof(struct ledger, crank_ms), offsetof(struct ledger, inhibit_ms),
		offsetof(struct ledger, starts), offsetof(struct ledger, retries),
		offsetof(struct ledger, pulses) };
	static const int64_t never_shown[] = { -1, INT64_MAX };

	for (size_t i = 0; i < 2 * sizeof(times) / sizeof(times[0]); i++) {
		struct ledger l = lived();

		memcpy((char *)&l + times[i / 2], &never_shown[i % 2], sizeof(int64_t));
		assert_int_equal(decoded(&l), -EBADMSG);
	}
}

static void a_run_that_is_held_has_a_deadline(void **state)
{
	struct ledger l = lived();

	l.held = 1;
	l.deadline_ms = NEVER;
	assert_int_equal(decoded(&l), -EBADMSG);
}

static void under_another_boot_every_known_age_begins_anew(void **state)
{
	struct ledger l = lived();

	ledger_rebase(&l, 70000);
	assert_int_equal(l.run_from_ms, 70000);
	assert_int_equal(l.starts[0], 70000);
	assert_int_equal(l.pulses[0].from_ms, 70000);
	assert_int_equal(l.pulses[0].ms, 12000);
	assert_true(l.starts[1] == NEVER);
	assert_true(l.crank_ms == NEVER);
	assert_int_equal(l.total_starts, 17);
}

static void an_inhibition_after_max_run_survives_a_reboot(void **state)
{
	struct ledger l = lived();

	ledger_rebase(&l, 70000);
	assert_int_equal(l.inhibit_ms, 73000);
}

static void an_inhibition_that_was_over_or_has_no_run_ends_with_a_reboot(void **state)
{
	struct ledger l = lived();

	l.inhibit_ms = l.stopped_ms;
	ledger_rebase(&l, 70000);
	assert_int_equal(l.inhibit_ms, 70000);
	l = lived();
	l.stopped_ms = NEVER;
	ledger_rebase(&l, 70000);
	assert_int_equal(l.inhibit_ms, 70000);
	l = lived();
	l.inhibit_ms = NEVER;
	ledger_rebase(&l, 70000);
	assert_true(l.inhibit_ms == NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_comes_back_as_it_was_saved),
		cmocka_unit_test(a_slot_with_any_bit_flipped_is_refused),
		cmocka_unit_test(an_empty_slot_is_refused),
		cmocka_unit_test(a_sound_slot_that_holds_what_no_ledger_can_is_refused),
		cmocka_unit_test(every_time_of_a_record_is_one_that_a_clock_can_show),
		cmocka_unit_test(a_run_that_is_held_has_a_deadline),
		cmocka_unit_test(under_another_boot_every_known_age_begins_anew),
		cmocka_unit_test(an_inhibition_after_max_run_survives_a_reboot),
		cmocka_unit_test(an_inhibition_that_was_over_or_has_no_run_ends_with_a_reboot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
