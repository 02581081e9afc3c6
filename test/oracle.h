/*
 * oracle - the judge of relay traces, written from the safety rules' text alone.
 *
 * Told row by row what stands from now on, it answers which rules that broke. Within a row the
 * order is: events, then the sample, then the byte that was written. Bytes are those the board
 * acknowledged, or what the contacts did; a separate oracle for each. It shares no code with
 * the engine node. A duty falls due and has one reaction time, P + slack, in which to be done.
 *
 *   S1        as written
 *   S2        no running input within at_rest; ignition alone for 3 samples before the pulse
 *   S3 S4     P is period_crank for S3, period_active for S4; the cap holds for any crank
 *   S5        rest and budget (P a pulse allowed for); exact for ORACLE_PULSES in the window
 *   S6        pulses a request; lockout after so many failures, its bounded retries
 *   S7        no starter input for 1 s; seen and then lost for 2 samples; no pulse after that
 *   S8        relays to 0; nothing rises until cleared
 *   F1        ignition without a request, while latched, too soon after a run
 *   F2        unproved engine always; a proved one not while its inputs are BAD
 *   F3        ignition on and its input low: relays to 0. Off and its input high: see S2, R3
 *   G1        as written; total a request
 *   C1 C4     after adoption or in the same run: stabilise; C4 30 s if opened for a fault
 *   C2        the whole cool-down once the engine was proved; shutdown class: see excused()
 *   C3        as written, the second sample at most P after the first
 *   R1        relays to 0; twice in an hour locks out.   R2 R3   nothing rises
 *   R4        charger open, ignition off a cool-down later
 *   R5        starter, or all before the coast; charger; a cool-down later ignition; E-stop all
 *   P1        first byte after RESTARTED.   P2   a rise without an order
 *   L2        STALE begins.   L3   raw bytes; a begin inside a start.   M1   begin, rise when
 * off I2        BAD in a pulse, on load; a rise of ignition, starter or charger on a BAD sample
 *   I3        a rise after BOARD_RESET
 *   Not seen in a trace: S9, L1, T1, I1 (an unacknowledged write shows as S4, I2...), I4;
 *   starts an hour and the pause after max_run are not in the rules.
 *
 * Units:  *_ms milliseconds of one monotonic clock, never backwards.
 * Source: engine safety, part B; design of the engine node, which stands above it.
 */
#ifndef TEST_ORACLE_H
#define TEST_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#ifndef ORACLE_PULSES
#define ORACLE_PULSES 16 /* remembered in the budget window; older ones count as earlier */
#endif
#define ORACLE_BIT(rule) (UINT64_C(1) << (rule))
#define ORACLE_NEVER INT64_MIN

/* clang-format off */
enum { ORACLE_NONE = -1 /* relays: as before; inputs: no sample in this row */, ORACLE_BAD = -2 };
enum oracle_rule {
	ORACLE_S1, ORACLE_S2, ORACLE_S3, ORACLE_S4, ORACLE_S5, ORACLE_S6, ORACLE_S7, ORACLE_S8,
	ORACLE_F1, ORACLE_F2, ORACLE_F3, ORACLE_G1, ORACLE_C1, ORACLE_C2, ORACLE_C3, ORACLE_C4,
	ORACLE_R1, ORACLE_R2, ORACLE_R3, ORACLE_R4, ORACLE_R5, ORACLE_P1, ORACLE_P2,
	ORACLE_L2, ORACLE_L3, ORACLE_M1, ORACLE_I2, ORACLE_I3, ORACLE_RULES
};
enum oracle_event {
	ORACLE_BEGIN = 1 << 0,	     /* an accepted start request, also one in a cool-down */
	ORACLE_STALE = 1 << 1,	     /* with BEGIN: it was older than 5 s */
	ORACLE_ATTEMPT = 1 << 2,     /* the next attempt of the standing request */
	ORACLE_ADOPTED = 1 << 3,     /* the running engine is taken over */
	ORACLE_RESTARTED = 1 << 4,   /* a new process, without handover */
	ORACLE_STOP = 1 << 5,	     /* accepted */
	ORACLE_ESTOP = 1 << 6,	     /* until CLEARED */
	ORACLE_LATCHED = 1 << 7,     /* an alarm of the shutdown class, until CLEARED */
	ORACLE_CLEARED = 1 << 8,     /* by an operator */
	ORACLE_OFF = 1 << 9,	     /* no source may start, until ENABLED; implies no STOP */
	ORACLE_ENABLED = 1 << 10,    /* by an operator; takes back a stop of a running engine */
	ORACLE_MAINTENANCE = 1 << 11, /* raw bytes, until LEFT */
	ORACLE_LEFT = 1 << 12,	     /* maintenance is over; implies no ENABLED */
	ORACLE_BOARD_RESET = 1 << 13 /* the board lost its relays by itself, in this row */
};
/* clang-format on */

struct oracle_times { /* oracle_default: the documented values */
	int32_t crank_total_ms, crank_cap_ms, crank_rest_ms, at_rest_ms, budget_window_ms;
	int32_t lead_ms, coast_ms, warmup_ms, stabilise_ms,
	    cooldown_ms; /* lead: with preheat */
	int32_t reclose_ms, max_run_ms, between_runs_ms, fail_to_stop_ms;
	int32_t lockout_ms, retry_window_ms, unexpected_window_ms;
	int32_t lost_ms, running_ms, feedback_ms, no_feedback_ms, stuck_ms, bad_ms, bad_gap_ms;
	int32_t glow_max_ms, glow_after_ms, raw_max_ms;
	int32_t period_crank_ms, period_active_ms, period_idle_ms, slack_ms;
	int32_t attempts, lockout_retries, alone_samples;
	bool ignition_feedback; /* false: its input is not wired */
};
extern const struct oracle_times oracle_default;

struct oracle { /* a value: copy it freely; oracle_parts.h names its parts */
	const struct oracle_times *t; /* borrowed */
#define ORACLE_NTIMES 27
	int64_t now_ms, at[ORACLE_NTIMES]; /* the only times: absolute, or ORACLE_NEVER */
	struct {
		int64_t end_ms;
		int32_t on_ms;
	} pulse[ORACLE_PULSES];
	int32_t glow_total_ms;
	uint32_t flags;
	uint8_t relays, x, sample, alone, pulses, failures;
};

void oracle_init(struct oracle *o, const struct oracle_times *t, int64_t now_ms);
/* Bit set of broken rules, 0: none. The second: what has come due by t_ms and is not done. */
uint64_t oracle_row(struct oracle *o, int64_t t_ms, int relays, int inputs, uint32_t events);
uint64_t oracle_until(struct oracle *o, int64_t t_ms);
/* Makes `now` 0 and cuts off what no rule can tell apart any more: for enumerations. */
void oracle_rebase(struct oracle *o);
const char *oracle_rule_name(int rule); /* "S1" */

#endif
