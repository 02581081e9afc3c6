/*
 * replay - the shipped policy over a recorded load and sun: what would it have done?
 *
 * Runs autostart over the plant model in steps of 30 s, with an engine that always starts,
 * once for the present configuration and once for each "start=40,stop=90", and prints one
 * line each: starts, run hours, energy, litres, lowest SOC, hours below 10 %, cost.
 * Time the recording does not cover is left out and said.
 *
 * Errors: replay_run: 0; -EINVAL a `vs` that cannot be understood; else series_read's. Each
 *         is printed to `out` as a sentence.
 */
#ifndef MONITOR_REPLAY_H
#define MONITOR_REPLAY_H

#include <stdio.h>

#include "node-monitor/policy/autostart.h"
#include "node-monitor/policy/plant.h"

struct replay_config {
	const char *file;
	struct autostart_config policy;
	struct plant_config plant;
	double pv_scale;       /* the recording's sun times this; 1 as recorded */
	double fuel_price;     /* of a litre, in any currency */
	const char *const *vs; /* "start=40,stop=90": start stop min_run max_run rest */
	size_t nvs;
};

int replay_run(const struct replay_config *, FILE *out);

#endif
