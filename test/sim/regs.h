/*
 * regs - what the LuxPower would show of the simulated plant, or showed of a real one.
 *
 * Register 10 is 0 while only the generator's external charger charges and 11 is what the
 * inverter draws, as at the real site: the charger sits on the battery, past the inverter.
 *
 * Source: luxpower_input_registers.csv; spec on the site's unit (GSL-H-12KLV-US).
 */
#ifndef SIM_REGS_H
#define SIM_REGS_H

#include <stdbool.h>
#include <stddef.h>

#include "node-monitor/policy/plant.h"
#include "test/sim/slave.h"

void regs_from_plant(struct slave_bank *input, const struct plant *p,
    const struct plant_out *out, bool engine_running);

/* The few settings the site showed in a function 3 dump. */
void regs_holding(struct slave_bank *holding);

/* Recorded register blocks (luxpower_recorded.jsonl), those of one scan merged. */
struct recorded {
	struct slave_bank *scans; /* owned */
	size_t n;
	struct slave_bank holding; /* all recorded ones, the last of each register */
};

/* 0; -errno; -EBADMSG for a line that is no register block. */
int recorded_load(struct recorded *r, const char *path);
void recorded_free(struct recorded *r);

#endif
