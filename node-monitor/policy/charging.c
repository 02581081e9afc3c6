#include "node-monitor/policy/charging.h"

const struct charging_config charging_defaults = {
	.within_s = 300,
	.rise_pct = 1,
	.rise_mv = 500,
	.full_pct = 95,
};

static bool rose(int32_t *from, int32_t value, int32_t rise)
{
	if (value == UNKNOWN)
		return false;
	if (*from == UNKNOWN)
		*from = value;
	return value - *from >= rise;
}

static void before_load(struct charging *c, int32_t soc_pct, int32_t battery_mv)
{
	*c = (struct charging){
		.begun = true,
		.from_pct = soc_pct != UNKNOWN || !c->begun ? soc_pct : c->from_pct,
		.from_mv = battery_mv != UNKNOWN || !c->begun ? battery_mv : c->from_mv,
	};
}

bool charging_missing(struct charging *c, const struct charging_config *config, bool loaded,
    int32_t soc_pct, int32_t battery_mv, int64_t now_ms)
{
	bool blind = soc_pct == UNKNOWN && battery_mv == UNKNOWN;

	if (!loaded || !c->begun)
		before_load(c, soc_pct, battery_mv);
	if (!loaded)
		return false;
	if (!c->loaded || blind)
		c->since_ms = now_ms;
	c->loaded = true;
	if (rose(&c->from_pct, soc_pct, config->rise_pct) ||
	    rose(&c->from_mv, battery_mv, config->rise_mv) || soc_pct >= config->full_pct)
		c->proved = true;
	return !c->proved && config->within_s > 0 &&
	       now_ms - c->since_ms >= config->within_s * INT64_C(1000);
}
