/*
 * net - the network between the nodes: whole units, with every fault a unit can meet.
 *
 * It stands in for common/link.h. A unit lost here is worse than what TCP does to one; a
 * partition holds units back, and ends the connections that it outlasts.
 */
#ifndef SIMULATE_NET_H
#define SIMULATE_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "test/simulate/sched.h"

enum net_fault { NET_LOST, NET_LATE, NET_DOUBLED, NET_REORDERED, NET_REPLAYED, NET_FAULTS };

struct net_faults {
	int64_t until_ms[NET_FAULTS]; /* that long units meet it */
	int per_mille[NET_FAULTS];
	int64_t cut_until_ms[NODES]; /* partition between this node and the engine node */
	int64_t deaf_until_ms; /* the engine node cannot listen: its address is not there */
};
extern struct net_faults net_faults;
extern int64_t net_hits[NET_FAULTS]; /* units that met it */

void net_reset(uint64_t seed);
void net_break(enum node node); /* resets this node's connections */
void net_ended(const struct proc *p);
bool net_quiet(void); /* nothing is on its way */

#endif
