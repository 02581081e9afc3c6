/*
 * interlock - the last gate before the relays, and the guard's own safe way down.
 *
 * The sequence proposes, the interlock disposes: gate() answers whether a byte may be written
 * now, whoever asks; watch() is called with every sample and says which byte must be written at
 * once, asked or not. Every ambiguity resolves to starter open, charger open.
 *
 *   a start   begin() -> the ledger is saved -> permit() -> one starter pulse
 *   the end   descend(): 0x08 for the cool-down, then 0x00; nothing else is let through
 *
 * Pure: no I/O, no clock, no allocation. `dirty` asks the guard to save the ledger.
 * Errors: none; an answer names the rule or the reason.
 */
#ifndef GENCTL_INTERLOCK_H
#define GENCTL_INTERLOCK_H

#include "node-genctl/alarm.h"
#include "node-genctl/inputs.h"
#include "node-genctl/ledger.h"

/* clang-format off */
enum rule { /* ids and sentences: rule_info[] */
	RULE_NONE, RULE_S1, RULE_S2, RULE_S3, RULE_S4, RULE_S5, RULE_S6, RULE_S7, RULE_S8, RULE_S9,
	RULE_F1, RULE_F2, RULE_F3, RULE_G1, RULE_C1, RULE_C2, RULE_C3, RULE_C4,
	RULE_R1, RULE_R2, RULE_R3, RULE_R4, RULE_R5, RULE_P1, RULE_P2,
	RULE_L1, RULE_L2, RULE_L3, RULE_T1, RULE_M1, RULE_I1, RULE_I2, RULE_I3, RULE_I4, RULE_N
};
enum begin {
	BEGIN_OK, BEGIN_LATCHED, BEGIN_MODE, BEGIN_REST, BEGIN_EXTERNAL, BEGIN_FAULT, BEGIN_BUSY,
	BEGIN_STALE, BEGIN_NOBODY
};
enum start_by { BY_NOBODY, BY_OPERATOR, BY_MONITOR };
/* clang-format on */

struct start { /* an attempt, as control asks for it */
	bool first;	/* of its request */
	uint8_t by;	/* enum start_by: who ordered it */
	int32_t age_ms; /* of the order when it was accepted */
};

struct interlock;
struct verdict {
	bool write;
	uint8_t relays;	  /* to be written now when `write` */
	enum alarm alarm; /* newly raised, to be told; ALARM_N: none */
	enum rule rule;	  /* that demands it */
};

/* The rule book: every invariant once. Gate, guard and audit know no other rules. A check that
 * is NULL has nothing to say at that place. */
struct rule_info {
	const char *id, *text;
	/* Whether `want`, written now, would break it. */
	bool (*gate)(const struct interlock *k, uint8_t want, int64_t now_ms);
	/* What it demands to be written, or told, now. */
	struct verdict (*watch)(struct interlock *k, int64_t now_ms);
	/* Why it forbids this attempt. */
	enum begin (*begin)(const struct interlock *k, const struct start *s, int64_t now_ms);
};
extern const struct rule_info rule_info[RULE_N];
/* The order in which they are asked: the weightiest answer first; RULE_NONE ends a list. */
extern const enum rule rules_gate[], rules_watch[], rules_begin[];

struct interlock {
	const struct engine_config *config; /* borrowed */
	struct ledger ledger;
	struct inputs_view in; /* the last sample */
	uint8_t relays;	       /* last acknowledged byte */
	bool known;	       /* false: the last write was not acknowledged */
	bool live;	       /* a byte of ours was acknowledged since the start */
	bool permit;	       /* one starter pulse is allowed */
	bool ready;	       /* deadman and saver stand behind us (S9): set by the guard */
	bool descending, dirty;
	bool starter_seen; /* its input was high in this pulse */
	bool proved;	   /* the engine was running since ignition closed */
	bool stopping;	   /* ignition opened on a turning engine, not yet at rest */
	bool sagged;	   /* the charger was opened by us, not by request (C4) */
	bool suspect;	   /* a write since may have been lost on a stuck bus */
	uint8_t seen_mode;
	uint8_t absent;	 /* samples in a row without starter or ignition input */
	uint32_t alarms; /* standing now; latched ones are in the ledger */
	int64_t starter_on_ms, starter_off_ms, charger_off_ms, ignition_on_ms, ignition_off_ms;
	int64_t glow_on_ms, descend_ms, stuck_ms, orphan_ms, raw_ms, mode_ms;
};

/* `ledger`: as loaded and rebased. The relays are taken as unknown until acked() is told. */
void interlock_init(struct interlock *k, const struct engine_config *config,
    const struct ledger *ledger, int64_t now_ms);
/* May this attempt be opened? Charges it to the ledger if so. */
enum begin interlock_begin(struct interlock *k, const struct start *start, int64_t now_ms);
/* When the rests between runs allow a first attempt; now_ms or earlier: at once. */
int64_t interlock_ready_ms(const struct interlock *k);
void interlock_permit(struct interlock *k); /* the ledger is safe on disk: it may crank */
void interlock_drop_permit(struct interlock *k);
enum rule interlock_gate(const struct interlock *k, uint8_t want, int64_t now_ms);
void interlock_acked(struct interlock *k, uint8_t relays, int64_t now_ms);
void interlock_unacked(struct interlock *k); /* a write failed for good: output unknown */
struct verdict interlock_watch(
    struct interlock *k, const struct inputs_view *in, int64_t now_ms);

void interlock_descend(struct interlock *k, enum alarm why, int64_t now_ms);
/* Control has gone or is back: starter open at once, after 60 s the way down. */
void interlock_orphan(struct interlock *k, bool gone, int64_t now_ms);
/* Until when the engine may run, at most max_run from its start. */
void interlock_deadline(struct interlock *k, int64_t deadline_ms);
void interlock_raise(struct interlock *k, enum alarm alarm);
void interlock_lower(struct interlock *k, enum alarm alarm);
/* Modes as control may set them. -EPERM: needs the operator's socket or a stopped engine. */
int interlock_mode(struct interlock *k, enum mode mode);
void interlock_estop(struct interlock *k);
/* The operator's clear: 0 and, if anything was latched, mode OFF; or the alarm (> 0) whose
 * cause is still present. */
int interlock_clear(struct interlock *k);
/* The ledger says that an engine was ours, and nothing forbids to take it on. */
bool interlock_had_run(const struct interlock *k);
/* A running engine that was ours (engine-node: Unplanned restart). Inputs prove it. */
bool interlock_may_adopt(const struct interlock *k);
void interlock_adopt(struct interlock *k, int64_t now_ms);

#endif
