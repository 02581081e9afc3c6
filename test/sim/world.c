#include "test/sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CHATTER_MS = 20 };

void world_init(struct world *w, int64_t now_ms)
{
	*w = (struct world){ .trace.fd = -1 };
	engine_init(&w->engine);
	modio_init(&w->modio);
	plant_init(&w->plant, &plant_defaults);
	wire_device_init(&w->inverter);
	regs_holding(&w->inverter.holding);
	w->load_w = w->pv_w = WORLD_FOLLOW;
	w->pv_pct = 100;
	w->charger_w = plant_defaults.charger_w;
	w->start_ms = w->now_ms = now_ms;
	w->time_scale = w->speed = 1;
}

int64_t world_engine_ms(const struct world *w)
{
	return (w->now_ms - w->start_ms) * w->time_scale;
}

static bool input_level(const struct world *w, int i, bool truth)
{
	switch (w->input[i]) {
	case INPUT_LOW:
		return false;
	case INPUT_HIGH:
		return true;
	case INPUT_CHATTER:
		return w->now_ms / CHATTER_MS % 2;
	case INPUT_AUTO:
		break;
	}
	return truth;
}

uint8_t world_inputs(const struct world *w)
{
	bool truth[4] = { w->engine.wire, w->modio.contacts & MODIO_IGNITION, false,
		w->modio.contacts & MODIO_START };
	uint8_t byte = 0;

	for (int i = 0; i < 4; i++)
		if (input_level(w, i, truth[i]))
			byte |= (uint8_t)(1 << i);
	return byte;
}

bool world_moving(const struct world *w)
{
	return w->modio.contacts || w->modio.relays || w->engine.phase != ENGINE_AT_REST;
}

static void note(struct world *w, const char *event)
{
	struct trace_row row = {
		.acked = w->modio.acked,
		.contacts = w->modio.contacts,
		.inputs = modio_readable(&w->modio, w->now_ms)
			      ? world_inputs(w) | (uint8_t)w->modio.fault.noise
			      : TRACE_BAD,
	};
	int rc = trace_note(&w->trace, row, event, w->now_ms);

	if (rc < 0)
		w->error = rc;
}

void world_event(struct world *w, const char *text)
{
	char event[160];

	snprintf(event, sizeof(event), "%s", text);
	for (char *c = event; *c; c++)
		if (*c == ',' || *c == '\n')
			*c = ';';
	note(w, event);
}

static void step_engine(struct world *w)
{
	enum engine_phase before = w->engine.phase;

	engine_step(&w->engine, w->modio.contacts & MODIO_START,
	    w->modio.contacts & MODIO_IGNITION, world_engine_ms(w));
	if (w->engine.phase != before)
		world_event(w, engine_phase_name(w->engine.phase));
}

static void step_plant(struct world *w, int64_t dt_ms)
{
	struct profile_row row = { 0 };
	struct plant_in in = { .charger_on = w->modio.contacts & MODIO_CHARGER,
		.engine_running = w->engine.phase == ENGINE_FIRING };

	if (w->profile.n)
		row = profile_at(&w->profile, w->plant_ms);
	in.load_w = w->load_w == WORLD_FOLLOW ? row.load_w : (int32_t)w->load_w;
	in.pv_w =
	    w->pv_w == WORLD_FOLLOW ? (int32_t)(row.pv_w * w->pv_pct / 100) : (int32_t)w->pv_w;
	w->plant.config.charger_w = (int32_t)w->charger_w;
	w->plant_ms += dt_ms * w->speed;
	w->shown = plant_step(&w->plant, in, dt_ms * w->speed);
	if (!w->recorded.n)
		regs_from_plant(&w->inverter.input, &w->plant, &w->shown, w->engine.wire);
}

void world_step(struct world *w, int64_t now_ms)
{
	int64_t dt_ms = now_ms - w->now_ms;

	w->now_ms = now_ms;
	modio_step(&w->modio, now_ms);
	step_engine(w);
	if (dt_ms > 0)
		step_plant(w, dt_ms);
	note(w, NULL);
}

void world_show_recorded(struct world *w, size_t scan)
{
	w->scan = scan % w->recorded.n;
	w->inverter.input = w->recorded.scans[w->scan];
	w->inverter.holding = w->recorded.holding;
}

void world_board(struct world *w, const char *packet, char answer[static 8])
{
	modio_packet(&w->modio, packet, world_inputs(w), w->now_ms, answer);
	/* A write of the byte that stands is a row too: it may be t = 0 of a timing table. */
	note(w, *packet == 'W' && *answer == 'A' ? "write" : NULL);
}

void world_state(const struct world *w, char *out, size_t size)
{
	const struct plant_out *s = &w->shown;

	snprintf(out, size,
	    "{\"t_ms\":%" PRId64 ",\"acked\":%d,\"relays\":%d,\"contacts\":%d,\"inputs\":%d,"
	    "\"readable\":%s,\"engine\":\"%s\",\"running\":%s,\"cranked_ms\":%" PRId64
	    ",\"ground_ms\":%" PRId64 ",\"soc_pct\":%d,\"soc_mpct\":%d,\"battery_mv\":%d,"
	    "\"load_w\":%d,\"pv_w\":%d,\"charge_w\":%d,\"discharge_w\":%d,\"charger_w\":%d,"
	    "\"fuel_ml\":%" PRId64 ",\"run_ms\":%" PRId64 ",\"plant_ms\":%" PRId64
	    ",\"inverter\":\"%s\",\"requests\":%" PRId64 ",\"early\":%" PRId64
	    ",\"scan\":%zu,\"scans\":%zu}",
	    w->now_ms - w->start_ms, w->modio.acked, w->modio.relays, w->modio.contacts,
	    world_inputs(w), modio_readable(&w->modio, w->now_ms) ? "true" : "false",
	    engine_phase_name(w->engine.phase), w->engine.wire ? "true" : "false",
	    w->engine.cranked_ms, w->engine.ground_ms, s->soc_pct, s->soc_mpct, s->battery_mv,
	    s->load_w, s->pv_w, s->charge_w, s->discharge_w, s->charger_w,
	    plant_fuel_ml(&w->plant), w->plant.run_ms, w->plant_ms,
	    wire_mode_names[w->inverter.mode], w->inverter.requests, w->inverter.early, w->scan,
	    w->recorded.n);
}
