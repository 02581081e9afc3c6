#include "node-monitor/policy/confirm.h"

void confirm_note(struct confirm *f, bool holds, int64_t taken_ms, int64_t max_gap_ms)
{
	if (!holds || taken_ms - f->last_ms > max_gap_ms)
		f->count = 0;
	if (!holds || (f->count > 0 && taken_ms <= f->last_ms))
		return;
	if (f->count++ == 0)
		f->first_ms = taken_ms;
	f->last_ms = taken_ms;
}

bool confirm_met(const struct confirm *f, int32_t readings, int32_t for_s)
{
	return f->count >= readings && f->last_ms - f->first_ms >= for_s * INT64_C(1000);
}
