#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "node-genctl/interlock.h"
#include "node-genctl/recorder.h"
#include "node-genctl/tracetext.h"

enum {
	ROW_BYTES = 24,
	HEAD_BYTES = 64,
	AT_VERSION = 8,
	AT_BOOT_ID = 16,
	AT_NUMBER = 8,
	AT_HEAD = 52
};

static char folder[] = "/tmp/test_recorder.XXXXXX";
static char path[64];

static int empty_folder(void **state)
{
	char fresh[80];

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	unlink(path);
	rmdir(path);
	unlink(fresh);
	return 0;
}

static void append(struct recorder *r, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n <= to; n++)
		recorder_append(r, &(struct recorder_row){ .t_ms = n * 10, .arg = (int32_t)n });
}

/* How many rows are read; they must come in order, and *last is the last one's time / 10. */
static uint32_t count(uint32_t after, uint32_t *first, uint32_t *last)
{
	struct recorder r;
	struct recorder_row row;
	uint32_t n = 0;

	*first = *last = 0;
	assert_int_equal(recorder_view(&r, folder), 0);
	for (; recorder_next(&r, &after, &row); n++) {
		assert_int_equal(row.t_ms, after * 10);
		assert_int_equal(row.arg, after);
		assert_true(after > *last);
		*first = *first ? *first : after;
		*last = after;
	}
	recorder_close(&r);
	return n;
}

static void spoil(off_t at, uint8_t byte)
{
	int fd = open(path, O_WRONLY);

	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static off_t row_at(uint32_t number)
{
	return HEAD_BYTES + (off_t)((number - 1) % RECORDER_ROWS) * ROW_BYTES;
}

static void every_field_of_a_row_comes_back(void **state)
{
	struct recorder_row in = { .t_ms = INT64_C(1) << 40,
		.arg = -5,
		.relays = 0x0a,
		.inputs = 0x83,
		.fault = SAMPLE_NOISE,
		.phase = PHASE_LOADED,
		.event = RECORD_REFUSED,
		.detail = 0x0f };
	struct recorder_row out;
	struct recorder r;
	uint32_t after = 0;

	assert_int_equal(recorder_open(&r, folder), 0);
	recorder_append(&r, &in);
	assert_true(recorder_next(&r, &after, &out));
	assert_int_equal(after, 1);
	assert_int_equal(out.t_ms, in.t_ms);
	assert_int_equal(out.arg, in.arg);
	assert_memory_equal(&in.relays, &out.relays, 6);
	assert_false(recorder_next(&r, &after, &out));
	recorder_close(&r);
}

static void a_full_ring_gives_up_its_oldest_rows(void **state)
{
	struct recorder r;
	uint32_t first, last;

	assert_int_equal(recorder_open(&r, folder), 0);
	append(&r, 1, RECORDER_ROWS + 100);
	assert_int_equal(count(0, &first, &last), RECORDER_ROWS);
	assert_int_equal(first, 101);
	assert_int_equal(last, RECORDER_ROWS + 100);
	assert_int_equal(count(RECORDER_ROWS + 90, &first, &last), 10);
	assert_int_equal(count(UINT32_MAX, &first, &last), 0);
	recorder_close(&r);
}

static void what_the_header_says_of_its_size_is_true(void **state)
{
	struct recorder r;
	struct stat st;

	assert_int_equal(recorder_open(&r, folder), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, HEAD_BYTES + RECORDER_ROWS * ROW_BYTES);
	assert_true(st.st_size < 2000000);
	assert_true(st.st_blocks * 512 >= st.st_size); /* no hole that a full folder bites */
	assert_int_equal(st.st_mode & 0777, 0600);
	recorder_close(&r);
}

static void reopening_goes_on_behind_the_last_row(void **state)
{
	struct recorder r;
	uint32_t first, last;

	assert_int_equal(recorder_open(&r, folder), 0);
	append(&r, 1, 50);
	recorder_close(&r);
	assert_int_equal(recorder_open(&r, folder), 0);
	append(&r, 51, 60);
	recorder_close(&r);
	assert_int_equal(count(0, &first, &last), 60);
}

static void a_torn_row_is_skipped_and_the_others_are_read(void **state)
{
	struct recorder r;
	uint32_t first, last;

	assert_int_equal(recorder_open(&r, folder), 0);
	append(&r, 1, 10);
	recorder_close(&r);
	spoil(row_at(4) + AT_NUMBER, 0);
	assert_int_equal(count(0, &first, &last), 9);
	assert_int_equal(last, 10);
	spoil(row_at(10) + AT_NUMBER, 0); /* the newest is counted after it is whole */
	assert_int_equal(recorder_open(&r, folder), 0);
	recorder_close(&r);
	assert_int_equal(count(0, &first, &last), 0);
}

static void a_row_whose_writer_died_before_it_counted_is_not_lost(void **state)
{
	struct recorder r;
	uint32_t first, last;

	assert_int_equal(recorder_open(&r, folder), 0);
	append(&r, 1, 10);
	recorder_close(&r);
	spoil(AT_HEAD, 9);
	assert_int_equal(count(0, &first, &last), 9);
	assert_int_equal(recorder_open(&r, folder), 0);
	append(&r, 11, 11);
	recorder_close(&r);
	assert_int_equal(count(0, &first, &last), 11);
}

static void replaced_after(off_t at, uint8_t byte)
{
	struct recorder old, r;
	struct recorder_row row;
	uint32_t first, last, after = 0;

	empty_folder(NULL);
	assert_int_equal(recorder_open(&r, folder), 0);
	append(&r, 1, 10);
	recorder_close(&r);
	assert_int_equal(recorder_view(&old, folder), 0);
	spoil(at, byte);
	assert_int_equal(recorder_view(&r, folder), -EBADMSG);
	assert_int_equal(recorder_open(&r, folder), 0);
	append(&r, 1, 3);
	recorder_close(&r);
	assert_int_equal(count(0, &first, &last), 3);
	assert_true(recorder_next(&old, &after, &row)); /* who reads the old one still can */
	recorder_close(&old);
}

static void a_file_of_another_kind_version_or_kernel_is_replaced(void **state)
{
	replaced_after(0, 'X');
	replaced_after(AT_VERSION, 99);
	replaced_after(AT_BOOT_ID, 'x');
}

static void a_file_of_another_size_is_replaced_and_not_mapped(void **state)
{
	struct recorder r;
	uint32_t first, last;

	for (off_t size = 0; size < 200; size += 100) {
		empty_folder(NULL);
		assert_int_equal(recorder_open(&r, folder), 0);
		append(&r, 1, 10);
		recorder_close(&r);
		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(recorder_view(&r, folder), -EBADMSG);
		assert_int_equal(recorder_open(&r, folder), 0);
		append(&r, 1, 2);
		recorder_close(&r);
		assert_int_equal(count(0, &first, &last), 2);
	}
}

static void a_folder_without_room_or_none_is_an_error_and_rows_go_nowhere(void **state)
{
	struct rlimit was, small = { .rlim_cur = 65536 };
	struct recorder r;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(recorder_open(&r, folder), -EFBIG);
	append(&r, 1, 10);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(recorder_view(&r, folder), -ENOENT);
	assert_int_equal(mkdir(path, 0700), 0); /* in its place */
	assert_int_equal(recorder_open(&r, folder), -EISDIR);
	append(&r, 1, 10);
	assert_int_equal(recorder_open(&r, "/nowhere"), -ENOENT);
}

static void rows_outlive_a_writer_that_is_killed(void **state)
{
	uint32_t first, last, n;
	struct recorder r;
	pid_t pid;
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (recorder_open(&r, folder) < 0)
			_exit(1);
		for (n = 1;; n++) {
			append(&r, n, n);
			if (n == RECORDER_ROWS && write(ready[1], "x", 1) != 1)
				_exit(1);
		}
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	for (int i = 0; i < 20; i++) /* while it writes: it may lap us, but no row is wrong */
		count(0, &first, &last);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	n = count(0, &first, &last);
	assert_true(n >= RECORDER_ROWS - 1 && n <= RECORDER_ROWS);
	assert_int_equal(recorder_open(&r, folder), 0);
	append(&r, last + 1, last + 5);
	recorder_close(&r);
	n = last + 5;
	count(0, &first, &last);
	assert_in_range(last, n, n + 1);
	close(ready[0]);
	close(ready[1]);
}

static const char *text_of(const struct recorder_row *row, bool first)
{
	static char line[TRACETEXT_LINE];

	int n = tracetext_format(row, first, line);

	assert_int_equal(n, strlen(line));
	return line;
}

static void rows_are_written_in_the_projects_words(void **state)
{
	static const struct {
		struct recorder_row row;
		const char *text;
	} cases[] = {
		{ { 5, 0, 0xff, 0, 0xff, 0, RECORD_BOOT, 0 }, "5,,,,boot\n" },
		{ { 5, 0, 8, 3, SAMPLE_OK, 0, RECORD_NOTHING, 0 }, "5,08,,03,\n" },
		{ { 5, 0, 8, 0xf3, SAMPLE_NOISE, 0, 0, 0 }, "5,08,,f3,\n" },
		{ { 5, 0, 8, 0, SAMPLE_ZERO, 0, 0, 0 }, "5,08,,00,\n" },
		{ { 5, 0, 8, 3, SAMPLE_ERROR, 0, 0, 0 }, "5,08,,BAD,\n" },
		{ { 5, 0, 8, 0, SAMPLE_STUCK, 0, 0, 0 }, "5,08,,BAD,\n" },
		{ { 5, 40, 0, 0, 0xff, 0, RECORD_BEGIN, RECORD_FIRST | BY_MONITOR },
		    "5,00,,,begin first by=monitor age_ms=40\n" },
		{ { 5, 0, 0, 0, 0xff, 0, RECORD_BEGIN, BY_OPERATOR },
		    "5,00,,,begin by=operator age_ms=0\n" },
		{ { 5, MODE_OPERATOR_STOP, 0, 0, 0xff, 0, RECORD_MODE, 0 },
		    "5,00,,,mode=operator_stop\n" },
		{ { 5, 900000, 8, 0, 0xff, 0, RECORD_DEADLINE, 0 },
		    "5,08,,,deadline_ms=900005\n" },
		{ { 5, 2, 8, 0, 0xff, 0, RECORD_ALARM, 0 }, "5,08,,,alarm=FAIL_TO_STOP\n" },
		{ { 5, 3, 8, 0, 0xff, 0, RECORD_FORCED, 0 }, "5,08,,,forced=S3\n" },
		{ { 5, 1, 8, 0, 0xff, 0, RECORD_REFUSED, 1 }, "5,08,,,refused=S1 byte=01\n" },
		{ { 5, 0, 8, 0, 0xff, PHASE_CRANK, RECORD_PHASE, 0 }, "5,08,,,phase=CRANK\n" },
		{ { 5, 99, 8, 0, 0xff, 99, RECORD_PHASE, 0 }, "5,08,,,phase=?\n" },
		{ { 5, -1, 8, 0, 0xff, 0, RECORD_ALARM, 0 }, "5,08,,,alarm=?\n" },
		{ { 5, -1, 8, 0, 0xff, 0, 200, 0 }, "5,08,,,unknown\n" },
	};
	struct recorder_row loaded = { 5, 0, 10, 0, 0xff, PHASE_LOADED, RECORD_NOTHING, 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(text_of(&cases[i].row, false), cases[i].text);
	assert_string_equal(text_of(&loaded, true), "5,0a,,,phase=LOADED\n");
}

static void every_event_has_its_word(void **state)
{
	for (int e = RECORD_NOTHING + 1; e < RECORD_EVENTS; e++) {
		struct recorder_row row = { .arg = 1, .event = (uint8_t)e };

		assert_string_not_equal(text_of(&row, false), "0,00,,00,\n");
		assert_string_not_equal(text_of(&row, false), "0,00,,00,unknown\n");
	}
}

static void what_is_written_is_read_again(void **state)
{
	struct recorder_row row = { 1234, 7, 0x0a, 0x83, SAMPLE_NOISE, 0, RECORD_FORCED, 0 };
	struct tracetext_row r;
	const char *why = NULL;

	assert_int_equal(tracetext_parse(text_of(&row, false), &r, &why), 1);
	assert_int_equal(r.t_ms, 1234);
	assert_int_equal(r.acked, 0x0a);
	assert_int_equal(r.contacts, TRACETEXT_UNKNOWN);
	assert_int_equal(r.inputs, 0x83);
	assert_string_equal(r.event, "forced=S7");
	assert_int_equal(tracetext_parse("7,,0f,BAD,cmd in 3, now\r\n", &r, &why), 1);
	assert_int_equal(r.acked, TRACETEXT_UNKNOWN);
	assert_int_equal(r.contacts, 15);
	assert_int_equal(r.inputs, TRACETEXT_BAD);
	assert_string_equal(r.event, "cmd in 3, now");
}

static void lines_without_a_row_and_lines_that_are_none_are_told_apart(void **state)
{
	static const char *const none[] = { "", "\n", "# a,b\n", TRACETEXT_HEAD "\n", " \r\n" };
	static const char *const bad[] = { "x,00,,00,", "-1,00,,00,", "1,10,,00,", "1,0,,00,",
		"1,00,1f,00,", "1,00,,0,", "1,00,,bad,", "1,00,,00", "1", "1,00,,", ",00,,00,",
		"99999999999999999999,00,,00,", "1 ,00,,00,", "1,000,,00,", "1,-1,,00," };
	struct tracetext_row r;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		const char *why = NULL;

		assert_int_equal(tracetext_parse(none[i], &r, &why), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *why = NULL;

		assert_int_equal(tracetext_parse(bad[i], &r, &why), -EINVAL);
		assert_non_null(why);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, empty_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_field_of_a_row_comes_back),
		TEST(a_full_ring_gives_up_its_oldest_rows),
		TEST(what_the_header_says_of_its_size_is_true),
		TEST(reopening_goes_on_behind_the_last_row),
		TEST(a_torn_row_is_skipped_and_the_others_are_read),
		TEST(a_row_whose_writer_died_before_it_counted_is_not_lost),
		TEST(a_file_of_another_kind_version_or_kernel_is_replaced),
		TEST(a_file_of_another_size_is_replaced_and_not_mapped),
		TEST(a_folder_without_room_or_none_is_an_error_and_rows_go_nowhere),
		TEST(rows_outlive_a_writer_that_is_killed),
		TEST(rows_are_written_in_the_projects_words),
		TEST(every_event_has_its_word),
		TEST(what_is_written_is_read_again),
		TEST(lines_without_a_row_and_lines_that_are_none_are_told_apart),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/genctl.trace", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	empty_folder(NULL);
	rmdir(folder);
	return failed;
}
