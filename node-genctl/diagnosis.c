#include "node-genctl/diagnosis.h"

enum {
	X_OFF = 1 << 0,
	X_RUN_ON = 1 << 1, /* ignition open, the engine still turns */
	X_IGNITION = 1 << 2,
	X_RUNNING = 1 << 3,
	X_CRANKING = 1 << 10,
	X_CATCHING = 1 << 11,
	X_STARTER = X_CRANKING | X_CATCHING,
	X_HELD = X_IGNITION | X_RUNNING
};

/* clang-format off */
const struct diag_info diag_info[DIAG_N] = {
	[DIAG_BASELINE] = { "baseline",        "0",        X_OFF,      X_OFF,               false },
	[DIAG_IGNITION] = { "ignition",        "2",        X_IGNITION, X_OFF | X_IGNITION,  false },
	[DIAG_CRANK]    = { "crank",           "10 or 11", X_STARTER,  X_STARTER | X_HELD,  false },
	[DIAG_GLOW]     = { "crank with glow", "10 or 11", X_STARTER,  X_STARTER | X_HELD,  true },
	[DIAG_COAST]    = { "coast",           "2 or 3",   X_HELD,     X_STARTER | X_HELD,  false },
	[DIAG_CHECK]    = { "running check",   "3",        X_RUNNING,  X_RUNNING,           false },
	[DIAG_WARMUP]   = { "warm-up",         "3",        X_RUNNING,  X_RUNNING,           false },
	[DIAG_CHARGER]  = { "charger",         "3",        X_RUNNING,  X_RUNNING,           false },
	[DIAG_OFF]      = { "off",             "0",        X_OFF,      X_OFF | X_RUN_ON | X_HELD,
			    false },
};
/* clang-format on */

static enum diag_step step_of(const struct diagnosis *d, enum phase phase)
{
	switch (phase) {
	case PHASE_IGNITION:
		return DIAG_IGNITION;
	case PHASE_CRANK:
		return DIAG_CRANK;
	case PHASE_ASSIST:
		return DIAG_GLOW;
	case PHASE_COAST:
		return DIAG_COAST;
	case PHASE_WARMUP:
		return d->phase == PHASE_COAST ? DIAG_CHECK : DIAG_WARMUP;
	case PHASE_STABILISE:
		return DIAG_WARMUP;
	case PHASE_LOADED:
		return DIAG_CHARGER;
	default:
		return d->started ? DIAG_OFF : DIAG_BASELINE;
	}
}

void diag_note(struct diagnosis *d, enum phase phase, uint8_t inputs)
{
	enum diag_step step = step_of(d, phase);

	if (step > DIAG_BASELINE)
		d->started = true;
	d->seen[step] |= (uint16_t)(1u << (inputs & 0x0f & ~INPUT_IN3));
	d->phase = phase;
}

enum diag_verdict diag_verdict(const struct diagnosis *d, enum diag_step step)
{
	const struct diag_info *info = &diag_info[step];

	if (!d->seen[step])
		return info->skippable ? DIAG_NOT_NEEDED : DIAG_UNSEEN;
	if (!(d->seen[step] & info->must) || (d->seen[step] & ~info->may))
		return DIAG_FAIL;
	return DIAG_PASS;
}

bool diag_passed(const struct diagnosis *d)
{
	for (enum diag_step i = 0; i < DIAG_N; i++) {
		enum diag_verdict v = diag_verdict(d, i);

		if (v == DIAG_FAIL || v == DIAG_UNSEEN)
			return false;
	}
	return true;
}
