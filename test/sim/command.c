#include "test/sim/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test/sim/world.h"

enum { MAX_WORDS = 4 };

enum kind { VALUE, SWITCH, FOR_MS, ACTION };

struct command {
	const char *word, *values;
	enum kind kind;
	size_t offset; /* of an int64_t in struct world */
	int64_t min, max;
	int (*act)(struct world *w, int argc, char **argv, char *reply);
	const char *help;
};

static int number(const char *text, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 0);
	if (end == text || *end || errno || v < min || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

static int set_soc(struct world *w, int argc, char **argv, char *reply)
{
	int64_t pct;

	if (argc != 2 || number(argv[1], 0, 100, &pct) < 0)
		return -EINVAL;
	plant_set_soc(&w->plant, (int32_t)pct * 1000);
	return 0;
}

static int set_capacity(struct world *w, int argc, char **argv, char *reply)
{
	int32_t soc_mpct = plant_soc_mpct(&w->plant);
	int64_t wh;

	if (argc != 2 || number(argv[1], 100, 10000000, &wh) < 0)
		return -EINVAL;
	w->plant.config.capacity_wh = (int32_t)wh;
	plant_set_soc(&w->plant, soc_mpct);
	return 0;
}

static int set_catch(struct world *w, int argc, char **argv, char *reply)
{
	int64_t cold_ms, hot_ms;

	if (argc < 2 || argc > 3 || number(argv[1], 0, 3600000, &cold_ms) < 0 ||
	    number(argv[argc - 1], 0, 3600000, &hot_ms) < 0)
		return -EINVAL;
	w->engine.set.cold_catch_ms = cold_ms;
	w->engine.set.hot_catch_ms = hot_ms;
	return 0;
}

static int stumble(struct world *w, int argc, char **argv, char *reply)
{
	int64_t ms;

	if (argc != 2 || number(argv[1], 0, 3600000, &ms) < 0)
		return -EINVAL;
	w->engine.set.stumble_until_ms = world_engine_ms(w) + ms;
	return 0;
}

static int reset_board(struct world *w, int argc, char **argv, char *reply)
{
	modio_reset(&w->modio, w->now_ms);
	return 0;
}

static int set_input(struct world *w, int argc, char **argv, char *reply)
{
	static const char *const words[] = { "auto", "0", "1", "chatter" };
	int64_t n;

	if (argc != 3 || number(argv[1], 1, 4, &n) < 0)
		return -EINVAL;
	for (int i = 0; i < 4; i++) {
		if (strcmp(argv[2], words[i]) != 0)
			continue;
		w->input[n - 1] = (enum world_input)i;
		return 0;
	}
	return -EINVAL;
}

static int set_inverter(struct world *w, int argc, char **argv, char *reply)
{
	for (int i = 0; argc == 2 && i < WIRE_NMODES; i++) {
		if (strcmp(argv[1], wire_mode_names[i]) != 0)
			continue;
		w->inverter.mode = (enum wire_mode)i;
		return 0;
	}
	return -EINVAL;
}

static int set_recorded(struct world *w, int argc, char **argv, char *reply)
{
	int64_t scan = (int64_t)w->scan + 1;

	if (!w->recorded.n || argc != 2 ||
	    (strcmp(argv[1], "next") != 0 &&
		number(argv[1], 0, (int64_t)w->recorded.n - 1, &scan) < 0))
		return -EINVAL;
	world_show_recorded(w, (size_t)scan);
	return 0;
}

static int show_state(struct world *w, int argc, char **argv, char *reply)
{
	world_state(w, reply, EP_REPLY);
	return 0;
}

static int quit(struct world *w, int argc, char **argv, char *reply)
{
	w->quit = true;
	return 0;
}

#define AT(member) offsetof(struct world, member)
#define DAY_MS 86400000

static const struct command commands[] = {
	{ "soc", "PCT", ACTION, 0, 0, 0, set_soc, "battery's charge" },
	{ "capacity", "WH", ACTION, 0, 0, 0, set_capacity, "battery's size" },
	{ "load", "W", VALUE, AT(load_w), -1, 1000000, NULL, "house; -1: as the profile" },
	{ "pv", "W", VALUE, AT(pv_w), -1, 1000000, NULL, "sun; -1: as the profile" },
	{ "pv-pct", "PCT", VALUE, AT(pv_pct), 0, 10000, NULL, "of the profile's sun" },
	{ "profile-at", "MS", VALUE, AT(plant_ms), 0, INT64_MAX / 2, NULL, "go there in it" },
	{ "charger", "W", VALUE, AT(charger_w), 0, 1000000, NULL, "power of the charger" },
	{ "catch", "MS [HOT]", ACTION, 0, 0, 0, set_catch, "cranking until it fires" },
	{ "rise", "MS", VALUE, AT(engine.set.rise_ms), 0, DAY_MS, NULL,
	    "from firing to the running wire" },
	{ "run-on", "MS", VALUE, AT(engine.set.run_on_ms), 0, DAY_MS, NULL,
	    "turns on after ignition off or fuel out" },
	{ "stuck", "on|off", SWITCH, AT(engine.set.stuck), 0, 1, NULL, "turns, never fires" },
	{ "fuel-out", "on|off", SWITCH, AT(engine.set.fuel_out), 0, 1, NULL, "tank is empty" },
	{ "external", "on|off", SWITCH, AT(engine.set.external), 0, 1, NULL,
	    "somebody else runs the engine" },
	{ "stumble", "MS", ACTION, 0, 0, 0, stumble, "running wire low for so long" },
	{ "weld", "on|off", SWITCH, AT(modio.fault.welded), 0, 1, NULL,
	    "a closed starter contact stays closed" },
	{ "latch", "on|off", SWITCH, AT(modio.fault.latched), 0, 1, NULL,
	    "writes are acknowledged, contacts do not move" },
	{ "brownout", "MS", VALUE, AT(modio.fault.brownout_ms), 0, DAY_MS, NULL,
	    "board resets so long into each crank; 0: never" },
	{ "reset", "", ACTION, 0, 0, 0, reset_board, "board loses power, all relays open" },
	{ "nak", "N", VALUE, AT(modio.fault.nak_next), 0, 1000000, NULL,
	    "the next N transactions fail" },
	{ "nak-for", "MS|on|off", FOR_MS, AT(modio.fault.nak_until_ms), 0, DAY_MS, NULL,
	    "every transaction fails" },
	{ "stuck-bus", "MS|on|off", FOR_MS, AT(modio.fault.stuck_until_ms), 0, DAY_MS, NULL,
	    "every address ACKs, reads 0x00, writes are lost" },
	{ "zero", "MS|on|off", FOR_MS, AT(modio.fault.zero_until_ms), 0, DAY_MS, NULL,
	    "reads answer 0x00" },
	{ "noise", "BITS", VALUE, AT(modio.fault.noise), 0, 255, NULL,
	    "set in each inputs byte, say 0x80" },
	{ "latency", "MS", VALUE, AT(latency_ms), 0, 60000, NULL, "of each board answer" },
	{ "in", "N auto|0|1|chatter", ACTION, 0, 0, 0, set_input, "force input N (1 to 4)" },
	{ "inverter", "MODE", ACTION, 0, 0, 0, set_inverter, WIRE_MODES },
	{ "poll-ms", "MS", VALUE, AT(inverter.poll_ms), 0, 60000, NULL,
	    "same block sooner: no answer" },
	{ "delay-ms", "MS", VALUE, AT(inverter.delay_ms), 0, 60000, NULL,
	    "of a late answer, or of each byte that dribbles" },
	{ "idle-ms", "MS", VALUE, AT(inverter.idle_ms), 0, DAY_MS, NULL,
	    "lost-first: pause after which a request is lost" },
	{ "recorded", "next|N", ACTION, 0, 0, 0, set_recorded, "show this recorded scan" },
	{ "state", "", ACTION, 0, 0, 0, show_state, "one line of JSON" },
	{ "quit", "", ACTION, 0, 0, 0, quit, "end the simulator" },
};

enum { NCOMMANDS = sizeof(commands) / sizeof(*commands) };

void command_help(FILE *to)
{
	for (int i = 0; i < NCOMMANDS; i++) {
		const struct command *c = &commands[i];
		int n = fprintf(to, "  %s %s", c->word, c->values);

		fprintf(to, "%*s%s\n", n < 28 ? 28 - n : 1, "", c->help);
	}
}

static int store(struct world *w, const struct command *c, int argc, char **argv)
{
	int64_t *to = (int64_t *)(void *)((char *)w + c->offset), v;
	bool on = argc == 2 && !strcmp(argv[1], "on"),
	     off = argc == 2 && !strcmp(argv[1], "off");

	if (c->kind != VALUE && (on || off)) {
		*to = on ? (c->kind == FOR_MS ? INT64_MAX : 1) : 0;
		return 0;
	}
	if (argc != 2 || number(argv[1], c->min, c->max, &v) < 0)
		return -EINVAL;
	*to = c->kind == FOR_MS ? w->now_ms + v : v;
	return 0;
}

static const struct command *find(const char *word)
{
	for (int i = 0; i < NCOMMANDS; i++)
		if (!strcmp(word, commands[i].word))
			return &commands[i];
	return NULL;
}

static void complain(const struct command *c, const char *word, char *reply)
{
	if (c)
		snprintf(reply, EP_REPLY, "error: write it as: %s %s", c->word, c->values);
	else
		snprintf(reply, EP_REPLY,
		    "error: no command '%.20s'; sitesim --help lists them", word);
}

void command_run(struct world *w, char *words, char reply[static EP_REPLY])
{
	char *argv[MAX_WORDS + 1] = { "" }, *rest = words, event[96];
	const struct command *c;
	int argc = 0, rc;

	snprintf(event, sizeof(event), "cmd %.80s", words);
	for (char *word; argc <= MAX_WORDS && (word = strsep(&rest, " \t")) != NULL;)
		if (*word)
			argv[argc++] = word;
	c = find(argv[0]);
	strcpy(reply, "ok");
	rc = !c ? -EINVAL : c->act ? c->act(w, argc, argv, reply) : store(w, c, argc, argv);
	if (rc < 0)
		complain(c, argv[0], reply);
	else if (c->act != show_state)
		world_event(w, event);
}
