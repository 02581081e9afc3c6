/*
 * reason - what the auto-start policy decided, as sentences with their numbers.
 *
 * Log, status, the order to the engine node and `gencli why` show these same words.
 *
 *   "SOC 24 % is below 25 % for 3 readings; starting"
 *   "stop at SOC 80 % or in 3 h 12 min"
 *
 * Errors: none; a text that does not fit is cut.
 */
#ifndef MONITOR_REASON_H
#define MONITOR_REASON_H

#include <stddef.h>

#include "node-monitor/policy/autostart.h"

enum { REASON_LEN = 200, REASON_NALARMS = 10 };

/* What is decided now, and because of what. */
void reason_text(char *buf, size_t size, const struct autostart_out *);
/* Why the last run ended; empty when none has. */
const char *reason_ended(const struct autostart_out *);
/* What comes next and when. */
void reason_next(char *buf, size_t size, const struct autostart_out *, int64_t now_ms);

/* One row for each ALARM_* bit: its code, and a sentence that says what to do. */
struct reason_alarm {
	uint32_t bit;
	const char *code, *text;
};
extern const struct reason_alarm reason_alarms[REASON_NALARMS];

#endif
