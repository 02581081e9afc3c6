#include "test/oracle_facts.h"

#include <string.h>

static void drop(struct oracle *o, uint32_t flags)
{
	o->flags &= ~flags;
}

static void mark(struct oracle *o, enum at at, bool holds)
{
	if (!holds)
		o->at[at] = ORACLE_NEVER;
	else if (o->at[at] == ORACLE_NEVER)
		o->at[at] = o->now_ms;
}

/* The sample that stands, seen with the relays that stand. */
static void look(struct oracle *o)
{
	bool good = o->sample == SAMPLE_GOOD;
	uint8_t x = o->t->ignition_feedback ? o->x : o->x | IGNITION_IN;

	mark(o, VALID, valid(o));
	mark(o, BAD, o->sample == SAMPLE_BAD || zero(o));
	if (valid(o)) {
		mark(o, HIGH, x & RUNNING);
		mark(o, LOW, !(x & RUNNING));
	}
	mark(o, STARTER_IN_HIGH, valid(o) && (x & STARTER_IN));
	mark(o, STARTER_IN_LOW, good && !(x & STARTER_IN));
	mark(o, IGN_IN_LOW, good && on(o, IGNITION) && !(x & IGNITION_IN));
	mark(o, ALONE, good && on(o, IGNITION) && x == IGNITION_IN);
	mark(o, PROVING, on(o, IGNITION) && !on(o, STARTER) && proves(o));
	if (o->at[ALONE] == ORACLE_NEVER)
		o->alone = 0;
	if (on(o, STARTER) && running(o))
		mark(o, CAUGHT, true);
	if (on(o, STARTER) && good && (x & STARTER_IN))
		o->flags |= SEEN;
	if (on(o, IGNITION) && good && (x & IGNITION_IN))
		o->flags |= IGN_SEEN;
	if (good && !(x & RUNNING))
		drop(o, TURNING);
}

static void sample(struct oracle *o, int inputs)
{
	bool bad = inputs == ORACLE_BAD || (inputs & 0xf0);

	o->sample = bad ? SAMPLE_BAD : SAMPLE_GOOD;
	o->x = bad ? 0 : (uint8_t)(inputs & USED);
	look(o);
	if (running(o))
		o->at[RAN] = o->now_ms;
	if (o->at[ALONE] != ORACLE_NEVER && o->alone < UINT8_MAX)
		o->alone++;
}

static void remember_pulse(struct oracle *o)
{
	int last = ORACLE_PULSES - 1;
	int64_t end_ms = o->pulse[last].end_ms;

	if (overlap(o, end_ms - o->pulse[last].on_ms, end_ms) > 0)
		o->pulse[last].on_ms += o->pulse[last - 1].on_ms;
	else
		o->pulse[last] = o->pulse[last - 1];
	for (int i = last - 1; i > 0; i--)
		o->pulse[i] = o->pulse[i - 1];
	o->pulse[0].end_ms = o->now_ms;
	o->pulse[0].on_ms = (int32_t)(o->now_ms - o->at[STARTER_ON]);
}

/* What the passing of time alone settles. */
static void advance(struct oracle *o)
{
	const struct oracle_times *t = o->t;
	int64_t loud = o->at[STARTER_IN_HIGH];

	if (running(o))
		o->at[RAN] = later(o->at[RAN], o->now_ms - period(o));
	if (longer(o, o->at[BAD], t->bad_gap_ms))
		o->at[HIGH] = ORACLE_NEVER;
	if (o->at[PROVED] == ORACLE_NEVER && lasted(o, PROVING, t->running_ms))
		o->at[PROVED] = o->at[PROVING] + t->running_ms;
	if (o->at[PROVED] != ORACLE_NEVER && on(o, IGNITION) && !stalled(o) &&
	    !within(o, STARTER_OFF, t->coast_ms))
		o->failures = 0;
	if (!on(o, STARTER) && loud != ORACLE_NEVER &&
	    longer(o, later(o->at[STARTER_OFF], loud), t->stuck_ms + reaction(o)))
		o->flags |= STUCK;
	if (o->relays && o->sample == SAMPLE_BAD && lasted(o, BAD, t->bad_ms))
		o->flags |= UNSURE;
	if (lasted(o, VALID, t->lost_ms))
		drop(o, UNSURE);
}

uint64_t oracle_until(struct oracle *o, int64_t t_ms)
{
	o->now_ms = t_ms;
	advance(o);
	return oracle_due(o);
}

static void lock_out(struct oracle *o, uint32_t why)
{
	o->at[LOCKOUT] = o->now_ms;
	drop(o, DIED_TWICE | ORDERED);
	o->flags |= why;
}

static void ignition_opened(struct oracle *o)
{
	o->at[IGN_OFF] = o->now_ms;
	o->flags |= running(o) ? TURNING : 0;
	if (o->at[PROVED] == ORACLE_NEVER || stalled(o)) {
		if (has(o, PULSED) && has(o, ORDERED) && ++o->failures >= o->t->attempts)
			lock_out(o, 0);
	} else if (!dead(o) || has(o, STOPPED)) {
		o->at[RUN_END] = o->now_ms;
		drop(o, ORDERED);
	} else {
		drop(o, ORDERED);
		if (within(o, DIED, o->t->unexpected_window_ms))
			lock_out(o, DIED_TWICE);
		o->at[DIED] = o->now_ms;
	}
	drop(o, ADOPTED);
}

static void ignition_closed(struct oracle *o)
{
	if (o->at[LOCKOUT] != ORACLE_NEVER && !has(o, MAINTENANCE)) { /* a retry */
		memmove(&o->at[RETRY + 1], &o->at[RETRY],
		    (RETRY_END - RETRY - 1) * sizeof(o->at[0]));
		o->at[RETRY] = o->now_ms;
		o->at[LOCKOUT] = ORACLE_NEVER;
		o->failures = 0;
	}
	o->at[PROVED] = o->at[CHARGER_OFF] = o->at[ALONE] = ORACLE_NEVER;
	drop(o, LOADED | SAGGED | PULSED | TURNING | IGN_SEEN);
}

static void starter_opened(struct oracle *o)
{
	if (unheard(o, o->t->no_feedback_ms))
		o->flags |= NO_FEEDBACK;
	remember_pulse(o);
	o->at[STARTER_OFF] = o->now_ms;
	o->at[CAUGHT] = ORACLE_NEVER;
	drop(o, SEEN);
	o->flags |= PULSED;
}

static void charger_opened(struct oracle *o)
{
	o->at[CHARGER_OFF] = o->now_ms;
	drop(o, SAGGED);
	if (o->at[LOW] != ORACLE_NEVER || o->at[BAD] != ORACLE_NEVER)
		o->flags |= SAGGED;
}

static void stand(struct oracle *o, int relays)
{
	int rise = relays & ~o->relays, fall = o->relays & ~relays;

	if (fall & STARTER)
		starter_opened(o);
	if (fall & GLOW)
		o->glow_total_ms += (int32_t)(o->now_ms - o->at[GLOW_ON]);
	if (fall & CHARGER)
		charger_opened(o);
	if (fall & IGNITION)
		ignition_opened(o);
	if (rise & IGNITION)
		ignition_closed(o);
	if (rise & CHARGER)
		o->flags |= LOADED;
	if ((rise & STARTER) && o->pulses < UINT8_MAX)
		o->pulses++;
	o->relays = (uint8_t)relays;
	mark(o, STARTER_ON, relays & STARTER);
	mark(o, GLOW_ON, relays & GLOW);
	mark(o, IGN_ON, relays & IGNITION);
	o->at[RAW] = has(o, MAINTENANCE) && relays ? o->now_ms : ORACLE_NEVER;
	drop(o, FRESH | UNSURE);
	look(o);
}

static uint64_t begin(struct oracle *o, uint32_t events)
{
	uint64_t broken =
	    when(events & ORACLE_STALE, ORACLE_L2) |
	    when(has(o, OFF | MAINTENANCE) || o->at[ESTOP] != ORACLE_NEVER, ORACLE_M1);

	if (on(o, IGNITION) && o->at[PROVED] == ORACLE_NEVER)
		return broken | ORACLE_BIT(ORACLE_L3);
	if (!on(o, IGNITION)) {
		o->pulses = 0;
		o->glow_total_ms = 0;
		drop(o, NO_FEEDBACK);
	}
	drop(o, STOPPED | STOPPED_EARLY | RESET | (o->relays ? 0 : FRESH));
	o->flags |= ORDERED;
	o->at[STOP] = ORACLE_NEVER;
	return broken;
}

static void stop(struct oracle *o)
{
	if (!has(o, STOPPED)) {
		o->at[STOP] = o->now_ms;
		if (on(o, IGNITION) && !has(o, PULSED) && o->at[PROVED] == ORACLE_NEVER &&
		    !running(o))
			o->flags |= STOPPED_EARLY;
	}
	drop(o, ORDERED);
	o->flags |= STOPPED;
}

/* An operator's clear leaves mode OFF if anything was held. */
static void clear(struct oracle *o)
{
	if (has(o, LATCHED | STUCK) || o->at[ESTOP] != ORACLE_NEVER ||
	    o->at[LOCKOUT] != ORACLE_NEVER)
		o->flags |= OFF;
	drop(o, LATCHED | STUCK | DIED_TWICE);
	o->at[ESTOP] = o->at[LOCKOUT] = o->at[DIED] = ORACLE_NEVER;
	for (int i = RETRY; i < RETRY_END; i++)
		o->at[i] = ORACLE_NEVER;
	o->failures = 0;
}

static void change_mode(struct oracle *o, uint32_t events)
{
	if (events & ORACLE_OFF)
		o->flags |= OFF;
	if (events & ORACLE_MAINTENANCE) {
		drop(o, ORDERED | (o->relays ? 0 : FRESH));
		o->flags |= MAINTENANCE;
	}
	if (events & ORACLE_LEFT) {
		drop(o, MAINTENANCE);
		o->flags |= OFF;
	}
	if (!(events & ORACLE_ENABLED))
		return;
	drop(o, OFF);
	if (on(o, IGNITION) && o->at[PROVED] != ORACLE_NEVER) {
		drop(o, STOPPED);
		o->flags |= ORDERED;
		o->at[STOP] = ORACLE_NEVER;
	}
}

static uint64_t hear(struct oracle *o, uint32_t events)
{
	if (events & ORACLE_CLEARED)
		clear(o);
	change_mode(o, events);
	if (events & ORACLE_STOP)
		stop(o);
	if (events & ORACLE_ESTOP)
		mark(o, ESTOP, true);
	if (events & ORACLE_LATCHED)
		o->flags |= LATCHED;
	if (events & ORACLE_RESTARTED)
		o->flags |= FRESH;
	if (events & ORACLE_BOARD_RESET)
		o->flags |= RESET;
	if (events & ORACLE_ADOPTED)
		o->flags |= ADOPTED;
	if (events & (ORACLE_ESTOP | ORACLE_LATCHED | ORACLE_RESTARTED))
		drop(o, ORDERED);
	if ((events & (ORACLE_ATTEMPT | ORACLE_ADOPTED)) && o->at[ESTOP] == ORACLE_NEVER &&
	    !has(o, STOPPED | LATCHED | MAINTENANCE)) {
		drop(o, RESET);
		o->flags |= ORDERED;
	}
	return events & ORACLE_BEGIN ? begin(o, events) : 0;
}

uint64_t oracle_row(struct oracle *o, int64_t t_ms, int relays, int inputs, uint32_t events)
{
	uint64_t broken = oracle_until(o, t_ms) | hear(o, events);
	bool told = relays != ORACLE_NONE;

	if (inputs != ORACLE_NONE)
		sample(o, inputs);
	if (told && !has(o, KNOWN)) { /* history unknown: only a new process's write counts */
		if (has(o, FRESH) && !(events & ORACLE_RESTARTED) &&
		    !oracle_fresh_allows(o, relays))
			broken |= ORACLE_BIT(ORACLE_P1);
		stand(o, relays);
		o->flags |= KNOWN | (relays ? ORDERED : 0);
		if (events & ORACLE_RESTARTED)
			o->flags |= FRESH;
	} else if (told && (relays != o->relays || (events & ORACLE_WRITTEN))) {
		broken |= oracle_judge(o, relays);
		stand(o, relays);
	}
	return broken;
}

void oracle_init(struct oracle *o, const struct oracle_times *t, int64_t now_ms)
{
	memset(o, 0, sizeof(*o));
	o->t = t;
	o->now_ms = now_ms;
	for (int i = 0; i < AT_N; i++)
		o->at[i] = ORACLE_NEVER;
	o->at[STARTER_OFF] = now_ms; /* no history: the full rest */
}
