/* What a person reads of the engine node: where it stands, what blocks it, what comes next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "node-genctl/control_parts.h"

enum { NOW = 1000000 };

static struct engine_config times;
static struct control *c;
static Genctl__Status s;
static struct status_text text;

/* A board that answers, an engine at rest, mode AUTO, nobody holds the lease. */
static int setup(void **state)
{
	times = (struct engine_config){
		.warmup_ms = 60000, .stabilise_ms = 20000, .cooldown_ms = 180000, .attempts = 3
	};
	c = calloc(1, sizeof(*c));
	c->known = true;
	c->g = (struct guard_state){ .known = 1,
		.in.at_ms = NOW,
		.crank_ms = NEVER,
		.stopped_ms = NEVER,
		.run_from_ms = NEVER,
		.deadline_ms = NEVER,
		.lockout_until_ms = NEVER };
	seq_init(&c->seq, &times, NOW);
	lease_init(&c->lease, 77);
	return 0;
}

static int teardown(void **state)
{
	free(c);
	return 0;
}

static void look(void)
{
	genctl__status__init(&s);
	memset(&text, 0, sizeof(text));
	status_fill(c, &s, &text, NOW);
}

static void assert_says(const char *sentence, const char *words)
{
	if (!strstr(sentence, words))
		fail_msg("\"%s\" does not say \"%s\"", sentence, words);
}

static void at_rest_nothing_blocks_and_no_order_stands(void **state)
{
	look();
	assert_int_equal(s.phase, GENCTL__PHASE__OFF);
	assert_string_equal(s.blocks, "");
	assert_string_equal(s.next, "");
	assert_says(s.why, "no order stands");
	assert_string_equal(s.i2c, "OK");
	assert_false(s.start_in_progress);
}

static void a_rest_between_runs_says_how_long_it_lasts(void **state)
{
	c->g.ready_ms = NOW + 250000;
	look();
	assert_says(s.blocks, "4 min 10 s");
	assert_int_equal(s.start_ready_ms, 250000);
}

static void a_lockout_names_its_alarm_and_when_it_tries_again(void **state)
{
	c->g.latches = 1u << ALARM_FAIL_TO_START;
	c->g.lockout_until_ms = NOW + 3600000;
	c->g.alarm_ms[ALARM_FAIL_TO_START] = NOW - 12000;
	look();
	assert_int_equal(s.phase, GENCTL__PHASE__LOCKOUT);
	assert_says(s.blocks, "FAIL_TO_START");
	assert_says(s.blocks, "1 h 0 min");
	assert_int_equal(s.lockout_left_s, 3600);
	assert_int_equal(s.n_alarms, 1);
	assert_true(s.alarms[0]->latched);
	assert_int_equal(s.alarms[0]->age_s, 12);
	assert_int_equal(s.alarms[0]->alarm_class, GENCTL__ALARM_CLASS__SHUTDOWN);
}

static void a_lockout_without_a_retry_promises_none(void **state)
{
	c->g.latches = 1u << ALARM_STARTER_STUCK;
	c->g.lockout_until_ms = INT64_MAX;
	look();
	assert_says(s.blocks, "STARTER_STUCK");
	assert_null(strstr(s.blocks, "by itself"));
	assert_int_equal(s.lockout_left_s, 0);
}

static void defect_d10_a_board_that_does_not_answer_is_a_fault_and_no_input_is_true(
    void **state)
{
	c->g.known = 0;
	c->g.in.bad_ms = 3000;
	look();
	assert_int_equal(s.phase, GENCTL__PHASE__FAULT_PHASE);
	assert_string_equal(s.i2c, "ERROR");
	assert_false(s.relays_known);
	assert_false(s.inputs->valid);
	assert_int_equal(s.inputs->age_ms, 3000);
	assert_says(s.blocks, "does not answer");
}

static void defect_d10_a_simulated_board_says_so_in_every_status(void **state)
{
	c->g.simulated = 1;
	look();
	assert_string_equal(s.i2c, "SIMULATED");
	assert_string_equal(s.board, "sim");
	assert_true(s.engine_node_simulated);
}

static void each_mode_that_forbids_a_start_says_what_allows_it_again(void **state)
{
	static const struct {
		enum mode mode;
		const char *words;
	} rows[] = { { MODE_OFF, "`auto`" }, { MODE_OPERATOR_STOP, "`auto`" },
		{ MODE_MAINTENANCE, "`maintenance off`" }, { MODE_ESTOP, "`clear`" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c->g.mode = (uint8_t)rows[i].mode;
		lease_mode(&c->lease, rows[i].mode);
		look();
		assert_int_equal(s.mode, rows[i].mode);
		assert_says(s.blocks, rows[i].words);
	}
}

static void a_timed_phase_tells_what_follows_and_counts_down(void **state)
{
	c->seq.phase = PHASE_WARMUP;
	c->seq.since_ms = NOW - 20000;
	c->seq.entered = true;
	look();
	assert_int_equal(s.phase_left_ms, 40000);
	assert_int_equal(s.phase_age_ms, 20000);
	assert_int_equal(s.next_phase, GENCTL__PHASE__STABILISE);
	assert_says(s.next, "stabilise in 40 s");
	assert_true(s.start_in_progress);
}

static void the_holders_words_stand_beside_ours(void **state)
{
	struct lease_order o = {
		.boot_id = 77, .epoch = 1, .seq = 1, .run = true, .for_s = 900
	};

	lease_acquire(&c->lease, 5, 0, NOW);
	assert_int_equal(lease_order(&c->lease, 5, &o, NOW), LEASE_OK);
	strcpy(c->holder, "monitor");
	strcpy(c->reason, "SOC 22 % is under 25 %");
	strcpy(c->next, "stops at 80 %");
	look();
	assert_says(s.why, "SOC 22 %");
	assert_string_equal(s.holder, "monitor");
	assert_string_equal(s.holder_reason, "SOC 22 % is under 25 %");
	assert_string_equal(s.holder_next, "stops at 80 %");
	assert_int_equal(s.lease_left_ms, LEASE_TTL_MS);
}

static void a_lost_lease_on_load_tells_when_the_run_ends(void **state)
{
	c->seq.phase = PHASE_LOADED;
	c->g.relays = RELAY_IGNITION | RELAY_CHARGER;
	c->g.run_from_ms = NOW - 600000;
	c->g.deadline_ms = NOW + 300000;
	lease_adopt(&c->lease, NOW + 300000);
	look();
	assert_says(s.why, "nobody holds the lease");
	assert_says(s.next, "5 min 0 s");
	assert_int_equal(s.run_s, 600);
	assert_int_equal(s.run_left_s, 300);
	assert_string_equal(s.holder, "");
}

static void an_engine_that_runs_by_itself_is_no_run_of_ours(void **state)
{
	c->g.external = 1;
	c->g.alarms = 1u << ALARM_EXTERNAL_RUN;
	look();
	assert_int_equal(s.phase, GENCTL__PHASE__EXTERNAL_RUN);
	assert_says(s.blocks, "runs by itself");
}

static void the_longest_words_of_a_holder_fit_a_sentence(void **state)
{
	memset(c->holder, 'h', sizeof(c->holder) - 1);
	memset(c->reason, 'r', sizeof(c->reason) - 1);
	lease_operator_run(&c->lease, 0, NOW);
	memset(c->operator_reason, 'o', sizeof(c->operator_reason) - 1);
	look();
	assert_true(strlen(s.why) < SENTENCE_MAX);
	assert_says(s.why, "an operator started it");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(at_rest_nothing_blocks_and_no_order_stands),
		TEST(a_rest_between_runs_says_how_long_it_lasts),
		TEST(a_lockout_names_its_alarm_and_when_it_tries_again),
		TEST(a_lockout_without_a_retry_promises_none),
		TEST(defect_d10_a_board_that_does_not_answer_is_a_fault_and_no_input_is_true),
		TEST(defect_d10_a_simulated_board_says_so_in_every_status),
		TEST(each_mode_that_forbids_a_start_says_what_allows_it_again),
		TEST(a_timed_phase_tells_what_follows_and_counts_down),
		TEST(the_holders_words_stand_beside_ours),
		TEST(a_lost_lease_on_load_tells_when_the_run_ends),
		TEST(an_engine_that_runs_by_itself_is_no_run_of_ours),
		TEST(the_longest_words_of_a_holder_fit_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
