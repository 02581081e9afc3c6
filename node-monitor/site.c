#include "node-monitor/site.h"

#include <stdio.h>

void site_init(struct site *s, const char *device, const struct gen_view *generator)
{
	*s = (struct site){ .device = device, .generator = generator };
	for (int key = 0; key < INV_NKEYS; key++)
		s->sample.v[key] = UNKNOWN;
}

static struct auto_reading reading(const struct site *s, enum inverter_key key, int64_t now_ms)
{
	return (struct auto_reading){
		.value = s->sample.v[key],
		.age_ms = s->sample_ms ? now_ms - s->sample_ms : INT64_MAX,
	};
}

struct autostart_in site_autostart(const struct site *s, int64_t now_ms)
{
	return (struct autostart_in){
		.soc_pct = reading(s, INV_SOC, now_ms),
		.battery_mv = reading(s, INV_BATTERY_VOLTAGE, now_ms),
		.load_w = reading(s, INV_LOAD_POWER, now_ms),
		.engine = genview_truth(s->generator, now_ms),
		.force_charge = s->manual.charge,
		.force_stop = s->manual.stop,
	};
}

const char *site_word(const struct site *s, int64_t now_ms)
{
	struct engine_truth truth = genview_truth(s->generator, now_ms);

	return autostart_state_word(&truth);
}

static int32_t fresh(
    const struct site *s, enum inverter_key key, int64_t stale_ms, int64_t now_ms)
{
	return reading(s, key, now_ms).age_ms <= stale_ms ? s->sample.v[key] : UNKNOWN;
}

struct csv_row site_row(const struct site *s, int64_t stale_ms, int64_t now_ms)
{
	struct engine_truth truth = genview_truth(s->generator, now_ms);
	struct csv_row row = {
		.at_ms = now_ms,
		.soc_pct = fresh(s, INV_SOC, stale_ms, now_ms),
		.soh_pct = fresh(s, INV_SOH, stale_ms, now_ms),
		.battery_mv = fresh(s, INV_BATTERY_VOLTAGE, stale_ms, now_ms),
		.pv1_mv = fresh(s, INV_PV1_VOLTAGE, stale_ms, now_ms),
		.pv2_mv = fresh(s, INV_PV2_VOLTAGE, stale_ms, now_ms),
		.pv_w = fresh(s, INV_PV_POWER, stale_ms, now_ms),
		.pv1_w = fresh(s, INV_PV1_POWER, stale_ms, now_ms),
		.pv2_w = fresh(s, INV_PV2_POWER, stale_ms, now_ms),
		.load_w = fresh(s, INV_LOAD_POWER, stale_ms, now_ms),
		.charge_w = fresh(s, INV_CHARGE_POWER, stale_ms, now_ms),
		.discharge_w = fresh(s, INV_DISCHARGE_POWER, stale_ms, now_ms),
		.running = engine_known(&truth) ? truth.running : UNKNOWN,
	};

	snprintf(row.state, sizeof(row.state), "%s", autostart_state_word(&truth));
	return row;
}

/* Log lines of the original */

static const char *number(char text[static 16], int32_t value)
{
	if (value == UNKNOWN)
		return "?";
	snprintf(text, 16, "%d", (int)value);
	return text;
}

static const char *volts(char text[static 16], int32_t mv)
{
	if (mv == UNKNOWN)
		return "?";
	snprintf(text, 16, "%d.%d", (int)(mv / 1000), (int)(mv % 1000 / 100));
	return text;
}

void site_readings(const struct site *s, char line[static SITE_LINE])
{
	const int32_t *v = s->sample.v;
	char t[7][16];

	snprintf(line, SITE_LINE,
	    "SOC: %s%% | Voltage: %sV | PV1: %sW | PV2: %sW | Load: %sW | Charge: %sW | "
	    "Discharge: %sW",
	    number(t[0], v[INV_SOC]), volts(t[1], v[INV_BATTERY_VOLTAGE]),
	    number(t[2], v[INV_PV1_POWER]), number(t[3], v[INV_PV2_POWER]),
	    number(t[4], v[INV_LOAD_POWER]), number(t[5], v[INV_CHARGE_POWER]),
	    number(t[6], v[INV_DISCHARGE_POWER]));
}

void site_state(const struct site *s, int64_t now_ms, char line[static SITE_LINE])
{
	bool manual = s->decision.wish == WISH_RUN && s->decision.cause == AUTO_MANUAL;

	snprintf(
	    line, SITE_LINE, "State: %s%s", site_word(s, now_ms), manual ? " (MANUAL)" : "");
}
