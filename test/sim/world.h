/*
 * world - the simulated site as one value: engine, board, plant, inverter, and its trace.
 *
 * world_step() brings all of it to now; call it before anything is asked of the site and
 * at least every WORLD_TICK_MS while something moves. Board and wire keep the real clock,
 * the engine runs time_scale times faster, the plant speed times.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node-monitor/policy/plant.h"
#include "test/sim/engine.h"
#include "test/sim/modio.h"
#include "test/sim/profile.h"
#include "test/sim/regs.h"
#include "test/sim/trace.h"
#include "test/sim/wire.h"

enum { WORLD_TICK_MS = 5, WORLD_IDLE_MS = 50, WORLD_FOLLOW = -1 };

enum world_input { INPUT_AUTO, INPUT_LOW, INPUT_HIGH, INPUT_CHATTER };

struct world {
	struct engine engine;
	struct modio modio;
	struct plant plant;
	struct plant_out shown;
	struct wire_device inverter;
	struct trace trace;
	struct profile profile;	  /* n is 0 without one */
	struct recorded recorded; /* n is 0 without one */
	size_t scan;		  /* of the recorded ones, shown now */
	int64_t load_w, pv_w;	  /* or WORLD_FOLLOW the profile */
	int64_t pv_pct;		  /* of the profile's sun */
	int64_t charger_w;
	int64_t latency_ms; /* of every answer of the board */
	enum world_input input[4];
	int64_t start_ms, now_ms, plant_ms;
	int64_t time_scale, speed;
	bool quit;
	int error; /* -errno of a failed trace write: nothing after it can be trusted */
};

void world_init(struct world *w, int64_t now_ms);
void world_step(struct world *w, int64_t now_ms);
void world_event(struct world *w, const char *text); /* a row of its own in the trace */
int64_t world_engine_ms(const struct world *w);
uint8_t world_inputs(const struct world *w);
bool world_moving(const struct world *w);
void world_show_recorded(struct world *w, size_t scan); /* the inverter shows this one */
/* A packet of the board socket, see modio.h. */
void world_board(struct world *w, const char *packet, char answer[static 8]);
/* One line of JSON. */
void world_state(const struct world *w, char *out, size_t size);

#endif
