/*
 * Recorded load and sun: the input is the CSV's text.
 *
 * Asserts: rows stand in order of time with possible powers; what is counted is consistent.
 */
#include <assert.h>

#include "common/units.h"
#include "node-monitor/series.h"
#include "test/fuzz/fuzz.h"

enum { MAX_W = 4000000 }; /* two strings of sun and a battery, 1 MW each */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct series s = { 0 };
	int rc = series_read(fuzz_file(data, size), &s);

	assert((rc == 0) == (s.nrows > s.nempty) && s.nsunless + s.nempty <= s.nrows);
	assert(s.period_s > 0 && s.period_s <= 86400);
	for (size_t i = 0; i < s.nrows; i++) {
		const struct series_row *r = &s.rows[i];

		assert(r->load_w == UNKNOWN || (r->load_w >= 0 && r->load_w <= MAX_W));
		assert(r->pv_w == UNKNOWN || (r->pv_w >= 0 && r->pv_w <= MAX_W));
		assert(r->load_w == UNKNOWN || r->pv_w != UNKNOWN);
		assert(i == 0 || r->unix_s > s.rows[i - 1].unix_s);
	}
	for (int i = 0; i < s.bad_lines && i < SERIES_FAULTS; i++)
		assert(s.faults[i].line > 0 && *s.faults[i].what);
	series_free(&s);
	return 0;
}
