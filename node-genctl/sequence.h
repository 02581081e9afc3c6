/*
 * sequence - the generator's timed start and stop, as a pure state machine.
 *
 * Given the time, what the inputs say, which byte the board last acknowledged and a wish, it
 * says which byte it wants and when to ask again. A phase begins when its byte has been
 * acknowledged; without that nothing advances. It keeps every rest by itself; the interlock
 * behind it checks again.
 *
 *   OFF -RUN-> WAIT -permit-> RESET -> IGNITION -> CRANK -> ASSIST -> COAST
 *   CRANK, ASSIST, running input seen -> COAST, at once
 *   WAIT, refused or too long -> STOPPING
 *   COAST, engine proved running -> WARMUP -> STABILISE -> LOADED
 *   COAST, not running, or a pulse ended by the guard -> REST -> WAIT (attempts left) | OFF
 *   WARMUP..LOADED -STOP-> COOLDOWN -> STOPPING -> OFF; COOLDOWN -RUN-> STABILISE
 *   WARMUP..COOLDOWN, engine lost -> STOPPING
 *
 *   t = 0 is the write of 0x00 after WAIT. With the defaults and an engine that catches late:
 *   0x00@0 0x08@1.0 0x09@1.5 0x0D@11.5 0x08@13.5 check@17.5 0x0A@97.5
 *
 * Units:  ms on the caller's monotonic clock.
 * Errors: none; a wish that makes no sense in the present phase changes nothing.
 * Source: the seed document, "Generator Start Sequence", "Generator Stop Sequence".
 */
#ifndef GENCTL_SEQUENCE_H
#define GENCTL_SEQUENCE_H

#include "node-genctl/inputs.h"

enum seq_wish { SEQ_REST, SEQ_RUN }; /* what the arbiter wants now */
enum seq_permit { PERMIT_NONE, PERMIT_GRANTED, PERMIT_REFUSED };
enum seq_event {
	SEQ_NOTHING,
	SEQ_CAUGHT,	/* the engine is proved running */
	SEQ_ON_LOAD,	/* charger closed: the start has succeeded */
	SEQ_TRY_FAILED, /* an attempt failed, another follows */
	SEQ_GAVE_UP,	/* the last attempt failed or was refused; the wish is spent */
	SEQ_LOST,	/* a running engine died */
	SEQ_STOPPED	/* proved at rest after a stop */
};

struct sequence {
	const struct engine_config *config; /* borrowed */
	enum phase phase;
	int64_t since_ms; /* when its byte was acknowledged */
	int64_t starter_off_ms, charger_off_ms;
	uint32_t acks;	  /* as of the transition into this phase */
	uint8_t attempt;  /* of this request, 1.. */
	uint8_t attempts; /* allowed in this request */
	uint8_t acked;	  /* as of the last step */
	bool entered;	  /* the phase's byte has been acknowledged */
	bool sagged;	  /* the charger opened without being asked to */
};

struct seq_in {
	const struct inputs_view *in;
	uint8_t acked; /* last byte the board acknowledged, whoever asked for it */
	uint32_t acks; /* writes of ours that the board acknowledged, counted */
	bool refused;  /* our last write was refused or failed: no answer to it will come */
	enum seq_wish wish;
	enum seq_permit permit; /* the guard's answer for the present attempt */
	uint8_t attempts;	/* for a request that begins now */
	bool no_load; /* stay in STABILISE: an adopted run that nobody asks for anew */
};

struct seq_out {
	uint8_t relays;	 /* wanted now */
	bool write;	 /* ask for it to be written: it has not been acknowledged yet */
	bool begin;	 /* ask the guard for a permit: this attempt is ready to go */
	int64_t wake_ms; /* step again no later than this; INT64_MAX: on an event */
	enum seq_event event;
};

void seq_init(struct sequence *s, const struct engine_config *config, int64_t now_ms);
/* Takes on what runs: a control process restarted, or the node after an adoption. */
void seq_adopt(struct sequence *s, enum phase phase, int64_t since_ms, uint8_t acked);
/* Makes at most one transition. */
struct seq_out seq_step(struct sequence *s, const struct seq_in *in, int64_t now_ms);
/* When the present phase ends by time; INT64_MAX: by an event. */
int64_t seq_ends_ms(const struct sequence *s);
/* What follows if all goes well. */
enum phase seq_next(const struct sequence *s);
const char *phase_name(enum phase phase); /* "cool-down", for logs and people */

#endif
