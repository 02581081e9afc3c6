#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "node-genctl/board.h"

static char folder[] = "/tmp/test_board.XXXXXX";
static struct board_config config = { .kind = 1, .reset_gpio = -1 };

/* A board that answers each request of the script as the script says; ends after it. */
struct exchange {
	const char *request, *answer; /* answer NULL: none is given */
};

static pid_t serve(const struct exchange *script, size_t n)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0), fd = -1;
	pid_t pid;

	strcpy(at.sun_path, config.socket);
	unlink(at.sun_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 4), 0);
	pid = fork();
	if (pid) {
		close(listener);
		return pid;
	}
	for (size_t i = 0; i < n; i++) {
		char got[32] = "";

		while (fd < 0 || recv(fd, got, sizeof(got) - 1, 0) <= 0)
			fd = accept(listener, NULL, NULL);
		if (strcmp(got, script[i].request) != 0)
			_exit(1);
		if (script[i].answer)
			send(fd, script[i].answer, strlen(script[i].answer), MSG_NOSIGNAL);
	}
	(void)!read(fd, &at, 1); /* until the driver hangs up */
	_exit(0);
}

static void finish(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_write_counts_only_when_acknowledged(void **state)
{
	static const struct exchange script[] = { { "W 10 09", "A" }, { "W 10 08", "N" } };
	pid_t pid = serve(script, 2);
	struct board *b;

	board_sim.open(&b, &config);
	assert_int_equal(board_sim.write_relays(b, 0x09), 0);
	assert_int_equal(board_sim.write_relays(b, 0x08), -EIO);
	board_sim.close(b);
	finish(pid);
}

static void each_sample_sends_the_command_again(void **state)
{
	static const struct exchange script[] = { { "C 20", "A" }, { "R", "A 03" },
		{ "C 20", "A" }, { "R", "A 0b" } };
	pid_t pid = serve(script, 4);
	struct board *b;
	uint8_t raw;

	board_sim.open(&b, &config);
	assert_int_equal(board_sim.read_inputs(b, &raw), 0);
	assert_int_equal(raw, 0x03);
	assert_int_equal(board_sim.read_inputs(b, &raw), 0);
	assert_int_equal(raw, 0x0b);
	board_sim.close(b);
	finish(pid);
}

static void a_zero_is_asked_after_at_the_canary(void **state)
{
	static const struct exchange script[] = { { "C 20", "A" }, { "R", "A 00" },
		{ "@59 R", "N" }, { "C 20", "A" }, { "R", "A 00" }, { "@59 R", "A 00" } };
	pid_t pid = serve(script, 6);
	struct board *b;
	uint8_t raw = 0xff;

	board_sim.open(&b, &config);
	assert_int_equal(board_sim.read_inputs(b, &raw), 0);
	assert_int_equal(raw, 0);
	raw = 0xff;
	assert_int_equal(board_sim.read_inputs(b, &raw), -EBADMSG);
	assert_int_equal(raw, 0xff);
	board_sim.close(b);
	finish(pid);
}

static void a_silent_board_costs_50_ms_and_a_new_connection(void **state)
{
	static const struct exchange script[] = { { "W 10 00", NULL }, { "W 10 00", "A" } };
	pid_t pid = serve(script, 2);
	struct board *b;
	int64_t begin_ms = clock_ms();

	board_sim.open(&b, &config);
	assert_int_equal(board_sim.write_relays(b, 0), -EIO);
	assert_in_range(clock_ms() - begin_ms, 49, 1000);
	assert_int_equal(board_sim.write_relays(b, 0), 0);
	board_sim.close(b);
	finish(pid);
}

static void a_missing_board_is_no_device_until_it_comes(void **state)
{
	static const struct exchange script[] = { { "W 10 00", "A" } };
	struct board *b;
	pid_t pid;

	unlink(config.socket);
	board_sim.open(&b, &config);
	assert_int_equal(board_sim.write_relays(b, 0), -ENODEV);
	pid = serve(script, 1);
	assert_int_equal(board_sim.write_relays(b, 0), 0);
	board_sim.close(b);
	finish(pid);
}

static void a_missing_i2c_device_is_no_device(void **state)
{
	struct board_config none = { .bus = "/dev/i2c-of-nobody", .address = 0x58 };
	struct board *b;
	uint8_t raw;

	board_modio.open(&b, &none);
	assert_int_equal(board_modio.write_relays(b, 0), -ENODEV);
	assert_int_equal(board_modio.read_inputs(b, &raw), -ENODEV);
	board_modio.close(b);
	assert_int_equal(board_lock(&none), -ENOENT);
}

static void a_board_has_one_owner(void **state)
{
	int first = board_lock(&config);

	assert_true(first >= 0);
	assert_int_equal(board_lock(&config), -EWOULDBLOCK);
	close(first);
	first = board_lock(&config);
	assert_true(first >= 0);
	close(first);
}

static int make_folder(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(config.socket, sizeof(config.socket), "%s/board", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char lock[128];

	snprintf(lock, sizeof(lock), "%s.lock", config.socket);
	unlink(lock);
	unlink(config.socket);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_counts_only_when_acknowledged),
		cmocka_unit_test(each_sample_sends_the_command_again),
		cmocka_unit_test(a_zero_is_asked_after_at_the_canary),
		cmocka_unit_test(a_silent_board_costs_50_ms_and_a_new_connection),
		cmocka_unit_test(a_missing_board_is_no_device_until_it_comes),
		cmocka_unit_test(a_missing_i2c_device_is_no_device),
		cmocka_unit_test(a_board_has_one_owner),
	};

	alarm(20); /* a child that waits for ever ends the test */
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
