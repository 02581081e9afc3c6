#include "node-monitor/policy/need.h"

#include <stddef.h>

enum {
	OBEY_MS = 300000, /* an order to run shows in the engine's phase before this */
	HELD_MS = 600000, /* a generator held off longer is worth an alarm */
	LINK_MS = 60000
};

const struct autostart_config autostart_defaults = {
	.soc_start_pct = 25,
	.soc_stop_pct = 80,
	.voltage_stop_mv = 53500,
	.voltage_delay_s = 120,
	.load_delay_s = 120,
	.debounce_readings = 3,
	.debounce_s = 60,
	.stale_s = 120,
	.blind_run_s = 1800,
	.min_run_s = 600,
	.max_run_s = 14400,
	.min_between_s = 3600,
	.quiet_start_pct = 10,
	.quiet_stop_pct = 40,
	.exercise_weekday = AUTO_ANY_DAY,
	.exercise_hour = 10,
	.exercise_s = 1200,
	.charging = { .within_s = 300, .rise_pct = 1, .rise_mv = 500, .full_pct = 95 },
};

static int64_t ms(int32_t s)
{
	return s * INT64_C(1000);
}

static int32_t left_s(int64_t until_ms, int64_t now_ms)
{
	return until_ms > now_ms ? (int32_t)((until_ms - now_ms + 999) / 1000) : 0;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void note_manual(struct autostart *a, const struct need_view *v)
{
	if (!v->manual)
		a->manual = MANUAL_NONE;
	else if (a->manual == MANUAL_NONE)
		a->manual = a->met ? MANUAL_NEW : MANUAL_OLD;
	if (!v->held)
		a->free_ms = v->now_ms;
}

/* The engine */

static bool ran(const struct autostart *a)
{
	return a->run_from_ms != AUTO_NEVER;
}

static int64_t run_ms(const struct autostart *a, int64_t now_ms)
{
	return ran(a) ? now_ms - a->run_from_ms : 0;
}

static bool off(const struct engine_truth *e)
{
	return !e->running && !engine_up(e->phase) && !engine_ending(e->phase);
}

/* Not running, in a phase that comes before the engine was proved to run. */
static bool gone(const struct engine_truth *e)
{
	return off(e) || (!e->running && (e->phase < ENGINE_WARMUP || e->phase == ENGINE_REST));
}

static void end(struct autostart *a, enum auto_reason why, enum auto_state state)
{
	a->ended = why;
	a->state = state;
	if (ran(a) && a->manual != MANUAL_NONE)
		a->manual = MANUAL_SPENT;
}

static enum auto_reason why_gone(const struct autostart *a, const struct need_view *v)
{
	if (v->in->engine.phase == ENGINE_LOCKOUT)
		return AUTO_LOCKED_OUT;
	if (!ran(a))
		return AUTO_NOT_STARTED;
	if (a->was_ending)
		return AUTO_NODE_ENDED;
	return v->now_ms >= a->granted_ms ? AUTO_DEADLINE : AUTO_STOPPED_ITSELF;
}

static void adopt(struct autostart *a, const struct need_view *v)
{
	if (a->asked_ms == AUTO_NEVER)
		a->cause = v->manual ? AUTO_MANUAL : AUTO_ADOPTED;
	if (a->cause == AUTO_EXERCISE)
		a->exercised_ms = v->now_ms;
	a->state = AUTO_WANTED;
	a->asked_ms = AUTO_NEVER;
	a->seen_ms = v->now_ms;
	a->granted_ms = v->now_ms + ms(AUTO_FOR_S);
	a->sticky = 0;
}

static void follow_wanted(struct autostart *a, const struct need_view *v)
{
	const struct engine_truth *e = &v->in->engine;

	if (!off(e) && !(gone(e) && ran(a)))
		return;
	end(a, why_gone(a, v), off(e) ? AUTO_IDLE : AUTO_ENDING);
	if (a->ended == AUTO_STOPPED_ITSELF)
		a->sticky |= ALARM_STOPPED_ITSELF;
}

/* Brings our state in line with the engine's. */
static void follow(struct autostart *a, const struct need_view *v)
{
	const struct engine_truth *e = &v->in->engine;

	if (e->mode != MODE_AUTO || e->phase == ENGINE_EXTERNAL) {
		if (a->state != AUTO_IDLE)
			end(a, AUTO_MODE, AUTO_IDLE);
	} else if (a->state == AUTO_WANTED) {
		follow_wanted(a, v);
	} else if (a->state == AUTO_ENDING && off(e)) {
		a->state = AUTO_IDLE;
	} else if (a->state == AUTO_IDLE && engine_up(e->phase)) {
		adopt(a, v);
	} else if (a->state == AUTO_IDLE && engine_ending(e->phase)) {
		end(a, AUTO_NODE_ENDED, AUTO_ENDING);
	}
}

/* Keeps the run clock and the last stop, whoever started the engine. */
static void account(struct autostart *a, const struct need_view *v)
{
	const struct engine_truth *e = &v->in->engine;
	int64_t from_ms = v->now_ms - e->age_ms - ms(e->run_s > 0 ? e->run_s : 0);

	if (e->running)
		a->run_from_ms = ran(a) ? least(a->run_from_ms, from_ms) : from_ms;
	if (gone(e) && ran(a)) {
		a->stopped_ms = v->now_ms;
		if (v->now_ms - a->run_from_ms >= ms(v->c->exercise_s))
			a->long_run_ms = v->now_ms;
		a->run_from_ms = AUTO_NEVER;
	}
	if (!e->running && e->stopped_s != UNKNOWN)
		a->stopped_ms = most(a->stopped_ms, v->now_ms - ms(e->stopped_s));
	a->was_ending = engine_ending(e->phase);
	a->link_ms = v->now_ms;
	a->met = true;
}

static enum auto_reason wanted_for(const struct autostart *a, const struct need_view *v)
{
	enum auto_reason cause = need_measured(a, v);

	if (a->manual == MANUAL_NEW || a->manual == MANUAL_OLD)
		return AUTO_MANUAL;
	if (cause == AUTO_ENOUGH && need_exercise(a, v))
		return AUTO_EXERCISE;
	return cause;
}

/* Answers */

static void show_cause(struct autostart_out *o, const struct autostart *a,
    const struct need_view *v, enum auto_reason cause)
{
	bool running = a->state != AUTO_IDLE;

	o->cause = cause;
	o->value = v->soc_pct;
	o->limit = running ? v->soc_stop_pct : v->soc_start_pct;
	o->count = running ? a->soc_full.count : a->soc_low.count;
	if (cause == AUTO_VOLTAGE) {
		o->value = v->battery_mv;
		o->limit = running ? v->c->voltage_stop_mv : v->voltage_start_mv;
		o->count = running ? a->volt_full.count : a->volt_low.count;
	} else if (cause == AUTO_LOAD) {
		o->value = v->load_w;
		o->limit = running ? v->c->load_stop_w : v->c->load_start_w;
		o->count = running ? a->load_low.count : a->load_high.count;
	}
}

static struct autostart_out hold_off(
    struct autostart_out o, enum auto_reason why, int64_t until_ms, int64_t now_ms)
{
	o.reason = why;
	o.left_s = left_s(until_ms, now_ms);
	if (until_ms > now_ms) {
		o.next = why == AUTO_LOCKED_OUT ? NEXT_RETRY : NEXT_START_AT;
		o.next_ms = until_ms;
	}
	return o;
}

/* What forbids any run, whatever asks for it; AUTO_ENOUGH: nothing does. */
static enum auto_reason forbidden(const struct need_view *v)
{
	const struct engine_truth *e = &v->in->engine;

	if (!v->known)
		return AUTO_LINK_DOWN;
	if (e->mode != MODE_AUTO || e->phase == ENGINE_MAINTENANCE)
		return AUTO_MODE;
	if (e->phase == ENGINE_LOCKOUT)
		return AUTO_LOCKED_OUT;
	if (e->phase == ENGINE_FAULT)
		return AUTO_FAULT;
	if (e->phase == ENGINE_EXTERNAL || e->running)
		return AUTO_EXTERNAL;
	return v->held ? AUTO_HELD : AUTO_ENOUGH;
}

/* Nothing wants a run: why not, and what would. */
static struct autostart_out content(
    const struct autostart *a, const struct need_view *v, struct autostart_out o)
{
	o.next = NEXT_START_BELOW;
	o.next_value = v->soc_start_pct;
	if (v->soc_pct == UNKNOWN) {
		o.reason = AUTO_NO_DATA;
		o.next = NEXT_NONE;
	} else if (a->soc_low.count > 0) {
		o.reason = AUTO_CONFIRMING;
	} else if (v->quiet && v->soc_pct < v->c->soc_start_pct) {
		o = hold_off(o, AUTO_QUIET, need_quiet_end_ms(v), v->now_ms);
	}
	return o;
}

static struct autostart_out ask(
    struct autostart *a, const struct need_view *v, struct autostart_out o)
{
	if (a->asked_ms == AUTO_NEVER)
		a->asked_ms = v->now_ms;
	a->cause = o.cause;
	o.wish = WISH_RUN;
	o.for_s = AUTO_FOR_S;
	o.reason = o.cause;
	if (v->now_ms - a->asked_ms >= OBEY_MS)
		o.alarms |= ALARM_NOT_OBEYED;
	return o;
}

static struct autostart_out idle(struct autostart *a, const struct need_view *v)
{
	const struct engine_truth *e = &v->in->engine;
	struct autostart_out o = { .reason = AUTO_ENOUGH };
	enum auto_reason no = forbidden(v);
	int64_t asked_ms = a->asked_ms, rested_ms = a->stopped_ms + ms(v->c->min_between_s);
	int64_t ready_ms = v->now_ms + ms(e->start_ready_s);

	a->asked_ms = no == AUTO_LINK_DOWN ? asked_ms : AUTO_NEVER;
	show_cause(&o, a, v, wanted_for(a, v));
	if (no == AUTO_LOCKED_OUT)
		return hold_off(o, no, v->now_ms + ms(e->lockout_left_s), v->now_ms);
	if (no != AUTO_ENOUGH)
		return hold_off(o, no, v->now_ms, v->now_ms);
	if (o.cause == AUTO_ENOUGH)
		return content(a, v, o);
	if (!e->holder)
		return hold_off(o, AUTO_NO_LEASE, v->now_ms, v->now_ms);
	if (rested_ms > v->now_ms && !(o.cause == AUTO_MANUAL && a->manual == MANUAL_NEW))
		return hold_off(o, AUTO_RESTING, rested_ms, v->now_ms);
	if (ready_ms > v->now_ms)
		return hold_off(o, AUTO_NODE_RESTS, ready_ms, v->now_ms);
	a->asked_ms = asked_ms;
	return ask(a, v, o);
}

static struct autostart_out stop(struct autostart *a, const struct need_view *v)
{
	struct autostart_out o = { .wish = WISH_STOP, .reason = a->ended };

	show_cause(&o, a, v, a->cause);
	return o;
}

static struct autostart_out end_now(
    struct autostart *a, const struct need_view *v, enum auto_reason why, uint32_t alarm)
{
	end(a, why, AUTO_ENDING);
	a->sticky |= alarm;
	return stop(a, v);
}

/* RUN until `until_ms` at the latest, never past what one order may ask for. */
static struct autostart_out carry_on(
    struct autostart *a, const struct need_view *v, enum auto_reason why, int64_t until_ms)
{
	int64_t max_ms = v->now_ms - run_ms(a, v->now_ms) + ms(v->c->max_run_s);
	bool by_soc = why == AUTO_SOC || why == AUTO_ADOPTED;
	struct autostart_out o = { .wish = WISH_RUN, .reason = why };

	show_cause(&o, a, v, a->cause);
	o.next = by_soc ? NEXT_STOP_AT : NEXT_STOP;
	o.next_value = v->soc_stop_pct;
	o.next_ms = least(until_ms, max_ms);
	o.left_s = left_s(o.next_ms, v->now_ms);
	if (why == AUTO_MIN_RUN) /* the order goes on: the condition may yet change */
		o.for_s = (int32_t)least(left_s(max_ms, v->now_ms), AUTO_FOR_S);
	else
		o.for_s = (int32_t)least(o.left_s, AUTO_FOR_S);
	if (v->known && v->in->engine.holder)
		a->granted_ms = v->now_ms + ms(o.for_s);
	return o;
}

static struct autostart_out run_on(struct autostart *a, const struct need_view *v)
{
	int64_t blind_ms, began_ms = v->now_ms - run_ms(a, v->now_ms);

	if (need_sees_end(a, v))
		a->seen_ms = v->now_ms;
	blind_ms = a->seen_ms + ms(v->c->blind_run_s);
	if (a->seen_ms < v->now_ms)
		return blind_ms > v->now_ms ? carry_on(a, v, AUTO_BLIND, blind_ms)
					    : end_now(a, v, AUTO_BLIND_END, ALARM_BLIND);
	if (a->cause == AUTO_EXERCISE)
		return carry_on(a, v, a->cause, began_ms + ms(v->c->exercise_s));
	return carry_on(a, v, a->cause, INT64_MAX);
}

static struct autostart_out wanted(struct autostart *a, const struct need_view *v)
{
	int64_t run = run_ms(a, v->now_ms);
	enum auto_reason done, other = need_measured(a, v);

	if (v->held)
		return end_now(a, v, AUTO_HELD, 0);
	if (run >= ms(v->c->max_run_s))
		return end_now(a, v, AUTO_MAX_RUN, ALARM_MAX_RUN);
	if (v->manual && a->manual != MANUAL_SPENT)
		a->cause = AUTO_MANUAL;
	done = need_fulfilled(a, v);
	if (done == AUTO_ENOUGH)
		return run_on(a, v);
	if (a->cause != AUTO_MANUAL && other != AUTO_ENOUGH) {
		a->cause = other;
		return run_on(a, v);
	}
	if (a->cause != AUTO_MANUAL && ran(a) && run < ms(v->c->min_run_s))
		return carry_on(a, v, AUTO_MIN_RUN, v->now_ms - run + ms(v->c->min_run_s));
	return end_now(a, v, done, 0);
}

static struct autostart_out ending(struct autostart *a, const struct need_view *v)
{
	bool turning = v->known && v->in->engine.phase == ENGINE_COOLDOWN;

	if (!turning || a->manual != MANUAL_NEW || v->held)
		return stop(a, v);
	a->state = AUTO_WANTED; /* back on load: the engine is warm and still runs */
	return wanted(a, v);
}

static uint32_t alarms(const struct autostart *a, const struct need_view *v)
{
	const struct autostart_config *c = v->c;
	bool calendar = c->exercise_days > 0 || c->quiet_from_min != c->quiet_to_min;
	uint32_t bits = a->sticky;

	if (v->now_ms - a->soc_ms > ms(c->stale_s))
		bits |= ALARM_STALE;
	if (v->now_ms - a->link_ms > LINK_MS)
		bits |= ALARM_LINK;
	if (v->known && v->in->engine.phase == ENGINE_LOCKOUT)
		bits |= ALARM_LOCKED_OUT;
	if (v->now_ms - a->free_ms > HELD_MS)
		bits |= ALARM_HELD;
	if (calendar && !v->local->valid)
		bits |= ALARM_CLOCK;
	return bits;
}

void autostart_init(struct autostart *a, const struct autostart_config *config, int64_t now_ms)
{
	*a = (struct autostart){
		.config = config,
		.cause = AUTO_ENOUGH,
		.ended = AUTO_ENOUGH,
		.run_from_ms = AUTO_NEVER,
		.stopped_ms = AUTO_NEVER,
		.long_run_ms = AUTO_NEVER,
		.exercised_ms = AUTO_NEVER,
		.asked_ms = AUTO_NEVER,
		.soc_ms = now_ms,
		.link_ms = now_ms,
		.free_ms = now_ms,
	};
}

struct autostart_out autostart_decide(struct autostart *a, const struct autostart_in *in,
    const struct civil *local, int64_t now_ms)
{
	struct need_view v = need_look(a, in, local, now_ms);
	bool loaded = v.known && in->engine.phase == ENGINE_LOADED, flat;
	struct autostart_out o;

	need_note(a, &v);
	note_manual(a, &v);
	if (v.known) {
		follow(a, &v);
		account(a, &v);
	}
	flat = charging_missing(
	    &a->charging, &v.c->charging, loaded, v.soc_pct, v.battery_mv, now_ms);
	o = a->state == AUTO_IDLE     ? idle(a, &v)
	    : a->state == AUTO_WANTED ? wanted(a, &v)
				      : ending(a, &v);
	o.ended = a->ended;
	o.alarms |= alarms(a, &v) | (flat ? ALARM_NOT_CHARGING : 0);
	return o;
}

const char *autostart_fault(const struct autostart_config *c)
{
	if (c->soc_stop_pct <= c->soc_start_pct)
		return "soc_stop must be above soc_start";
	if (c->quiet_stop_pct <= c->quiet_start_pct)
		return "quiet_stop must be above quiet_start";
	if (c->quiet_start_pct > c->soc_start_pct)
		return "quiet_start is a floor and cannot be above soc_start";
	if (c->voltage_start_mv > 0 && c->voltage_stop_mv <= c->voltage_start_mv)
		return "voltage_stop must be above voltage_start";
	if (c->load_start_w > 0 && c->load_stop_w >= c->load_start_w)
		return "load_stop must be below load_start";
	if (c->min_run_s >= c->max_run_s)
		return "min_run must be shorter than max_run";
	if (c->exercise_days > 0 && c->exercise_s > c->max_run_s)
		return "an exercise run cannot be longer than max_run";
	return NULL;
}
