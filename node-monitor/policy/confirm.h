/*
 * confirm - a condition counts only when several fresh readings in a row agree.
 *
 * One contrary or unknown reading, or a gap longer than a reading may be old, begins anew.
 * The same reading seen twice counts once.
 */
#ifndef MONITOR_POLICY_CONFIRM_H
#define MONITOR_POLICY_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

struct confirm {
	int32_t count;
	int64_t first_ms, last_ms; /* when the readings that agree were taken */
};

void confirm_note(struct confirm *, bool holds, int64_t taken_ms, int64_t max_gap_ms);
bool confirm_met(const struct confirm *, int32_t readings, int32_t for_s);

#endif
