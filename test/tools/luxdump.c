/*
 * luxdump DEVICE - what the shipped driver reads from an inverter, for tests.
 *
 * Polls as often as it takes to ask for every group of registers once and prints one line
 * a value that is known, `name=value` in the sample's units. Exit: 0, 1 no sample, 2 usage.
 */
#include <stdio.h>
#include <string.h>

#include "node-monitor/catalog.h"
#include "node-monitor/drivers/inverter.h"
#include "node-monitor/drivers/luxpower.h"

static int poll_all_groups(struct inverter *inv, struct inverter_sample *out)
{
	int rc = 0;

	for (int i = 0; i < LUXPOWER_FULL_POLLS && rc == 0; i++)
		rc = inv->ops->poll(inv, out);
	return rc;
}

int main(int argc, char **argv)
{
	struct inverter_config config = {
		.baud = 19200, .unit_id = 1, .timeout_ms = 5000, .keep_ms = 60000
	};
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
		inv->ops->close(inv);
	}
	if (rc < 0) {
		fprintf(stderr, "luxdump: %s: %s\n", argv[1], strerror(-rc));
		return 1;
	}
	for (int key = 0; key < INV_NKEYS; key++)
		if (s.v[key] != UNKNOWN)
			printf("%s=%d\n", catalog[key].name, (int)s.v[key]);
	return 0;
}
