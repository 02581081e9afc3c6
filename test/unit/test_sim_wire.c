#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "test/sim/wire.h"

/* A socket pair stands for the serial line: wire has one end, the test the other. */
static struct wire_device device;
static struct wire line;
static int master;
static uint8_t got[SLAVE_FRAME];

static int fresh(void **state)
{
	int pair[2];

	wire_device_init(&device);
	for (int i = 0; i < SLAVE_GROUP; i++)
		device.input.known[i] = true;
	device.input.value[5] = 0x6229;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	line = (struct wire){ .fd = pair[0] };
	master = pair[1];
	return 0;
}

static int clean(void **state)
{
	wire_close(&line);
	return close(master);
}

/* Sends n bytes of the request for register 5 at now_ms. */
static void send_request(size_t n, int64_t now_ms)
{
	uint8_t frame[SLAVE_FRAME] = { 1, 4, 0, 5, 0, 1 };

	slave_seal(frame, 6);
	assert_int_equal(write(master, frame, n), n);
	wire_serve(&line, &device, now_ms);
}

static ssize_t receive(int64_t now_ms)
{
	wire_serve(&line, &device, now_ms);
	return read(master, got, sizeof(got));
}

static ssize_t poll_at(int64_t now_ms)
{
	send_request(SLAVE_REQUEST, now_ms);
	return receive(now_ms);
}

static void a_request_is_answered_whole_with_a_right_crc(void **state)
{
	assert_int_equal(poll_at(0), 7);
	assert_int_equal(got[3] << 8 | got[4], 0x6229);
	assert_int_equal(slave_crc(got, 7), 0);
}

static void the_same_block_too_early_is_not_answered(void **state)
{
	assert_int_equal(poll_at(0), 7);
	assert_int_equal(poll_at(999), -1);
	assert_int_equal(device.early, 1);
	assert_int_equal(poll_at(1000), 7);
}

static void half_a_request_and_a_pause_are_forgotten(void **state)
{
	send_request(4, 0);
	assert_int_equal(poll_at(100), 7);
}

static void the_first_request_after_a_pause_is_lost(void **state)
{
	device.mode = WIRE_LOST_FIRST;
	assert_int_equal(poll_at(0), -1);
	assert_int_equal(poll_at(500), 7);
	assert_int_equal(poll_at(2000), 7);
	assert_int_equal(poll_at(9000), -1);
}

static void broken_answers_are_broken_as_told(void **state)
{
	device.mode = WIRE_SILENT;
	assert_int_equal(poll_at(0), -1);
	device.mode = WIRE_CRC;
	assert_int_equal(poll_at(1000), 7);
	assert_int_not_equal(slave_crc(got, 7), 0);
	device.mode = WIRE_HALF;
	assert_int_equal(poll_at(2000), 3);
	device.mode = WIRE_BUSY;
	assert_int_equal(poll_at(3000), 5);
	assert_int_equal(got[1] << 8 | got[2], 0x8406);
	device.mode = WIRE_NONSENSE;
	assert_int_equal(poll_at(4000), 7);
	assert_int_equal(got[3] << 8 | got[4], 0xffff);
	assert_int_equal(got[2], 2); /* the length stays right, only values are nonsense */
	assert_int_equal(slave_crc(got, 7), 0);
}

static void late_answers_come_late_and_dribbling_ones_byte_by_byte(void **state)
{
	device.mode = WIRE_LATE;
	assert_int_equal(poll_at(0), -1);
	assert_int_equal(receive(399), -1);
	assert_int_equal(receive(400), 7);
	device.mode = WIRE_DRIBBLE;
	assert_int_equal(poll_at(2000), -1);
	for (int i = 1; i <= 7; i++)
		assert_int_equal(receive(2000 + 400 * i), 1);
	assert_int_equal(receive(9000), -1);
}

static void a_tcp_request_keeps_its_transaction_number(void **state)
{
	uint8_t request[] = { 0xbe, 0xef, 0, 0, 0, 6, 1, 4, 0, 5, 0, 1 };

	line.tcp = true;
	assert_int_equal(write(master, request, sizeof(request)), sizeof(request));
	assert_int_equal(receive(0), 11);
	assert_memory_equal(got, "\xbe\xef\0\0\0\5\1\4\2\x62\x29", 11);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fresh, clean)
	const struct CMUnitTest tests[] = {
		T(a_request_is_answered_whole_with_a_right_crc),
		T(the_same_block_too_early_is_not_answered),
		T(half_a_request_and_a_pause_are_forgotten),
		T(the_first_request_after_a_pause_is_lost),
		T(broken_answers_are_broken_as_told),
		T(late_answers_come_late_and_dribbling_ones_byte_by_byte),
		T(a_tcp_request_keeps_its_transaction_number),
	};
	return cmocka_run_group_tests_name("simulated inverter line", tests, NULL, NULL);
}
