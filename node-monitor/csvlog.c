#include "node-monitor/csvlog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/worker.h"

enum { RETRY_MS = 60000 };

struct csvlog {
	struct worker *worker;
	struct csv *csv; /* the thread's while busy */
	char dir[160];
	bool busy;
	int rc, told_rc; /* the thread's; what was logged */
	size_t lost;
	int64_t tried_ms;
};

static void run(void *arg)
{
	struct csvlog *l = arg;

	l->rc = csv_flush(l->csv, clock_ms(), clock_unix_ms());
}

static void report(struct csvlog *l)
{
	size_t lost = csv_lost(l->csv);

	if (l->rc < 0 && l->rc != l->told_rc)
		log_error("csv", "%s cannot be written: %s. %s; until then up to %d rows wait",
		    l->dir, l->rc == -EAGAIN ? "the clock is not set" : strerror(-l->rc),
		    csv_advice(l->rc), CSV_KEPT);
	else if (l->rc == 0 && l->told_rc < 0)
		log_info("csv", "%s is written again, with the rows that waited", l->dir);
	if (lost > l->lost)
		log_warn(
		    "csv", "%zu rows are lost: more than %d waited", lost - l->lost, CSV_KEPT);
	l->told_rc = l->rc;
	l->lost = lost;
}

static void done(void *arg)
{
	struct csvlog *l = arg;

	l->busy = false;
	report(l);
}

static void flush(struct csvlog *l, int64_t now_ms)
{
	l->tried_ms = now_ms;
	l->busy = worker_submit(l->worker, run, done, l) == 0;
}

void csvlog_add(struct csvlog *l, const struct csv_row *row, int64_t now_ms)
{
	csv_keep(l->csv, row);
	flush(l, now_ms);
}

void csvlog_tick(struct csvlog *l, int64_t now_ms)
{
	if (!l->busy && l->told_rc < 0 && now_ms - l->tried_ms >= RETRY_MS)
		flush(l, now_ms);
}

bool csvlog_busy(const struct csvlog *l)
{
	return l->busy;
}

int csvlog_error(const struct csvlog *l)
{
	return l->told_rc;
}

struct csvlog *csvlog_new(struct event_base *base, const char *dir, enum csv_layout layout)
{
	struct csvlog *l = xcalloc(1, sizeof(*l));

	l->worker = worker_new(base, 1);
	l->csv = csv_new(dir, layout);
	snprintf(l->dir, sizeof(l->dir), "%s", dir);
	return l;
}

void csvlog_free(struct csvlog *l)
{
	if (!l)
		return;
	worker_free(l->worker);
	csv_free(l->csv);
	free(l);
}
