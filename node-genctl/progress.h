/*
 * progress - has a start or stop that was asked for come to its end, and how?
 *
 * Fed with each status the node gives after it accepted the order. Pure.
 */
#ifndef GENCTL_PROGRESS_H
#define GENCTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/genctl.pb-c.h"

enum progress_goal { PROGRESS_START, PROGRESS_STOP };
enum progress_end { PROGRESS_GOING, PROGRESS_DONE, PROGRESS_FAILED };
enum { PROGRESS_BEGIN_MS = 5000 }; /* an accepted order shows in the phase by then */

struct progress {
	enum progress_goal goal;
	bool moved; /* the order was seen to take effect */
};

enum progress_end progress_step(
    struct progress *p, const Genctl__Status *status, int64_t waited_ms);

#endif
