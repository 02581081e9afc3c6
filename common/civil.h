/* civil - calendar time as a value, so that pure code never asks a clock for it. */
#ifndef COMMON_CIVIL_H
#define COMMON_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

struct civil {
	bool valid; /* false: the clock was never set; the rest is zero */
	int16_t year;
	uint8_t month;	 /* 1..12 */
	uint8_t day;	 /* 1..31 */
	uint8_t weekday; /* 0 Sunday .. 6 Saturday */
	uint8_t hour, minute, second;
};

#endif
