/*
 * genlink - the monitor's line to the engine node: what it says, and what we desire of it.
 *
 *   DOWN -back-off over-> CONNECTING -connected-> GREETING -hello answered-> UP
 *   any  -closed, or no answer within 5 s-> DOWN, back-off 1 s doubling to 30 s
 *
 * UP keeps the lease (renewed every 5 s), the subscription and the status fresh. A desire is
 * a level: it is stated when it changes, long before it runs out, and anew under each new
 * lease; nothing is queued over a lost connection. Losing the line is a state of the view,
 * never a wait: genlink_tick() is called every second and nothing here blocks.
 *
 * Units: *_ms monotonic, *_at_ms when it was learned (0: never). Errors: none; the view
 * tells. A view's texts are as the node wrote them, cut to size.
 * Source: proto/genctl.proto; lease times: TTL 20 s, renewed every 5 s, orders of 900 s.
 */
#ifndef MONITOR_GENLINK_H
#define MONITOR_GENLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node-monitor/genview.h"

struct event_base;
struct genlink;

struct gen_desire {
	bool stated; /* false: nothing is desired, so nothing is sent */
	bool run;
	int32_t for_s; /* with run, 1..900 */
	char reason[GEN_TEXT], next[GEN_TEXT];
};

enum gen_news { GEN_NEWS_LINK, GEN_NEWS_STATUS, GEN_NEWS_HEALTH };

struct genlink_config {
	char address[128]; /* "192.0.2.1:9999" */
	const char *name;  /* that other clients see as the holder; borrowed */
	bool command;	   /* false: only look, hold no lease */
	void (*changed)(void *owner, enum gen_news what);
	void *owner;
};

struct genlink *genlink_new(struct event_base *base, const struct genlink_config *config);
void genlink_free(struct genlink *g);
const struct gen_view *genlink_view(const struct genlink *g);
/* Every second: reconnects, renews, asks, and gives up on what was not answered. */
void genlink_tick(struct genlink *g, int64_t status_ms, int64_t now_ms);
void genlink_ask_health(struct genlink *g, int64_t now_ms);
void genlink_desire(struct genlink *g, const struct gen_desire *desire, int64_t now_ms);

#endif
