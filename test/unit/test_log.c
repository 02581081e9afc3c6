#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/log.h"

static char heard[8192];

/* Runs `act` with standard error going into `heard`. */
static void listen_to(void (*act)(void))
{
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	act();
	dup2(saved, STDERR_FILENO); /* closes the pipe's last writing end */
	close(saved);
	n = read(ends[0], heard, sizeof(heard) - 1);
	heard[n < 0 ? 0 : n] = '\0';
	close(ends[0]);
}

static void say_warning(void)
{
	log_warn("inverter", "%s: %s", "/dev/ttySC1", "no answer");
}

static void say_forged(void)
{
	log_info("link", "peer says %s", "a\nERROR: b\r\x1b[2J \xc3\xa4");
}

static void say_all(void)
{
	log_debug("a", "1");
	log_info("a", "2");
	log_warn("a", "3");
	log_error("a", "4");
}

static void say_much(void)
{
	static char much[5000];

	memset(much, 'x', sizeof(much) - 1);
	log_info("a", "%s", much);
}

static void line_carries_time_level_and_token(void **state)
{
	unsetenv("JOURNAL_STREAM");
	listen_to(say_warning);
	assert_string_equal(heard + strlen("2026-01-02 15:30:00"),
	    " | WARNING | inverter: /dev/ttySC1: no answer\n");
	assert_true(heard[4] == '-' && heard[7] == '-' && heard[13] == ':' && heard[16] == ':');
}

static void journal_gets_the_priority_instead_of_the_time(void **state)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	listen_to(say_warning);
	assert_string_equal(heard, "<4>inverter: /dev/ttySC1: no answer\n");
	unsetenv("JOURNAL_STREAM");
}

static void control_characters_cannot_forge_a_line(void **state)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	listen_to(say_forged);
	assert_string_equal(heard, "<6>link: peer says a?ERROR: b??[2J \xc3\xa4\n");
	unsetenv("JOURNAL_STREAM");
}

static void lines_below_the_level_are_not_written(void **state)
{
	enum log_level level = LOG_LEVEL_INFO;

	setenv("JOURNAL_STREAM", "8:1", 1);
	assert_int_equal(log_level_parse("warn", &level), 0);
	log_set_level(level);
	listen_to(say_all);
	assert_string_equal(heard, "<4>a: 3\n<3>a: 4\n");
	assert_int_equal(log_level_parse("loud", &level), -EINVAL);
	assert_int_equal(level, LOG_LEVEL_WARN);
	log_set_level(LOG_LEVEL_INFO);
	unsetenv("JOURNAL_STREAM");
}

static void long_line_is_cut_and_ends(void **state)
{
	size_t n;

	listen_to(say_much);
	n = strlen(heard);
	assert_in_range(n, 900, 1024);
	assert_true(heard[n - 1] == '\n' && heard[n - 2] == 'x');
}

static void calendar_time_agrees_with_the_wall_clock(void **state)
{
	int64_t unix_ms = clock_unix_ms();
	struct civil c = clock_civil();
	time_t now = unix_ms / 1000;
	struct tm t;

	if (unix_ms == 0) {
		assert_false(c.valid);
		return;
	}
	localtime_r(&now, &t);
	assert_true(c.valid);
	assert_int_equal(c.year, t.tm_year + 1900);
	assert_in_range(c.month, 1, 12);
	assert_in_range(c.day, 1, 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_carries_time_level_and_token),
		cmocka_unit_test(journal_gets_the_priority_instead_of_the_time),
		cmocka_unit_test(control_characters_cannot_forge_a_line),
		cmocka_unit_test(lines_below_the_level_are_not_written),
		cmocka_unit_test(long_line_is_cut_and_ends),
		cmocka_unit_test(calendar_time_agrees_with_the_wall_clock),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
