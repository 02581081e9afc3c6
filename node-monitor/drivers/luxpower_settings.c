/* What the inverter is set to do about charging: holding registers, read and never written. */
#include "node-monitor/drivers/luxpower.h"

#include <stddef.h>

#include "node-monitor/drivers/inverter.h"

static const struct {
	int reg, shift, bits;
	const char *name, *unit;
	int decimals;
} rows[] = {
	{ 19, 0, 16, "device_type_code", "", 0 },
	{ 21, 0, 1, "eps_enable", "", 0 },
	{ 21, 7, 1, "ac_charge_enable", "", 0 },
	{ 21, 9, 1, "power_on", "", 0 },
	{ 64, 0, 16, "charge_power_percent", "%", 0 },
	{ 65, 0, 16, "discharge_power_percent", "%", 0 },
	{ 67, 0, 16, "ac_charge_soc_limit", "%", 0 },
	{ 105, 0, 16, "ongrid_discharge_cutoff_soc", "%", 0 },
	{ 120, 1, 3, "ac_charge_type", "", 0 },
	{ 120, 4, 2, "discharge_control_type", "", 0 },
	{ 120, 7, 1, "generator_charge_type", "", 0 },
	{ 125, 0, 16, "offgrid_discharge_cutoff_soc", "%", 0 },
	{ 158, 0, 16, "ac_charge_start_voltage", "V", 1 },
	{ 159, 0, 16, "ac_charge_end_voltage", "V", 1 },
	{ 160, 0, 16, "ac_charge_start_soc", "%", 0 },
	{ 161, 0, 16, "ac_charge_end_soc", "%", 0 },
	{ 194, 0, 16, "gen_charge_start_voltage", "V", 1 },
	{ 195, 0, 16, "gen_charge_end_voltage", "V", 1 },
	{ 196, 0, 16, "gen_charge_start_soc", "%", 0 },
	{ 197, 0, 16, "gen_charge_end_soc", "%", 0 },
	{ 198, 0, 16, "max_gen_charge_battery_current", "A", 0 },
};

int luxpower_settings(
    int start, const uint16_t *regs, int n, struct inverter_setting *out, int max)
{
	int found = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && found < max; i++) {
		int reg = rows[i].reg;

		if (reg < start || reg >= start + n)
			continue;
		out[found++] = (struct inverter_setting){
			.name = rows[i].name,
			.unit = rows[i].unit,
			.decimals = rows[i].decimals,
			.value = regs[reg - start] >> rows[i].shift & ((1 << rows[i].bits) - 1),
		};
	}
	return found;
}
