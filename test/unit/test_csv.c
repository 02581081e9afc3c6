#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "node-monitor/sinks/csv.h"

#define HEAD_STANDARD                                                                          \
	"timestamp,timestamp_unix,soc_pct,soh_pct,vbat_v,vpv1_v,vpv2_v,pv_power_w,"            \
	"charge_power_w,discharge_power_w,generator_state,generator_running\r\n"
#define HEAD_EXTENDED                                                                          \
	"timestamp,timestamp_unix,soc_pct,soh_pct,vbat_v,vpv1_v,vpv2_v,pv1_power_w,"           \
	"pv2_power_w,load_power_w,charge_power_w,discharge_power_w,generator_state,"           \
	"generator_running\r\n"
#define ROW_STANDARD                                                                           \
	"2026-11-20T22:11:48,1795212708,60,98,53.2,312.0,298.7,3280,2200,0,IDLE,0\r\n"

/* The row that a run of the original wrote, in both layouts. */
enum { AT_MS = 5000 };
static const int64_t AT_UNIX_MS = 1795212708000;
static const struct csv_row sample = {
	.at_ms = AT_MS,
	.soc_pct = 60,
	.soh_pct = 98,
	.battery_mv = 53200,
	.pv1_mv = 312000,
	.pv2_mv = 298700,
	.pv_w = 3280,
	.pv1_w = 1850,
	.pv2_w = 1430,
	.load_w = 940,
	.charge_w = 2200,
	.discharge_w = 0,
	.state = "IDLE",
	.running = 0,
};

static char dir[64];

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void holds(const char *name, const char *expected)
{
	char text[4096];
	FILE *f = fopen(path_of(name), "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	fclose(f);
	assert_string_equal(text, expected);
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int in_a_new_folder(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/test_csv.XXXXXX");
	setenv("TZ", "UTC0", 1);
	tzset();
	return mkdtemp(dir) ? 0 : -1;
}

static int folder_gone(void **state)
{
	static const char *const names[] = { "data_20261120.csv", "data_20261120-2.csv",
		"data_20261120-3.csv", "data_20261121.csv", "new/data_20261120.csv", "new" };

	chmod(dir, 0700);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)remove(path_of(names[i]));
	return rmdir(dir);
}

static void write_one(enum csv_layout layout)
{
	struct csv *c = csv_new(dir, layout);

	csv_keep(c, &sample);
	assert_int_equal(csv_flush(c, AT_MS, AT_UNIX_MS), 0);
	csv_free(c);
}

static void standard_row_is_the_documents_byte_for_byte(void **state)
{
	write_one(CSV_STANDARD);
	holds("data_20261120.csv", HEAD_STANDARD ROW_STANDARD);
}

static void extended_row_is_the_originals_byte_for_byte(void **state)
{
	write_one(CSV_EXTENDED);
	holds("data_20261120.csv",
	    HEAD_EXTENDED "2026-11-20T22:11:48,1795212708,60,98,53.2,312.0,298.7,1850,1430,940,"
			  "2200,0,IDLE,0\r\n");
}

static void header_is_written_once_a_day(void **state)
{
	struct csv_row tomorrow = sample;
	struct csv *c = csv_new(dir, CSV_STANDARD);

	write_one(CSV_STANDARD);
	tomorrow.at_ms += 2 * 3600 * 1000;
	csv_keep(c, &sample);
	csv_keep(c, &tomorrow);
	assert_int_equal(csv_flush(c, AT_MS, AT_UNIX_MS), 0);
	holds("data_20261120.csv", HEAD_STANDARD ROW_STANDARD ROW_STANDARD);
	holds("data_20261121.csv", HEAD_STANDARD
	    "2026-11-21T00:11:48,1795219908,60,98,53.2,312.0,298.7,3280,2200,0,IDLE,0\r\n");
	csv_free(c);
}

static void date_and_time_are_local(void **state)
{
	setenv("TZ", "<+03>-3", 1);
	tzset();
	write_one(CSV_STANDARD);
	holds("data_20261121.csv", HEAD_STANDARD
	    "2026-11-21T01:11:48,1795212708,60,98,53.2,312.0,298.7,3280,2200,0,IDLE,0\r\n");
}

static void unknown_values_are_empty_fields(void **state)
{
	struct csv *c = csv_new(dir, CSV_STANDARD);
	struct csv_row row = { .at_ms = AT_MS,
		.soc_pct = UNKNOWN,
		.soh_pct = UNKNOWN,
		.battery_mv = UNKNOWN,
		.pv1_mv = UNKNOWN,
		.pv2_mv = UNKNOWN,
		.pv_w = UNKNOWN,
		.charge_w = UNKNOWN,
		.discharge_w = UNKNOWN,
		.state = "ERROR",
		.running = UNKNOWN };

	csv_keep(c, &row);
	assert_int_equal(csv_flush(c, AT_MS, AT_UNIX_MS), 0);
	holds("data_20261120.csv",
	    HEAD_STANDARD "2026-11-20T22:11:48,1795212708,,,,,,,,,ERROR,\r\n");
	csv_free(c);
}

static void file_of_another_layout_is_left_and_the_day_goes_on_under_a_number(void **state)
{
	write_one(CSV_EXTENDED);
	put("data_20261120-2.csv", "something else\n");
	write_one(CSV_STANDARD);
	write_one(CSV_STANDARD);
	holds("data_20261120-2.csv", "something else\n");
	holds("data_20261120-3.csv", HEAD_STANDARD ROW_STANDARD ROW_STANDARD);
}

static void line_torn_by_a_power_cut_is_taken_back(void **state)
{
	put("data_20261120.csv", HEAD_STANDARD ROW_STANDARD "2026-11-20T22:0");
	write_one(CSV_STANDARD);
	holds("data_20261120.csv", HEAD_STANDARD ROW_STANDARD ROW_STANDARD);
}

static void torn_header_is_written_anew(void **state)
{
	put("data_20261120.csv", "timestamp,timest");
	write_one(CSV_STANDARD);
	holds("data_20261120.csv", HEAD_STANDARD ROW_STANDARD);
}

static void limit_files_to(rlim_t bytes)
{
	const struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit in the middle of a row: the kernel writes a part of it, as on a full disk. */
static void full_disk_leaves_whole_lines_and_the_rows_come_later_in_order(void **state)
{
	struct csv *c = csv_new(dir, CSV_STANDARD);
	struct csv_row later = sample;
	int rc;

	signal(SIGXFSZ, SIG_IGN);
	write_one(CSV_STANDARD);
	later.at_ms += 1000;
	csv_keep(c, &sample);
	csv_keep(c, &later);
	limit_files_to(strlen(HEAD_STANDARD ROW_STANDARD) + 20);
	rc = csv_flush(c, AT_MS, AT_UNIX_MS);
	limit_files_to(RLIM_INFINITY);
	assert_true(rc == -ENOSPC || rc == -EFBIG);
	assert_string_equal(csv_advice(rc), "free space on that disk");
	holds("data_20261120.csv", HEAD_STANDARD ROW_STANDARD);
	assert_int_equal(csv_waiting(c), 2);
	assert_int_equal(csv_flush(c, AT_MS + 60000, AT_UNIX_MS + 60000), 0);
	holds("data_20261120.csv", HEAD_STANDARD ROW_STANDARD ROW_STANDARD
	    "2026-11-20T22:11:49,1795212709,60,98,53.2,312.0,298.7,3280,2200,0,IDLE,0\r\n");
	csv_free(c);
}

static void missing_folder_is_made(void **state)
{
	struct csv *c = csv_new(path_of("new"), CSV_STANDARD);

	csv_keep(c, &sample);
	assert_int_equal(csv_flush(c, AT_MS, AT_UNIX_MS), 0);
	holds("new/data_20261120.csv", HEAD_STANDARD ROW_STANDARD);
	csv_free(c);
}

static void unwritable_folder_keeps_a_day_of_rows_and_counts_what_it_drops(void **state)
{
	struct csv *c = csv_new("/proc/nothing/here", CSV_STANDARD);

	for (int i = 0; i < CSV_KEPT + 6; i++)
		csv_keep(c, &sample);
	assert_int_equal(csv_flush(c, AT_MS, AT_UNIX_MS), -ENOENT);
	assert_int_equal(csv_waiting(c), CSV_KEPT);
	assert_int_equal(csv_lost(c), 6);
	csv_free(c);
}

static void row_taken_before_the_clock_was_set_gets_its_date_afterwards(void **state)
{
	struct csv *c = csv_new(dir, CSV_STANDARD);

	csv_keep(c, &sample);
	assert_int_equal(csv_flush(c, AT_MS, 0), -EAGAIN);
	assert_int_equal(csv_flush(c, AT_MS + 90000, AT_UNIX_MS + 90000), 0);
	holds("data_20261120.csv", HEAD_STANDARD ROW_STANDARD);
	csv_free(c);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, in_a_new_folder, folder_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(standard_row_is_the_documents_byte_for_byte),
		IN_FOLDER(extended_row_is_the_originals_byte_for_byte),
		IN_FOLDER(header_is_written_once_a_day),
		IN_FOLDER(date_and_time_are_local),
		IN_FOLDER(unknown_values_are_empty_fields),
		IN_FOLDER(file_of_another_layout_is_left_and_the_day_goes_on_under_a_number),
		IN_FOLDER(line_torn_by_a_power_cut_is_taken_back),
		IN_FOLDER(torn_header_is_written_anew),
		IN_FOLDER(full_disk_leaves_whole_lines_and_the_rows_come_later_in_order),
		IN_FOLDER(missing_folder_is_made),
		cmocka_unit_test(
		    unwritable_folder_keeps_a_day_of_rows_and_counts_what_it_drops),
		IN_FOLDER(row_taken_before_the_clock_was_set_gets_its_date_afterwards),
	};
	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
