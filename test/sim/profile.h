/*
 * profile - a recorded year of load and sun at half-hourly rows, repeated for ever.
 *
 * Takes CSV with a header: columns load_w and pv_w, or GC and GG in kW (Ausgrid). Values
 * that are missing or negative (outages) are 0.
 *
 * Errors: profile_load 0, -errno, -EBADMSG when those columns or all rows are missing.
 */
#ifndef SIM_PROFILE_H
#define SIM_PROFILE_H

#include <stddef.h>
#include <stdint.h>

enum { PROFILE_ROW_MS = 1800000, PROFILE_MAX_ROWS = 100000 };

struct profile {
	struct profile_row {
		int32_t load_w, pv_w;
	} * rows; /* owned */
	size_t n;
};

int profile_load(struct profile *p, const char *path);
void profile_free(struct profile *p);
struct profile_row profile_at(const struct profile *p, int64_t plant_ms);

#endif
