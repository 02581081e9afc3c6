/* monitord - the monitor node: see --help. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/log.h"
#include "node-monitor/replay.h"
#include "node-monitor/schedule.h"
#include "node-monitor/trial.h"
#include "node-monitor/watch.h"

enum { VS_MAX = 16 };

static struct {
	bool test_inverter, test_generator, watch;
	const char *status, *replay, *vs;
} asked;

/* clang-format off */
static const struct option_row rows[] = {
	{ "--test-inverter", .flag = &asked.test_inverter, .help = "poll the inverter once, print it and end" },
	{ "--test-generator", .flag = &asked.test_generator, .help = "ask the engine node once, print it and end" },
	{ "--inverter-port", .key = "inverter.device", .help = "serial port, or tcp:HOST:PORT" },
	{ "--inverter-baud", .key = "inverter.baud", .help = "its speed" },
	{ "--generator-host", .key = "generator.host", .help = "address of the engine node" },
	{ "--soc-start", .key = "autostart.soc_start_pct", .help = "start below this charge" },
	{ "--soc-stop", .key = "autostart.soc_stop_pct", .help = "stop at this charge" },
	{ "--log-dir", .key = "csv.dir", .help = "folder of the CSV files" },
	{ "--log-interval", .key = "csv.interval_s", .help = "seconds between two rows" },
	{ "--status", .word = &asked.status, .help = "show the running monitor: screen, line or json" },
	{ "--watch", .flag = &asked.watch, .help = "the same, refreshed until it ends" },
	{ "--replay", .word = &asked.replay, .help = "run the policy over a recorded CSV and end" },
	{ "--vs", .word = &asked.vs, .help = "with --replay: others, \"start=40,stop=90 start=30,stop=85\"" },
	{ 0 },
};
/* clang-format on */

static const struct options options = {
	.program = "monitord",
	.about = "Reads the inverter, decides when the generator runs, records what happened.",
	.config = "/etc/pigenny/monitor.conf",
	.rows = rows,
	.check = monitor_config_check,
};

/* Once, here: a name server must not hold up the loop later. */
static int look_up(const struct monitor_config *c, char *out, size_t size)
{
	struct sockaddr_storage at;
	char text[128];
	socklen_t len;

	snprintf(text, sizeof(text), "%s:%d", c->generator_host, (int)c->generator_port);
	if (address_parse(text, &at, &len) < 0) {
		fprintf(stderr,
		    "generator.host: \"%s\" is not known here; write its address, such as "
		    "10.2.242.109\n",
		    c->generator_host);
		return -EINVAL;
	}
	address_format((struct sockaddr *)&at, len, out, size);
	return 0;
}

static int replay(const struct monitor_config *c)
{
	char text[512];
	const char *vs[VS_MAX];
	struct replay_config config = {
		.file = asked.replay,
		.policy = c->autostart,
		.plant = plant_defaults,
		.pv_scale = c->pv_scale,
		.fuel_price = c->fuel_price,
		.vs = vs,
	};

	config.plant.capacity_wh = c->capacity_wh;
	config.plant.charger_w = c->charger_w;
	snprintf(text, sizeof(text), "%s", asked.vs ? asked.vs : "");
	for (char *word = strtok(text, " "); word && config.nvs < VS_MAX;
	     word = strtok(NULL, " "))
		vs[config.nvs++] = word;
	return replay_run(&config, stdout) < 0 ? EXIT_CONFIG : 0;
}

int main(int argc, char **argv)
{
	struct schedule_start start = { .options = &options, .argc = argc, .argv = argv };
	struct options o = options;
	int rc;

	o.keys = monitor_keys;
	o.nkeys = monitor_nkeys;
	start.options = &o;
	rc = options_start(&o, argc, argv, &start.config);
	if (rc >= 0)
		return rc;
	log_set_level((enum log_level)start.config.log_level);
	if (asked.status)
		return watch_once(start.config.runtime_dir, asked.status);
	if (asked.watch)
		return watch(start.config.runtime_dir);
	if (asked.replay)
		return replay(&start.config);
	if (asked.test_inverter)
		return trial_inverter(&start.config);
	if (look_up(&start.config, start.generator, sizeof(start.generator)) < 0)
		return EXIT_CONFIG;
	if (asked.test_generator)
		return trial_generator(start.generator);
	return schedule_run(&start);
}
