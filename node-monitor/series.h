/*
 * series - recorded load and sun, read from a CSV for the back-test.
 *
 * Read by header, any column order: the daily CSV in its twelve and fourteen columns (a
 * file may hold both, and headers in between), and half-hourly files with load_w and pv_w,
 * or GC and GG in kW. The time is `timestamp_unix` or `unix_s`, else the text of
 * `timestamp` or of a first column without a name; text is local time without zone.
 *
 * The twelve columns have no load: it is sun + discharge - charge, and while the generator
 * ran, when those do not show it, the load of the row before.
 *
 * A row with a load and no sun counts as dark: recorders of the sun sleep at night. A row
 * without a load covers nothing.
 *
 * Units:  W; seconds.
 * Errors: series_read: -errno of the file; -EBADMSG when no row is usable. A bad line is
 *         counted and the first SERIES_FAULTS are kept; it is never fatal.
 * Source: CSV layouts of PiGenny (its monitor's log before and after load was logged);
 *         column names of the EMHASS and Ausgrid household data sets.
 */
#ifndef MONITOR_SERIES_H
#define MONITOR_SERIES_H

#include <stddef.h>
#include <stdint.h>

enum { SERIES_FAULTS = 5, SERIES_MAX_ROWS = 4000000 };

struct series_row {
	int64_t unix_s; /* of text without zone: as if it were UTC */
	int32_t load_w; /* UNKNOWN: the cell was empty */
	int32_t pv_w;
};

struct series_fault {
	int line;
	const char *what;
};

struct series {
	struct series_row *rows; /* in order of time; series_free() */
	size_t nrows, nempty, nsunless;
	int32_t period_s; /* the usual distance of two rows */
	int bad_lines;
	struct series_fault faults[SERIES_FAULTS];
};

int series_read(const char *path, struct series *out);
void series_free(struct series *);

#endif
