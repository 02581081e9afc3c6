/*
 * schedule - monitord's one loop: polls, decides, orders, records, answers.
 *
 *   every second:  link kept up, files of charge-on and -off read, decision, rows due
 *   poll finished: snapshot, decision          status from the engine node: decision
 *
 * What blocks (inverter, disk) runs on workers; the loop never waits. SIGHUP reloads, all
 * or nothing. SIGTERM and SIGINT end it at once and order nothing: the lease ends by itself
 * and a running engine runs to the deadline it was given.
 *
 * A device, engine node or disk that is missing is not fatal: it is said, and tried again.
 */
#ifndef MONITOR_SCHEDULE_H
#define MONITOR_SCHEDULE_H

#include "common/options.h"
#include "node-monitor/config.h"

enum { EXIT_CONFIG = 2, EXIT_DEVICE = 3 };

struct schedule_start {
	struct monitor_config config;
	char generator[128];	       /* "192.0.2.1:9999": looked up already */
	const struct options *options; /* for a reload */
	int argc;
	char **argv;
};

/* Returns the exit status. */
int schedule_run(const struct schedule_start *start);

#endif
