#include "node-monitor/health.h"

#include <stdio.h>

enum { CONNECTIONS_MAX = 10, MEMORY_MAX_PCT = 80, MIB = 1 << 20, SLACK_S = 5 };

void health_line(const struct gen_health *now, char *line, size_t size)
{
	double gib = (double)now->disk_free / (1024.0 * MIB);

	snprintf(line, size,
	    "Olimex health: threads=%u uptime=%uh%um memory=%u%% disk=%.1fG free (%u%% used)",
	    now->connections, now->uptime_s / 3600, now->uptime_s / 60 % 60, now->memory_pct,
	    gib, now->disk_pct);
}

/* Up for less time than has passed since it was last seen up. */
static bool restarted(uint32_t before_s, uint32_t now_s, int64_t passed_ms)
{
	return now_s + SLACK_S < before_s + passed_ms / 1000;
}

static uint32_t limits(const struct gen_health *now)
{
	uint32_t bits = 0;

	if (now->connections > CONNECTIONS_MAX)
		bits |= HEALTH_CONNECTIONS;
	if (now->memory_pct > MEMORY_MAX_PCT)
		bits |= HEALTH_MEMORY;
	if (now->disk_free < 100ULL * MIB)
		bits |= HEALTH_DISK_FULL;
	else if (now->disk_free < 500ULL * MIB)
		bits |= HEALTH_DISK_LOW;
	return bits;
}

uint32_t health_note(struct health *h, const struct gen_health *now)
{
	uint32_t before = h->alarms, bits = limits(now);
	int64_t passed_ms = now->at_ms - h->at_ms;

	if (h->at_ms && restarted(h->uptime_s, now->uptime_s, passed_ms))
		bits |= HEALTH_BOARD_RESTARTED;
	else if (h->at_ms && restarted(h->service_uptime_s, now->service_uptime_s, passed_ms))
		bits |= HEALTH_SERVICE_RESTARTED;
	*h = (struct health){
		.at_ms = now->at_ms,
		.uptime_s = now->uptime_s,
		.service_uptime_s = now->service_uptime_s,
		.alarms = bits,
	};
	/* A restart is news each time, a limit only when it is first passed. */
	return bits & ~(before & (HEALTH_BOARD_RESTARTED - 1));
}

const char *health_text(uint32_t bit)
{
	switch (bit) {
	case HEALTH_CONNECTIONS:
		return "the engine node has more than 10 connections: look for a client that "
		       "opens them and does not close them";
	case HEALTH_MEMORY:
		return "the engine node uses more than 80 % of its memory: look what grows "
		       "there";
	case HEALTH_DISK_LOW:
		return "the engine node has less than 500 MB of disk left: rotate its logs "
		       "soon";
	case HEALTH_DISK_FULL:
		return "the engine node has less than 100 MB of disk left: free some now";
	case HEALTH_BOARD_RESTARTED:
		return "the engine node's board has restarted unexpectedly: look at its power "
		       "supply and its log";
	default:
		return "genctld has restarted unexpectedly: look at its log";
	}
}
