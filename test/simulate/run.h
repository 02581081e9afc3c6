/*
 * run - one week of a site from one seed: everything starts, faults happen, the last day is
 * quiet, and then everything must be as it should.
 */
#ifndef SIMULATE_RUN_H
#define SIMULATE_RUN_H

#include <stdint.h>

struct run_result {
	int64_t starts; /* of the engine */
};

void run_reset(uint64_t seed); /* a site that stands still, nothing started */
struct run_result run_week(uint64_t seed);
void run_check_settled(void); /* what must be so without faults; violations are reported */

#endif
