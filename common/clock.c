#include "common/clock.h"

#include <time.h>

enum { YEAR_2024 = 1704067200 }; /* before it the clock was never set since power-up */

static int64_t read_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_unix_ms(void)
{
	int64_t ms = read_ms(CLOCK_REALTIME);

	return ms / 1000 < YEAR_2024 ? 0 : ms;
}

struct civil clock_civil(void)
{
	time_t now = clock_unix_ms() / 1000;
	struct tm t;

	if (now == 0 || !localtime_r(&now, &t))
		return (struct civil){ 0 };
	return (struct civil){
		.valid = true,
		.year = t.tm_year + 1900,
		.month = t.tm_mon + 1,
		.day = t.tm_mday,
		.weekday = t.tm_wday,
		.hour = t.tm_hour,
		.minute = t.tm_min,
		.second = t.tm_sec,
	};
}
