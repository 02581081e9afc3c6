/*
 * oracle_facts - what the oracle's files ask of what it remembers.
 */
#ifndef TEST_ORACLE_FACTS_H
#define TEST_ORACLE_FACTS_H

#include "test/oracle_parts.h"

static inline bool has(const struct oracle *o, uint32_t flags)
{
	return (o->flags & flags) != 0;
}

static inline bool on(const struct oracle *o, int relays)
{
	return (o->relays & relays) != 0;
}

static inline uint64_t when(bool broken, enum oracle_rule rule)
{
	return broken ? ORACLE_BIT(rule) : 0;
}

static inline int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Both need a time that is known. */
static inline bool longer(const struct oracle *o, int64_t since, int64_t limit)
{
	return since != ORACLE_NEVER && o->now_ms - since > limit;
}

static inline bool within(const struct oracle *o, enum at at, int64_t limit)
{
	return o->at[at] != ORACLE_NEVER && o->now_ms - o->at[at] < limit;
}

static inline bool lasted(const struct oracle *o, enum at at, int64_t limit)
{
	return o->at[at] != ORACLE_NEVER && o->now_ms - o->at[at] >= limit;
}

static inline int32_t period(const struct oracle *o)
{
	if (on(o, STARTER))
		return o->t->period_crank_ms;
	return o->relays ? o->t->period_active_ms : o->t->period_idle_ms;
}

static inline int32_t reaction(const struct oracle *o)
{
	return period(o) + o->t->slack_ms;
}

/* What a wedged bus reads: not to be believed while ignition is closed. */
static inline bool zero(const struct oracle *o)
{
	return o->sample == SAMPLE_GOOD && o->x == 0 && on(o, IGNITION) &&
	       o->t->ignition_feedback;
}

static inline bool valid(const struct oracle *o)
{
	return o->sample == SAMPLE_GOOD && !zero(o);
}

static inline bool running(const struct oracle *o)
{
	return valid(o) && (o->x & RUNNING);
}

/* Long enough without the running input that it may be taken for dead. */
static inline bool dead(const struct oracle *o)
{
	return valid(o) && o->at[LOW] != ORACLE_NEVER && !within(o, RAN, o->t->lost_ms);
}

/* Not running when the coast ends: a failed attempt, whatever it did before. */
static inline bool stalled(const struct oracle *o)
{
	return has(o, PULSED) && !running(o) &&
	       !longer(o, o->at[STARTER_OFF], o->t->coast_ms + reaction(o));
}

static inline bool proves(const struct oracle *o)
{
	uint8_t proof = o->t->ignition_feedback ? RUNNING | IGNITION_IN : RUNNING;

	return o->sample == SAMPLE_GOOD && (o->x & (proof | STARTER_IN)) == proof;
}

/* The starter is closed for longer than this and its input has never answered. */
static inline bool unheard(const struct oracle *o, int64_t limit)
{
	int64_t silent = o->at[STARTER_IN_LOW];

	return on(o, STARTER) && !has(o, SEEN) && silent != ORACLE_NEVER &&
	       longer(o, later(o->at[STARTER_ON], silent), limit);
}

static inline int64_t overlap(const struct oracle *o, int64_t start, int64_t end)
{
	int64_t from = later(start, o->now_ms - o->t->budget_window_ms);

	return end > from ? end - from : 0;
}

static inline int64_t fuel_limit(const struct oracle_times *t)
{
	return (int64_t)t->lead_ms + t->crank_total_ms + t->coast_ms + t->lost_ms;
}

#endif
