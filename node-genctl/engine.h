/*
 * engine - the words all parts of the engine node share: relays, inputs, phases, times.
 *
 * Units:  *_ms milliseconds on the monotonic clock.
 * Source: the seed document, "Relay Assignments" and "Input Mapping"; MOD-IO registers
 *         0x10 and 0x20, one bit a relay or input.
 */
#ifndef GENCTL_ENGINE_H
#define GENCTL_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "node-genctl/times.h"

/* clang-format off */
enum {
	RELAY_STARTER = 0x01, RELAY_CHARGER = 0x02, RELAY_GLOW = 0x04, RELAY_IGNITION = 0x08,
	RELAY_ALL = 0x0f,
	INPUT_ENGINE = 0x01, INPUT_IGNITION = 0x02, INPUT_IN3 = 0x04, INPUT_STARTER = 0x08,
	ATTEMPTS_CAP = 5,
};

enum phase { /* numbers as in proto/genctl.proto */
	PHASE_OFF, PHASE_WAIT, PHASE_RESET, PHASE_IGNITION, PHASE_CRANK, PHASE_ASSIST, PHASE_COAST,
	PHASE_WARMUP, PHASE_STABILISE, PHASE_LOADED, PHASE_COOLDOWN, PHASE_REST, PHASE_LOCKOUT,
	PHASE_EXTERNAL, PHASE_STOPPING, PHASE_MAINTENANCE, PHASE_FAULT, PHASE_N
};
enum mode { MODE_AUTO, MODE_OFF, MODE_OPERATOR_RUN, MODE_OPERATOR_STOP, MODE_MAINTENANCE, MODE_ESTOP };
enum glow_mode { GLOW_OFF, GLOW_ASSIST, GLOW_PREHEAT };
enum feedback { FEEDBACK_PRESENT, FEEDBACK_ABSENT };
enum in3 { IN3_UNUSED, IN3_ESTOP_NC };
/* clang-format on */

struct engine_config { /* bounds and defaults: the table in config.c */
	int32_t start_delay_ms, reset_ms, ignition_ms, preheat_ms, crank_ms, glow_assist_ms;
	int32_t coast_ms, warmup_ms, stabilise_ms, cooldown_ms;
	int32_t crank_rest_ms, at_rest_ms; /* before a starter pulse */
	int32_t attempts;		   /* per request, and in a row before lockout */
	int32_t lost_ms;		   /* running input low this long: the engine is dead */
	int32_t fail_to_stop_ms, max_run_ms, between_runs_ms;
	int32_t starts_per_hour, lockout_ms, lockout_retries; /* retries a day */
	int32_t glow_mode, ign_feedback, in3;
};

/* Longest time the starter may stay closed in one attempt. */
static inline int32_t crank_total_ms(const struct engine_config *c)
{
	return c->crank_ms + (c->glow_mode == GLOW_ASSIST ? c->glow_assist_ms : 0);
}

#endif
