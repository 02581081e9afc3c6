#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "node-monitor/replay.h"
#include "node-monitor/series.h"

#define OLD_HEADER                                                                             \
	"timestamp,timestamp_unix,soc_pct,soh_pct,vbat_v,vpv1_v,vpv2_v,pv_power_w,"            \
	"charge_power_w,discharge_power_w,generator_state,generator_running\r\n"
#define NEW_HEADER                                                                             \
	"timestamp,timestamp_unix,soc_pct,soh_pct,vbat_v,vpv1_v,vpv2_v,pv1_power_w,"           \
	"pv2_power_w,load_power_w,charge_power_w,discharge_power_w,generator_state,"           \
	"generator_running\r\n"

static char path[] = "/tmp/test_replay_XXXXXX";
static char report[8192];

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct series series_of(const char *text, int want)
{
	struct series s = { 0 };

	write_file(text);
	assert_int_equal(series_read(path, &s), want);
	return s;
}

static int replay(const char *file, const char *vs, double pv_scale)
{
	struct replay_config c = { .file = file,
		.policy = autostart_defaults,
		.plant = plant_defaults,
		.pv_scale = pv_scale,
		.fuel_price = 2,
		.vs = &vs,
		.nvs = vs ? 1 : 0 };
	FILE *out = fmemopen(report, sizeof(report) - 1, "w");
	int rc;

	memset(report, 0, sizeof(report));
	rc = replay_run(&c, out);
	fclose(out);
	return rc;
}

/* Days of constant load and no sun, half-hourly. */
static void write_days(int days, int load_w)
{
	FILE *f = fopen(path, "w");

	fputs("unix_s,load_w,pv_w\n", f);
	for (int i = 0; i < days * 48; i++)
		fprintf(f, "%d,%d,0\n", 1700000000 + i * 1800, load_w);
	fclose(f);
}

struct row { /* of the report's table */
	int starts;
	double run_h, kwh, litres, min_soc, low_h, short_kwh, cost;
};

static struct row table_row(const char *name)
{
	const char *at = strstr(report, name);
	struct row r;

	assert_non_null(at);
	assert_int_equal(
	    sscanf(at + 28, "%d %lf %lf %lf %lf%% %lf %lf %lf", &r.starts, &r.run_h, &r.kwh,
		&r.litres, &r.min_soc, &r.low_h, &r.short_kwh, &r.cost),
	    8);
	return r;
}

static void twelve_columns_give_load_from_the_balance(void **state)
{
	struct series s = series_of(OLD_HEADER
	    "2026-01-05T10:00:00,1767607200,60,98,53.2,312.0,298.7,1850,900,0,IDLE,0\r\n"
	    "2026-01-05T10:10:00,1767607800,60,98,53.2,0.0,0.0,0,0,640,IDLE,0\r\n"
	    "2026-01-05T10:20:00,1767608400,60,98,53.2,0.0,0.0,0,0,0,RUNNING,1\r\n",
	    0);

	assert_int_equal(s.nrows, 3);
	assert_int_equal(s.period_s, 600);
	assert_int_equal(s.rows[0].load_w, 950);
	assert_int_equal(s.rows[1].load_w, 640);
	assert_int_equal(s.rows[2].load_w, 640); /* the balance hides it on generator */
	series_free(&s);
}

static void fourteen_columns_add_both_strings(void **state)
{
	struct series s = series_of(NEW_HEADER "2026-11-20T22:11:48,1795212708,60,98,53.2,312."
					       "0,298.7,1850,1430,940,2200,0,IDLE,0\r\n",
	    0);

	assert_int_equal(s.rows[0].pv_w, 3280);
	assert_int_equal(s.rows[0].load_w, 940);
	assert_int_equal(s.bad_lines, 0);
	series_free(&s);
}

static void rows_of_both_layouts_in_one_file_are_all_read(void **state)
{
	struct series s = series_of(OLD_HEADER
	    "2026-01-05T10:00:00,1767607200,60,98,53.2,312.0,298.7,1850,900,0,IDLE,0\r\n"
	    "2026-01-05T10:10:00,1767607800,60,98,53.2,1.0,1.0,100,200,700,0,400,IDLE,0\r\n"
	    "2026-01-05T10:20:00,1767608400,60,98,53.2,312.0,298.7,1850,900,0,IDLE,0\r\n",
	    0);

	assert_int_equal(s.bad_lines, 0);
	assert_int_equal(s.nrows, 3);
	assert_int_equal(s.rows[1].load_w, 700);
	assert_int_equal(s.rows[1].pv_w, 300);
	assert_int_equal(s.rows[2].load_w, 950);
	series_free(&s);
}

static void household_file_in_kw_is_read_by_its_text_time(void **state)
{
	struct series s = series_of(",GC,GG\n2011-07-01 00:00:00,0.392,0.0\n"
				    "2011-07-01 00:30:00,0.578,0.25\n",
	    0);

	assert_int_equal(s.rows[0].unix_s, 1309478400);
	assert_int_equal(s.rows[1].load_w, 578);
	assert_int_equal(s.rows[1].pv_w, 250);
	assert_int_equal(s.period_s, 1800);
	series_free(&s);
}

static void bad_lines_are_counted_by_number_and_lose_nothing_else(void **state)
{
	struct series s = series_of("unix_s,load_w,pv_w\n"
				    "1700000000,500,0\n"
				    "rubbish\n"
				    "17000x0000,500,0\n"
				    "1700001800,abc,0\n"
				    "1600000000,500,0\n"
				    "1700003600,1e9,0\n"
				    "1700005400,nan,0\n"
				    "1700007200,600,-1.5\n",
	    0);

	assert_int_equal(s.nrows, 2);
	assert_int_equal(s.bad_lines, 6);
	assert_int_equal(s.faults[0].line, 3);
	assert_int_equal(s.faults[4].line, 7);
	assert_int_equal(s.rows[1].load_w, 600);
	assert_int_equal(s.rows[1].pv_w, 0);
	series_free(&s);
	assert_int_equal(replay(path, NULL, 1), 0);
	assert_non_null(strstr(report, "line 3 not used: not as many cells"));
	assert_non_null(strstr(report, "and 1 more lines not used"));
}

static void file_without_a_usable_row_says_what_was_expected(void **state)
{
	static const char *const files[] = { "", "a,b,c\n1,2,3\n", "unix_s,load_w,pv_w\n",
		"unix_s,load_w,pv_w\n1700000000,,\n" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		write_file(files[i]);
		assert_int_equal(replay(path, NULL, 1), -EBADMSG);
		assert_non_null(strstr(report, "no usable row; expected a header"));
	}
	assert_int_equal(replay("/nonexistent/x.csv", NULL, 1), -ENOENT);
	assert_non_null(strstr(report, "No such file"));
}

static void constant_load_gives_the_runs_that_arithmetic_gives(void **state)
{
	struct row now, other;

	write_days(30, 1000);
	assert_int_equal(replay(path, "start=40,stop=90", 1), 0);
	now = table_row("now: start 25 stop 80");
	other = table_row("start=40,stop=90");
	/* 24 kWh a day; a run fills 55 % of 30 kWh at (5000 - 1000) * 0.95 W: 4.3 h, but
	 * is ended at 4 h; falling again by 51 % takes 15 h. */
	assert_in_range(now.starts, 35, 40);
	assert_in_range(now.run_h / now.starts * 100, 390, 410);
	assert_in_range(now.min_soc * 10, 235, 250);
	assert_in_range(other.min_soc * 10, 385, 400);
	assert_in_range(now.kwh, 0.94 * 30 * 24 - 10, 1.06 * 30 * 24 + 20);
	assert_in_range(now.cost * 100, now.litres * 200 - 20, now.litres * 200 + 20);
	assert_true(now.low_h == 0 && now.short_kwh == 0);
}

static void load_beyond_the_charger_is_shown_as_time_below_ten_percent(void **state)
{
	write_days(10, 6000);
	assert_int_equal(replay(path, NULL, 1), 0);
	assert_true(table_row("now:").low_h > 100);
	assert_true(table_row("now:").short_kwh > 100);
}

static void holes_in_the_recording_are_left_out_and_said(void **state)
{
	FILE *f;

	write_days(1, 500);
	f = fopen(path, "a");
	fprintf(f, "%d,500,0\n", 1700000000 + 10 * 86400);
	fprintf(f, "%d,,\n", 1700001800 + 10 * 86400);
	fclose(f);
	assert_int_equal(replay(path, NULL, 1), 0);
	assert_non_null(strstr(report, "1.0 days replayed"));
	assert_non_null(strstr(report, "hours are not in the recording"));
}

static void vs_that_makes_no_sense_is_refused_with_its_reason(void **state)
{
	write_days(1, 500);
	assert_int_equal(replay(path, "start=90,stop=40", 1), -EINVAL);
	assert_non_null(strstr(report, "soc_stop must be above soc_start"));
	assert_int_equal(replay(path, "begin=40", 1), -EINVAL);
	assert_non_null(strstr(report, "--vs begin=40: write start="));
	assert_int_equal(replay(path, "start=", 1), -EINVAL);
	assert_int_equal(replay(path, "start=40x", 1), -EINVAL);
	assert_int_equal(replay(path, "start=400", 1), -EINVAL);
}

static void recorded_year(const char *name, double pv_scale, int min_starts)
{
	const char *data = getenv("PIGENNY_DATA");
	char file[512];
	clock_t began = clock();

	snprintf(file, sizeof(file), "%s/timeseries/household/%s",
	    data ? data : "../shared/data", name);
	if (access(file, R_OK) < 0) {
		print_message("SKIPPED: %s is not there; set PIGENNY_DATA\n", file);
		skip();
	}
	assert_int_equal(replay(file, "start=40,stop=90", pv_scale), 0);
	print_message("%s%.2f s\n", report, (double)(clock() - began) / CLOCKS_PER_SEC);
	assert_true(table_row("now:").starts >= min_starts);
	assert_true(table_row("now:").min_soc > 10);
	assert_true(table_row("start=40").min_soc > 25);
	assert_null(strstr(report, "not used"));
}

static void recorded_year_of_a_small_home_is_carried(void **state)
{
	recorded_year("ausgrid_customer12_2011-2012_30min.csv", 3, 50);
}

static void recorded_year_with_real_outages_is_carried(void **state)
{
	recorded_year("emhass_load_pv_30min.csv", 1, 5);
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
		cmocka_unit_test(twelve_columns_give_load_from_the_balance),
		cmocka_unit_test(fourteen_columns_add_both_strings),
		cmocka_unit_test(rows_of_both_layouts_in_one_file_are_all_read),
		cmocka_unit_test(household_file_in_kw_is_read_by_its_text_time),
		cmocka_unit_test(bad_lines_are_counted_by_number_and_lose_nothing_else),
		cmocka_unit_test(file_without_a_usable_row_says_what_was_expected),
		cmocka_unit_test(constant_load_gives_the_runs_that_arithmetic_gives),
		cmocka_unit_test(load_beyond_the_charger_is_shown_as_time_below_ten_percent),
		cmocka_unit_test(holes_in_the_recording_are_left_out_and_said),
		cmocka_unit_test(vs_that_makes_no_sense_is_refused_with_its_reason),
		cmocka_unit_test(recorded_year_of_a_small_home_is_carried),
		cmocka_unit_test(recorded_year_with_real_outages_is_carried),
	};
	return cmocka_run_group_tests_name("replay", tests, make_file, remove_file);
}
