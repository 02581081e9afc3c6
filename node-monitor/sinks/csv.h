/*
 * csv - the original's daily file: data_YYYYMMDD.csv, one row each log interval.
 *
 * Local date and time, CRLF, header only in a new file, the file opened, written and closed
 * for each row. A file begun under other columns is left alone and the day goes on in
 * data_YYYYMMDD-2.csv and so on. What is not known is an empty field.
 *
 * A row that cannot be written (full disk, no permission, clock not set yet) is kept, the
 * newest CSV_KEPT of them, and written later in order, dated when it was taken. A line cut
 * short by a full disk or a power cut is taken back before anything is written after it.
 *
 * Blocks as the disk does: call it on a worker, one call at a time.
 * Units: see struct csv_row. Errors: -errno of the disk; -EAGAIN the clock is not set.
 * Source: the seed document, "CSV Data Logging"; the layout of fourteen columns is the
 * original's later one (monitor.py at 366c870).
 */
#ifndef MONITOR_CSV_H
#define MONITOR_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "common/units.h"

enum csv_layout { CSV_STANDARD, CSV_EXTENDED, CSV_NLAYOUTS };
enum { CSV_KEPT = 144 }; /* a day at the default interval */

struct csv_row {
	int64_t at_ms; /* monotonic */
	int32_t soc_pct, soh_pct, battery_mv, pv1_mv, pv2_mv, pv_w, pv1_w, pv2_w, load_w;
	int32_t charge_w, discharge_w;
	char state[16];	 /* one of the original's six words */
	int32_t running; /* 0, 1 or UNKNOWN */
};

struct csv;

struct csv *csv_new(const char *dir, enum csv_layout layout);
void csv_free(struct csv *c);
/* Takes a row in; the oldest goes when CSV_KEPT already wait. */
void csv_keep(struct csv *c, const struct csv_row *row);
/* Writes what waits. unix_ms: the wall clock at now_ms, 0 while it is not set. */
int csv_flush(struct csv *c, int64_t now_ms, int64_t unix_ms);
size_t csv_waiting(const struct csv *c);
size_t csv_lost(const struct csv *c); /* rows that went because CSV_KEPT waited */
/* What a person can do about an error of csv_flush(). */
const char *csv_advice(int rc);

#endif
