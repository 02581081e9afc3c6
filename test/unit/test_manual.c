#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "node-monitor/manual.h"

static char dir[64];

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void make(const char *name)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static int in_a_new_folder(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/test_manual.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int folder_gone(void **state)
{
	(void)remove(path_of("pigenny_force_charge"));
	(void)remove(path_of("pigenny_force_stop"));
	return rmdir(dir);
}

static void each_file_is_one_wish(void **state)
{
	struct manual m = manual_read(dir);

	assert_false(m.charge || m.stop);
	make("pigenny_force_charge");
	m = manual_read(dir);
	assert_true(m.charge && !m.stop);
	make("pigenny_force_stop");
	m = manual_read(dir);
	assert_true(m.charge && m.stop);
}

static void link_or_folder_of_that_name_is_no_wish(void **state)
{
	struct manual m;

	assert_int_equal(symlink("/etc/hostname", path_of("pigenny_force_charge")), 0);
	assert_int_equal(mkdir(path_of("pigenny_force_stop"), 0700), 0);
	m = manual_read(dir);
	assert_false(m.charge || m.stop);
}

static void stop_that_was_carried_out_removes_its_file_only(void **state)
{
	struct manual m;

	make("pigenny_force_stop");
	make("pigenny_force_charge");
	assert_int_equal(manual_stop_done(dir), 0);
	m = manual_read(dir);
	assert_true(m.charge && !m.stop);
	assert_int_equal(manual_stop_done(dir), -ENOENT);
}

static void missing_folder_wishes_nothing(void **state)
{
	struct manual m = manual_read("/nonexistent");

	assert_false(m.charge || m.stop);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, in_a_new_folder, folder_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(each_file_is_one_wish),
		IN_FOLDER(link_or_folder_of_that_name_is_no_wish),
		IN_FOLDER(stop_that_was_carried_out_removes_its_file_only),
		cmocka_unit_test(missing_folder_wishes_nothing),
	};
	return cmocka_run_group_tests_name("manual", tests, NULL, NULL);
}
