/*
 * nodes - what the service manager does: starts the daemons, and again when they end.
 *
 * genctld is its shipped main() (only options_start is replaced: there is no file to read),
 * monitord its schedule_run(), linked twice so that a second one has variables of its own.
 */
#ifndef SIMULATE_NODES_H
#define SIMULATE_NODES_H

#include <stdbool.h>
#include <stdint.h>

struct proc;

void nodes_reset(bool reset_wired, int64_t restart_ms);
void nodes_start(const char *name); /* "genctld", "monitord", "second" */
void nodes_ended(const struct proc *p);
void nodes_hold(const char *name, bool held); /* held: it is not started again */
void nodes_boot(uint64_t id); /* power comes back to the engine node: another boot id */

#endif
