/*
 * need - which conditions ask for the generator, and when a run has done its work.
 *
 * The half of autostart that looks at readings and the calendar; autostart.c is the half
 * that looks at the engine. Only autostart.c uses it.
 */
#ifndef MONITOR_POLICY_NEED_H
#define MONITOR_POLICY_NEED_H

#include "node-monitor/policy/autostart.h"

struct need_view { /* one call's arguments and what follows from them at once */
	const struct autostart_config *c;
	const struct autostart_in *in;
	const struct civil *local;
	int64_t now_ms;
	int32_t soc_pct, battery_mv, load_w; /* UNKNOWN when stale */
	bool known, quiet, manual, held;
	int32_t soc_start_pct, soc_stop_pct, voltage_start_mv; /* in force at this hour */
};

struct need_view need_look(const struct autostart *, const struct autostart_in *,
    const struct civil *local, int64_t now_ms);
void need_note(struct autostart *, const struct need_view *);

/* The measured condition that wants the engine to run; AUTO_ENOUGH: none. */
enum auto_reason need_measured(const struct autostart *, const struct need_view *);
bool need_exercise(const struct autostart *, const struct need_view *);
/* Why the run has done what it was for; AUTO_ENOUGH while it has not. */
enum auto_reason need_fulfilled(const struct autostart *, const struct need_view *);
/* The reading that will end this run is there; a timed or manual run needs none. */
bool need_sees_end(const struct autostart *, const struct need_view *);
int64_t need_quiet_end_ms(const struct need_view *);

#endif
