/*
 * site - the one snapshot: what the inverter and the engine node last said, what people
 * wish by their files, and what was decided about it.
 *
 * schedule.c alone writes it, on the loop; everything else reads it or is handed a copy of
 * a part. Unknown is UNKNOWN and old shows its age: nothing here makes a value up.
 *
 * Units: *_ms monotonic. Errors: none.
 */
#ifndef MONITOR_SITE_H
#define MONITOR_SITE_H

#include "node-monitor/drivers/inverter.h"
#include "node-monitor/genlink.h"
#include "node-monitor/health.h"
#include "node-monitor/manual.h"
#include "node-monitor/policy/autostart.h"
#include "node-monitor/sinks/csv.h"

enum { SITE_LINE = 256 };

struct site {
	const char *device; /* borrowed: the inverter's */
	struct inverter_sample sample;
	int64_t sample_ms;		  /* of the last good poll; 0: none yet */
	int poll_rc;			  /* of the last poll, 0 or -errno */
	const struct gen_view *generator; /* borrowed: the link's */
	struct health health;
	struct manual manual;
	struct autostart_out decision;
	char reason[GEN_TEXT], next[GEN_TEXT]; /* of the decision, for people */
	int csv_rc;			       /* of the last rows, 0 or -errno */
};

void site_init(struct site *s, const char *device, const struct gen_view *generator);
struct autostart_in site_autostart(const struct site *s, int64_t now_ms);
struct csv_row site_row(const struct site *s, int64_t stale_ms, int64_t now_ms);
const char *site_word(const struct site *s, int64_t now_ms); /* one of the six */
/* The original's two log lines: readings, and `State: RUNNING (MANUAL)`. */
void site_readings(const struct site *s, char line[static SITE_LINE]);
void site_state(const struct site *s, int64_t now_ms, char line[static SITE_LINE]);

#endif
