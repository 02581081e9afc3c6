/*
 * judge - hands what happens to the oracle, once as acknowledged and once as the contacts did.
 *
 * What counts as an event is read from the messages between guard and control, which carry
 * it anyway: accepted orders, modes, latches. A rule that a scripted fault itself breaks is
 * excused for that rule, that column and the time of the fault only.
 */
#ifndef SIMULATE_JUDGE_H
#define SIMULATE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proc;

struct judge_view { /* as the messages last told */
	bool known;
	int64_t at_ms; /* of the guard's last message */
	uint8_t phase, relays, mode;
	uint32_t starts;   /* of the engine, proved */
	int64_t relays_ms; /* when the relays last changed */
	uint32_t latches;
	int64_t latched_ms; /* since when any is set */
	int64_t coast_ms;   /* when it was last heard in that phase */
	int64_t phase_ms;   /* true time since when */
	int64_t ends_ms;    /* of the run, as control told it; true time */
	int64_t wall_ms;    /* of the run, whoever asked for it: max_run; true time */
};
extern struct judge_view judge_view;

/* Until when duties cannot be done: by the contacts, by the board, by a stalled guard, by
 * anybody (no power, and the relays stay as they were). */
struct judge_excuses {
	int64_t contacts_until_ms, board_until_ms, guard_until_ms, power_until_ms,
	    stuck_until_ms, wire_until_ms; /* of the ignition input */
};
extern struct judge_excuses judge_excuses;

void judge_reset(void);
void judge_message(const struct proc *from, const void *data, size_t n);
void judge_sample(int inputs); /* as read by the guard; -1: BAD */
void judge_unseen(void);       /* from now on nobody reads */
void judge_acked(uint8_t relays);
void judge_contacts(void);
void judge_board_reset(void);
void judge_restarted(void);
void judge_line(const char *token, const char *line); /* as logged */
void judge_flush(void);
void judge_until(void); /* what has come due by now */

#endif
