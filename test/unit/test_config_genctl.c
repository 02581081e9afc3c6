#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "node-genctl/config.h"

static char path[] = "/tmp/test_genctl.XXXXXX";
static char faults[4096];
static struct genctl_config config;

static int load(const char *text)
{
	FILE *f = fopen(path, "w"), *to;
	int rc;

	fputs(text, f);
	fclose(f);
	memset(faults, 0, sizeof(faults));
	to = fmemopen(faults, sizeof(faults), "w");
	rc = conf_load(path, config_keys, config_nkeys, &config, to);
	if (rc == 0 && config_check(&config, to) > 0)
		rc = -EINVAL;
	fclose(to);
	return rc;
}

static void an_empty_file_gives_the_seeds_times(void **state)
{
	assert_int_equal(load(""), 0);
	assert_int_equal(config.engine.reset_ms, 1000);
	assert_int_equal(config.engine.ignition_ms, 500);
	assert_int_equal(config.engine.crank_ms, 10000);
	assert_int_equal(config.engine.glow_assist_ms, 2000);
	assert_int_equal(crank_total_ms(&config.engine), 12000);
	assert_int_equal(config.engine.cooldown_ms, 180000);
	assert_int_equal(config.engine.attempts, 3);
	assert_string_equal(config.listen, "127.0.0.1:9999");
	assert_string_equal(config.text_listen, "");
	assert_int_equal(config.board.address, 0x58);
	assert_int_equal(config.time_scale, 1);
}

static void a_crank_over_the_cap_is_refused_with_both_keys(void **state)
{
	assert_int_equal(load("sequence: { crank_ms = 14000; };"), -EINVAL);
	assert_non_null(strstr(faults, "sequence.crank_ms: 14000 and glow_assist_ms 2000"));
	assert_int_equal(load("sequence: { crank_ms = 14000; glow = \"off\"; };"), 0);
	assert_int_equal(load("sequence: { crank_ms = 15001; glow = \"off\"; };"), -EINVAL);
}

static void listening_beyond_loopback_needs_insecure(void **state)
{
	assert_int_equal(load("listen = \"0.0.0.0:9999\";"), -EINVAL);
	assert_non_null(strstr(faults, "insecure = true"));
	assert_int_equal(load("listen = \"0.0.0.0:9999\"; insecure = true;"), 0);
	assert_int_equal(load("text_listen = \"0.0.0.0:9998\";"), -EINVAL);
	assert_int_equal(load("listen = \"nonsense\";"), -EINVAL);
}

static void time_scale_is_for_the_simulated_board_only(void **state)
{
	assert_int_equal(load("time_scale = 5;"), -EINVAL);
	assert_int_equal(load("time_scale = 5; board: { kind = \"sim\"; };"), 0);
	assert_int_equal(load("time_scale = 6; board: { kind = \"sim\"; };"), -EINVAL);
}

static void scaling_shortens_the_sequence_and_no_debounce(void **state)
{
	assert_int_equal(load("time_scale = 5; board: { kind = \"sim\"; };"), 0);
	config_scale(&config);
	assert_int_equal(config.engine.warmup_ms, 12000);
	assert_int_equal(config.engine.crank_ms, 2000);
	assert_int_equal(config.engine.lost_ms, 6000);
}

static void every_crossed_limit_is_reported_in_one_go(void **state)
{
	assert_int_equal(load("listen = \"0.0.0.0:1\"; time_scale = 2;"
			      "sequence: { glow = \"preheat\"; warmup_ms = 70000; };"
			      "limits: { max_run_ms = 60000; };"),
	    -EINVAL);
	assert_non_null(strstr(faults, "listen"));
	assert_non_null(strstr(faults, "preheat_ms"));
	assert_non_null(strstr(faults, "max_run_ms"));
	assert_non_null(strstr(faults, "time_scale"));
}

static void what_is_printed_is_a_valid_file_with_the_same_values(void **state)
{
	static char text[32768];
	FILE *to = fmemopen(text, sizeof(text), "w");
	struct genctl_config back;

	conf_defaults(config_keys, config_nkeys, &config);
	conf_print(config_keys, config_nkeys, &config, to);
	fclose(to);
	back = config;
	assert_int_equal(load(text), 0);
	assert_string_equal(faults, "");
	assert_int_equal(config.engine.max_run_ms, back.engine.max_run_ms);
	assert_int_equal(config.board.reset_gpio, -1);
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_gives_the_seeds_times),
		cmocka_unit_test(a_crank_over_the_cap_is_refused_with_both_keys),
		cmocka_unit_test(listening_beyond_loopback_needs_insecure),
		cmocka_unit_test(time_scale_is_for_the_simulated_board_only),
		cmocka_unit_test(scaling_shortens_the_sequence_and_no_debounce),
		cmocka_unit_test(every_crossed_limit_is_reported_in_one_go),
		cmocka_unit_test(what_is_printed_is_a_valid_file_with_the_same_values),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
