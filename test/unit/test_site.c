#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "node-monitor/site.h"
#include "node-monitor/view.h"

enum { NOW_MS = 100000, STALE_MS = 120000 };

static struct gen_view generator(void)
{
	return (struct gen_view){
		.state = GEN_UP,
		.heard = true,
		.peer = "127.0.0.1:9999",
		.status = { .at_ms = NOW_MS - 1000,
		    .phase = ENGINE_LOADED,
		    .running = true,
		    .relays = 0x0a,
		    .relays_known = true,
		    .inputs = 3,
		    .inputs_valid = true,
		    .simulated = true },
	};
}

static struct site site(const struct gen_view *v)
{
	struct site s;

	site_init(&s, "/dev/ttySC1", v);
	s.sample_ms = NOW_MS - 2000;
	s.sample.v[INV_SOC] = 60;
	s.sample.v[INV_BATTERY_VOLTAGE] = 53200;
	s.sample.v[INV_PV1_POWER] = 1850;
	s.sample.v[INV_PV2_POWER] = 1430;
	s.sample.v[INV_PV_POWER] = 3280;
	s.sample.v[INV_LOAD_POWER] = 940;
	s.sample.v[INV_CHARGE_POWER] = 2200;
	s.sample.v[INV_DISCHARGE_POWER] = 0;
	return s;
}

static void readings_line_is_the_originals(void **state)
{
	struct gen_view v = generator();
	struct site s = site(&v);
	char line[SITE_LINE];

	site_readings(&s, line);
	assert_string_equal(line, "SOC: 60% | Voltage: 53.2V | PV1: 1850W | PV2: 1430W | "
				  "Load: 940W | Charge: 2200W | Discharge: 0W");
}

static void state_line_is_the_originals(void **state)
{
	struct gen_view v = generator();
	struct site s = site(&v);
	char line[SITE_LINE];

	site_state(&s, NOW_MS, line);
	assert_string_equal(line, "State: RUNNING");
	s.decision = (struct autostart_out){ .wish = WISH_RUN, .cause = AUTO_MANUAL };
	site_state(&s, NOW_MS, line);
	assert_string_equal(line, "State: RUNNING (MANUAL)");
}

static void inputs_of_the_policy_carry_their_age(void **state)
{
	struct gen_view v = generator();
	struct site s = site(&v);
	struct autostart_in in;

	s.manual.charge = true;
	in = site_autostart(&s, NOW_MS);
	assert_int_equal(in.soc_pct.value, 60);
	assert_int_equal(in.soc_pct.age_ms, 2000);
	assert_int_equal(in.engine.age_ms, 1000);
	assert_true(in.force_charge && !in.force_stop);
}

static void site_that_never_answered_has_no_fresh_reading(void **state)
{
	struct gen_view v = { 0 };
	struct site s;
	struct autostart_in in;

	site_init(&s, "/dev/ttySC1", &v);
	in = site_autostart(&s, NOW_MS);
	assert_int_equal(in.soc_pct.value, UNKNOWN);
	assert_true(in.soc_pct.age_ms > STALE_MS);
	assert_false(in.engine.link);
}

static void row_says_nothing_that_is_stale(void **state)
{
	struct gen_view v = generator();
	struct site s = site(&v);
	struct csv_row row = site_row(&s, STALE_MS, NOW_MS);

	assert_int_equal(row.soc_pct, 60);
	assert_int_equal(row.pv_w, 3280);
	assert_int_equal(row.running, 1);
	assert_string_equal(row.state, "RUNNING");
	row = site_row(&s, STALE_MS, NOW_MS + STALE_MS);
	assert_int_equal(row.soc_pct, UNKNOWN);
	v.heard = false;
	row = site_row(&s, STALE_MS, NOW_MS);
	assert_int_equal(row.running, UNKNOWN);
	assert_string_equal(row.state, "ERROR");
}

static void screen_says_loudly_that_the_site_is_simulated(void **state)
{
	struct gen_view v = generator();
	struct site s = site(&v);
	char text[VIEW_SIZE];

	view_screen(&s, NOW_MS, text);
	assert_non_null(strstr(text, "SIMULATED SITE"));
	assert_non_null(strstr(text, "IGN+CHARGER (0x0A)"));
	v.status.simulated = false;
	view_screen(&s, NOW_MS, text);
	assert_null(strstr(text, "SIMULATED"));
}

static void screen_shows_alarms_of_both_nodes(void **state)
{
	struct gen_view v = generator();
	struct site s = site(&v);
	char text[VIEW_SIZE];

	s.decision.alarms = ALARM_NOT_CHARGING;
	s.health.alarms = HEALTH_MEMORY;
	v.status.alarms[0] = (struct gen_alarm){ .code = "MODIO_LOST", .text = "Look at it." };
	v.status.alarms[1] = (struct gen_alarm){ .code = "OUTPUT_UNKNOWN",
		.text = "Stop it by hand.",
		.class = GEN_SHUTDOWN,
		.latched = true,
		.first = true,
		.since_ms = NOW_MS - 5000 };
	v.status.nalarms = 2;
	view_screen(&s, NOW_MS, text);
	assert_non_null(strstr(text, "ALARM      NOT_CHARGING: "));
	assert_non_null(
	    strstr(text, "ALARM      MODIO_LOST (engine node, alarm): Look at it."));
	assert_non_null(strstr(text,
	    "ALARM      OUTPUT_UNKNOWN (engine node, shutdown, latched, first): Stop it by "
	    "hand."));
	assert_non_null(strstr(text, "more than 80 % of its memory"));
	view_line(&s, NOW_MS, text);
	assert_non_null(strstr(text, " | ALARM OUTPUT_UNKNOWN and 1 more\n"));
	view_json(&s, NOW_MS, text);
	assert_non_null(strstr(text,
	    "\"alarms\":[{\"code\":\"MODIO_LOST\",\"class\":\"alarm\",\"latched\":false,"
	    "\"first\":false,"));
	assert_non_null(strstr(text, "{\"code\":\"OUTPUT_UNKNOWN\",\"class\":\"shutdown\","
				     "\"latched\":true,\"first\":true,"
				     "\"age_s\":5,\"text\":\"Stop it by hand.\"}]"));
}

static void countdown_goes_on_between_two_statuses(void **state)
{
	struct gen_view v = generator();
	struct site s = site(&v);
	char text[VIEW_SIZE];

	v.status.phase = ENGINE_WARMUP;
	v.status.next_phase = ENGINE_STABILISE;
	v.status.phase_left_ms = 40000;
	view_screen(&s, NOW_MS + 9000, text);
	assert_non_null(strstr(text, "WARMUP, 30 s left, then STABILISE"));
}

static void texts_from_outside_cannot_break_the_json(void **state)
{
	struct gen_view v = generator();
	struct site s = site(&v);
	char text[VIEW_SIZE];

	strcpy(v.status.why, "a \"quoted\" \\ and \x01");
	view_json(&s, NOW_MS, text);
	assert_non_null(strstr(text, "\"why\":\"a \\\"quoted\\\" \\\\ and \\u0001\""));
	assert_int_equal(text[strlen(text) - 2], '}');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readings_line_is_the_originals),
		cmocka_unit_test(state_line_is_the_originals),
		cmocka_unit_test(inputs_of_the_policy_carry_their_age),
		cmocka_unit_test(site_that_never_answered_has_no_fresh_reading),
		cmocka_unit_test(row_says_nothing_that_is_stale),
		cmocka_unit_test(screen_says_loudly_that_the_site_is_simulated),
		cmocka_unit_test(screen_shows_alarms_of_both_nodes),
		cmocka_unit_test(countdown_goes_on_between_two_statuses),
		cmocka_unit_test(texts_from_outside_cannot_break_the_json),
	};
	return cmocka_run_group_tests_name("site", tests, NULL, NULL);
}
