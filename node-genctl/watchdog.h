/*
 * watchdog - tells systemd (sd_notify) and the hardware watchdog that the guard's
 * sample-and-gate loop still turns. Only that loop feeds, and only an orderly end disarms.
 */
#ifndef GENCTL_WATCHDOG_H
#define GENCTL_WATCHDOG_H

#include <stdint.h>
#include <sys/types.h>

struct watchdog {
	int device, notify; /* -1: none */
	int64_t fed_ms;
};

/* `device` may be "": none. A device that cannot be opened is logged and done without. */
void watchdog_open(struct watchdog *w, const char *device);
void watchdog_feed(struct watchdog *w, int64_t now_ms); /* passes on at most one a second */
void watchdog_ready(struct watchdog *w, pid_t main);
void watchdog_stopping(struct watchdog *w);
void watchdog_disarm(struct watchdog *w); /* orderly end; closes both */

#endif
