/*
 * poll DEVICE BATCHES POLLS - CPU time of the shipped driver's poll beside bare libmodbus.
 *
 * Both read the same registers of the same serial line, in turns of POLLS polls: groups 0
 * and 160 and one of the others that the slave has, as luxpower.h says. The line is opened anew
 * for each turn, which is not counted. The time is this process's own, user and system. Prints
 * `poll bare MEDIAN P99 N` and `poll ours ...` in ns. Exit: 0, 1 failed, 2 usage.
 */
#include <errno.h>
#include <modbus.h>
#include <stdbool.h>
#include <string.h>

#include "common/mem.h"
#include "node-monitor/drivers/inverter.h"
#include "node-monitor/drivers/luxpower.h"
#include "test/bench/samples.h"

enum { BAUD = 19200, UNIT = 1, TIMEOUT_MS = 5000, WARM_UP = 4 };

static const int in_turn[LUXPOWER_FULL_POLLS] = { 40, 80, 120, 200 };

static void fail(const char *what, int err)
{
	fprintf(stderr, "poll: %s: %s\n", what, modbus_strerror(err));
	exit(1);
}

static void add(struct samples *s, int i, int64_t began_ns)
{
	if (i >= 0)
		samples_add(s, samples_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - began_ns);
}

static void ours(const char *device, int polls, struct samples *out)
{
	struct inverter_config config = {
		.baud = BAUD, .unit_id = UNIT, .timeout_ms = TIMEOUT_MS, .keep_ms = 60000
	};
	struct inverter_sample sample;
	struct inverter *inv;
	int rc;

	snprintf(config.device, sizeof(config.device), "%s", device);
	rc = inverter_luxpower.open(&inv, &config);
	if (rc < 0)
		fail(device, -rc);
	for (int i = -WARM_UP; i < polls; i++) {
		int64_t began_ns = samples_clock_ns(CLOCK_PROCESS_CPUTIME_ID);

		rc = inv->ops->poll(inv, &sample);
		add(out, i, began_ns);
		if (rc < 0)
			fail("the driver's poll", -rc);
	}
	inv->ops->close(inv);
}

static bool read_group(modbus_t *bus, int start)
{
	uint16_t regs[LUXPOWER_GROUP];
	int left = LUXPOWER_LAST + 1 - start;
	int n = left < LUXPOWER_GROUP ? left : LUXPOWER_GROUP;

	if (modbus_read_input_registers(bus, start, n, regs) == n)
		return true;
	if (errno != EMBXILADD)
		fail("the bare read", errno);
	return false;
}

/* Fills `known` with the groups of in_turn that the slave has, as the driver finds out. */
static int probe(modbus_t *bus, int known[static LUXPOWER_FULL_POLLS])
{
	int n = 0;

	for (int i = 0; i < LUXPOWER_FULL_POLLS; i++) {
		if (read_group(bus, in_turn[i]))
			known[n++] = in_turn[i];
	}
	if (n == 0)
		fail("the bare read", EMBXILADD);
	return n;
}

static void bare(const char *device, int polls, struct samples *out)
{
	modbus_t *bus = modbus_new_rtu(device, BAUD, 'N', 8, 1);
	int known[LUXPOWER_FULL_POLLS], n;

	if (!bus || modbus_set_slave(bus, UNIT) < 0 || modbus_connect(bus) < 0)
		fail(device, errno);
	modbus_set_response_timeout(bus, TIMEOUT_MS / 1000, 0);
	n = probe(bus, known);
	for (int i = -WARM_UP; i < polls; i++) {
		int64_t began_ns = samples_clock_ns(CLOCK_PROCESS_CPUTIME_ID);

		read_group(bus, 0);
		read_group(bus, 160);
		read_group(bus, known[(i + WARM_UP) % n]);
		add(out, i, began_ns);
	}
	modbus_close(bus);
	modbus_free(bus);
}

int main(int argc, char **argv)
{
	struct samples *s = xcalloc(2, sizeof(*s));

	if (argc != 4) {
		fprintf(stderr, "usage: poll DEVICE BATCHES POLLS\n");
		return 2;
	}
	for (int i = 0; i < atoi(argv[2]); i++) {
		bare(argv[1], atoi(argv[3]), &s[0]);
		ours(argv[1], atoi(argv[3]), &s[1]);
	}
	samples_print(&s[0], "poll bare");
	samples_print(&s[1], "poll ours");
	free(s);
	return 0;
}
