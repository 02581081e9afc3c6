/*
 * health - the engine node's own condition: the line people grep for, and its limits.
 *
 * Units: as struct gen_health. Errors: none.
 * Source: the seed document, "Automated Olimex Health Monitoring": warning signs.
 */
#ifndef MONITOR_HEALTH_H
#define MONITOR_HEALTH_H

#include "node-monitor/genview.h"

enum { /* alarms, one bit each */
	HEALTH_CONNECTIONS = 1,
	HEALTH_MEMORY = 2,
	HEALTH_DISK_LOW = 4,
	HEALTH_DISK_FULL = 8,
	HEALTH_BOARD_RESTARTED = 16,
	HEALTH_SERVICE_RESTARTED = 32,
	HEALTH_NBITS = 6
};

struct health {	       /* zeroed at first */
	int64_t at_ms; /* of the report before; 0: none */
	uint32_t uptime_s, service_uptime_s;
	uint32_t alarms;
};

/* `Olimex health: threads=2 uptime=6h45m memory=42% disk=1.2G free (35% used)` */
void health_line(const struct gen_health *now, char *line, size_t size);
/* Remembers this report and sets ->alarms; returns those that are new. */
uint32_t health_note(struct health *h, const struct gen_health *now);
/* What one bit means and what to do. */
const char *health_text(uint32_t bit);

#endif
