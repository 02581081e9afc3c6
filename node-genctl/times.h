/*
 * times - the compiled-in times and counts of the pure parts, in one place.
 *
 * The proof by enumeration puts a scaled copy of this page before it on the include path, so
 * that the same code runs with few ticks; nothing else may define such a constant.
 *
 * Units: *_MS milliseconds, *_SAMPLES valid samples in a row.
 * Source: design of the engine node; MOD-IO behaviour measured on stock firmware.
 */
#ifndef GENCTL_TIMES_H
#define GENCTL_TIMES_H

enum {
	CRANK_TOTAL_CAP_MS = 15000,
	SAMPLE_CRANK_MS = 20,
	SAMPLE_ACTIVE_MS = 100,
	SAMPLE_IDLE_MS = 1000,
	STARTER_SLACK_MS = 60, /* a pulse may be longer by: the guard ends it then */

	RUN_DEBOUNCE_MS = 500, /* to declare the engine running, or at rest */
	FEEDBACK_MS = 500,     /* an input follows its relay */
	BAD_MS = 500,	       /* no valid sample for so long: act on it */
	RUN_GAP_MS = 1000,     /* longest BAD gap that does not interrupt a run */
	NO_FEEDBACK_MS = 1000, /* a pulse without the starter's input */
	STUCK_MS = 500,	       /* the starter's input without a pulse */

	GLOW_MAX_MS = 15000,
	RAW_MAX_MS = 10000,
	RECLOSE_MS = 30000, /* charger open after it was opened without being asked */
	ORPHAN_MS = 60000,  /* control gone: then down */
	DEADLINE_GRACE_MS = 5000,
	WAIT_MAX_MS = 120000, /* a start that cannot begin is given up */
	DISABLED_MS = 600000,
	BUDGET_WINDOW_MS = 600000,
	HOUR_MS = 3600000,
	DAY_MS = 86400000,

	ALONE_SAMPLES = 3, /* of ignition alone before the starter closes */
	SAG_SAMPLES = 2,
	ABSENT_SAMPLES = 2,
	ESTOP_SAMPLES = 2,
	SAMPLES_MAX = 255
};

#endif
