#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/options.h"

struct sample {
	int32_t start_pct, stop_pct;
};

static const struct conf_key keys[] = {
	{ "soc.start", CONF_INT, CONF_AT(struct sample, start_pct), 5, 95, .def = "25",
	    .unit = "%", .help = "Starts below." },
	{ "soc.stop", CONF_INT, CONF_AT(struct sample, stop_pct), 5, 100, .def = "80",
	    .unit = "%", .help = "Stops at." },
};

static bool probe;
static const char *replay;
static const struct option_row rows[] = {
	{ "--soc-start", .key = "soc.start", .help = "as soc.start" },
	{ "--replay", .word = &replay, .help = "a file" },
	{ "--probe", .flag = &probe, .help = "only look" },
	{ 0 },
};

static int start_below_stop(const void *conf, FILE *faults)
{
	const struct sample *s = conf;

	if (s->start_pct < s->stop_pct)
		return 0;
	fprintf(faults, "soc.start: must be below soc.stop\n");
	return 1;
}

static const struct options options = { "sampled", "A sample.", "/nonexistent/sample.conf",
	keys, sizeof(keys) / sizeof(keys[0]), rows, start_below_stop };

static char faults[1024];

#define RELOAD(conf, ...)                                                                      \
	reload((char *[]){ "sampled", __VA_ARGS__ },                                           \
	    sizeof((char *[]){ "sampled", __VA_ARGS__ }) / sizeof(char *), conf)

static int reload(char **argv, int argc, struct sample *conf)
{
	FILE *to = fmemopen(faults, sizeof(faults), "w");
	int rc;

	memset(faults, 0, sizeof(faults));
	rc = options_reload(&options, argc, argv, conf, sizeof(*conf), to);
	fclose(to);
	return rc;
}

static void options_stand_above_defaults(void **state)
{
	struct sample s = { 0 };

	assert_int_equal(RELOAD(&s, "--soc-start", "35", "--replay=x.csv", "--probe"), 0);
	assert_int_equal(s.start_pct, 35);
	assert_int_equal(s.stop_pct, 80);
	assert_string_equal(replay, "x.csv");
	assert_true(probe);
}

static void options_stand_above_the_file(void **state)
{
	char path[] = "/tmp/test_options.XXXXXX";
	struct sample s = { 0 };
	FILE *f = fdopen(mkstemp(path), "w");

	fputs("soc = { start = 40; stop = 90; };\n", f);
	fclose(f);
	assert_int_equal(RELOAD(&s, "--soc-start=30", "--config", path), 0);
	assert_int_equal(s.start_pct, 30);
	assert_int_equal(s.stop_pct, 90);
	unlink(path);
}

static void every_wrong_option_is_told_and_nothing_changes(void **state)
{
	struct sample s = { 1, 2 };

	assert_int_equal(RELOAD(&s, "--probe=1", "--sok-start", "--replay"), -EINVAL);
	assert_string_equal(faults, "--probe: takes no value\n"
				    "--sok-start: unknown option; sampled --help lists them\n"
				    "--replay: needs a value\n");
	assert_int_equal(RELOAD(&s, "--soc-start", "99"), -EINVAL);
	assert_string_equal(faults, "--soc-start: soc.start: 99 is outside 5..95 %\n");
	assert_int_equal(RELOAD(&s, "--soc-start", "85"), -EINVAL);
	assert_string_equal(faults, "soc.start: must be below soc.stop\n");
	assert_int_equal(s.start_pct, 1);
	assert_int_equal(s.stop_pct, 2);
}

static void named_file_must_exist(void **state)
{
	struct sample s = { 1, 2 };

	assert_int_equal(RELOAD(&s, "--config", "/nonexistent/x.conf"), -ENOENT);
	assert_int_equal(s.start_pct, 1);
}

static void start_tells_the_exit_status(void **state)
{
	char *good[] = { "sampled", "--soc-start", "35" };
	char *bad[] = { "sampled", "--soc-start", "-1" };
	char *help[] = { "sampled", "--help", "--config", "/nonexistent/x.conf" };
	struct sample s;

	assert_int_equal(options_start(&options, 3, good, &s), -1);
	assert_int_equal(s.start_pct, 35);
	assert_int_equal(options_start(&options, 3, bad, &s), 2);
	assert_int_equal(options_start(&options, 4, help, &s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_above_defaults),
		cmocka_unit_test(options_stand_above_the_file),
		cmocka_unit_test(every_wrong_option_is_told_and_nothing_changes),
		cmocka_unit_test(named_file_must_exist),
		cmocka_unit_test(start_tells_the_exit_status),
	};
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
