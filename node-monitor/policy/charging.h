/*
 * charging - proof that a generator on load really fills the battery.
 *
 * The inverter's own charge power shows 0 while the generator charges, so it proves
 * nothing: SOC or voltage must rise. The proof starts anew with each time on load, is given
 * once, and is not asked for at or above `full_pct`, where nothing can rise. It only says
 * so; stopping would take the generator from a house it may be feeding.
 *
 * Units: now_ms is monotonic.
 * Source: PiGenny documentation, CSV of a charge run: register 10 stays 0; Victron alarms
 * after 300 s.
 */
#ifndef MONITOR_POLICY_CHARGING_H
#define MONITOR_POLICY_CHARGING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/units.h"

struct charging_config {
	int32_t within_s;	   /* 0: never asked [0..3600] */
	int32_t rise_pct, rise_mv; /* either is proof [1..10, 50..5000] */
	int32_t full_pct;	   /* [50..100] */
};
extern const struct charging_config charging_defaults;

struct charging {
	bool begun, loaded, proved;
	int64_t since_ms;	   /* on load with a reading since */
	int32_t from_pct, from_mv; /* the last readings before the load came */
};

/* True: on load for `within_s` with readings, and neither has risen. A reading that is
 * unknown or stale is passed as UNKNOWN; time without any reading is not counted. */
bool charging_missing(struct charging *, const struct charging_config *, bool loaded,
    int32_t soc_pct, int32_t battery_mv, int64_t now_ms);

#endif
