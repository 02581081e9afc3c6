#include "test/sim/engine.h"

enum { SPUTTER_MS = 400 };

void engine_init(struct engine *e)
{
	*e = (struct engine){
		.set = { .cold_catch_ms = 2500,
		    .hot_catch_ms = 1200,
		    .hot_ms = 30 * 60000,
		    .rise_ms = 300,
		    .run_on_ms = 2000 },
	};
}

const char *engine_phase_name(enum engine_phase phase)
{
	static const char *const names[] = { "at rest", "cranking", "firing", "rundown" };

	return names[phase];
}

static void enter(struct engine *e, enum engine_phase phase, int64_t now_ms)
{
	e->phase = phase;
	e->since_ms = now_ms;
}

static void catches(struct engine *e, int64_t now_ms)
{
	enter(e, ENGINE_FIRING, now_ms);
	e->rises_ms = now_ms + e->set.rise_ms;
	e->has_run = true;
}

static bool hot(const struct engine *e, int64_t now_ms)
{
	return e->has_run && now_ms - e->stopped_ms < e->set.hot_ms;
}

static void crank(struct engine *e, bool ignition, int64_t dt_ms, int64_t now_ms)
{
	int64_t needed_ms = hot(e, now_ms) ? e->set.hot_catch_ms : e->set.cold_catch_ms;

	if (e->phase == ENGINE_AT_REST) {
		enter(e, ENGINE_CRANKING, now_ms);
		e->cranked_ms = 0;
		return;
	}
	if (ignition && !e->set.fuel_out && !e->set.stuck)
		e->cranked_ms += dt_ms;
	if (e->cranked_ms >= needed_ms && e->cranked_ms > 0)
		catches(e, now_ms);
}

static void turn(struct engine *e, bool starter, bool ignition, int64_t dt_ms, int64_t now_ms)
{
	bool kept = e->set.external || (ignition && !e->set.fuel_out);

	switch (e->phase) {
	case ENGINE_AT_REST:
	case ENGINE_CRANKING:
		if (e->set.external)
			catches(e, now_ms);
		else if (starter)
			crank(e, ignition, dt_ms, now_ms);
		else if (e->phase == ENGINE_CRANKING)
			enter(e, ENGINE_AT_REST, now_ms);
		break;
	case ENGINE_FIRING:
		if (!kept)
			enter(e, ENGINE_RUNDOWN, now_ms);
		break;
	case ENGINE_RUNDOWN:
		if (kept) {
			enter(e, ENGINE_FIRING, now_ms);
		} else if (now_ms - e->since_ms >= e->set.run_on_ms) {
			enter(e, ENGINE_AT_REST, now_ms);
			e->stopped_ms = now_ms;
		}
		break;
	}
}

static bool running_wire(const struct engine *e, bool ignition, int64_t now_ms)
{
	if (now_ms < e->rises_ms || now_ms < e->set.stumble_until_ms)
		return false;
	if (e->phase == ENGINE_RUNDOWN && ignition) /* so it is out of fuel */
		return (now_ms - e->since_ms) / SPUTTER_MS % 2;
	return e->phase == ENGINE_FIRING || e->phase == ENGINE_RUNDOWN;
}

bool engine_step(struct engine *e, bool starter, bool ignition, int64_t now_ms)
{
	int64_t dt_ms = now_ms - e->last_ms;

	e->last_ms = now_ms;
	if (starter && e->wire)
		e->ground_ms += dt_ms;
	turn(e, starter, ignition, dt_ms, now_ms);
	e->wire = running_wire(e, ignition, now_ms);
	return e->wire;
}
