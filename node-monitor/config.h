/*
 * config - what monitord can be told, one row a key (common/conf.h).
 *
 * A reload takes over what can change while an engine runs (thresholds, intervals, log
 * level) and names what needs a restart.
 *
 * Units: in the key's name. Errors: as conf.h.
 */
#ifndef MONITOR_CONFIG_H
#define MONITOR_CONFIG_H

#include <stdio.h>

#include "common/conf.h"
#include "node-monitor/drivers/inverter.h"
#include "node-monitor/policy/autostart.h"

struct monitor_config {
	int32_t log_level; /* enum log_level */
	char runtime_dir[96];
	char manual_dir[96];
	int32_t inverter_driver; /* index into inverter_drivers */
	struct inverter_config inverter;
	int32_t poll_s;
	char generator_host[96];
	int32_t generator_port;
	int32_t status_s, health_s;
	struct autostart_config autostart;
	char csv_dir[160];
	int32_t csv_layout; /* enum csv_layout */
	int32_t csv_s;
	int32_t capacity_wh, charger_w; /* for --replay */
	double pv_scale, fuel_price;
};

extern const struct conf_key monitor_keys[];
extern const size_t monitor_nkeys;
extern const struct inverter_ops *const inverter_drivers[];

/* What no single row can see: contradictions. Says them and returns how many. */
int monitor_config_check(const void *config, FILE *faults);
/* Takes over what may change while running; what may not is named in `notes`. */
void monitor_config_reload(
    struct monitor_config *running, const struct monitor_config *fresh, FILE *notes);

#endif
