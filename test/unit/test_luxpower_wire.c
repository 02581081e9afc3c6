/*
 * The half that talks, against a slave on a pty that can misbehave. The slave runs on its
 * own thread, notes what it was asked and is joined before a test looks at its notes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "node-monitor/drivers/inverter.h"
#include "node-monitor/drivers/luxpower.h"

/* clang-format off */
enum mood {
	WELL, MUTE, LOSES_THE_FIRST, NEVER_ANSWERS_160, BREAKS_THE_FIRST, BREAKS_ALL,
	DRIPS,                          /* one byte every 10 ms, for ever */
	ONE_BEHIND,                     /* the first answer comes after the second request */
	REFUSES_ABOVE_119, REFUSES_ALL, BUSY_ONCE /* exceptions 2, 1 and 6 */
};
/* clang-format on */

enum { MAX_ASKED = 64, DRIP_MS = 10, BEHIND_MS = 30 };

struct slave {
	pthread_t thread;
	int pty, stop[2];
	char device[64];
	enum mood mood;
	int asked;
	int function[MAX_ASKED], start[MAX_ASKED], count[MAX_ASKED];
	int64_t at_ms[MAX_ASKED], answered_ms[MAX_ASKED];
};

/* A register's value tells its address, so that a mistaken group shows. */
static uint16_t value(int reg)
{
	return reg == 5 ? 24105 : reg == 4 ? 523 : 300 + reg;
}

static void put_crc(uint8_t *frame, size_t n)
{
	uint16_t crc = 0xffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= frame[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
	}
	frame[n] = crc & 0xff;
	frame[n + 1] = crc >> 8;
}

/* True when the test ends, false after ms; or at once for data when wait_for_data. */
static bool stopped(struct slave *s, int ms, bool wait_for_data)
{
	struct pollfd fds[2] = { { .fd = s->stop[0], .events = POLLIN },
		{ .fd = wait_for_data ? s->pty : -1, .events = POLLIN } };

	poll(fds, 2, ms);
	return fds[0].revents != 0;
}

static void send_all(struct slave *s, const uint8_t *frame, size_t n)
{
	if (write(s->pty, frame, n) != (ssize_t)n)
		abort(); /* not the thread that may use cmocka's assertions */
}

static void answer(struct slave *s, int i, bool good)
{
	uint8_t frame[5 + 2 * 125] = { 1, (uint8_t)s->function[i], (uint8_t)(2 * s->count[i]) };
	size_t n = 3;

	for (int reg = s->start[i]; reg < s->start[i] + s->count[i]; reg++) {
		frame[n++] = value(reg) >> 8;
		frame[n++] = value(reg) & 0xff;
	}
	put_crc(frame, n);
	frame[n] ^= good ? 0 : 0x55;
	send_all(s, frame, n + 2);
	s->answered_ms[i] = clock_ms();
}

static void refuse(struct slave *s, uint8_t code)
{
	uint8_t frame[5] = { 1, 0x84, code };

	put_crc(frame, 3);
	send_all(s, frame, sizeof(frame));
}

static void drip(struct slave *s)
{
	static const uint8_t head[3] = { 1, 4, 80 };

	for (int i = 0; !stopped(s, DRIP_MS, false); i++)
		send_all(s, i < 3 ? &head[i] : &head[0], 1);
}

static void one_behind(struct slave *s, int i)
{
	if (i == 0)
		return;
	answer(s, i - 1, true);
	if (!stopped(s, BEHIND_MS, false))
		answer(s, i, true);
	s->mood = WELL;
}

static void react(struct slave *s, int i)
{
	bool mute = s->mood == MUTE || (s->mood == LOSES_THE_FIRST && i == 0) ||
		    (s->mood == NEVER_ANSWERS_160 && s->start[i] == 160);
	bool broken = s->mood == BREAKS_ALL || (s->mood == BREAKS_THE_FIRST && i == 0);

	if (s->mood == DRIPS)
		drip(s);
	else if (s->mood == ONE_BEHIND)
		one_behind(s, i);
	else if (s->mood == REFUSES_ALL)
		refuse(s, 1);
	else if (s->mood == REFUSES_ABOVE_119 && s->start[i] > 119)
		refuse(s, 2);
	else if (s->mood == BUSY_ONCE && i == 0)
		refuse(s, 6);
	else if (!mute)
		answer(s, i, !broken);
}

static void *run(void *arg)
{
	struct slave *s = arg;
	uint8_t in[8];
	size_t have = 0;

	while (!stopped(s, -1, true)) {
		ssize_t n = read(s->pty, in + have, sizeof(in) - have);

		have += n > 0 ? (size_t)n : 0;
		if (have < sizeof(in) || s->asked == MAX_ASKED)
			continue;
		have = 0;
		s->function[s->asked] = in[1];
		s->start[s->asked] = in[2] << 8 | in[3];
		s->count[s->asked] = in[4] << 8 | in[5];
		s->at_ms[s->asked] = clock_ms();
		react(s, s->asked++);
	}
	return NULL;
}

static struct slave *slave_new(enum mood mood)
{
	struct slave *s = calloc(1, sizeof(*s));
	struct termios raw;

	assert_non_null(s);
	s->mood = mood;
	s->pty = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(s->pty >= 0 && grantpt(s->pty) == 0 && unlockpt(s->pty) == 0);
	assert_int_equal(ptsname_r(s->pty, s->device, sizeof(s->device)), 0);
	tcgetattr(s->pty, &raw);
	cfmakeraw(&raw);
	tcsetattr(s->pty, TCSANOW, &raw);
	assert_int_equal(pipe(s->stop), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
	return s;
}

static void slave_stop(struct slave *s)
{
	assert_int_equal(write(s->stop[1], "", 1), 1);
	pthread_join(s->thread, NULL);
}

static void slave_free(struct slave *s)
{
	close(s->stop[0]);
	close(s->stop[1]);
	if (s->pty >= 0)
		close(s->pty);
	free(s);
}

static struct inverter_config config_for(const struct slave *s)
{
	struct inverter_config c = {
		.baud = 19200, .unit_id = 1, .timeout_ms = 2000, .keep_ms = 60000
	};

	strcpy(c.device, s->device);
	return c;
}

static struct inverter *open_with(const struct inverter_config *c)
{
	struct inverter *inv = NULL;

	assert_int_equal(inverter_luxpower.open(&inv, c), 0);
	return inv;
}

/* Opens, polls n times, closes and stops the slave; the last poll's result. */
static int polls(
    struct slave *s, const struct inverter_config *c, int n, struct inverter_sample *out)
{
	struct inverter *inv = open_with(c);
	int rc = 0;

	for (int i = 0; i < n; i++)
		rc = inverter_luxpower.poll(inv, out);
	inverter_luxpower.close(inv);
	slave_stop(s);
	return rc;
}

static int times_asked(const struct slave *s, int start)
{
	int n = 0;

	for (int i = 0; i < s->asked; i++)
		n += s->start[i] == start;
	return n;
}

static void each_poll_asks_for_the_vital_groups_and_one_other(void **state)
{
	static const int want[] = { 0, 160, 40, 0, 160, 80, 0, 160, 120, 0, 160, 200, 0, 160,
		40 };
	struct slave *s = slave_new(WELL);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;

	assert_int_equal(polls(s, &c, 5, &out), 0);
	assert_int_equal(s->asked, 15);
	for (int i = 0; i < s->asked; i++) {
		assert_int_equal(s->start[i], want[i]);
		assert_int_equal(s->count[i], want[i] == 200 ? 33 : 40);
	}
	assert_int_equal(out.v[INV_SOC], 41);
	assert_int_equal(out.v[INV_LOAD_POWER], value(170));
	assert_int_equal(out.v[INV_SMART_LOAD_POWER], value(232));
	assert_int_equal(out.v[INV_BMS_CYCLE_COUNT], value(106));
	slave_free(s);
}

static void settings_are_read_by_function_three_and_never_written(void **state)
{
	struct slave *s = slave_new(WELL);
	struct inverter_config c = config_for(s);
	struct inverter *inv = open_with(&c);
	struct inverter_setting set[64];
	int n = inverter_luxpower.settings(inv, set, 64);

	inverter_luxpower.close(inv);
	slave_stop(s);
	assert_int_equal(n, 21);
	assert_string_equal(set[n - 1].name, "max_gen_charge_battery_current");
	assert_int_equal(set[n - 1].value, value(198));
	for (int i = 0; i < s->asked; i++)
		assert_int_equal(s->function[i], 3);
	slave_free(s);
}

static void a_lost_first_answer_is_asked_for_once_more(void **state)
{
	struct slave *s = slave_new(LOSES_THE_FIRST);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;

	c.timeout_ms = 400;
	assert_int_equal(polls(s, &c, 1, &out), 0);
	assert_int_equal(times_asked(s, 0), 2);
	assert_int_equal(out.v[INV_SOC], 41);
	slave_free(s);
}

static void a_mute_inverter_times_out_and_leaves_the_sample(void **state)
{
	struct slave *s = slave_new(MUTE);
	struct inverter_config c = config_for(s);
	struct inverter_sample out = { .v[INV_SOC] = 77 };

	c.timeout_ms = 80;
	assert_int_equal(polls(s, &c, 1, &out), -ETIMEDOUT);
	assert_int_equal(s->asked, 2);
	assert_int_equal(out.v[INV_SOC], 77);
	slave_free(s);
}

static void a_broken_checksum_is_asked_for_once_more_and_then_reported(void **state)
{
	struct slave *s = slave_new(BREAKS_THE_FIRST);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;

	c.timeout_ms = 400;
	assert_int_equal(polls(s, &c, 1, &out), 0);
	assert_int_equal(times_asked(s, 0), 2);
	slave_free(s);
	s = slave_new(BREAKS_ALL);
	strcpy(c.device, s->device);
	assert_int_equal(polls(s, &c, 1, &out), -EBADMSG);
	assert_int_equal(s->asked, 2);
	slave_free(s);
}

static void a_busy_inverter_is_asked_once_more(void **state)
{
	struct slave *s = slave_new(BUSY_ONCE);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;

	c.timeout_ms = 400;
	assert_int_equal(polls(s, &c, 1, &out), 0);
	assert_int_equal(times_asked(s, 0), 2);
	slave_free(s);
}

static void bytes_that_drip_do_not_stretch_the_deadline(void **state)
{
	struct slave *s = slave_new(DRIPS);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;
	int64_t began_ms = clock_ms();

	c.timeout_ms = 200; /* a whole answer would drip for 850 ms, and more would follow */
	assert_true(polls(s, &c, 1, &out) < 0);
	assert_true(clock_ms() - began_ms < 700);
	slave_free(s);
}

static void refused_groups_are_left_alone_until_opened_anew(void **state)
{
	struct slave *s = slave_new(REFUSES_ABOVE_119);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;
	struct inverter *inv = open_with(&c);

	for (int i = 0; i < 6; i++)
		assert_int_equal(inverter_luxpower.poll(inv, &out), 0);
	inverter_luxpower.close(inv);
	assert_int_equal(polls(s, &c, 1, &out), 0);
	assert_int_equal(times_asked(s, 160), 2); /* once for each open */
	assert_int_equal(times_asked(s, 120), 1);
	assert_int_equal(times_asked(s, 200), 1);
	assert_int_equal(out.v[INV_LOAD_POWER], UNKNOWN);
	assert_int_equal(out.v[INV_SOC], 41);
	slave_free(s);
}

static void a_device_that_refuses_the_battery_is_no_such_inverter(void **state)
{
	struct slave *s = slave_new(REFUSES_ALL);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;

	assert_int_equal(polls(s, &c, 2, &out), -EBADMSG);
	assert_int_equal(s->asked, 2);
	slave_free(s);
}

static void an_answer_that_comes_late_is_not_taken_for_the_next_group(void **state)
{
	struct slave *s = slave_new(ONE_BEHIND);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;

	c.timeout_ms = 600; /* 150 ms an answer */
	assert_int_equal(polls(s, &c, 1, &out), 0);
	assert_int_equal(out.v[INV_PV1_POWER], value(7));
	assert_int_equal(out.v[INV_LOAD_POWER], value(170));
	slave_free(s);
}

static void a_load_that_was_not_read_in_this_poll_is_unknown(void **state)
{
	struct slave *s = slave_new(NEVER_ANSWERS_160);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;

	c.timeout_ms = 200;
	assert_int_equal(polls(s, &c, 1, &out), 0);
	assert_int_equal(out.v[INV_LOAD_POWER], UNKNOWN);
	assert_int_equal(out.v[INV_SOC], 41);
	slave_free(s);
}

static void values_read_too_long_ago_become_unknown(void **state)
{
	struct slave *s = slave_new(WELL);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;

	c.gap_ms = 3; /* so that a poll takes longer than a value is kept */
	c.keep_ms = 1;
	assert_int_equal(polls(s, &c, 3, &out), 0);
	assert_int_equal(out.v[INV_RUNNING_TIME], UNKNOWN); /* group 40, two polls ago */
	assert_int_equal(out.v[INV_SOC], 41);
	assert_int_equal(out.v[INV_LOAD_POWER], value(170));
	slave_free(s);
}

static void requests_keep_their_distance(void **state)
{
	struct slave *s = slave_new(WELL);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;

	c.gap_ms = 20;
	assert_int_equal(polls(s, &c, 2, &out), 0);
	assert_int_equal(s->asked, 6);
	for (int i = 1; i < s->asked; i++)
		assert_true(s->at_ms[i] - s->answered_ms[i - 1] >= c.gap_ms - 1);
	slave_free(s);
}

static void a_gap_beyond_the_deadline_ends_the_poll_and_keeps_what_was_read(void **state)
{
	struct slave *s = slave_new(WELL);
	struct inverter_config c = config_for(s);
	struct inverter_sample out;
	int64_t began_ms = clock_ms();

	c.gap_ms = 60000;
	assert_int_equal(polls(s, &c, 1, &out), 0);
	assert_true(clock_ms() - began_ms < c.timeout_ms + 1000);
	assert_int_equal(out.v[INV_SOC], 41);
	assert_int_equal(out.v[INV_LOAD_POWER], UNKNOWN);
	slave_free(s);
}

static void a_second_monitor_on_the_port_is_told_that_it_is_taken(void **state)
{
	struct slave *s = slave_new(WELL);
	struct inverter_config c = config_for(s);
	struct inverter *first = open_with(&c), *second = NULL;
	struct inverter_sample out;

	assert_int_equal(inverter_luxpower.open(&second, &c), -EBUSY);
	assert_null(second);
	assert_int_equal(inverter_luxpower.poll(first, &out), 0);
	inverter_luxpower.close(first);
	assert_int_equal(polls(s, &c, 1, &out), 0); /* free again */
	slave_free(s);
}

static void a_port_that_was_pulled_out_is_gone(void **state)
{
	struct slave *s = slave_new(WELL);
	struct inverter_config c = config_for(s);
	struct inverter *inv = open_with(&c);
	struct inverter_sample out;

	assert_int_equal(inverter_luxpower.poll(inv, &out), 0);
	slave_stop(s);
	close(s->pty);
	s->pty = -1;
	assert_int_equal(inverter_luxpower.poll(inv, &out), -ENODEV);
	inverter_luxpower.close(inv);
	assert_int_equal(inverter_luxpower.open(&inv, &c), -ENOENT);
	slave_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_poll_asks_for_the_vital_groups_and_one_other),
		cmocka_unit_test(settings_are_read_by_function_three_and_never_written),
		cmocka_unit_test(a_lost_first_answer_is_asked_for_once_more),
		cmocka_unit_test(a_mute_inverter_times_out_and_leaves_the_sample),
		cmocka_unit_test(a_broken_checksum_is_asked_for_once_more_and_then_reported),
		cmocka_unit_test(a_busy_inverter_is_asked_once_more),
		cmocka_unit_test(bytes_that_drip_do_not_stretch_the_deadline),
		cmocka_unit_test(refused_groups_are_left_alone_until_opened_anew),
		cmocka_unit_test(a_device_that_refuses_the_battery_is_no_such_inverter),
		cmocka_unit_test(an_answer_that_comes_late_is_not_taken_for_the_next_group),
		cmocka_unit_test(a_load_that_was_not_read_in_this_poll_is_unknown),
		cmocka_unit_test(values_read_too_long_ago_become_unknown),
		cmocka_unit_test(requests_keep_their_distance),
		cmocka_unit_test(
		    a_gap_beyond_the_deadline_ends_the_poll_and_keeps_what_was_read),
		cmocka_unit_test(a_second_monitor_on_the_port_is_told_that_it_is_taken),
		cmocka_unit_test(a_port_that_was_pulled_out_is_gone),
	};
	return cmocka_run_group_tests_name("luxpower on the wire", tests, NULL, NULL);
}
