/*
 * poller - keeps one inverter open and polls it on a thread of its own.
 *
 * The thread holds the driver; the loop only ever sees a finished result. Opening is tried
 * again with a back-off of 1 s doubling to 60 s; a device that is gone, or has not answered
 * three polls in a row, is closed and opened anew.
 *
 * Units: ms monotonic. Errors: in poll_result.rc, as inverter.h.
 */
#ifndef MONITOR_POLLER_H
#define MONITOR_POLLER_H

#include <stdbool.h>

#include "node-monitor/drivers/inverter.h"

struct event_base;
struct poller;

struct poll_result {
	int rc;
	bool opened;		       /* false: open() failed, there was no poll */
	bool first;		       /* of all */
	struct inverter_sample sample; /* when rc is 0 */
};
typedef void poller_fn(void *owner, const struct poll_result *result);

struct poller *poller_new(struct event_base *base, const struct inverter_ops *ops,
    const struct inverter_config *config, poller_fn *polled, void *owner);
void poller_tick(struct poller *p, int64_t interval_ms, int64_t now_ms);
bool poller_busy(const struct poller *p);
void poller_free(struct poller *p); /* waits for a poll under way */

#endif
