/*
 * oracle_parts - what the files of the oracle share: its times and flags by name.
 */
#ifndef TEST_ORACLE_PARTS_H
#define TEST_ORACLE_PARTS_H

#include "test/oracle.h"

#include <assert.h>

/* clang-format off */
enum { STARTER = 1, CHARGER = 2, GLOW = 4, IGNITION = 8, RELAYS = 15 };
enum { RUNNING = 1, IGNITION_IN = 2, STARTER_IN = 8, USED = 11 }; /* inputs; IN3 is noise */
enum { SAMPLE_NONE, SAMPLE_GOOD, SAMPLE_BAD };
enum at { /* since when, unless it says at */
	VALID, BAD, HIGH, LOW,	 /* samples valid, BAD; running input high, low in each valid one */
	RAN,			 /* at the last sample with the running input */
	IGN_IN_LOW, STARTER_IN_LOW, STARTER_IN_HIGH,
	ALONE,			 /* ignition alone, since it closed */
	STARTER_ON, STARTER_OFF, CAUGHT /* running input in this pulse */,
	IGN_ON, IGN_OFF, GLOW_ON,
	CHARGER_OFF,		 /* opened in this run */
	PROVED,			 /* running by our ignition */
	STOP, ESTOP,
	LOCKOUT, RETRY, RETRY_END = RETRY + 4, /* at: retries after a lockout, newest first */
	DIED = RETRY_END, RUN_END, RAW /* byte in maintenance */, AT_N
};
enum flag {
	KNOWN = 1 << 0,	      /* the byte that stands has been told */
	ORDERED = 1 << 1,     /* a request stands */
	STOPPED = 1 << 2,     /* and was stopped; STOPPED_EARLY: before the coast */
	STOPPED_EARLY = 1 << 3,
	LATCHED = 1 << 4, OFF = 1 << 5, MAINTENANCE = 1 << 6,
	ADOPTED = 1 << 7,     /* this run */
	LOADED = 1 << 8,      /* the charger was closed in this run */
	SAGGED = 1 << 9,      /* it was opened with inputs low or BAD */
	PULSED = 1 << 10,     /* a pulse has ended in this ignition */
	SEEN = 1 << 11,	      /* starter's input, in this pulse */
	NO_FEEDBACK = 1 << 12, /* a pulse of this request ended for want of it */
	STUCK = 1 << 13,
	FRESH = 1 << 14,      /* a new process has written nothing */
	RESET = 1 << 15,      /* the board has reset */
	UNSURE = 1 << 16,     /* a write may have gone unacknowledged */
	TURNING = 1 << 17,    /* since our ignition opened */
	DIED_TWICE = 1 << 18, /* the lockout is R1's */
	IGN_SEEN = 1 << 19    /* its input, since it closed */
};
/* clang-format on */
static_assert(AT_N == ORACLE_NTIMES, "one time for each name");

uint64_t oracle_due(const struct oracle *o); /* what stands and may not any more */
uint64_t oracle_judge(const struct oracle *o, int relays); /* a change to this byte */
bool oracle_fresh_allows(const struct oracle *o, int relays);

#endif
