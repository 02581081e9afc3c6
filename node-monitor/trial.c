#include "node-monitor/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/clock.h"
#include "node-monitor/catalog.h"
#include "node-monitor/schedule.h"
#include "node-monitor/site.h"

enum { GENERATOR_MS = 10000, STEP_MS = 100, SETTINGS_MAX = 32 };

static void print_values(const struct inverter_sample *sample)
{
	for (int key = 0; key < INV_NKEYS; key++) {
		const struct metric *m = &catalog[key];
		double value = sample->v[key];

		for (int i = 0; i < m->decimals; i++)
			value /= 10;
		if (sample->v[key] != UNKNOWN)
			printf("  %-34s %.*f %s\n", m->name, m->decimals > 2 ? 2 : m->decimals,
			    value, m->unit);
	}
}

/* An inverter that closes its own generator contact fights our starts and stops. */
static void print_settings(struct inverter *inverter)
{
	struct inverter_setting rows[SETTINGS_MAX];
	int n =
	    inverter->ops->settings ? inverter->ops->settings(inverter, rows, SETTINGS_MAX) : 0;

	if (n > 0)
		printf(
		    "Set in the inverter (its own generator control should be off, or wired to "
		    "nothing):\n");
	for (int i = 0; i < n; i++) {
		double value = rows[i].value;

		for (int d = 0; d < rows[i].decimals; d++)
			value /= 10;
		printf(
		    "  %-34s %.*f %s\n", rows[i].name, rows[i].decimals, value, rows[i].unit);
	}
}

int trial_inverter(const struct monitor_config *c)
{
	const struct inverter_ops *ops = inverter_drivers[c->inverter_driver];
	struct inverter_sample sample = { 0 };
	struct inverter *inverter = NULL;
	int rc = ops->open(&inverter, &c->inverter);

	if (rc == 0)
		rc = ops->poll(inverter, &sample);
	if (rc == 0) {
		printf("Connected to inverter on %s\n", c->inverter.device);
		print_values(&sample);
		print_settings(inverter);
	} else {
		printf("Inverter on %s: FAILED: %s\n", c->inverter.device, strerror(-rc));
	}
	ops->close(inverter);
	return rc == 0 ? 0 : EXIT_DEVICE;
}

static void print_generator(const struct gen_view *v)
{
	char line[SITE_LINE];

	printf("Connected to generator server %s\n  phase %s, mode %s, relays 0x%02X, inputs "
	       "%s%u, I2C %s\n  %s\n",
	    v->peer, genview_phase_name(v->status.phase), genview_mode_name(v->status.mode),
	    v->status.relays, v->status.inputs_valid ? "" : "not valid, last ",
	    v->status.inputs, v->status.i2c, v->status.why);
	health_line(&v->health, line, sizeof(line));
	printf("  %s\n", line);
}

static void stop_waiting(evutil_socket_t fd, short what, void *arg)
{
	event_base_loopbreak(arg);
}

int trial_generator(const char *address)
{
	const struct timeval step = { .tv_usec = STEP_MS * 1000 };
	struct genlink_config config = { .name = "monitord test", .command = false };
	struct event_base *base = event_base_new();
	struct event *timer = base ? event_new(base, -1, EV_PERSIST, stop_waiting, base) : NULL;
	int64_t until_ms = clock_ms() + GENERATOR_MS;
	struct genlink *g;
	const struct gen_view *v;
	bool good;

	if (!timer || event_add(timer, &step) < 0)
		abort();
	snprintf(config.address, sizeof(config.address), "%s", address);
	g = genlink_new(base, &config);
	v = genlink_view(g);
	while (clock_ms() < until_ms && !(v->heard && v->health.at_ms)) {
		genlink_tick(g, GENERATOR_MS, clock_ms());
		genlink_ask_health(g, clock_ms());
		event_base_dispatch(base);
	}
	good = v->heard && v->health.at_ms;
	if (good)
		print_generator(v);
	else
		printf("Generator server %s: FAILED: %s\n", address,
		    v->down_because[0] ? v->down_because : "no answer");
	genlink_free(g);
	event_free(timer);
	event_base_free(base);
	return good ? 0 : EXIT_DEVICE;
}
