/* rules - what the three files of the interlock share; nobody else includes it. */
#ifndef GENCTL_RULES_H
#define GENCTL_RULES_H

#include "node-genctl/interlock.h"

static inline bool within(int64_t since_ms, int64_t window_ms, int64_t now_ms)
{
	return since_ms != NEVER && now_ms - since_ms < window_ms;
}

static inline bool elapsed(int64_t since_ms, int64_t span_ms, int64_t now_ms)
{
	return since_ms != NEVER && now_ms - since_ms >= span_ms;
}

/* They tell of something that is over: gone with the next run or an operator's clear. */
#define ALARMS_PAST                                                                            \
	(UINT32_C(1) << ALARM_UNEXPECTED_STOP | UINT32_C(1) << ALARM_MODIO_RESET |             \
	    UINT32_C(1) << ALARM_MAX_RUN | UINT32_C(1) << ALARM_LEASE_LOST |                   \
	    UINT32_C(1) << ALARM_LOCKOUT_RETRY)

/* interlock_watch.c: what each rule demands, given the last sample. */
typedef struct verdict watch(struct interlock *k, int64_t now_ms);
watch watch_s3, watch_s4, watch_s6, watch_s7, watch_s8, watch_s9, watch_f2, watch_f3, watch_g1;
watch watch_c3, watch_r1, watch_r2, watch_r3, watch_r4, watch_r5, watch_l1, watch_l3, watch_m1;
watch watch_i1, watch_i2, watch_i3;

#endif
