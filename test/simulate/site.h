/*
 * site - the physical world of a run: board, engine, battery, house, sun, inverter.
 *
 * The models are those of test/sim and of the back-test; the shipped board driver reaches the
 * MOD-IO model at the level of I2C transactions (board.c).
 *
 * Units: ms of the true clock.
 */
#ifndef SIMULATE_SITE_H
#define SIMULATE_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "node-monitor/policy/plant.h"
#include "test/sim/engine.h"
#include "test/sim/modio.h"
#include "test/simulate/chance.h"

enum input_fault { WIRE_GOOD, WIRE_LOW, WIRE_HIGH, WIRE_CHATTERS };

struct site {
	struct chance chance;
	struct modio modio;
	struct engine engine;
	struct plant plant;
	struct plant_out shown;
	enum input_fault wire[4];
	bool reset_wired, force_charge, force_stop;
	int64_t bus_gone_until_ms, bus_slow_until_ms;
	int64_t inverter_silent_until_ms, inverter_lies_until_ms;
	int64_t plant_ms, busy_until_ms; /* busy: something in the world changed at most then */
	int64_t bus_errors;
	int sun_pct; /* today */
};
extern struct site site;

void site_reset(uint64_t seed);
void site_step(void);	/* to the present */
bool site_steady(void); /* nothing in it moves by itself */
bool site_bus_there(void);
void site_reset_board(void); /* by its RST pin, or a lack of volts */
uint8_t site_inputs(void);
int64_t site_inverter_takes_ms(void);

#endif
