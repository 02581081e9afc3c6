#include "node-monitor/policy/plant.h"

const struct plant_config plant_defaults = {
	.capacity_wh = 30000,
	.soc_pct = 50,
	.empty_mv = 50000,
	.full_mv = 54000,
	.resistance_mohm = 8,
	.charge_pct = 95,
	.charger_w = 5000,
	.fuel_ml_per_kwh = 350,
	.fuel_idle_ml_per_h = 600,
};

static int64_t capacity_mj(const struct plant *p)
{
	return (int64_t)p->config.capacity_wh * PLANT_MJ_PER_WH;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void plant_set_soc(struct plant *p, int32_t soc_mpct)
{
	p->stored_mj = capacity_mj(p) / 100000 * soc_mpct;
}

int32_t plant_soc_mpct(const struct plant *p)
{
	return (int32_t)(p->stored_mj / (capacity_mj(p) / 100000));
}

void plant_init(struct plant *p, const struct plant_config *config)
{
	*p = (struct plant){ .config = *config };
	plant_set_soc(p, config->soc_pct * 1000);
}

/* Stores what fits of offered_mj and returns how much of it was taken. */
static int64_t charge(struct plant *p, int64_t offered_mj)
{
	int64_t pct = p->config.charge_pct;
	int64_t room_mj = (capacity_mj(p) - p->stored_mj) * 100 / pct;
	int64_t taken_mj = least(offered_mj, room_mj);

	p->stored_mj += taken_mj * pct / 100;
	return taken_mj;
}

static int64_t discharge(struct plant *p, int64_t wanted_mj)
{
	int64_t given_mj = least(wanted_mj, p->stored_mj);

	p->stored_mj -= given_mj;
	return given_mj;
}

static void burn(struct plant *p, int64_t charger_mj, bool running, int64_t dt_ms)
{
	p->charger_mj += charger_mj;
	p->fuel += charger_mj * p->config.fuel_ml_per_kwh;
	if (!running)
		return;
	p->run_ms += dt_ms;
	p->fuel += p->config.fuel_idle_ml_per_h * dt_ms * 1000; /* h is 1000 times kWh in mJ */
}

static int32_t voltage_mv(const struct plant *p, int32_t soc_mpct, int64_t power_w)
{
	const struct plant_config *c = &p->config;
	int64_t rest_mv = c->empty_mv + (int64_t)(c->full_mv - c->empty_mv) * soc_mpct / 100000;

	return (int32_t)(rest_mv + power_w * 1000 * c->resistance_mohm / rest_mv);
}

struct plant_out plant_step(struct plant *p, struct plant_in in, int64_t dt_ms)
{
	bool charging = in.charger_on && in.engine_running;
	int64_t load_mj = in.load_w * dt_ms, pv_mj = in.pv_w * dt_ms;
	int64_t charger_mj = charging ? p->config.charger_w * dt_ms : 0;
	int64_t surplus_mj = pv_mj + charger_mj - load_mj, battery_mj, dropped_mj, cut_mj;
	int32_t soc_mpct, battery_w;

	battery_mj = surplus_mj > 0 ? charge(p, surplus_mj) : -discharge(p, -surplus_mj);
	dropped_mj = surplus_mj - battery_mj; /* > 0: nobody took it; < 0: nobody gave it */
	cut_mj = dropped_mj > 0 ? least(dropped_mj, pv_mj) : 0;
	if (dropped_mj > 0)
		charger_mj -= dropped_mj - cut_mj;
	p->load_mj += load_mj;
	p->pv_mj += pv_mj;
	p->curtailed_mj += cut_mj;
	p->unserved_mj += dropped_mj < 0 ? -dropped_mj : 0;
	burn(p, charger_mj, in.engine_running, dt_ms);
	soc_mpct = plant_soc_mpct(p);
	battery_w = dt_ms > 0 ? (int32_t)(battery_mj / dt_ms) : 0;
	return (struct plant_out){
		.soc_pct = soc_mpct / 1000,
		.soc_mpct = soc_mpct,
		.battery_mv = voltage_mv(p, soc_mpct, battery_w),
		.charge_w = battery_w > 0 ? battery_w : 0,
		.discharge_w = battery_w < 0 ? -battery_w : 0,
		.load_w = dt_ms > 0 ? (int32_t)((load_mj + least(dropped_mj, 0)) / dt_ms) : 0,
		.pv_w = dt_ms > 0 ? (int32_t)((pv_mj - cut_mj) / dt_ms) : 0,
		.charger_w = dt_ms > 0 ? (int32_t)(charger_mj / dt_ms) : 0,
	};
}

int64_t plant_fuel_ml(const struct plant *p)
{
	return p->fuel / (1000 * (int64_t)PLANT_MJ_PER_WH);
}
