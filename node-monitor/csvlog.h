/*
 * csvlog - hands rows to the CSV file on a thread of its own, and says when that fails.
 *
 * A failure is logged once, with what to do, and once more when it is over; rows wait in
 * the meantime (csv.h) and are tried again every minute.
 */
#ifndef MONITOR_CSVLOG_H
#define MONITOR_CSVLOG_H

#include <stdbool.h>

#include "node-monitor/sinks/csv.h"

struct event_base;
struct csvlog;

struct csvlog *csvlog_new(struct event_base *base, const char *dir, enum csv_layout layout);
/* Not while busy: the thread has the file. */
void csvlog_add(struct csvlog *l, const struct csv_row *row, int64_t now_ms);
void csvlog_tick(struct csvlog *l, int64_t now_ms);
bool csvlog_busy(const struct csvlog *l);
int csvlog_error(const struct csvlog *l); /* of the last write, 0 or -errno */
void csvlog_free(struct csvlog *l);

#endif
