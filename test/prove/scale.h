/*
 * scale - the shipped times mapped to few ticks, several ways.
 *
 * A slice has cuts, in ms: a time becomes 2 ticks and one more for each cut that it exceeds.
 * So every timer keeps at least the values 0, 1 and 2, and none overtakes another; times that
 * one slice makes equal another tells apart. scale_covers() checks that for each pair.
 *
 * Units: ticks; a tick is one sample.
 */
#ifndef PROVE_SCALE_H
#define PROVE_SCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine_config;
struct oracle_times;

struct scale { /* those of node-genctl/times.h */
	int32_t run_debounce, feedback, bad, run_gap, no_feedback, stuck, glow_max, raw_max,
	    reclose, orphan, deadline_grace, wait_max, disabled, budget_window, hour, day;
};
extern struct scale scale; /* of the slice in force */

extern const size_t scale_slices;
/* Puts a slice in force and fills in the configuration and what the oracle is told. */
void scale_use(size_t slice, struct engine_config *config, struct oracle_times *times);
/* Prints the slices; whether each pair of different shipped times differs in one of them. */
bool scale_covers(void);

#endif
