/* What gencli prints and concludes, without a connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "node-genctl/diagnosis.h"
#include "node-genctl/progress.h"
#include "node-genctl/render.h"

struct page {
	char *text;
	size_t size;
	FILE *to;
	Genctl__Inputs inputs;
	Genctl__Status status;
	Genctl__Health health;
};

static char ok[] = "OK", empty[] = "";

/* The state the seed document prints. */
static int open_page(void **state)
{
	struct page *p = calloc(1, sizeof(*p));

	p->to = open_memstream(&p->text, &p->size);
	genctl__inputs__init(&p->inputs);
	genctl__status__init(&p->status);
	genctl__health__init(&p->health);
	p->inputs.valid = true;
	p->inputs.raw = 3;
	p->status.inputs = &p->inputs;
	p->status.running = true;
	p->status.relays = 0x0a;
	p->status.relays_known = true;
	p->status.i2c = ok;
	p->health.connections = 2;
	p->health.uptime_s = 6 * 3600 + 45 * 60 + 59;
	p->health.memory_pct = 42;
	p->health.disk_free = 1288490189;
	p->health.disk_pct = 35;
	*state = p;
	return 0;
}

static int close_page(void **state)
{
	struct page *p = *state;

	fclose(p->to);
	free(p->text);
	free(p);
	return 0;
}

static const char *printed(struct page *p)
{
	fflush(p->to);
	return p->text;
}

static void status_for_people_is_as_the_seed_document_prints_it(void **state)
{
	struct page *p = *state;

	render_status(p->to, RENDER_HUMAN, "10.2.242.109", 9999, &p->status, &p->health);
	assert_string_equal(printed(p),
	    "============================================================\n"
	    "Generator Server Status - 10.2.242.109:9999\n"
	    "============================================================\n"
	    "\n"
	    "GENERATOR:\n"
	    "  Running:        YES\n"
	    "  Start Progress: NO\n"
	    "  Relays:         IGN+CHARGER (0x0A)\n"
	    "  Inputs:         IN1=1 IN2=1 IN3=0 IN4=0 raw=3\n"
	    "\n"
	    "SYSTEM HEALTH:\n"
	    "  Active Threads: 2\n"
	    "  Uptime:         6h45m\n"
	    "  Memory Used:    42%\n"
	    "  Disk Usage:     1.2G free (35% used)\n"
	    "  I2C Status:     OK\n"
	    "\n");
}

static void compact_status_is_the_dashboards_line(void **state)
{
	struct page *p = *state;

	render_status(p->to, RENDER_COMPACT, "10.2.242.109", 9999, &p->status, &p->health);
	assert_string_equal(printed(p),
	    "[10.2.242.109:9999] RUN=YES RELAY=IGN+CHARGER THR=2 UP=6h45m MEM=42%\n");
}

static void kv_status_has_the_keys_the_original_really_printed(void **state)
{
	struct page *p = *state;

	render_status(p->to, RENDER_KV, "h", 1, &p->status, &p->health);
	assert_string_equal(printed(p), "host=h\nport=1\ndisk=1.2G free (35% used)\ni2c=OK\n"
					"inputs=IN1=1 IN2=1 IN3=0 IN4=0 raw=3\nmemory=42%\n"
					"relays=IGN+CHARGER (0x0A)\nrunning=YES\n"
					"start_in_progress=NO\nthreads=2\nuptime=6h45m\n");
}

static void a_board_that_does_not_answer_is_shown_as_such(void **state)
{
	struct page *p = *state;

	p->inputs.valid = false;
	p->status.relays_known = false;
	render_status(p->to, RENDER_KV, "h", 1, &p->status, &p->health);
	assert_non_null(strstr(printed(p), "\ninputs=ERROR\n"));
	assert_non_null(strstr(p->text, "\nrelays=UNKNOWN (0x0A)\n"));
}

static void relays_are_named_in_the_originals_order(void **state)
{
	char text[RENDER_RELAYS_MAX];

	assert_string_equal(render_relays(0x00, text), "OFF");
	assert_string_equal(render_relays(0x0d, text), "IGN+GLOW+START");
	assert_string_equal(render_relays(0x0f, text), "IGN+GLOW+CHARGER+START");
}

static void json_holds_every_field_and_escapes_what_needs_it(void **state)
{
	struct page *p = *state;
	char why[] = "say \"no\"\n\x1b[2J";
	Genctl__Alarm alarm;
	Genctl__Alarm *alarms[] = { &alarm };

	genctl__alarm__init(&alarm);
	alarm.latched = true;
	p->status.why = why;
	p->status.alarms = alarms;
	p->status.n_alarms = 1;
	p->status.phase = GENCTL__PHASE__WARMUP;
	render_json(p->to, &p->status.base);
	assert_non_null(strstr(printed(p), "{\"phase\": \"WARMUP\", \"phase_age_ms\": 0, "));
	assert_non_null(
	    strstr(p->text, "\"inputs\": {\"valid\": true, \"raw\": 3, \"age_ms\": 0}"));
	assert_non_null(strstr(p->text, "\"why\": \"say \\\"no\\\"\\u000a\\u001b[2J\""));
	assert_non_null(strstr(p->text, "\"alarms\": [{\"code\": \"\", \"text\": \"\", "
					"\"latched\": true, \"age_s\": 0, "
					"\"alarm_class\": \"NO_CLASS\", \"first\": false}]"));
	assert_non_null(strstr(p->text, "\"request_id\": 0"));
}

static void json_of_a_reply_shows_only_the_body_it_has(void **state)
{
	struct page *p = *state;
	Genctl__Reply reply;

	genctl__reply__init(&reply);
	reply.id = 7;
	reply.body_case = GENCTL__REPLY__BODY_INPUTS;
	reply.inputs = &p->inputs;
	render_json(p->to, &reply.base);
	assert_string_equal(printed(p),
	    "{\"id\": 7, \"inputs\": {\"valid\": true, \"raw\": 3, \"age_ms\": 0}}");
}

static void a_peer_cannot_write_escape_codes_to_the_terminal(void **state)
{
	struct page *p = *state;
	char evil[] = "\x1b[2Jgone\r\n";

	p->status.why = evil;
	render_why(p->to, &p->status);
	assert_non_null(strstr(printed(p), "?[2Jgone??"));
	assert_null(strchr(p->text, '\x1b'));
}

static void why_shows_both_sides(void **state)
{
	struct page *p = *state;
	char holder[] = "monitord at 10.2.242.1", wants[] = "SOC 22 % is below 25 %";
	char then[] = "stops at SOC 80 %", does[] = "warms up", next[] = "then it stabilises";

	p->status.holder = holder;
	p->status.lease_left_ms = 14000;
	p->status.holder_reason = wants;
	p->status.holder_next = then;
	p->status.phase = GENCTL__PHASE__WARMUP;
	p->status.phase_age_ms = 18000;
	p->status.phase_left_ms = 42000;
	p->status.next_phase = GENCTL__PHASE__STABILISE;
	p->status.why = does;
	p->status.blocks = empty;
	p->status.next = next;
	render_why(p->to, &p->status);
	assert_string_equal(printed(p),
	    "Lease holder: monitord at 10.2.242.1, for 14 s more\n"
	    "  wants:    SOC 22 % is below 25 %\n"
	    "  next:     stops at SOC 80 %\n"
	    "Engine node: warm-up for 18 s, relays IGN+CHARGER, mode auto\n"
	    "  does:     warms up\n"
	    "  blocked:  nothing\n"
	    "  next:     then it stabilises\n"
	    "  when:     stabilise in 42 s\n");
}

static void an_event_without_a_wall_clock_tells_the_time_since_boot(void **state)
{
	struct page *p = *state;
	Genctl__Event e;
	char kind[] = "alarm", code[] = "MAX_RUN", text[] = "ran too long";

	genctl__event__init(&e);
	e.mono_ms = 61005;
	e.kind = kind;
	e.code = code;
	e.text = text;
	render_event(p->to, &e);
	assert_non_null(strstr(printed(p), "up 61.005 s"));
	assert_non_null(strstr(p->text, "MAX_RUN: ran too long\n"));
}

static void a_duration_needs_its_unit(void **state)
{
	static const char *const bad[] = { "", "90", "h", "-1h", "1h30", "2 h", "0s", "1d",
		"99999999999999999999h", "1000001s" };
	uint32_t s = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(render_duration(bad[i], &s) < 0);
	assert_int_equal(s, 7);
	assert_int_equal(render_duration("1h30m", &s), 0);
	assert_int_equal(s, 5400);
	assert_int_equal(render_duration("90s", &s), 0);
	assert_int_equal(s, 90);
}

static void a_relay_byte_is_hex_of_one_nibble(void **state)
{
	static const char *const bad[] = { "", "10", "-1", "+1", " 1", "g", "0A ", "0x" };
	uint8_t relays = 0xee;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(render_hex(bad[i], &relays) < 0);
	assert_int_equal(relays, 0xee);
	assert_int_equal(render_hex("0x0a", &relays), 0);
	assert_int_equal(relays, 0x0a);
}

static enum progress_end step(
    struct progress *p, Genctl__Status *s, Genctl__Phase phase, int64_t waited_ms)
{
	s->phase = phase;
	return progress_step(p, s, waited_ms);
}

static void a_start_is_done_on_load_and_failed_back_at_rest(void **state)
{
	Genctl__Status *s = &((struct page *)*state)->status;
	struct progress p = { .goal = PROGRESS_START };

	assert_int_equal(step(&p, s, GENCTL__PHASE__OFF, 0), PROGRESS_GOING);
	assert_int_equal(step(&p, s, GENCTL__PHASE__WAIT, 100), PROGRESS_GOING);
	assert_int_equal(step(&p, s, GENCTL__PHASE__REST_PHASE, 20000), PROGRESS_GOING);
	assert_int_equal(step(&p, s, GENCTL__PHASE__LOADED, 99000), PROGRESS_DONE);
	assert_int_equal(step(&p, s, GENCTL__PHASE__STOPPING, 99000), PROGRESS_GOING);
	assert_int_equal(step(&p, s, GENCTL__PHASE__OFF, 99000), PROGRESS_FAILED);
	assert_int_equal(step(&p, s, GENCTL__PHASE__LOCKOUT, 99000), PROGRESS_FAILED);
}

static void an_order_that_never_shows_is_given_up(void **state)
{
	Genctl__Status *s = &((struct page *)*state)->status;
	struct progress start = { .goal = PROGRESS_START }, stop = { .goal = PROGRESS_STOP };

	assert_int_equal(
	    step(&start, s, GENCTL__PHASE__OFF, PROGRESS_BEGIN_MS + 1), PROGRESS_FAILED);
	assert_int_equal(step(&stop, s, GENCTL__PHASE__LOADED, 10), PROGRESS_GOING);
	assert_int_equal(
	    step(&stop, s, GENCTL__PHASE__LOADED, PROGRESS_BEGIN_MS + 1), PROGRESS_FAILED);
}

static void a_stop_waits_for_rest_and_tells_of_an_engine_that_will_not(void **state)
{
	Genctl__Status *s = &((struct page *)*state)->status;
	struct progress p = { .goal = PROGRESS_STOP };
	Genctl__Alarm alarm;
	Genctl__Alarm *alarms[] = { &alarm };
	char code[] = "FAIL_TO_STOP";

	assert_int_equal(step(&p, s, GENCTL__PHASE__COOLDOWN, 100), PROGRESS_GOING);
	assert_int_equal(step(&p, s, GENCTL__PHASE__STOPPING, 180000), PROGRESS_GOING);
	assert_int_equal(step(&p, s, GENCTL__PHASE__OFF, 182000), PROGRESS_DONE);
	genctl__alarm__init(&alarm);
	alarm.code = code;
	s->alarms = alarms;
	s->n_alarms = 1;
	assert_int_equal(step(&p, s, GENCTL__PHASE__STOPPING, 242000), PROGRESS_FAILED);
}

static const struct {
	enum phase phase;
	uint8_t inputs;
} good_run[] = { { PHASE_OFF, 0 }, { PHASE_WAIT, 0 }, { PHASE_IGNITION, 2 },
	{ PHASE_CRANK, 10 }, { PHASE_CRANK, 11 }, { PHASE_COAST, 11 }, { PHASE_COAST, 3 },
	{ PHASE_WARMUP, 3 }, { PHASE_WARMUP, 7 }, { PHASE_STABILISE, 3 }, { PHASE_LOADED, 3 },
	{ PHASE_COOLDOWN, 3 }, { PHASE_STOPPING, 1 }, { PHASE_OFF, 0 } };

static void a_good_run_passes_all_nine_phases(void **state)
{
	struct diagnosis d = { 0 };

	for (size_t i = 0; i < sizeof(good_run) / sizeof(good_run[0]); i++)
		diag_note(&d, good_run[i].phase, good_run[i].inputs);
	assert_int_equal(diag_verdict(&d, DIAG_GLOW), DIAG_NOT_NEEDED);
	assert_int_equal(diag_verdict(&d, DIAG_CHECK), DIAG_PASS);
	assert_int_equal(diag_verdict(&d, DIAG_OFF), DIAG_PASS);
	assert_true(diag_passed(&d));
}

static void a_wire_that_is_off_fails_its_phase_alone(void **state)
{
	struct diagnosis d = { 0 };

	for (size_t i = 0; i < sizeof(good_run) / sizeof(good_run[0]); i++)
		diag_note(&d, good_run[i].phase, good_run[i].inputs & ~INPUT_STARTER);
	assert_int_equal(diag_verdict(&d, DIAG_CRANK), DIAG_FAIL);
	assert_int_equal(diag_verdict(&d, DIAG_IGNITION), DIAG_PASS);
	assert_false(diag_passed(&d));
}

static void a_run_that_ends_early_does_not_pass(void **state)
{
	struct diagnosis d = { 0 };

	for (size_t i = 0; i < 7; i++)
		diag_note(&d, good_run[i].phase, good_run[i].inputs);
	assert_int_equal(diag_verdict(&d, DIAG_CHARGER), DIAG_UNSEEN);
	assert_false(diag_passed(&d));
}

#define PAGE_TEST(f) cmocka_unit_test_setup_teardown(f, open_page, close_page)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAGE_TEST(status_for_people_is_as_the_seed_document_prints_it),
		PAGE_TEST(compact_status_is_the_dashboards_line),
		PAGE_TEST(kv_status_has_the_keys_the_original_really_printed),
		PAGE_TEST(a_board_that_does_not_answer_is_shown_as_such),
		PAGE_TEST(json_holds_every_field_and_escapes_what_needs_it),
		PAGE_TEST(json_of_a_reply_shows_only_the_body_it_has),
		PAGE_TEST(a_peer_cannot_write_escape_codes_to_the_terminal),
		PAGE_TEST(why_shows_both_sides),
		PAGE_TEST(an_event_without_a_wall_clock_tells_the_time_since_boot),
		PAGE_TEST(a_start_is_done_on_load_and_failed_back_at_rest),
		PAGE_TEST(an_order_that_never_shows_is_given_up),
		PAGE_TEST(a_stop_waits_for_rest_and_tells_of_an_engine_that_will_not),
		cmocka_unit_test(relays_are_named_in_the_originals_order),
		cmocka_unit_test(a_duration_needs_its_unit),
		cmocka_unit_test(a_relay_byte_is_hex_of_one_nibble),
		cmocka_unit_test(a_good_run_passes_all_nine_phases),
		cmocka_unit_test(a_wire_that_is_off_fails_its_phase_alone),
		cmocka_unit_test(a_run_that_ends_early_does_not_pass),
	};
	return cmocka_run_group_tests_name("gencli", tests, NULL, NULL);
}
