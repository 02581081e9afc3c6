#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/sim/slave.h"

static struct slave_bank input, holding;

static int fill(void **state)
{
	for (int i = 0; i < 200; i++) {
		input.value[i] = (uint16_t)(0x1100 + i);
		input.known[i] = true;
	}
	holding.value[19] = 44;
	holding.known[19] = true;
	return 0;
}

/* Answers a read; [0] and [1] of the result are function and length, or the exception. */
static size_t answer(int function, int first, int count, uint8_t out[static SLAVE_PDU])
{
	uint8_t request[5] = { (uint8_t)function, (uint8_t)(first >> 8), (uint8_t)first,
		(uint8_t)(count >> 8), (uint8_t)count };

	return slave_pdu(&input, &holding, request, out);
}

static void reads_a_block_of_input_and_one_of_holding_registers(void **state)
{
	uint8_t out[SLAVE_PDU];

	assert_int_equal(answer(4, 160, 40, out), 82);
	assert_int_equal(out[0], 4);
	assert_int_equal(out[1], 80);
	assert_int_equal(out[2] << 8 | out[3], 0x1100 + 160);
	assert_int_equal(out[80] << 8 | out[81], 0x1100 + 199);
	assert_int_equal(answer(3, 0, 20, out), 42);
	assert_int_equal(out[2 + 2 * 19] << 8 | out[3 + 2 * 19], 44);
}

static void refuses(int function, int first, int count, int why)
{
	uint8_t out[SLAVE_PDU];

	assert_int_equal(answer(function, first, count, out), 2);
	assert_int_equal(out[0], function | 0x80);
	assert_int_equal(out[1], why);
}

static void a_block_across_two_groups_is_refused(void **state)
{
	refuses(4, 30, 20, 2);
	refuses(4, 39, 2, 2);
	refuses(4, 1, 40, 2);
}

static void more_than_forty_or_no_registers_are_refused(void **state)
{
	refuses(4, 0, 41, 3);
	refuses(4, 0, 0, 3);
	refuses(4, 0, 0xffff, 3);
}

static void unknown_blocks_and_other_functions_are_refused(void **state)
{
	refuses(4, 200, 10, 2);
	refuses(4, 0xffff, 40, 2);
	refuses(3, 40, 40, 2);
	refuses(6, 0, 1, 1);
	refuses(16, 0, 1, 1);
}

/* The original's request, as captured: slave 1, function 4, 20 registers from 0. */
static void the_recorded_request_is_understood(void **state)
{
	uint8_t frame[SLAVE_REQUEST] = { 0x01, 0x04, 0x00, 0x00, 0x00, 0x14, 0xf0, 0x05 };

	assert_true(slave_addressed(frame, 1));
	assert_false(slave_addressed(frame, 2));
	frame[5] = 0x15;
	assert_false(slave_addressed(frame, 1));
}

static void it_answers_to_number_zero_as_the_real_one(void **state)
{
	uint8_t frame[SLAVE_FRAME] = { 0x00, 0x04, 0x00, 0xaa, 0x00, 0x01 };

	assert_int_equal(slave_seal(frame, 6), 8);
	assert_true(slave_addressed(frame, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_block_of_input_and_one_of_holding_registers),
		cmocka_unit_test(a_block_across_two_groups_is_refused),
		cmocka_unit_test(more_than_forty_or_no_registers_are_refused),
		cmocka_unit_test(unknown_blocks_and_other_functions_are_refused),
		cmocka_unit_test(the_recorded_request_is_understood),
		cmocka_unit_test(it_answers_to_number_zero_as_the_real_one),
	};
	return cmocka_run_group_tests_name("simulated Modbus slave", tests, fill, NULL);
}
