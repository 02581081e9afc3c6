#include "node-monitor/policy/engine.h"

enum { STALE_MS = 15000 };

bool engine_known(const struct engine_truth *e)
{
	return e->link && e->age_ms <= STALE_MS;
}

bool engine_up(enum engine_phase phase)
{
	return (phase >= ENGINE_WAIT && phase <= ENGINE_LOADED) || phase == ENGINE_REST;
}

bool engine_ending(enum engine_phase phase)
{
	return phase == ENGINE_COOLDOWN || phase == ENGINE_STOPPING;
}

const char *autostart_state_word(const struct engine_truth *e)
{
	/* clang-format off */
	static const char *const words[ENGINE_NPHASES] = {
		[ENGINE_OFF] = "IDLE",           [ENGINE_WAIT] = "STARTING",
		[ENGINE_RESET] = "STARTING",     [ENGINE_IGNITION] = "STARTING",
		[ENGINE_CRANK] = "STARTING",     [ENGINE_ASSIST] = "STARTING",
		[ENGINE_COAST] = "STARTING",     [ENGINE_WARMUP] = "STARTING",
		[ENGINE_STABILISE] = "STARTING", [ENGINE_LOADED] = "RUNNING",
		[ENGINE_COOLDOWN] = "STOPPING",  [ENGINE_REST] = "STARTING",
		[ENGINE_LOCKOUT] = "ERROR",      [ENGINE_EXTERNAL] = "RUNNING",
		[ENGINE_STOPPING] = "STOPPING",  [ENGINE_MAINTENANCE] = "IDLE",
		[ENGINE_FAULT] = "ERROR",
	};
	/* clang-format on */

	if (!engine_known(e) || (unsigned)e->phase >= ENGINE_NPHASES)
		return "ERROR";
	if (e->phase == ENGINE_LOCKOUT && e->lockout_left_s > 0)
		return "ERROR_RECOVERY";
	return words[e->phase];
}
