#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "node-monitor/config.h"
#include "node-monitor/sinks/csv.h"

static struct monitor_config defaults(void)
{
	struct monitor_config c = { 0 };

	conf_defaults(monitor_keys, monitor_nkeys, &c);
	return c;
}

static void defect_d15_defaults_are_the_documents_and_nowhere_others(void **state)
{
	struct monitor_config c = defaults();

	assert_string_equal(c.inverter.device, "/dev/ttySC1");
	assert_int_equal(c.inverter.baud, 19200);
	assert_int_equal(c.inverter.unit_id, 1);
	assert_int_equal(c.poll_s, 30);
	assert_string_equal(c.generator_host, "10.2.242.109");
	assert_int_equal(c.generator_port, 9999);
	assert_int_equal(c.health_s, 3600);
	assert_int_equal(c.autostart.soc_start_pct, 25);
	assert_int_equal(c.autostart.soc_stop_pct, 80);
	assert_int_equal(c.autostart.min_between_s, 3600);
	assert_int_equal(c.autostart.max_run_s, 14400);
	assert_string_equal(c.csv_dir, "/var/log/pigenny");
	assert_int_equal(c.csv_layout, CSV_STANDARD);
	assert_int_equal(c.csv_s, 600);
}

static void defaults_of_the_keys_are_the_policys(void **state)
{
	struct monitor_config c = defaults();

	assert_memory_equal(&c.autostart, &autostart_defaults, sizeof(autostart_defaults));
}

static void stop_below_start_is_refused_in_a_sentence(void **state)
{
	struct monitor_config c = defaults();
	char text[256] = "";
	FILE *faults = fmemopen(text, sizeof(text), "w");

	c.autostart.soc_stop_pct = 20;
	assert_int_equal(monitor_config_check(&c, faults), 1);
	fclose(faults);
	assert_string_equal(text, "autostart: soc_stop must be above soc_start\n");
	c = defaults();
	assert_int_equal(monitor_config_check(&c, stderr), 0);
}

static void reload_takes_thresholds_and_names_what_needs_a_restart(void **state)
{
	struct monitor_config running = defaults(), fresh = defaults();
	char text[256] = "";
	FILE *notes = fmemopen(text, sizeof(text), "w");

	fresh.autostart.soc_start_pct = 40;
	fresh.csv_s = 60;
	fresh.log_level = 0;
	strcpy(fresh.inverter.device, "/dev/ttyUSB0");
	fresh.csv_layout = CSV_EXTENDED;
	monitor_config_reload(&running, &fresh, notes);
	fclose(notes);
	assert_int_equal(running.autostart.soc_start_pct, 40);
	assert_int_equal(running.csv_s, 60);
	assert_int_equal(running.log_level, 0);
	assert_string_equal(running.inverter.device, "/dev/ttySC1");
	assert_int_equal(running.csv_layout, CSV_STANDARD);
	assert_string_equal(text, "inverter.device: the new value needs a restart\n"
				  "csv.layout: the new value needs a restart\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defect_d15_defaults_are_the_documents_and_nowhere_others),
		cmocka_unit_test(defaults_of_the_keys_are_the_policys),
		cmocka_unit_test(stop_below_start_is_refused_in_a_sentence),
		cmocka_unit_test(reload_takes_thresholds_and_names_what_needs_a_restart),
	};
	return cmocka_run_group_tests_name("config_monitor", tests, NULL, NULL);
}
