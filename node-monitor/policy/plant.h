/*
 * plant - energy model of the site: battery, house, sun, generator charger, fuel.
 *
 * The back-test and the site simulator share it. The caller says what the house takes,
 * what the sun offers and whether the charger is on a running engine; a step moves that
 * much energy and returns what an inverter would show. Sun or charger that a full battery
 * cannot take is curtailed (sun first); load that an empty one cannot serve is counted.
 * It has no charge taper and no conversion loss but charge_pct.
 *
 * Units: energies are accumulated in mJ (W times ms), exactly, so that a year of short
 * steps and one of long steps give the same. 1 Wh = PLANT_MJ_PER_WH.
 * Source: diesel 350 ml/kWh and 600 ml/h idle are typical of a small set, not measured at
 * the site; 51..54 V over the charge is the site's (luxpower_485 CSV, 2025-12).
 */
#ifndef MONITOR_POLICY_PLANT_H
#define MONITOR_POLICY_PLANT_H

#include <stdbool.h>
#include <stdint.h>

enum { PLANT_MJ_PER_WH = 3600000 };

struct plant_config {
	int32_t capacity_wh;
	int32_t soc_pct;	   /* at the start, 0..100 */
	int32_t empty_mv, full_mv; /* at rest, at 0 and 100 % */
	int32_t resistance_mohm;
	int32_t charge_pct; /* of what goes in, how much is stored */
	int32_t charger_w;  /* from a running engine into the battery bus */
	int32_t fuel_ml_per_kwh;
	int32_t fuel_idle_ml_per_h; /* engine running, charger on or off */
};

struct plant {
	struct plant_config config;
	int64_t stored_mj;
	int64_t load_mj, unserved_mj; /* load asked for, and the part nobody could serve */
	int64_t pv_mj, curtailed_mj;  /* sun offered, and the part nobody could take */
	int64_t charger_mj;
	int64_t fuel; /* ml times mJ per kWh, so that nothing is rounded */
	int64_t run_ms;
};

struct plant_in {
	int32_t load_w, pv_w;
	bool charger_on, engine_running;
};

struct plant_out {
	int32_t soc_pct, soc_mpct; /* whole percent as an inverter shows it; thousandths */
	int32_t battery_mv;
	int32_t charge_w, discharge_w; /* battery, net; one of them is 0 */
	int32_t load_w, pv_w;	       /* served, used */
	int32_t charger_w;
};

extern const struct plant_config plant_defaults;

void plant_init(struct plant *, const struct plant_config *);
/* dt_ms up to a day; powers from 0 to 1 MW. Results are means over the step. */
struct plant_out plant_step(struct plant *, struct plant_in, int64_t dt_ms);
void plant_set_soc(struct plant *, int32_t soc_mpct);
int32_t plant_soc_mpct(const struct plant *);
int64_t plant_fuel_ml(const struct plant *);

#endif
