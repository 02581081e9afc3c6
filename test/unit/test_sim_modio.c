#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/sim/modio.h"

static struct modio board(void)
{
	struct modio m;

	modio_init(&m);
	return m;
}

/* The answer to a packet at now_ms with inputs 0x03. */
static const char *ask(struct modio *m, const char *packet, int64_t now_ms)
{
	static char answer[8];

	modio_packet(m, packet, 0x03, now_ms, answer);
	return answer;
}

static void settle(struct modio *m, int64_t now_ms)
{
	modio_step(m, now_ms);
	modio_step(m, now_ms + MODIO_CONTACT_MS);
}

static void a_command_prepares_one_byte_for_one_read(void **state)
{
	struct modio m = board();

	assert_string_equal(ask(&m, "R", 0), "A 00");
	assert_string_equal(ask(&m, "C 20", 0), "A");
	assert_string_equal(ask(&m, "R", 0), "A 03");
	assert_string_equal(ask(&m, "R", 0), "A 00");
}

static void unknown_commands_of_stock_firmware_prepare_zero(void **state)
{
	struct modio m = board();

	for (const char *const *c = (const char *const[]){ "C 39", "C 40", "C ff", NULL }; *c;
	     c++) {
		ask(&m, "C 20", 0);
		assert_string_equal(ask(&m, *c, 0), "A");
		assert_string_equal(ask(&m, "R", 0), "A 00");
	}
}

static void a_write_between_command_and_read_loses_the_prepared_byte(void **state)
{
	struct modio m = board();

	ask(&m, "C 20", 0);
	ask(&m, "W 10 00", 0);
	assert_string_equal(ask(&m, "R", 0), "A 00");
}

static void relays_take_the_low_nibble_and_stay_for_ever(void **state)
{
	struct modio m = board();

	assert_string_equal(ask(&m, "W 10 f9", 0), "A");
	assert_int_equal(m.contacts, 0);
	settle(&m, 0);
	assert_int_equal(m.contacts, 0x09);
	modio_step(&m, 86400000);
	assert_int_equal(m.contacts, 0x09);
	assert_int_equal(m.acked, 0x09);
}

static void writes_to_other_registers_move_nothing(void **state)
{
	struct modio m = board();

	assert_string_equal(ask(&m, "W f0 60", 0), "A");
	settle(&m, 0);
	assert_int_equal(m.contacts, 0);
	assert_int_equal(m.acked, -1);
}

static void only_its_own_address_answers(void **state)
{
	struct modio m = board();

	assert_string_equal(ask(&m, "@58 C 20", 0), "A");
	assert_string_equal(ask(&m, "@59 R", 0), "N");
	assert_string_equal(ask(&m, "@59 W 10 09", 0), "N");
	assert_string_equal(ask(&m, "R", 0), "A 03");
	assert_int_equal(m.relays, 0);
}

static void a_stuck_bus_acknowledges_everything_and_does_nothing(void **state)
{
	struct modio m = board();

	ask(&m, "W 10 08", 0);
	settle(&m, 0);
	m.fault.stuck_until_ms = 1000;
	assert_string_equal(ask(&m, "@59 R", 500), "A 00");
	assert_string_equal(ask(&m, "C 20", 500), "A");
	assert_string_equal(ask(&m, "R", 500), "A 00");
	assert_string_equal(ask(&m, "W 10 00", 500), "A");
	settle(&m, 500);
	assert_int_equal(m.acked, 0);
	assert_int_equal(m.contacts, 8);
	assert_false(modio_readable(&m, 500));
	assert_string_equal(ask(&m, "@59 R", 1000), "N");
	ask(&m, "C 20", 1000);
	assert_string_equal(ask(&m, "R", 1000), "A 03");
}

static void naks_come_by_number_and_by_time(void **state)
{
	struct modio m = board();

	m.fault.nak_next = 2;
	assert_string_equal(ask(&m, "W 10 08", 0), "N");
	assert_string_equal(ask(&m, "C 20", 0), "N");
	assert_string_equal(ask(&m, "C 20", 0), "A");
	m.fault.nak_until_ms = 100;
	assert_string_equal(ask(&m, "R", 99), "N");
	assert_string_equal(ask(&m, "R", 100), "A 03");
	assert_int_equal(m.acked, -1);
}

static void zero_reads_leave_writes_working(void **state)
{
	struct modio m = board();

	m.fault.zero_until_ms = 100;
	ask(&m, "C 20", 50);
	assert_string_equal(ask(&m, "R", 50), "A 00");
	assert_string_equal(ask(&m, "@59 R", 50), "N");
	ask(&m, "W 10 08", 50);
	settle(&m, 50);
	assert_int_equal(m.contacts, 8);
}

static void noise_sets_bits_of_the_high_nibble(void **state)
{
	struct modio m = board();

	m.fault.noise = 0x80;
	ask(&m, "C 20", 0);
	assert_string_equal(ask(&m, "R", 0), "A 83");
}

static void latched_relays_acknowledge_and_do_not_move(void **state)
{
	struct modio m = board();

	ask(&m, "W 10 09", 0);
	settle(&m, 0);
	m.fault.latched = 1;
	assert_string_equal(ask(&m, "W 10 00", 100), "A");
	settle(&m, 100);
	assert_int_equal(m.acked, 0);
	assert_int_equal(m.contacts, 9);
}

static void a_welded_starter_stays_closed_and_the_rest_opens(void **state)
{
	struct modio m = board();

	m.fault.welded = 1;
	ask(&m, "W 10 08", 0);
	settle(&m, 0);
	assert_int_equal(m.contacts, 8); /* it welds when it closes, not before */
	ask(&m, "W 10 09", 100);
	settle(&m, 100);
	ask(&m, "W 10 00", 200);
	settle(&m, 200);
	assert_int_equal(m.contacts, MODIO_START);
}

static void brown_out_at_cranking_opens_all_relays_behind_the_hosts_back(void **state)
{
	struct modio m = board();

	m.fault.brownout_ms = 200;
	ask(&m, "W 10 09", 0);
	settle(&m, 0);
	modio_step(&m, 204);
	assert_int_equal(m.contacts, 9);
	modio_step(&m, 205);
	assert_int_equal(m.contacts, 0);
	assert_int_equal(m.acked, 9);
	assert_string_equal(ask(&m, "C 20", 250), "N");
	assert_string_equal(ask(&m, "C 20", 305), "A");
	settle(&m, 1000);
	assert_int_equal(m.contacts, 0);
}

static void malformed_packets_are_answered_n(void **state)
{
	static const char *const bad[] = { "", "W", "W 10", "W 10 0", "W 10 08 ", "W 1008", "C",
		"C 2g", "R 1", "@59", "@5 R", "X 10 08", "w 10 08" };
	struct modio m = board();

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_string_equal(ask(&m, bad[i], 0), "N");
	assert_int_equal(m.relays, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_prepares_one_byte_for_one_read),
		cmocka_unit_test(unknown_commands_of_stock_firmware_prepare_zero),
		cmocka_unit_test(a_write_between_command_and_read_loses_the_prepared_byte),
		cmocka_unit_test(relays_take_the_low_nibble_and_stay_for_ever),
		cmocka_unit_test(writes_to_other_registers_move_nothing),
		cmocka_unit_test(only_its_own_address_answers),
		cmocka_unit_test(a_stuck_bus_acknowledges_everything_and_does_nothing),
		cmocka_unit_test(naks_come_by_number_and_by_time),
		cmocka_unit_test(zero_reads_leave_writes_working),
		cmocka_unit_test(noise_sets_bits_of_the_high_nibble),
		cmocka_unit_test(latched_relays_acknowledge_and_do_not_move),
		cmocka_unit_test(a_welded_starter_stays_closed_and_the_rest_opens),
		cmocka_unit_test(brown_out_at_cranking_opens_all_relays_behind_the_hosts_back),
		cmocka_unit_test(malformed_packets_are_answered_n),
	};
	return cmocka_run_group_tests_name("simulated MOD-IO", tests, NULL, NULL);
}
