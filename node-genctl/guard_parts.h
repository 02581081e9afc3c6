/* guard_parts - what the files of the guard share; nobody else includes it. */
#ifndef GENCTL_GUARD_PARTS_H
#define GENCTL_GUARD_PARTS_H

#include <sys/types.h>

#include "node-genctl/child.h"
#include "node-genctl/config.h"
#include "node-genctl/ipc.h"
#include "node-genctl/recorder.h"
#include "node-genctl/watchdog.h"

enum stage { STAGE_AUDIT, STAGE_HEIR, STAGE_LIVE, STAGE_LEAVING, STAGE_GONE };

enum {
	CONTROL_CRANK_MS = 200, /* silence of control while the starter is closed */
	CONTROL_SILENT_MS = 2000,
	CONTROL_RESTARTS = 5,
	CONTROL_WINDOW_MS = 600000,
	DEADMAN_READY_MS = 500,
	DEADMAN_DEAD_MS = 2000,
	SAVE_LIMIT_MS = 5000,
	AUDIT_MS = 2000,
	LEAVE_MS = 5000, /* control's time to begin the stop after SIGTERM */
	WRITE_TRIES = 3,
	WRITE_RETRY_MS = 60,
	ZERO_MS = 100
};

struct child {
	pid_t pid; /* 0: none */
	int fd;
	bool killed;
	int64_t spawned_ms;
	int64_t heard_ms; /* last message; the spawn before the first */
	int64_t owes_ms;  /* since when an answer is due; NEVER: none is */
	uint32_t restarts;
};

struct retry { /* a write that was not acknowledged */
	uint8_t want, left;
	bool forced;
	uint32_t serial; /* the order to be answered; 0: nobody's */
	int64_t at_ms;
};

struct handed { /* what was offered to the heir, or is to be taken */
	struct ledger ledger;
	uint8_t relays;
	bool proved, sagged;
	int64_t charger_off_ms, starter_off_ms;
};

struct tracing { /* the flight recorder, and what its last rows said */
	struct recorder recorder;
	struct recorder_row last;
	int64_t sampled_ms;
	uint8_t sample, fault; /* inputs that count, and how they were read */
	uint8_t mode;
	int64_t deadline_ms;
};

struct guard {
	const struct genctl_config *config;
	struct board *board;
	struct inputs inputs;
	struct interlock k;
	struct watchdog watchdog;
	enum stage stage;
	pid_t pid;
	int lock, signals, door, client; /* door: the operator socket */
	int64_t client_ms;
	struct child children[CHILDREN];
	int64_t control_deaths[CONTROL_RESTARTS]; /* newest first */

	int64_t started_ms, sample_ms, leave_ms; /* sample_ms: when the next is due */
	bool acked_ever, lost; /* lost: output unknown, only 0x00 is written */
	bool adopted, forced, push, ready_told;
	struct retry retry;
	uint8_t may_be_closed; /* told to the deadman */
	uint32_t beat;

	uint32_t answered, begin_serial; /* begin_serial: an answer waits for the saver; 0 */
	int64_t begin_ms;
	int32_t answer;
	uint8_t phase; /* as control told it last */
	int64_t phase_since_ms;
	struct alarm_record alarms; /* as they were logged */
	enum alarm told_alarm;
	enum rule told_rule;

	uint32_t saves, saved, begin_save; /* record numbers */
	int64_t save_at_ms;		   /* not before, after a failure */
	uint32_t reads, io_errors;

	char *const *argv;
	int handover; /* the other guard's socket; -1: none */
	pid_t heir;
	int64_t handover_ms;
	bool offered, taking; /* our state to the heir; us what was offered */
	struct handed handed;
	struct tracing tracing;
};

/* guard_board.c */
void guard_begin_open(struct guard *g, int64_t now_ms); /* ends the audit with 0x00 */
int32_t guard_period_ms(const struct guard *g);
void guard_sample(struct guard *g, int64_t now_ms);
/* 0 acknowledged, 1: is being tried again, the order `serial` is answered later. */
int guard_write(struct guard *g, uint8_t want, bool forced, uint32_t serial, int64_t now_ms);
void guard_retry(struct guard *g, int64_t now_ms);
int64_t guard_retry_ms(const struct guard *g); /* INT64_MAX: nothing waits */

/* guard_orders.c */
void guard_answer(struct guard *g, uint32_t serial, int32_t answer); /* serial 0: nobody */
void guard_orders(struct guard *g, int64_t now_ms); /* all that wait on control's socket */
void guard_push(struct guard *g, int64_t now_ms);
void guard_begun(struct guard *g, int rc); /* the saver's word on the waiting attempt */

/* guard_children.c */
void guard_spawn(struct guard *g, enum child_kind kind, int64_t now_ms);
void guard_reap(struct guard *g, int64_t now_ms); /* after SIGCHLD */
void guard_supervise(struct guard *g, int64_t now_ms);
void guard_respawn(struct guard *g, int64_t now_ms);
void guard_beat(struct guard *g, bool orderly, int64_t now_ms); /* to the deadman */
void guard_echoes(struct guard *g, int64_t now_ms);
void guard_release_control(struct guard *g, int64_t now_ms); /* for a handover */
void guard_dismiss(struct guard *g);			     /* ends all children, in order */

/* guard_saves.c */
void guard_save(struct guard *g, int64_t now_ms); /* sends a dirty ledger */
void guard_acks(struct guard *g, int64_t now_ms);
void guard_save_lost(struct guard *g, int rc, int64_t now_ms);

/* guard_trace.c: rows for the flight recorder */
void guard_trace_open(struct guard *g, enum recorder_event first, int64_t now_ms);
void guard_note(
    struct guard *g, enum recorder_event event, int32_t arg, uint8_t detail, int64_t now_ms);
void guard_note_refused(struct guard *g, enum rule rule, uint8_t want, int64_t now_ms);
void guard_note_changes(struct guard *g, int64_t now_ms); /* of phase, mode and deadline */
void guard_note_sample(struct guard *g, int64_t now_ms);

/* guard_operator.c */
int guard_operator_open(struct guard *g);
void guard_operator(struct guard *g, int64_t now_ms);

#endif
