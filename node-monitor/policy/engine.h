/*
 * engine - what the engine node last said, as values the deciders can use.
 *
 * genlink fills it from the node's status; this file knows no wire. A truth is only as
 * good as its age: engine_known() says whether anything may be concluded from it.
 *
 * Units: *_ms milliseconds, *_s seconds; UNKNOWN where the node has not said.
 * Source: proto/genctl.proto (the numbers are the wire's); spec of the original's state
 * words: "generator_state" of its CSV.
 */
#ifndef MONITOR_POLICY_ENGINE_H
#define MONITOR_POLICY_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/units.h"

/* clang-format off */
enum engine_phase {
	ENGINE_OFF, ENGINE_WAIT, ENGINE_RESET, ENGINE_IGNITION, ENGINE_CRANK, ENGINE_ASSIST,
	ENGINE_COAST, ENGINE_WARMUP, ENGINE_STABILISE, ENGINE_LOADED, ENGINE_COOLDOWN,
	ENGINE_REST, ENGINE_LOCKOUT, ENGINE_EXTERNAL, ENGINE_STOPPING, ENGINE_MAINTENANCE,
	ENGINE_FAULT, ENGINE_NPHASES
};
enum engine_mode {
	MODE_AUTO, MODE_OFF, MODE_OPERATOR_RUN, MODE_OPERATOR_STOP, MODE_MAINTENANCE,
	MODE_ESTOPPED
};
/* clang-format on */

struct engine_truth {
	bool link;	/* connected, and a status has come over this connection */
	int64_t age_ms; /* of the status that the rest was taken from */
	enum engine_phase phase;
	enum engine_mode mode;
	bool running;	   /* proved by the engine's own input */
	bool holder;	   /* we hold the lease, so our orders count */
	int32_t run_s;	   /* this run, 0 when stopped */
	int32_t stopped_s; /* since a run last ended; UNKNOWN: never, or the node cannot say */
	int32_t lockout_left_s; /* to the node's own retry; 0: it waits for an operator */
	int32_t start_ready_s;	/* until the node's rests allow a crank; 0: now */
};

bool engine_known(const struct engine_truth *);

/* On its way up, running, or on load: what an order to run leads to. */
bool engine_up(enum engine_phase);
/* Cooling down, or ignition open and not yet proved still. */
bool engine_ending(enum engine_phase);

/* One of the original's six words: IDLE STARTING RUNNING STOPPING ERROR_RECOVERY ERROR.
 * A lock-out that ends by itself is ERROR_RECOVERY; an engine we know nothing of, ERROR. */
const char *autostart_state_word(const struct engine_truth *);

#endif
