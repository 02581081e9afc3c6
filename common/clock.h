/*
 * clock - the two clocks, read in glue only and passed down as numbers.
 *
 * Control uses clock_ms() alone; the wall clock is for records and the calendar.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

#include "common/civil.h"

int64_t clock_ms(void);		/* CLOCK_MONOTONIC, ms */
int64_t clock_unix_ms(void);	/* CLOCK_REALTIME, ms; 0 while it is before 2024: not set */
struct civil clock_civil(void); /* local calendar time; .valid false while not set */

#endif
