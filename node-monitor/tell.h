/*
 * tell - what monitord writes into its log: changes at info, every poll at debug, and the
 * lines the document tells people to look for, in its words.
 *
 * Source: the seed document, "Automatic Startup", "Automated Olimex Health Monitoring".
 */
#ifndef MONITOR_TELL_H
#define MONITOR_TELL_H

#include "node-monitor/poller.h"
#include "node-monitor/reason.h"
#include "node-monitor/site.h"

struct tell { /* what was told last; zeroed at first */
	bool connected, decided;
	int poll_rc;
	int32_t soc_pct;
	char state[SITE_LINE];
	enum auto_wish wish;
	enum auto_reason reason;
	uint32_t alarms;
	struct gen_alarm engine[GEN_ALARMS]; /* the engine node's */
	size_t nengine;
};

void tell_thresholds(const struct autostart_config *c);
void tell_poll(
    struct tell *t, const struct site *s, const struct poll_result *r, int64_t now_ms);
void tell_decision(struct tell *t, const struct site *s, int64_t now_ms);
void tell_health(struct health *h, const struct gen_health *now);

#endif
