/*
 * words - what the contracts of the proof by Frama-C have in common.
 *
 * Bits are macros, since the provers see through `(byte & 8) != 0` but not through a predicate.
 * Times: what a clock in ms tells in nine million years, or NEVER. Configuration: the upper
 * bounds of config.c's table; 0 below, since time_scale divides.
 */
#ifndef WP_WORDS_H
#define WP_WORDS_H

#include "node-genctl/engine.h"

/* clang-format off */
#define ON(byte, relay) (((byte) & (relay)) != 0)
#define OFF(byte, relay) (((byte) & (relay)) == 0)
#define RISES(was, want, relay) (ON(want, relay) && OFF(was, relay))
#define FALLS(was, want, relay) (OFF(want, relay) && ON(was, relay))
#define LATEST (INT64_MAX / 32)
#define WITHIN(since, span, now) ((since) != INT64_MIN && (now) - (since) < (span))
#define ELAPSED(since, span, now) ((since) != INT64_MIN && (now) - (since) >= (span))

/*@
predicate is_time(integer t) = 0 <= t <= LATEST;
predicate is_since(integer t) = t == INT64_MIN || -2 * LATEST <= t <= 2 * LATEST;
predicate is_past(integer t) = -2 * LATEST <= t <= 2 * LATEST;
predicate is_config(struct engine_config *c) =
	\valid_read(c) &&
	0 <= c->start_delay_ms <= 600000 && 0 <= c->reset_ms <= 10000 &&
	0 <= c->ignition_ms <= 10000 && 0 <= c->preheat_ms <= 15000 &&
	0 <= c->crank_ms <= 15000 && 0 <= c->glow_assist_ms <= 10000 &&
	0 <= c->coast_ms <= 20000 && 0 <= c->warmup_ms <= 1800000 &&
	0 <= c->stabilise_ms <= 600000 && 0 <= c->cooldown_ms <= 1800000 &&
	0 <= c->crank_rest_ms <= 600000 && 0 <= c->at_rest_ms <= 120000 &&
	(c->attempts == 1 || c->attempts == 2 || c->attempts == 3 || c->attempts == 4 ||
		c->attempts == 5) && 0 <= c->lost_ms <= 30000 &&
	0 <= c->fail_to_stop_ms <= 600000 && 0 <= c->max_run_ms <= 86400000 &&
	0 <= c->between_runs_ms <= 86400000 && 1 <= c->starts_per_hour <= 8 &&
	0 <= c->lockout_ms <= 86400000 && 0 <= c->lockout_retries <= 4;
logic integer crank_total(struct engine_config *c) =
	c->crank_ms + (c->glow_mode == GLOW_ASSIST ? c->glow_assist_ms : 0);
*/

/*@ requires is_config(c);
    assigns \nothing;
    ensures \result == crank_total(c) && 0 <= \result <= 25000; */
static inline int32_t crank_total_ms(const struct engine_config *c);
/* clang-format on */

#endif
