/*
 * engine - a diesel as the relay board meets it: contacts in, the running wire out.
 *
 *	AT_REST <-> CRANKING -> FIRING -> RUNDOWN -> AT_REST
 *
 * It catches after catch_ms of cranking in one pulse with ignition and fuel; the running
 * wire rises rise_ms later (oil pressure, alternator), even if the starter opened before.
 * Without ignition it turns on for run_on_ms; out of fuel it sputters for as long. The
 * settings may be changed at any time between steps.
 *
 * Units: ms of the engine's own time, which the caller may run faster than the clock.
 */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

enum engine_phase { ENGINE_AT_REST, ENGINE_CRANKING, ENGINE_FIRING, ENGINE_RUNDOWN };

struct engine_settings {
	int64_t cold_catch_ms, hot_catch_ms;
	int64_t hot_ms; /* it counts as hot for so long after a run */
	int64_t rise_ms, run_on_ms;
	int64_t stumble_until_ms; /* firing, but the running wire is low */
	int64_t stuck;		  /* turns, never catches */
	int64_t fuel_out;
	int64_t external; /* somebody else keeps it running, whatever the ignition does */
};

struct engine {
	struct engine_settings set;
	enum engine_phase phase;
	int64_t last_ms, since_ms; /* of the last step; of the phase's begin */
	int64_t rises_ms, stopped_ms;
	int64_t cranked_ms; /* in this pulse, with ignition and fuel */
	int64_t ground_ms;  /* starter closed while the running wire was high, in all */
	bool has_run, wire;
};

void engine_init(struct engine *e);
/* Returns the running wire (IN1). */
bool engine_step(struct engine *e, bool starter, bool ignition, int64_t now_ms);
const char *engine_phase_name(enum engine_phase phase);

#endif
