#include "test/simulate/site.h"

#include <errno.h>
#include <stdlib.h>

#include "node-monitor/drivers/inverter.h"
#include "common/mem.h"
#include "test/simulate/judge.h"
#include "test/simulate/report.h"
#include "test/simulate/sched.h"

enum { TICK_MS = 10, CHATTER_MS = 20, PLANT_MS = 1000, DAY_MS = 86400000, HOUR_MS = 3600000 };
enum { ANSWER_MS = 300, SILENCE_MS = 15000 };

struct site site;
static bool ticking;
static int64_t moves_ms;

void site_reset(uint64_t seed)
{
	struct plant_config plant = plant_defaults;

	site = (struct site){ .chance.state = seed };
	plant.capacity_wh = 10000;
	plant.charger_w = 10000;
	plant.soc_pct = 45;
	modio_init(&site.modio);
	engine_init(&site.engine);
	plant_init(&site.plant, &plant);
	site.reset_wired = chance_of(&site.chance, 500);
	site.sun_pct = 50;
	ticking = false;
	moves_ms = 0;
}

/* A summer's sun from six to eighteen, cut by each day's clouds; a house that cooks twice. */
static struct plant_in weather(void)
{
	int64_t at_ms = sim_ms % DAY_MS, hour = at_ms / HOUR_MS;
	int64_t from_noon = llabs(at_ms - 12 * HOUR_MS), half = 6 * HOUR_MS;
	int64_t rise = from_noon < half ? 1000 - from_noon * 1000 / half : 0;

	return (struct plant_in){
		.load_w = hour == 7 || hour == 19 ? 1400
			  : hour < 6		  ? 250
						  : 450,
		.pv_w = (int32_t)(rise * site.sun_pct / 100),
		.charger_on = site.modio.contacts & MODIO_CHARGER,
		.engine_running = site.engine.phase == ENGINE_FIRING,
	};
}

static void step_plant(bool now)
{
	int64_t dt_ms = sim_ms - site.plant_ms;

	if (dt_ms < PLANT_MS && !(now && dt_ms > 0))
		return;
	if (sim_ms / DAY_MS != site.plant_ms / DAY_MS)
		site.sun_pct = (int)chance_between(&site.chance, 20, 100);
	site.plant_ms = sim_ms;
	site.shown = plant_step(&site.plant, weather(), dt_ms);
}

static void tick(void *arg, int64_t number)
{
	ticking = false;
	site_step();
}

static void moved(void *arg, int64_t number)
{
	site_step();
}

static void keep_ticking(void)
{
	int64_t at_ms = sim_ms + TICK_MS;

	if (site.modio.moves_ms > sim_ms && site.modio.moves_ms != moves_ms) {
		moves_ms = site.modio.moves_ms;
		timer_at(moves_ms, moved, NULL, 0);
	}
	if (ticking || site_steady())
		return;
	ticking = true;
	timer_at(at_ms, tick, NULL, 0);
}

bool site_steady(void)
{
	const struct engine *e = &site.engine;
	bool runs_well = e->phase == ENGINE_FIRING && sim_ms > e->rises_ms &&
			 sim_ms > e->set.stumble_until_ms;

	return (e->phase == ENGINE_AT_REST || runs_well) && e->set.external == 0 &&
	       !(site.modio.contacts & MODIO_START) &&
	       (site.modio.contacts == site.modio.wanted || site.modio.fault.latched) &&
	       site.modio.relays == site.modio.wanted;
}

void site_step(void)
{
	uint8_t contacts = site.modio.contacts;
	enum engine_phase phase = site.engine.phase;
	uint8_t relays = site.modio.relays;

	modio_step(&site.modio, sim_ms);
	engine_step(&site.engine, site.modio.contacts & MODIO_START,
	    site.modio.contacts & MODIO_IGNITION, sim_ms);
	step_plant(contacts != site.modio.contacts || phase != site.engine.phase);
	if (relays & ~site.modio.relays & MODIO_START)
		judge_board_reset();
	if (phase != site.engine.phase)
		report_note("engine", "%s", engine_phase_name(site.engine.phase));
	if (contacts != site.modio.contacts)
		judge_contacts();
	keep_ticking();
}

void sched_moved(void)
{
	judge_flush();
	site_step();
}

bool site_bus_there(void)
{
	return sim_ms >= site.bus_gone_until_ms;
}

void site_reset_board(void)
{
	modio_reset(&site.modio, sim_ms);
	judge_board_reset();
	site_step();
}

uint8_t site_inputs(void)
{
	bool truth[4] = { site.engine.wire, site.modio.contacts & MODIO_IGNITION, false,
		site.modio.contacts & MODIO_START };
	uint8_t byte = 0;

	for (int i = 0; i < 4; i++) {
		bool level = site.wire[i] == WIRE_GOOD	     ? truth[i]
			     : site.wire[i] == WIRE_CHATTERS ? sim_ms / CHATTER_MS % 2
							     : site.wire[i] == WIRE_HIGH;

		byte |= (uint8_t)(level << i);
	}
	return byte;
}

/* The inverter, as a driver of the monitor */

int64_t site_inverter_takes_ms(void)
{
	return sim_ms < site.inverter_silent_until_ms ? SILENCE_MS : ANSWER_MS;
}

static int sim_open(struct inverter **out, const struct inverter_config *config)
{
	*out = xcalloc(1, sizeof(**out));
	(*out)->ops = &inverter_luxpower;
	return 0;
}

/* Within what each register can hold, but not what is: the driver has dropped the rest. */
static void lie(struct inverter_sample *s)
{
	s->v[INV_SOC] = chance_of(&site.chance, 300)
			    ? UNKNOWN
			    : (int32_t)chance_between(&site.chance, 0, 100);
	s->v[INV_BATTERY_VOLTAGE] = (int32_t)chance_between(&site.chance, 0, 65000);
	s->v[INV_LOAD_POWER] = (int32_t)chance_between(&site.chance, 0, 12000);
	s->v[INV_GENERATOR_PRESENT] = (int32_t)chance_between(&site.chance, 0, 1);
}

static int sim_poll(struct inverter *self, struct inverter_sample *out)
{
	if (sim_ms < site.inverter_silent_until_ms)
		return -ETIMEDOUT;
	if (sim_ms < site.inverter_lies_until_ms && chance_of(&site.chance, 400))
		return -EBADMSG;
	for (int i = 0; i < INV_NKEYS; i++)
		out->v[i] = UNKNOWN;
	out->v[INV_SOC] = site.shown.soc_pct;
	out->v[INV_BATTERY_VOLTAGE] = site.shown.battery_mv;
	out->v[INV_LOAD_POWER] = site.shown.load_w;
	out->v[INV_PV_POWER] = site.shown.pv_w;
	out->v[INV_CHARGE_POWER] = site.shown.charge_w;
	out->v[INV_DISCHARGE_POWER] = site.shown.discharge_w;
	out->v[INV_GENERATOR_PRESENT] = site.engine.phase == ENGINE_FIRING;
	if (sim_ms < site.inverter_lies_until_ms)
		lie(out);
	return 0;
}

static void sim_close(struct inverter *self)
{
	free(self);
}

/* In place of the shipped one, which would need a Modbus line. */
const struct inverter_ops inverter_luxpower = {
	.name = "luxpower",
	.open = sim_open,
	.poll = sim_poll,
	.close = sim_close,
};
