/*
 * slave - the LuxPower's Modbus side: request PDU in, answer PDU out, and the RTU frame.
 *
 * Functions 3 and 4, at most 40 registers and none across a group of 40 (0-39, 40-79...).
 * Exceptions as the device gives them: 1 other function, 2 a block across groups, beyond
 * the end or with no register known, 3 a count that is 0 or over 40.
 * It answers to its own number and to 0; others stay silent.
 *
 * Source: vendor protocol as told in OwlBawl/Luxpower-Modbus-RTU@883f1ac; recorded scans.
 */
#ifndef SIM_SLAVE_H
#define SIM_SLAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SLAVE_NREGS = 400,
	SLAVE_GROUP = 40,
	SLAVE_PDU = 82,
	SLAVE_FRAME = 96,
	SLAVE_REQUEST = 8
};

struct slave_bank {
	uint16_t value[SLAVE_NREGS];
	bool known[SLAVE_NREGS]; /* an unknown one among known ones reads 0 */
};

uint16_t slave_crc(const uint8_t *data, size_t n);
/* The 5-byte request PDU of function 3 or 4 in; the answer's length, never 0. */
size_t slave_pdu(const struct slave_bank *input, const struct slave_bank *holding,
    const uint8_t request[static 5], uint8_t answer[static SLAVE_PDU]);
/* Adds CRC to the n bytes of a frame and returns the new length. */
size_t slave_seal(uint8_t frame[static SLAVE_FRAME], size_t n);
/* Whether these 8 bytes are a whole request to this unit. */
bool slave_addressed(const uint8_t frame[static SLAVE_REQUEST], uint8_t unit);

#endif
