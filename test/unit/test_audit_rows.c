/* Traces played through the rule book: what is right is not found, and what is wrong is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "node-genctl/audit.h"
#include "test/rig/rig.h"

enum { BAD = AUDIT_BAD, SAME = AUDIT_UNKNOWN, FOUND_MAX = 64 };

struct bench {
	struct engine_config config;
	struct audit a;
	enum rule rules[FOUND_MAX];
	int64_t at_ms[FOUND_MAX];
	int n;
};

static void found(void *owner, int64_t t_ms, enum rule rule, const char *what)
{
	struct bench *b = owner;

	if (b->n == FOUND_MAX) /* what stands is found again and again */
		return;
	b->rules[b->n] = rule;
	b->at_ms[b->n++] = t_ms;
}

static void bench_init(struct bench *b)
{
	b->n = 0;
	b->config = rig_defaults;
	audit_init(&b->a, &b->config);
	b->a.found = found;
	b->a.owner = b;
}

static void row(struct bench *b, int64_t t_ms, int relays, int inputs, const char *event)
{
	audit_row(&b->a, &(struct audit_row){ t_ms, relays, inputs, event });
}

static bool finds(const struct bench *b, enum rule rule)
{
	for (int i = 0; i < b->n; i++)
		if (b->rules[i] == rule)
			return true;
	return false;
}

/* From the boot to a starter that is closed; t = 20600 is its byte. */
static void crank(struct bench *b)
{
	bench_init(b);
	row(b, 0, 0x00, 0x00, "boot");
	row(b, 20000, SAME, SAME, "begin first by=monitor age_ms=100");
	row(b, 20050, SAME, SAME, "permit");
	row(b, 20100, 0x08, SAME, "");
	row(b, 20110, SAME, 0x02, "");
	row(b, 20600, 0x09, SAME, "");
	row(b, 20610, SAME, 0x0a, "");
	assert_int_equal(b->n, 0);
}

/* On load since t = 103000. */
static void load(struct bench *b)
{
	crank(b);
	row(b, 22600, SAME, 0x0b, "");
	row(b, 22620, 0x08, SAME, "");
	row(b, 22640, SAME, 0x03, "");
	row(b, 103000, 0x0a, SAME, "");
	assert_int_equal(b->n, 0);
}

static void a_good_start_and_stop_has_no_finding(void **state)
{
	struct bench b;

	load(&b);
	row(&b, 200000, 0x08, SAME, "");
	row(&b, 380000, 0x00, SAME, "");
	row(&b, 380010, SAME, 0x01, "");
	row(&b, 380300, SAME, 0x00, "");
	audit_end(&b.a, 500000);
	assert_int_equal(b.n, 0);
}

static void a_start_that_should_have_been_refused_is_found_with_its_reason(void **state)
{
	struct bench b;

	bench_init(&b);
	row(&b, 0, 0x00, 0x00, "boot");
	row(&b, 30000, SAME, SAME, "begin first");
	assert_true(finds(&b, RULE_P2));
	bench_init(&b);
	row(&b, 0, 0x00, 0x00, "boot");
	row(&b, 30000, SAME, SAME, "begin first by=operator age_ms=99999999999999");
	assert_true(b.n == 1 && finds(&b, RULE_L2));
	row(&b, 40000, SAME, 0x01, "");
	row(&b, 41000, SAME, SAME, "begin by=operator age_ms=none");
	assert_true(b.n == 2 && finds(&b, RULE_R3));
}

static void a_byte_the_gate_would_have_refused_is_found(void **state)
{
	struct bench b;

	bench_init(&b);
	row(&b, 0, 0x00, 0x00, "boot");
	row(&b, 30000, 0x08, SAME, "");
	assert_true(b.n == 1 && finds(&b, RULE_F1));
	crank(&b);
	row(&b, 20700, 0x08, SAME, "");
	row(&b, 20800, 0x09, SAME, "");
	assert_true(finds(&b, RULE_S6) && finds(&b, RULE_S5));
	load(&b);
	row(&b, 110000, 0x00, SAME, "");
	assert_true(b.n == 1 && finds(&b, RULE_C2));
}

static void a_permit_that_was_dropped_permits_nothing(void **state)
{
	struct bench b;

	bench_init(&b);
	row(&b, 0, 0x00, 0x00, "boot");
	row(&b, 20000, SAME, SAME, "begin first by=operator");
	row(&b, 20050, SAME, SAME, "permit");
	row(&b, 20060, SAME, SAME, "drop");
	row(&b, 20100, 0x08, SAME, "");
	assert_true(finds(&b, RULE_F1));
}

static void what_the_watch_demands_must_come_within_its_limit(void **state)
{
	struct bench b;

	crank(&b);
	row(&b, 22600, SAME, 0x0b, "");
	row(&b, 22840, 0x08, SAME, ""); /* late, yet in time */
	assert_int_equal(b.n, 0);
	crank(&b);
	row(&b, 22600, SAME, 0x0b, "");
	row(&b, 23000, 0x08, SAME, "");
	assert_int_equal(b.n, 1);
	assert_int_equal(b.rules[0], RULE_S3);
	assert_in_range(b.at_ms[0], 22600, 22650);
}

static void a_demand_that_stands_at_the_end_of_the_trace_is_found(void **state)
{
	struct bench b;

	crank(&b);
	audit_end(&b.a, 60000);
	assert_true(finds(&b, RULE_S4));
	crank(&b);
	row(&b, 21000, SAME, BAD, "");
	audit_end(&b.a, 21400);
	assert_int_equal(b.n, 0);
	audit_end(&b.a, 22000);
	assert_true(finds(&b, RULE_I2));
}

static void time_that_runs_backwards_is_found_and_its_row_not_played(void **state)
{
	struct bench b;

	load(&b);
	row(&b, 102000, 0x00, SAME, "");
	assert_true(b.n == 1 && finds(&b, RULE_T1));
	assert_int_equal(b.a.k.relays, 0x0a);
}

static void a_trace_that_begins_in_the_middle_was_right_before(void **state)
{
	struct bench b;

	bench_init(&b);
	row(&b, 5000000, 0x0a, 0x03, "");
	row(&b, 5100000, SAME, SAME, "");
	assert_int_equal(b.n, 0);
	row(&b, 5200000, 0x00, SAME, ""); /* but not from here on */
	assert_true(b.n == 1 && finds(&b, RULE_C2));

	bench_init(&b);
	row(&b, 5000000, 0x09, 0x0a, "");
	row(&b, 5001000, 0x08, 0x02, "");
	assert_int_equal(b.n, 0);
	bench_init(&b);
	row(&b, 5000000, 0x08, SAME, "");
	row(&b, 5000100, 0x00, SAME, "");
	assert_int_equal(b.n, 0);
	bench_init(&b);
	row(&b, 5000000, SAME, 0x00, "");
	audit_end(&b.a, 5100000);
	assert_int_equal(b.n, 0);
}

static void a_restart_adopts_what_is_proved_to_be_ours_and_nothing_else(void **state)
{
	struct bench b;

	load(&b);
	row(&b, 120000, SAME, 0x03, "boot");
	row(&b, 121000, 0x08, SAME, "adopt");
	assert_int_equal(b.n, 0);
	row(&b, 160000, 0x0a, SAME, "");
	assert_int_equal(b.n, 0);

	load(&b);
	row(&b, 120000, SAME, 0x03, "boot");
	row(&b, 120200, 0x08, SAME, "adopt"); /* too soon to be proved */
	assert_true(finds(&b, RULE_P1));

	load(&b);
	row(&b, 120000, SAME, 0x03, "boot");
	row(&b, 121000, 0x0a, SAME, "adopt");
	assert_true(finds(&b, RULE_P1));

	crank(&b); /* not yet a run: nothing to adopt */
	row(&b, 20700, SAME, 0x02, "boot");
	row(&b, 21500, 0x08, SAME, "adopt");
	assert_true(finds(&b, RULE_P1));

	load(&b); /* a warm-up that was not over counts for nothing */
	row(&b, 120000, SAME, 0x03, "boot");
	b.a.k.ledger.warm = 0;
	row(&b, 121000, 0x08, SAME, "adopt");
	row(&b, 150000, 0x0a, SAME, "");
	assert_true(b.n == 1 && finds(&b, RULE_C1));
}

static void modes_are_taken_at_their_word(void **state)
{
	static const char *const words[] = { "mode=auto", "mode=off", "mode=operator_run",
		"mode=operator_stop", "mode=maintenance", "mode=estop" };
	struct bench b;

	bench_init(&b);
	row(&b, 0, 0x00, 0x00, "boot");
	for (int m = 0; m <= MODE_ESTOP; m++) {
		row(&b, 1000 + m, SAME, SAME, words[m]);
		assert_int_equal(b.a.k.ledger.mode, m);
	}
	row(&b, 2000, SAME, SAME, "mode=maintenance");
	row(&b, 30000, 0x08, SAME, "");
	row(&b, 30010, SAME, 0x02, "");
	row(&b, 39000, SAME, SAME, "");
	assert_int_equal(b.n, 0);
	row(&b, 42000, SAME, SAME, "");
	assert_true(finds(&b, RULE_L3));
}

static void an_emergency_stop_must_open_everything_and_a_clear_ends_it(void **state)
{
	struct bench b;

	load(&b);
	row(&b, 110000, SAME, SAME, "estop");
	row(&b, 110100, 0x00, SAME, "");
	row(&b, 110400, SAME, 0x00, "");
	assert_int_equal(b.n, 0);
	row(&b, 120000, SAME, SAME, "clear");
	assert_int_equal(b.a.k.ledger.latches, 0);
	load(&b);
	row(&b, 110000, SAME, SAME, "estop");
	audit_end(&b.a, 111000);
	assert_true(finds(&b, RULE_R5));
}

static void a_run_without_control_or_past_its_deadline_comes_down(void **state)
{
	struct bench b;

	load(&b);
	row(&b, 110000, SAME, SAME, "orphan");
	row(&b, 160000, SAME, SAME, "back");
	audit_end(&b.a, 300000);
	assert_int_equal(b.n, 0);
	load(&b);
	row(&b, 110000, SAME, SAME, "orphan");
	audit_end(&b.a, 300000);
	assert_true(finds(&b, RULE_R4));
	load(&b);
	row(&b, 110000, SAME, SAME, "deadline_ms=200000");
	audit_end(&b.a, 204000);
	assert_int_equal(b.n, 0);
	audit_end(&b.a, 210000);
	assert_true(finds(&b, RULE_R4));
}

static void words_count_whole_and_others_not_at_all(void **state)
{
	struct bench b;

	load(&b);
	row(&b, 110000, SAME, SAME, "reboot bootless estops mode=offline");
	assert_true(b.a.k.proved);
	assert_int_equal(b.a.k.ledger.mode, MODE_AUTO);
	row(&b, 111000, SAME, 0x03, "reboot boot");
	assert_false(b.a.k.proved);
}

static void a_gap_of_weeks_is_played_as_far_as_is_sensible(void **state)
{
	struct bench b;

	bench_init(&b);
	row(&b, 0, 0x00, 0x00, "boot");
	audit_end(&b.a, INT64_C(2000000) * SAMPLE_IDLE_MS);
	assert_int_equal(b.n, 0);
}

#define T(name) cmocka_unit_test(name)

static const struct CMUnitTest tests[] = {
	T(a_good_start_and_stop_has_no_finding),
	T(a_start_that_should_have_been_refused_is_found_with_its_reason),
	T(a_byte_the_gate_would_have_refused_is_found),
	T(a_permit_that_was_dropped_permits_nothing),
	T(what_the_watch_demands_must_come_within_its_limit),
	T(a_demand_that_stands_at_the_end_of_the_trace_is_found),
	T(time_that_runs_backwards_is_found_and_its_row_not_played),
	T(a_trace_that_begins_in_the_middle_was_right_before),
	T(a_restart_adopts_what_is_proved_to_be_ours_and_nothing_else),
	T(modes_are_taken_at_their_word),
	T(an_emergency_stop_must_open_everything_and_a_clear_ends_it),
	T(a_run_without_control_or_past_its_deadline_comes_down),
	T(words_count_whole_and_others_not_at_all),
	T(a_gap_of_weeks_is_played_as_far_as_is_sensible),
};

int main(void)
{
	return cmocka_run_group_tests_name("audit rows", tests, NULL, NULL);
}
