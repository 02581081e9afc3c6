/* monitors - the two monitord, each with variables of its own. */
#ifndef SIMULATE_MONITORS_H
#define SIMULATE_MONITORS_H

int monitor_first(const void *arg);
int monitor_second(const void *arg);

#endif
