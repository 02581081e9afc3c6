/*
 * cp2112 - a MOD-IO and its engine behind a bridge which the kernel takes for real.
 *
 *	genctld -> /dev/i2c-N -> i2c-dev -> hid-cp2112 -> /dev/uhid -> here -> world.h
 *
 *	cp2112 TRACE [COMMAND...]
 *
 * Plays Silicon Labs' CP2112 (USB HID to SMBus, eight GPIO lines) over /dev/uhid; GPIO line 0
 * is wired to the MOD-IO's RST pin. COMMANDs are those of sitesim, and `nak-write N`: the next
 *N writes of a register are not acknowledged. Further ones are read from standard input, a line
 * each. TRACE is the simulator's (trace.h) with a row for each
 * transaction, event `i2c PACKET: ANSWER`, and one whenever this program came to its turn
 * STALL_MS late or more, event `stall MS`.
 *
 * A command with repeated start is not acknowledged, as genctld must never send one: MOD-IO's
 * answer is not ready so soon.
 *
 * Source: Silicon Labs AN495 rev 0.2, sections 4 to 6 (reports), CP2112 data sheet rev 1.2.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/uhid.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "test/sim/command.h"
#include "test/sim/world.h"

enum { VENDOR = 0x10c4, PRODUCT = 0xea90, REPORT_MAX = 64, STALL_MS = 3, RST_LINE = 1 };

enum report {
	GPIO_CONFIG = 0x02,
	GPIO_GET = 0x03,
	GPIO_SET = 0x04,
	VERSION = 0x05,
	SMBUS_CONFIG = 0x06,
	READ_REQUEST = 0x10,
	WRITE_READ_REQUEST = 0x11,
	READ_FORCE_SEND = 0x12,
	READ_RESPONSE = 0x13,
	WRITE_REQUEST = 0x14,
	STATUS_REQUEST = 0x15,
	STATUS_RESPONSE = 0x16,
	CANCEL = 0x17,
	LOCK_BYTE = 0x20,
};

enum status0 { STATUS_IDLE, STATUS_BUSY, STATUS_COMPLETE, STATUS_ERROR };
enum status1 { STATUS1_NACK = 0, STATUS1_SUCCESS = 5 };

/* A vendor's page and for each report: id, bytes after it, and which way it goes. */
#define REPORT(id, bytes, way) 0x85, id, 0x95, bytes, 0x09, 0x01, way, 0x02
enum { INPUT = 0x81, OUTPUT = 0x91, FEATURE = 0xb1 };
static const uint8_t descriptor[] = { 0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x15, 0x00,
	0x26, 0xff, 0x00, 0x75, 0x08, REPORT(GPIO_CONFIG, 4, FEATURE),
	REPORT(GPIO_GET, 1, FEATURE), REPORT(GPIO_SET, 2, FEATURE), REPORT(VERSION, 2, FEATURE),
	REPORT(SMBUS_CONFIG, 13, FEATURE), REPORT(LOCK_BYTE, 1, FEATURE),
	REPORT(READ_REQUEST, 63, OUTPUT), REPORT(WRITE_READ_REQUEST, 63, OUTPUT),
	REPORT(READ_FORCE_SEND, 63, OUTPUT), REPORT(READ_RESPONSE, 63, INPUT),
	REPORT(WRITE_REQUEST, 63, OUTPUT), REPORT(STATUS_REQUEST, 63, OUTPUT),
	REPORT(STATUS_RESPONSE, 63, INPUT), REPORT(CANCEL, 63, OUTPUT), 0xc0 };

struct bridge {
	int fd;
	struct world world;
	uint8_t gpio_config[5], smbus_config[14]; /* as the reports stand, with their ids */
	uint8_t lines;		  /* levels driven; a line that is not is high */
	enum status0 status;	  /* of the last transfer */
	int64_t done_ms;	  /* until then it is busy */
	uint8_t byte;		  /* read by it */
	int64_t turned_ms;	  /* the last turn's time */
	unsigned long nak_writes; /* so many fail */
	char commands[256];	  /* unfinished line of standard input */
	size_t ncommands;
};

static int send_event(const struct bridge *b, const struct uhid_event *e)
{
	return write(b->fd, e, sizeof(*e)) == (ssize_t)sizeof(*e) ? 0 : -EIO;
}

static int plug(struct bridge *b)
{
	struct uhid_event e = { .type = UHID_CREATE2 };

	b->fd = open("/dev/uhid", O_RDWR | O_CLOEXEC);
	if (b->fd < 0)
		return -errno;
	strcpy((char *)e.u.create2.name, "CP2112 with a MOD-IO behind it");
	e.u.create2.bus = 3; /* USB */
	e.u.create2.vendor = VENDOR;
	e.u.create2.product = PRODUCT;
	e.u.create2.rd_size = sizeof(descriptor);
	memcpy(e.u.create2.rd_data, descriptor, sizeof(descriptor));
	return send_event(b, &e);
}

static int send_report(const struct bridge *b, const uint8_t *report, size_t size)
{
	struct uhid_event e = { .type = UHID_INPUT2, .u.input2.size = REPORT_MAX };

	memcpy(e.u.input2.data, report, size);
	return send_event(b, &e);
}

/* One transaction with the far end, as a packet of the board socket (modio.h). */
static void transfer(struct bridge *b, uint8_t address, const char *packet)
{
	char line[24], answer[8], event[48];
	struct world *w = &b->world;

	snprintf(line, sizeof(line), "@%02x %s", address, packet);
	if (*packet == 'W' && b->nak_writes) {
		b->nak_writes--;
		strcpy(answer, "N");
	} else {
		world_board(w, line, answer);
	}
	b->status = answer[0] == 'A' ? STATUS_COMPLETE : STATUS_ERROR;
	b->byte = answer[0] == 'A' && answer[1] ? (uint8_t)strtoul(answer + 1, NULL, 16) : 0;
	b->done_ms = w->now_ms + w->latency_ms;
	snprintf(event, sizeof(event), "i2c %s: %s", line, answer);
	world_event(w, event);
}

static void write_request(struct bridge *b, const uint8_t *r)
{
	char packet[8];

	if (r[2] == 1)
		snprintf(packet, sizeof(packet), "C %02x", r[3]);
	else if (r[2] == 2)
		snprintf(packet, sizeof(packet), "W %02x %02x", r[3], r[4]);
	else
		snprintf(packet, sizeof(packet), "len %u", r[2] & 63u);
	transfer(b, r[1] >> 1, packet);
}

static int report_status(const struct bridge *b)
{
	bool busy = b->world.now_ms < b->done_ms;
	uint8_t report[] = { STATUS_RESPONSE, busy ? STATUS_BUSY : b->status,
		b->status == STATUS_ERROR ? STATUS1_NACK : STATUS1_SUCCESS, 0, 0, 0, 1 };

	return send_report(b, report, sizeof(report));
}

/* Report from the host, on the way to the device. */
static int take_output(struct bridge *b, const uint8_t *r)
{
	uint8_t data[] = { READ_RESPONSE, (uint8_t)b->status, 1, b->byte };

	switch (r[0]) {
	case READ_REQUEST:
		transfer(b, r[1] >> 1, r[2] == 0 && r[3] == 1 ? "R" : "len");
		break;
	case WRITE_READ_REQUEST:
		transfer(b, r[1] >> 1, "repeated start");
		break;
	case WRITE_REQUEST:
		write_request(b, r);
		break;
	case STATUS_REQUEST:
		return report_status(b);
	case READ_FORCE_SEND:
		return send_report(b, data, sizeof(data));
	case CANCEL:
		b->status = STATUS_IDLE;
		b->done_ms = b->world.now_ms;
		break;
	}
	return 0;
}

static int answer_get(const struct bridge *b, const struct uhid_get_report_req *request)
{
	const uint8_t version[] = { VERSION, 0x0c, 2 }, lock[] = { LOCK_BYTE, 0 },
		      gpio[] = { GPIO_GET, b->lines };
	const struct {
		const uint8_t *report;
		uint16_t size;
	} known[] = { { b->gpio_config, sizeof(b->gpio_config) },
		{ b->smbus_config, sizeof(b->smbus_config) }, { version, sizeof(version) },
		{ lock, sizeof(lock) }, { gpio, sizeof(gpio) } };
	struct uhid_event e = { .type = UHID_GET_REPORT_REPLY,
		.u.get_report_reply = { .id = request->id, .err = EIO } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].report[0] != request->rnum)
			continue;
		e.u.get_report_reply.err = 0;
		e.u.get_report_reply.size = known[i].size;
		memcpy(e.u.get_report_reply.data, known[i].report, known[i].size);
	}
	return send_event(b, &e);
}

/* The pin pulls low while its line is an output and driven so; each edge is a reset. */
static void move_lines(struct bridge *b, uint8_t outputs, uint8_t levels)
{
	bool was_low = b->gpio_config[1] & ~b->lines & RST_LINE;
	bool low = outputs & ~levels & RST_LINE;

	b->gpio_config[1] = outputs;
	b->lines = levels;
	if (low == was_low)
		return;
	modio_reset(&b->world.modio, b->world.now_ms);
	world_event(&b->world, low ? "rst low" : "rst high");
}

static int answer_set(struct bridge *b, const struct uhid_set_report_req *request)
{
	const uint8_t *r = request->data;
	struct uhid_event e = { .type = UHID_SET_REPORT_REPLY,
		.u.set_report_reply.id = request->id };

	if (r[0] == SMBUS_CONFIG)
		memcpy(b->smbus_config, r, sizeof(b->smbus_config));
	else if (r[0] == GPIO_CONFIG)
		move_lines(b, r[1], b->lines);
	else if (r[0] == GPIO_SET)
		move_lines(b, b->gpio_config[1], (b->lines & ~r[2]) | (r[1] & r[2]));
	return send_event(b, &e);
}

static int serve(struct bridge *b)
{
	struct uhid_event e;

	if (read(b->fd, &e, sizeof(e)) <= 0)
		return -EIO;
	switch (e.type) {
	case UHID_GET_REPORT:
		return answer_get(b, &e.u.get_report);
	case UHID_SET_REPORT:
		return answer_set(b, &e.u.set_report);
	case UHID_OUTPUT:
		return take_output(b, e.u.output.data);
	}
	return 0;
}

static int obey(struct bridge *b, char *words)
{
	char reply[EP_REPLY];

	if (strncmp(words, "nak-write ", 10) == 0) {
		b->nak_writes = strtoul(words + 10, NULL, 10);
		world_event(&b->world, words);
		return 0;
	}
	command_run(&b->world, words, reply);
	if (strncmp(reply, "error", 5) != 0)
		return 0;
	fprintf(stderr, "cp2112: %s: %s\n", words, reply);
	return -EINVAL;
}

static int take_commands(struct bridge *b)
{
	ssize_t n = read(
	    STDIN_FILENO, b->commands + b->ncommands, sizeof(b->commands) - 1 - b->ncommands);
	char *rest = b->commands, *line;
	int rc = n <= 0 ? -EIO : 0;

	b->ncommands += n > 0 ? (size_t)n : 0;
	b->commands[b->ncommands] = 0;
	while (rc == 0 && strchr(rest, '\n')) {
		line = strsep(&rest, "\n");
		rc = obey(b, line);
	}
	b->ncommands = strlen(rest);
	memmove(b->commands, rest, b->ncommands);
	return rc;
}

static void note_stall(struct bridge *b, int wait_ms, int64_t now_ms)
{
	int64_t late_ms = now_ms - b->turned_ms - wait_ms;
	char event[24];

	b->turned_ms = now_ms;
	if (late_ms < STALL_MS)
		return;
	snprintf(event, sizeof(event), "stall %d", (int)late_ms);
	world_event(&b->world, event);
}

static int turn(struct bridge *b)
{
	int wait_ms = world_moving(&b->world) ? WORLD_TICK_MS : WORLD_IDLE_MS, rc = 0;
	struct pollfd p[] = { { .fd = b->fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN } };
	int64_t now_ms;

	if (poll(p, 2, wait_ms) < 0)
		return -errno;
	now_ms = clock_ms();
	world_step(&b->world, now_ms);
	note_stall(b, wait_ms, now_ms);
	if (p[0].revents)
		rc = serve(b);
	if (rc == 0 && p[1].revents)
		rc = take_commands(b);
	return rc < 0 ? rc : b->world.error;
}

static int start(struct bridge *b, int argc, char **argv)
{
	int rc;

	world_init(&b->world, clock_ms());
	b->smbus_config[0] = SMBUS_CONFIG;
	b->gpio_config[0] = GPIO_CONFIG;
	b->lines = 0xff;
	b->turned_ms = b->world.start_ms;
	rc = trace_open(&b->world.trace, argv[1], b->world.start_ms);
	for (int i = 2; rc == 0 && i < argc; i++)
		rc = obey(b, argv[i]);
	return rc < 0 ? rc : plug(b);
}

int main(int argc, char **argv)
{
	static struct bridge bridge;
	int rc;

	if (argc < 2)
		return fputs("usage: cp2112 TRACE [COMMAND...]\n", stderr), 2;
	rc = start(&bridge, argc, argv);
	while (rc == 0 && !bridge.world.quit)
		rc = turn(&bridge);
	if (rc < 0)
		fprintf(stderr, "cp2112: %s\n", strerror(-rc));
	return rc < 0;
}
