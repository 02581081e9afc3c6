/*
 * inputs - raw samples of the opto inputs to what may be believed of them.
 *
 * A sample is BAD when the transfer failed, a high bit is set, the canary answered, or all
 * inputs read zero 500 ms after ignition closed (with ign_feedback = present): zero is what a
 * wedged bus reads, so it is the one value never taken at its word. BAD energises nothing.
 * IN3 is masked out. One sample with the running input is enough to forbid or drop the
 * starter; declaring the engine running takes 500 ms, declaring it dead lost_ms.
 *
 * Source: design of the engine node; MOD-IO behaviour measured on stock firmware.
 */
#ifndef GENCTL_INPUTS_H
#define GENCTL_INPUTS_H

#include "node-genctl/engine.h"

enum sample_fault { SAMPLE_OK, SAMPLE_ERROR, SAMPLE_NOISE, SAMPLE_STUCK, SAMPLE_ZERO };

struct inputs_view {
	int64_t at_ms;
	uint8_t x;	/* last valid nibble, IN3 masked out */
	uint8_t raw;	/* this sample as read */
	uint8_t fault;	/* enum sample_fault of this sample */
	bool run;	/* this sample is valid and the running input is high */
	bool running;	/* ignition + running without starter for 500 ms */
	bool lost;	/* running input low in every valid sample for lost_ms */
	bool estop;	/* in3 = estop_nc and its contact reads open, 2 valid samples */
	int32_t bad_ms; /* since the last valid sample; 0: this one is valid */
	int32_t run_ms; /* running input in every valid sample for so long, no BAD gap > 1 s */
	int32_t still_ms;    /* neither running input nor BAD for so long; 0 at start */
	int32_t low_samples; /* valid samples in a row without the running input, at most 255 */
	int32_t alone_samples; /* valid samples in a row of ignition alone since it closed */
};

struct inputs {
	const struct engine_config *config;			/* borrowed */
	struct inputs_view view;				/* as of the last sample */
	uint8_t relays;						/* acknowledged at that time */
	int64_t valid_ms, high_ms, low_ms, still_ms, proved_ms; /* INT64_MIN: not so */
	int64_t ignition_ms;					/* its relay closed */
	int32_t in3_low;
};

void inputs_init(struct inputs *in, const struct engine_config *config, int64_t now_ms);
/* `fault`: SAMPLE_OK, _ERROR or _STUCK as the driver reported; `relays`: acknowledged byte. */
struct inputs_view inputs_step(
    struct inputs *in, uint8_t raw, enum sample_fault fault, uint8_t relays, int64_t now_ms);
/* Adoption: the engine is known to have run for `run_ms` before the first sample. */
void inputs_credit(struct inputs *in, int32_t run_ms, int64_t now_ms);

#endif
