/*
 * catalog - every metric once: what it is called, its unit and what it means.
 *
 * Every output renders from these rows: the value in a sample, divided by ten to the power
 * `decimals`, is the value in `unit`; so 53200 in battery_voltage (3, "V") is 53.2 V.
 * Adding a metric is one row here and one assignment in a driver.
 *
 * Source: the names of luxpower_input_registers.csv, where they are words.
 */
#ifndef MONITOR_CATALOG_H
#define MONITOR_CATALOG_H

#include "node-monitor/drivers/inverter.h"

enum metric_kind {
	METRIC_GAUGE,	/* goes up and down */
	METRIC_COUNTER, /* grows; *_today starts anew each day */
	METRIC_STATE	/* a code or a bit field: never averaged */
};

struct metric {
	const char *name;
	const char *unit; /* as people read it, "" for none */
	int decimals;
	enum metric_kind kind;
	const char *help;
	const char *csv; /* the column that carries it in the CSV file; NULL for none */
};

extern const struct metric catalog[INV_NKEYS]; /* index: enum inverter_key */

/* The key of a name or of a CSV column, or -ENOENT. */
int catalog_find(const char *name);

#endif
