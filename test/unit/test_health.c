#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "node-monitor/health.h"

enum { HOUR_MS = 3600000, MIB = 1 << 20 };

static struct gen_health well(void)
{
	return (struct gen_health){
		.at_ms = HOUR_MS,
		.connections = 2,
		.uptime_s = 6 * 3600 + 45 * 60 + 12,
		.service_uptime_s = 3600,
		.memory_pct = 42,
		.disk_free = 1229 * (uint64_t)MIB,
		.disk_pct = 35,
	};
}

static void line_is_the_documents(void **state)
{
	struct gen_health h = well();
	char line[128];

	health_line(&h, line, sizeof(line));
	assert_string_equal(
	    line, "Olimex health: threads=2 uptime=6h45m memory=42% disk=1.2G free (35% used)");
}

static void healthy_node_raises_nothing(void **state)
{
	struct gen_health h = well();
	struct health memory = { 0 };

	assert_int_equal(health_note(&memory, &h), 0);
	h.at_ms += HOUR_MS;
	h.uptime_s += 3600;
	h.service_uptime_s += 3600;
	assert_int_equal(health_note(&memory, &h), 0);
}

static void each_limit_of_the_document_is_an_alarm(void **state)
{
	struct gen_health h = well();
	struct health memory = { 0 };

	h.connections = 11;
	h.memory_pct = 81;
	h.disk_free = 499 * (uint64_t)MIB;
	assert_int_equal(
	    health_note(&memory, &h), HEALTH_CONNECTIONS | HEALTH_MEMORY | HEALTH_DISK_LOW);
	h.disk_free = 99 * (uint64_t)MIB;
	assert_int_equal(health_note(&memory, &h), HEALTH_DISK_FULL);
	assert_int_equal(memory.alarms, HEALTH_CONNECTIONS | HEALTH_MEMORY | HEALTH_DISK_FULL);
}

static void values_at_the_limits_are_still_well(void **state)
{
	struct gen_health h = well();
	struct health memory = { 0 };

	h.connections = 10;
	h.memory_pct = 80;
	h.disk_free = 500 * (uint64_t)MIB;
	assert_int_equal(health_note(&memory, &h), 0);
}

static void uptime_that_went_backwards_is_a_restart_each_time(void **state)
{
	struct gen_health h = well();
	struct health memory = { 0 };

	health_note(&memory, &h);
	h.at_ms += HOUR_MS;
	h.uptime_s = 600;
	h.service_uptime_s = 500;
	assert_int_equal(health_note(&memory, &h), HEALTH_BOARD_RESTARTED);
	h.at_ms += HOUR_MS;
	assert_int_equal(health_note(&memory, &h), HEALTH_BOARD_RESTARTED);
}

/* Ten days up, then an hour without a report in which it restarted: still seen. */
static void restart_is_seen_even_if_the_new_uptime_is_longer(void **state)
{
	struct gen_health h = well();
	struct health memory = { 0 };

	h.uptime_s = 100;
	health_note(&memory, &h);
	h.at_ms += 10 * HOUR_MS;
	h.uptime_s = 9 * 3600;
	assert_int_equal(health_note(&memory, &h), HEALTH_BOARD_RESTARTED);
}

static void restart_of_the_service_alone_is_told_apart(void **state)
{
	struct gen_health h = well();
	struct health memory = { 0 };

	health_note(&memory, &h);
	h.at_ms += HOUR_MS;
	h.uptime_s += 3600;
	h.service_uptime_s = 30;
	assert_int_equal(health_note(&memory, &h), HEALTH_SERVICE_RESTARTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_is_the_documents),
		cmocka_unit_test(healthy_node_raises_nothing),
		cmocka_unit_test(each_limit_of_the_document_is_an_alarm),
		cmocka_unit_test(values_at_the_limits_are_still_well),
		cmocka_unit_test(uptime_that_went_backwards_is_a_restart_each_time),
		cmocka_unit_test(restart_is_seen_even_if_the_new_uptime_is_longer),
		cmocka_unit_test(restart_of_the_service_alone_is_told_apart),
	};
	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
