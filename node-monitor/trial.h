/*
 * trial - `--test-inverter` and `--test-generator`: one connection, what it said, an exit
 * status: 0, or 3 when it did not work. Neither touches the engine or takes the lease.
 */
#ifndef MONITOR_TRIAL_H
#define MONITOR_TRIAL_H

#include "node-monitor/config.h"

int trial_inverter(const struct monitor_config *c);
int trial_generator(const char *address);

#endif
