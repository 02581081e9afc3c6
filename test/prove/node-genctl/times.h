/*
 * times - stands before node-genctl/times.h on the include path of the proof: the same names,
 * in ticks of a scale that is chosen at run time.
 */
#ifndef GENCTL_TIMES_H
#define GENCTL_TIMES_H

#include "test/prove/scale.h"

/* clang-format off */
#define RUN_DEBOUNCE_MS   scale.run_debounce
#define FEEDBACK_MS       scale.feedback
#define BAD_MS            scale.bad
#define RUN_GAP_MS        scale.run_gap
#define NO_FEEDBACK_MS    scale.no_feedback
#define STUCK_MS          scale.stuck
#define GLOW_MAX_MS       scale.glow_max
#define RAW_MAX_MS        scale.raw_max
#define RECLOSE_MS        scale.reclose
#define ORPHAN_MS         scale.orphan
#define DEADLINE_GRACE_MS scale.deadline_grace
#define WAIT_MAX_MS       scale.wait_max
#define DISABLED_MS       scale.disabled
#define BUDGET_WINDOW_MS  scale.budget_window
#define HOUR_MS           scale.hour
#define DAY_MS            scale.day
/* clang-format on */

enum {
	CRANK_TOTAL_CAP_MS = 1000,
	SAMPLE_CRANK_MS = 1, /* a tick is a sample */
	SAMPLE_ACTIVE_MS = 1,
	SAMPLE_IDLE_MS = 1,
	STARTER_SLACK_MS = 1,
	ALONE_SAMPLES = 3,
	SAG_SAMPLES = 2,
	ABSENT_SAMPLES = 2,
	ESTOP_SAMPLES = 2,
	SAMPLES_MAX = 4
};

#endif
