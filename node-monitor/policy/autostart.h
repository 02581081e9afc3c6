/*
 * autostart - when the generator must run, and when it must not.
 *
 * The glue calls autostart_decide() at every poll and at every change of the engine, and
 * sends the wish as an order: RUN for `for_s` seconds (renewed while it lasts), STOP, or
 * nothing. It asks for a level, never an edge, so a lost or repeated order does no harm.
 * Nothing that costs fuel is decided on unknown or old readings. The engine node counts
 * attempts and rests; this only respects them.
 *
 *   IDLE  --a condition holds, nothing blocks--> asks for RUN
 *   IDLE  --engine comes up under automatic mode--> WANTED (also one found running)
 *   WANTED --its own condition is met and no other holds, limit, or held--> ENDING
 *   WANTED --engine found off--> IDLE, with the reason
 *   ENDING --engine off--> IDLE, and rest
 *
 * Quiet hours replace the thresholds by the emergency floor; they do not change a manual
 * run. Calendar time serves quiet hours and the exercise run alone.
 *
 * Units:  now_ms and age_ms are one monotonic clock; *_min minutes after midnight.
 * Errors: none; autostart_fault() says what is wrong with a configuration.
 */
#ifndef MONITOR_POLICY_AUTOSTART_H
#define MONITOR_POLICY_AUTOSTART_H

#include "common/civil.h"
#include "node-monitor/policy/charging.h"
#include "node-monitor/policy/confirm.h"
#include "node-monitor/policy/engine.h"

enum { AUTO_FOR_S = 900, AUTO_ANY_DAY = 7 };
#define AUTO_NEVER (INT64_MIN / 2) /* a time that has not been */

struct autostart_config { /* 0 switches off what says so; bounds in brackets */
	int32_t soc_start_pct, soc_stop_pct;	   /* below / at or above [1..99, 2..100] */
	int32_t voltage_start_mv, voltage_stop_mv; /* start 0: off [0..1000000] */
	int32_t voltage_delay_s;		   /* [0..3600] */
	int32_t load_start_w, load_stop_w;	   /* start 0: off [0..1000000] */
	int32_t load_delay_s;			   /* [0..3600] */
	int32_t debounce_readings;		   /* fresh ones in a row [2..20] */
	int32_t debounce_s;			   /* and at least this long [0..3600] */
	int32_t stale_s;			   /* older readings prove nothing [10..3600] */
	int32_t blind_run_s; /* a run goes on without readings for this long [0..7200] */
	int32_t min_run_s, max_run_s, min_between_s; /* [0..7200, 600..18000, 0..86400] */
	int32_t quiet_from_min, quiet_to_min;	     /* equal: off [0..1439] */
	int32_t quiet_start_pct, quiet_stop_pct;     /* the floor [0..98, 1..100] */
	int32_t quiet_start_mv;			     /* 0: none [0..1000000] */
	int32_t exercise_days;			     /* interval, 0: off [0..90] */
	int32_t exercise_weekday, exercise_hour, exercise_s; /* [0..7, 0..23, 60..7200] */
	struct charging_config charging;
};
extern const struct autostart_config autostart_defaults;

struct auto_reading {
	int32_t value; /* or UNKNOWN */
	int64_t age_ms;
};

struct autostart_in {
	struct auto_reading soc_pct, battery_mv, load_w;
	struct engine_truth engine;
	bool force_charge, force_stop; /* the files of charge-on and charge-force-stop */
};

enum auto_wish { WISH_NONE, WISH_RUN, WISH_STOP };

/* clang-format off */
enum auto_reason {
	/* idle */
	AUTO_ENOUGH, AUTO_CONFIRMING, AUTO_NO_DATA, AUTO_LINK_DOWN, AUTO_NO_LEASE, AUTO_MODE,
	AUTO_LOCKED_OUT, AUTO_FAULT, AUTO_EXTERNAL, AUTO_HELD, AUTO_QUIET, AUTO_RESTING,
	AUTO_NODE_RESTS,
	/* wanted: what for */
	AUTO_MANUAL, AUTO_SOC, AUTO_VOLTAGE, AUTO_LOAD, AUTO_EXERCISE, AUTO_ADOPTED,
	/* wanted still, although its condition is met or not to be seen */
	AUTO_MIN_RUN, AUTO_BLIND,
	/* ended */
	AUTO_SOC_REACHED, AUTO_VOLTAGE_REACHED, AUTO_LOAD_GONE, AUTO_EXERCISE_DONE,
	AUTO_MANUAL_GONE, AUTO_MAX_RUN, AUTO_BLIND_END,
	AUTO_STOPPED_ITSELF, AUTO_NODE_ENDED, AUTO_DEADLINE, AUTO_NOT_STARTED, AUTO_NREASONS
};
enum auto_next {
	NEXT_NONE,		/* waits for something nobody can time */
	NEXT_START_BELOW,	/* start when SOC falls below next_value % */
	NEXT_START_AT,		/* start at next_ms, if it is still needed then */
	NEXT_STOP_AT,		/* stop at SOC next_value %, or at next_ms */
	NEXT_STOP,		/* stop at next_ms, or earlier when its reason ends */
	NEXT_RETRY		/* the engine node ends its lock-out at next_ms */
};
enum {	/* alarms, one bit each */
	ALARM_STALE = 1, ALARM_LINK = 2, ALARM_NOT_CHARGING = 4, ALARM_MAX_RUN = 8,
	ALARM_STOPPED_ITSELF = 16, ALARM_LOCKED_OUT = 32, ALARM_NOT_OBEYED = 64,
	ALARM_HELD = 128, ALARM_CLOCK = 256, ALARM_BLIND = 512
};
/* clang-format on */

struct autostart_out {
	enum auto_wish wish;
	int32_t for_s; /* with WISH_RUN, 1..AUTO_FOR_S */
	enum auto_reason reason;
	enum auto_reason cause; /* what a run is wanted for; AUTO_ENOUGH: none is */
	int32_t value, limit;	/* the reading and the threshold the cause is about */
	int32_t count;		/* readings that agree so far */
	int32_t left_s;		/* of the rest, lock-out, minimum run or blind run */
	enum auto_next next;
	int32_t next_value;
	int64_t next_ms;	/* 0: not known */
	enum auto_reason ended; /* why the last run ended; AUTO_ENOUGH: none has */
	uint32_t alarms;
};

struct autostart {			       /* the caller keeps it and reads nothing of it */
	const struct autostart_config *config; /* borrowed; outlives this */
	enum auto_state { AUTO_IDLE, AUTO_WANTED, AUTO_ENDING } state;
	enum auto_manual { MANUAL_NONE, MANUAL_NEW, MANUAL_OLD, MANUAL_SPENT } manual;
	enum auto_reason cause, ended; /* what a run is wanted for; why the last one ended */
	bool met;		       /* the engine node has been heard */
	bool was_ending;	       /* it was ending the run when last heard */
	struct confirm soc_low, soc_full, volt_low, volt_full, load_high, load_low;
	struct charging charging;
	int64_t run_from_ms, stopped_ms; /* of the engine, whoever started it */
	int64_t long_run_ms;		 /* a run as long as an exercise ended */
	int64_t exercised_ms;		 /* an exercise was asked for */
	int64_t asked_ms;		 /* first order of a start not yet obeyed */
	int64_t granted_ms;		 /* the last order the node can have heard ends here */
	int64_t seen_ms;		 /* the reading the cause stands on was fresh */
	int64_t soc_ms, link_ms;	 /* SOC was fresh; the engine node was heard */
	int64_t free_ms;		 /* nobody held the generator off */
	uint32_t sticky;		 /* alarms that last until the next run */
};

void autostart_init(struct autostart *, const struct autostart_config *, int64_t now_ms);
struct autostart_out autostart_decide(
    struct autostart *, const struct autostart_in *, const struct civil *local, int64_t now_ms);

/* NULL, or one sentence saying which two values contradict each other. */
const char *autostart_fault(const struct autostart_config *);

#endif
