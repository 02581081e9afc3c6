/*
 * diagnosis - what the inputs must read in each phase of a run, and whether they did.
 *
 *   baseline  ignition  crank  crank with glow  coast  check  warm-up  charger  off
 *   0         2         10|11  10|11            2|3    3      3        3        0
 *
 * Fed with every sample of one whole run, from rest to rest; IN3 is ignored. Pure.
 *
 * Source: the nine phases of the original's diagnose_inputs; the seed document, "Status Byte
 * Values".
 */
#ifndef GENCTL_DIAGNOSIS_H
#define GENCTL_DIAGNOSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "node-genctl/engine.h"

enum diag_step {
	DIAG_BASELINE,
	DIAG_IGNITION,
	DIAG_CRANK,
	DIAG_GLOW,
	DIAG_COAST,
	DIAG_CHECK,
	DIAG_WARMUP,
	DIAG_CHARGER,
	DIAG_OFF,
	DIAG_N
};
enum diag_verdict { DIAG_PASS, DIAG_FAIL, DIAG_UNSEEN, DIAG_NOT_NEEDED };

struct diag_info {
	const char *name, *expected;
	uint16_t must, may; /* bit n: the inputs read n; one of `must`, none beyond `may` */
	bool skippable;	    /* an engine that catches early needs no such phase */
};
extern const struct diag_info diag_info[DIAG_N];

struct diagnosis {
	uint16_t seen[DIAG_N];
	bool started; /* ignition was seen closed in this run */
	enum phase phase;
};

void diag_note(struct diagnosis *d, enum phase phase, uint8_t inputs);
enum diag_verdict diag_verdict(const struct diagnosis *d, enum diag_step step);
bool diag_passed(const struct diagnosis *d);

#endif
