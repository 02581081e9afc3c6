#include "node-monitor/policy/need.h"

enum { DAY_MS = 86400000, DAY_MIN = 1440 };

static int64_t ms(int32_t s)
{
	return s * INT64_C(1000);
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int32_t fresh(const struct auto_reading *r, int32_t stale_s)
{
	return r->age_ms >= 0 && r->age_ms <= ms(stale_s) ? r->value : UNKNOWN;
}

/* A quiet period may run over midnight. Without a calendar there is none. */
static bool quiet_now(const struct autostart_config *c, const struct civil *local)
{
	int32_t t = local->hour * 60 + local->minute;
	int32_t from = c->quiet_from_min, to = c->quiet_to_min;

	if (!local->valid || from == to)
		return false;
	return from < to ? t >= from && t < to : t >= from || t < to;
}

struct need_view need_look(const struct autostart *a, const struct autostart_in *in,
    const struct civil *local, int64_t now_ms)
{
	const struct autostart_config *c = a->config;
	struct need_view v = { .c = c, .in = in, .local = local, .now_ms = now_ms };

	v.soc_pct = fresh(&in->soc_pct, c->stale_s);
	if (v.soc_pct < 0 || v.soc_pct > 100)
		v.soc_pct = UNKNOWN;
	v.battery_mv = fresh(&in->battery_mv, c->stale_s);
	v.load_w = fresh(&in->load_w, c->stale_s);
	v.known = engine_known(&in->engine);
	v.quiet = quiet_now(c, local);
	v.manual = in->force_charge;
	v.held = in->force_stop;
	v.soc_start_pct = v.quiet ? c->quiet_start_pct : c->soc_start_pct;
	v.soc_stop_pct = v.quiet ? c->quiet_stop_pct : c->soc_stop_pct;
	v.voltage_start_mv = v.quiet ? c->quiet_start_mv : c->voltage_start_mv;
	return v;
}

int64_t need_quiet_end_ms(const struct need_view *v)
{
	int32_t t = v->local->hour * 60 + v->local->minute;
	int32_t minutes = (v->c->quiet_to_min - t + DAY_MIN) % DAY_MIN;

	return v->now_ms + ms(minutes * 60 - v->local->second);
}

static void note_soc(struct autostart *a, const struct need_view *v)
{
	int64_t taken_ms = v->now_ms - v->in->soc_pct.age_ms, gap_ms = ms(v->c->stale_s);
	bool known = v->soc_pct != UNKNOWN;

	confirm_note(&a->soc_low, known && v->soc_pct < v->soc_start_pct, taken_ms, gap_ms);
	confirm_note(&a->soc_full, known && v->soc_pct >= v->soc_stop_pct, taken_ms, gap_ms);
	if (known)
		a->soc_ms = taken_ms;
}

static void note_voltage(struct autostart *a, const struct need_view *v)
{
	int64_t taken_ms = v->now_ms - v->in->battery_mv.age_ms, gap_ms = ms(v->c->stale_s);
	bool known = v->battery_mv != UNKNOWN;
	bool low = known && v->battery_mv < v->voltage_start_mv;

	confirm_note(&a->volt_low, low, taken_ms, gap_ms);
	confirm_note(
	    &a->volt_full, known && v->battery_mv >= v->c->voltage_stop_mv, taken_ms, gap_ms);
}

static void note_load(struct autostart *a, const struct need_view *v)
{
	int64_t taken_ms = v->now_ms - v->in->load_w.age_ms, gap_ms = ms(v->c->stale_s);
	bool known = v->load_w != UNKNOWN && v->c->load_start_w > 0;

	confirm_note(&a->load_high, known && v->load_w >= v->c->load_start_w, taken_ms, gap_ms);
	confirm_note(&a->load_low, known && v->load_w < v->c->load_stop_w, taken_ms, gap_ms);
}

static bool soc_confirmed(const struct autostart *a, const struct confirm *f)
{
	return confirm_met(f, a->config->debounce_readings, a->config->debounce_s);
}

static bool voltage_confirmed(const struct autostart *a, const struct confirm *f)
{
	return confirm_met(f, a->config->debounce_readings, a->config->voltage_delay_s);
}

static bool load_confirmed(const struct autostart *a, const struct confirm *f)
{
	return confirm_met(f, a->config->debounce_readings, a->config->load_delay_s);
}

bool need_exercise(const struct autostart *a, const struct need_view *v)
{
	const struct autostart_config *c = v->c;
	int64_t last_ms = most(a->long_run_ms, a->exercised_ms);

	if (c->exercise_days == 0 || v->quiet || !v->local->valid || v->soc_pct == UNKNOWN)
		return false;
	if (c->exercise_weekday != AUTO_ANY_DAY && v->local->weekday != c->exercise_weekday)
		return false;
	return v->local->hour == c->exercise_hour &&
	       v->now_ms - last_ms >= c->exercise_days * (int64_t)DAY_MS - DAY_MS / 2;
}

enum auto_reason need_measured(const struct autostart *a, const struct need_view *v)
{
	if (soc_confirmed(a, &a->soc_low))
		return AUTO_SOC;
	if (voltage_confirmed(a, &a->volt_low))
		return AUTO_VOLTAGE;
	if (!v->quiet && load_confirmed(a, &a->load_high))
		return AUTO_LOAD;
	return AUTO_ENOUGH;
}

static bool exercised(const struct autostart *a, const struct need_view *v)
{
	int64_t run_ms = v->now_ms - a->run_from_ms;

	return a->run_from_ms != AUTO_NEVER && run_ms >= ms(v->c->exercise_s);
}

enum auto_reason need_fulfilled(const struct autostart *a, const struct need_view *v)
{
	bool quiet_ends = v->quiet && (a->cause == AUTO_LOAD || a->cause == AUTO_EXERCISE);

	if (quiet_ends)
		return AUTO_QUIET;
	switch (a->cause) {
	case AUTO_SOC:
	case AUTO_ADOPTED:
		return soc_confirmed(a, &a->soc_full) ? AUTO_SOC_REACHED : AUTO_ENOUGH;
	case AUTO_VOLTAGE:
		return voltage_confirmed(a, &a->volt_full) ? AUTO_VOLTAGE_REACHED : AUTO_ENOUGH;
	case AUTO_LOAD:
		return load_confirmed(a, &a->load_low) ? AUTO_LOAD_GONE : AUTO_ENOUGH;
	case AUTO_EXERCISE:
		return exercised(a, v) ? AUTO_EXERCISE_DONE : AUTO_ENOUGH;
	default: /* AUTO_MANUAL: what nobody measures lasts as long as its file */
		return v->manual ? AUTO_ENOUGH : AUTO_MANUAL_GONE;
	}
}

bool need_sees_end(const struct autostart *a, const struct need_view *v)
{
	if (a->cause == AUTO_VOLTAGE)
		return v->battery_mv != UNKNOWN;
	if (a->cause == AUTO_LOAD)
		return v->load_w != UNKNOWN;
	return a->cause == AUTO_MANUAL || a->cause == AUTO_EXERCISE || v->soc_pct != UNKNOWN;
}

void need_note(struct autostart *a, const struct need_view *v)
{
	note_soc(a, v);
	note_voltage(a, v);
	note_load(a, v);
}
