/*
 * What an inverter may answer: any registers, in any window, over what was read before.
 *
 * An input is a row of windows: first register, how many, which kind, then their contents.
 *
 * Asserts: what is outside a window stays as it was; every value is a possible one or UNKNOWN;
 * settings stay inside the caller's room and have a name.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"
#include "node-monitor/drivers/inverter.h"
#include "node-monitor/drivers/luxpower.h"
#include "test/fuzz/fuzz.h"

enum { ROOM = 8, HUNDRED_MW = 100000000 };

static void check_sample(const struct inverter_sample *s)
{
	static const enum inverter_key percents[] = { INV_SOC, INV_SOH };
	static const enum inverter_key powers[] = { INV_PV_POWER, INV_PV1_POWER, INV_LOAD_POWER,
		INV_CHARGE_POWER, INV_DISCHARGE_POWER };

	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++)
		assert(s->v[percents[i]] == UNKNOWN ||
		       (s->v[percents[i]] >= 0 && s->v[percents[i]] <= 100));
	for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++)
		assert(s->v[powers[i]] == UNKNOWN || abs(s->v[powers[i]]) < HUNDRED_MW);
	assert(s->v[INV_GENERATOR_PRESENT] == UNKNOWN || s->v[INV_GENERATOR_PRESENT] == 0 ||
	       s->v[INV_GENERATOR_PRESENT] == 1);
	assert(s->v[INV_BATTERY_VOLTAGE] != 0);
}

static void check_settings(int start, const uint16_t *regs, int n, int room)
{
	struct inverter_setting rows[ROOM];
	int found = luxpower_settings(start, regs, n, rows, room);

	assert(found >= 0 && found <= room);
	for (int i = 0; i < found; i++)
		assert(*rows[i].name && rows[i].unit && rows[i].value >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct inverter_sample s;

	luxpower_clear(&s);
	while (in.left > 0) {
		int start = fuzz_byte(&in), n = 1 + fuzz_byte(&in) % LUXPOWER_GROUP;
		uint8_t kind = fuzz_byte(&in);
		uint16_t *regs = xcalloc((size_t)n, sizeof(*regs)); /* of exact size */

		for (int i = 0; i < n; i++)
			regs[i] = (uint16_t)fuzz_number(&in, 2);
		if (kind & 1)
			check_settings(start, regs, n, kind % (ROOM + 1));
		else
			luxpower_decode(start, regs, n, &s);
		check_sample(&s);
		free(regs);
	}
	return 0;
}
