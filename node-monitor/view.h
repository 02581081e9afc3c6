/*
 * view - the site as text: a screen for people, one line for logs, JSON for programs.
 *
 * Pure: it reads the snapshot and writes into the caller's buffer, cut to its size.
 */
#ifndef MONITOR_VIEW_H
#define MONITOR_VIEW_H

#include "node-monitor/site.h"

enum { VIEW_SIZE = 16384 };

/* What stands, why, and what comes next with its countdown. */
void view_screen(const struct site *s, int64_t now_ms, char text[static VIEW_SIZE]);
/* One line that changes only when something happened: no countdown, no watts. */
void view_line(const struct site *s, int64_t now_ms, char text[static VIEW_SIZE]);
void view_json(const struct site *s, int64_t now_ms, char text[static VIEW_SIZE]);

#endif
