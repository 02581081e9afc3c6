/*
 * ledger - what the guard must remember over a crash, a restart or a power cut.
 *
 * A copyable value; the saver keeps it in two preallocated slots of LEDGER_SLOT bytes, each
 * with magic, version, sequence number, the kernel's boot id and a CRC. Times are of one
 * kernel's monotonic clock: under another boot id every age counts as 0, so that all rests
 * and windows begin anew in full.
 *
 * Errors: ledger_decode: -EBADMSG for a slot that is torn, foreign, of another version or holds
 * what no ledger can: a mode that is none, a time that no clock shows.
 */
#ifndef GENCTL_LEDGER_H
#define GENCTL_LEDGER_H

#include <stddef.h>

#include "node-genctl/engine.h"

enum {
	LEDGER_SLOT = 512,
	LEDGER_PULSES = 8,
	LEDGER_STARTS = 8,
	LEDGER_RETRIES = 4,
	BOOT_ID_LEN = 36
};
#define NEVER INT64_MIN

struct pulse {
	int64_t from_ms;
	int32_t ms; /* while open: charged in full beforehand */
};

struct ledger {
	uint8_t mode;	  /* enum mode; MODE_OPERATOR_RUN without a run loads as AUTO */
	uint8_t held;	  /* 1: we held ignition of a running engine (WARMUP..COOLDOWN) */
	uint8_t warm;	  /* of that run: warm-up is done */
	uint8_t charged;  /* of that run: the charger was closed */
	uint8_t failed;	  /* crank attempts that failed in a row */
	uint32_t latches; /* bit per enum alarm */
	int64_t run_from_ms, deadline_ms;   /* of that run */
	int64_t stopped_ms;		    /* end of the last run */
	int64_t unexpected_ms;		    /* last unexpected stop */
	int64_t lockout_ms;		    /* FAIL_TO_START latched at */
	int64_t crank_ms;		    /* starter last opened (or may have been) */
	int64_t inhibit_ms;		    /* no automatic start before (after max_run) */
	int64_t starts[LEDGER_STARTS];	    /* accepted requests, newest first; NEVER: none */
	int64_t retries[LEDGER_RETRIES];    /* automatic ends of a lockout, newest first */
	struct pulse pulses[LEDGER_PULSES]; /* newest first */
	uint32_t request, total_starts, total_run_s;
};

void ledger_init(struct ledger *l); /* nothing known: NEVER everywhere, MODE_AUTO */
/* Loaded under another boot id: every time that is set becomes now_ms; an inhibition keeps
 * what was left of it when the last run ended. */
void ledger_rebase(struct ledger *l, int64_t now_ms);
void ledger_encode(const struct ledger *l, uint32_t seq, const char boot_id[static BOOT_ID_LEN],
    uint8_t slot[static LEDGER_SLOT]);
int ledger_decode(const uint8_t slot[static LEDGER_SLOT], struct ledger *l, uint32_t *seq,
    char boot_id[static BOOT_ID_LEN + 1]);

#endif
