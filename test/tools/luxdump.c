/*
 * luxdump DEVICE - what the shipped driver reads from an inverter, for tests.
 *
 * Polls as often as it takes to ask for every group of registers once and prints one line
 * a value that is known, `name=value` in the sample's units, and one a setting, `set.name=
 * value` in its own unit. Exit: 0, 1 no sample or no settings, 2 usage.
 */
#include <stdio.h>
#include <string.h>

#include "node-monitor/catalog.h"
#include "node-monitor/drivers/inverter.h"
#include "node-monitor/drivers/luxpower.h"

enum { MAX_SETTINGS = 64 };

static int poll_all_groups(struct inverter *inv, struct inverter_sample *out)
{
	int rc = 0;

	for (int i = 0; i < LUXPOWER_FULL_POLLS && rc == 0; i++)
		rc = inv->ops->poll(inv, out);
	return rc;
}

static void print_sample(const struct inverter_sample *s)
{
	for (int key = 0; key < INV_NKEYS; key++)
		if (s->v[key] != UNKNOWN)
			printf("%s=%d\n", catalog[key].name, (int)s->v[key]);
}

static void print_settings(const struct inverter_setting *set, int n)
{
	for (int i = 0; i < n; i++)
		printf("set.%s=%de-%d\n", set[i].name, (int)set[i].value, set[i].decimals);
}

int main(int argc, char **argv)
{
	struct inverter_config config = {
		.baud = 19200, .unit_id = 1, .timeout_ms = 5000, .keep_ms = 60000
	};
	struct inverter_setting set[MAX_SETTINGS];
	struct inverter_sample s;
	struct inverter *inv;
	int rc;

	if (argc != 2 || strlen(argv[1]) >= sizeof(config.device)) {
		fprintf(stderr, "usage: luxdump DEVICE (a serial port or tcp:ADDRESS:PORT)\n");
		return 2;
	}
	snprintf(config.device, sizeof(config.device), "%s", argv[1]);
	luxpower_clear(&s);
	rc = inverter_luxpower.open(&inv, &config);
	if (rc == 0) {
		rc = poll_all_groups(inv, &s);
		if (rc == 0)
			rc = inv->ops->settings(inv, set, MAX_SETTINGS);
		inv->ops->close(inv);
	}
	if (rc < 0) {
		fprintf(stderr, "luxdump: %s: %s\n", argv[1], strerror(-rc));
		return 1;
	}
	print_sample(&s);
	print_settings(set, rc);
	return 0;
}
