/*
 * faults - every kind of fault, planned by the seed: at some time, or so long after the engine
 * next enters a phase.
 *
 * Each kind counts how often it was injected; of units on the network each one is counted.
 */
#ifndef SIMULATE_FAULTS_H
#define SIMULATE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
enum fault {
	FAULT_LOST, FAULT_LATE, FAULT_DOUBLED, FAULT_REORDERED, FAULT_REPLAYED, FAULT_PARTITION,
	FAULT_RESET_LINE, FAULT_NO_ADDRESS, FAULT_SPLIT_BRAIN,
	FAULT_KILL_GUARD, FAULT_KILL_CONTROL, FAULT_KILL_SAVER, FAULT_KILL_DEADMAN,
	FAULT_KILL_MONITOR, FAULT_FREEZE_GUARD, FAULT_FREEZE_CONTROL, FAULT_FREEZE_SAVER,
	FAULT_FREEZE_DEADMAN, FAULT_FREEZE_MONITOR, FAULT_RESTART_GENCTLD, FAULT_RESTART_MONITOR,
	FAULT_POWER_CUT, FAULT_NO_FORK,
	FAULT_CLOCK_HOUR, FAULT_CLOCK_YEARS,
	FAULT_NAK, FAULT_ZERO, FAULT_STUCK_BUS, FAULT_NOISE, FAULT_BROWN_OUT, FAULT_LATCHED,
	FAULT_SLOW_BUS, FAULT_NO_BUS,
	FAULT_INPUT_LOW, FAULT_INPUT_HIGH, FAULT_INPUT_CHATTERS,
	FAULT_WELDED, FAULT_RUN_ON, FAULT_STUMBLE, FAULT_FUEL_OUT, FAULT_NO_CATCH, FAULT_EXTERNAL,
	FAULT_DISK_FULL, FAULT_DISK_ERROR, FAULT_DISK_SLOW,
	FAULT_INVERTER_SILENT, FAULT_INVERTER_LIES,
	FAULTS
};
/* clang-format on */

struct fault_count {
	int64_t injected; /* in this run */
};
extern struct fault_count faults[FAULTS];
extern const char *const fault_names[FAULTS];

void faults_reset(uint64_t seed);
void faults_plan(int64_t from_ms, int64_t until_ms, int n);
void faults_begin(enum fault fault); /* now */
void faults_phase(uint8_t phase);    /* the sequence has entered it */
void faults_settle(void);	     /* all of them end now */
void faults_collect(void);	     /* takes over what the network and the disk counted */
bool faults_active(void);
int64_t faults_busy_until_ms(void);

#endif
