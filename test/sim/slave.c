#include "test/sim/slave.h"

enum { ILLEGAL_FUNCTION = 1, ILLEGAL_ADDRESS = 2, ILLEGAL_VALUE = 3 };

uint16_t slave_crc(const uint8_t *data, size_t n)
{
	uint16_t crc = 0xffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
	}
	return crc;
}

static bool any_known(const struct slave_bank *bank, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++)
		if (bank->known[i])
			return true;
	return false;
}

/* 0, or the exception this block earns. */
static uint8_t objection(const struct slave_bank *bank, unsigned first, unsigned count)
{
	if (count == 0 || count > SLAVE_GROUP)
		return ILLEGAL_VALUE;
	if (first + count > SLAVE_NREGS ||
	    first / SLAVE_GROUP != (first + count - 1) / SLAVE_GROUP)
		return ILLEGAL_ADDRESS;
	return any_known(bank, first, count) ? 0 : ILLEGAL_ADDRESS;
}

size_t slave_pdu(const struct slave_bank *input, const struct slave_bank *holding,
    const uint8_t request[static 5], uint8_t answer[static SLAVE_PDU])
{
	uint8_t function = request[0], why = ILLEGAL_FUNCTION;
	unsigned first = request[1] << 8 | request[2], count = request[3] << 8 | request[4];
	const struct slave_bank *bank = function == 4 ? input : holding;

	if (function == 3 || function == 4)
		why = objection(bank, first, count);
	if (why) {
		answer[0] = function | 0x80;
		answer[1] = why;
		return 2;
	}
	answer[0] = function;
	answer[1] = (uint8_t)(2 * count);
	for (unsigned i = 0; i < count; i++) {
		answer[2 + 2 * i] = (uint8_t)(bank->value[first + i] >> 8);
		answer[3 + 2 * i] = (uint8_t)bank->value[first + i];
	}
	return 2 + 2 * count;
}

size_t slave_seal(uint8_t frame[static SLAVE_FRAME], size_t n)
{
	uint16_t crc = slave_crc(frame, n);

	frame[n] = (uint8_t)crc;
	frame[n + 1] = (uint8_t)(crc >> 8);
	return n + 2;
}

bool slave_addressed(const uint8_t frame[static SLAVE_REQUEST], uint8_t unit)
{
	return slave_crc(frame, SLAVE_REQUEST) == 0 && (frame[0] == unit || frame[0] == 0);
}
