#include "node-monitor/replay.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node-monitor/series.h"

enum {
	STEP_MS = 30000,
	LOADED_MS = 98000,
	RUNS_MS = 18000,
	COOLDOWN_MS = 180000,
	LOW_PCT = 10
};

struct model { /* one policy, one battery and an engine that always starts */
	struct autostart policy;
	struct plant plant;
	struct plant_out shown;
	struct engine_truth engine;
	int64_t since_ms, running_ms; /* phase, engine */
	int starts;
	int32_t lowest_mpct;
	int64_t low_ms;
};

static void enter(struct model *m, enum engine_phase phase, int64_t now_ms)
{
	bool was = m->engine.running;

	m->engine.phase = phase;
	m->engine.running = phase >= ENGINE_WARMUP && phase <= ENGINE_COOLDOWN;
	m->since_ms = now_ms;
	if (m->engine.running && !was)
		m->running_ms = now_ms;
}

static void obey(struct model *m, enum auto_wish wish, int64_t now_ms)
{
	enum engine_phase phase = m->engine.phase;

	if (wish == WISH_RUN && phase == ENGINE_OFF) {
		m->starts++;
		enter(m, ENGINE_CRANK, now_ms);
	} else if (wish == WISH_STOP && phase == ENGINE_CRANK) {
		enter(m, ENGINE_OFF, now_ms);
	} else if (wish == WISH_STOP && engine_up(phase)) {
		enter(m, ENGINE_COOLDOWN, now_ms);
	}
}

static void turn(struct model *m, int64_t now_ms)
{
	int64_t lasted_ms = now_ms - m->since_ms;
	enum engine_phase phase = m->engine.phase;

	if (phase == ENGINE_CRANK && lasted_ms >= RUNS_MS)
		enter(m, ENGINE_WARMUP, now_ms);
	else if (phase == ENGINE_WARMUP && lasted_ms >= LOADED_MS - RUNS_MS)
		enter(m, ENGINE_LOADED, now_ms);
	else if (phase == ENGINE_COOLDOWN && lasted_ms >= COOLDOWN_MS)
		enter(m, ENGINE_OFF, now_ms);
	m->engine.run_s = m->engine.running ? (int32_t)((now_ms - m->running_ms) / 1000) : 0;
}

static void step(
    struct model *m, const struct civil *local, int32_t load_w, int32_t pv_w, int64_t now_ms)
{
	struct autostart_in in = {
		.soc_pct.value = m->shown.soc_pct,
		.battery_mv.value = m->shown.battery_mv,
		.load_w.value = load_w,
	};
	struct plant_in power = { .load_w = load_w, .pv_w = pv_w };

	turn(m, now_ms);
	in.engine = m->engine;
	obey(m, autostart_decide(&m->policy, &in, local, now_ms).wish, now_ms);
	power.engine_running = m->engine.running;
	power.charger_on = m->engine.phase == ENGINE_LOADED;
	m->shown = plant_step(&m->plant, power, STEP_MS);
	if (m->shown.soc_mpct < m->lowest_mpct)
		m->lowest_mpct = m->shown.soc_mpct;
	if (m->shown.soc_mpct < LOW_PCT * 1000)
		m->low_ms += STEP_MS;
}

static struct civil civil_at(int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	return (struct civil){ true, (int16_t)(tm.tm_year + 1900), (uint8_t)(tm.tm_mon + 1),
		(uint8_t)tm.tm_mday, (uint8_t)tm.tm_wday, (uint8_t)tm.tm_hour,
		(uint8_t)tm.tm_min, (uint8_t)tm.tm_sec };
}

/* How long row i is taken to hold: to the next row, but not over a hole. */
static int64_t held_ms(const struct series *s, size_t i)
{
	int64_t longest_s = 2 * (int64_t)s->period_s, s_held = s->period_s;

	if (i + 1 < s->nrows)
		s_held = s->rows[i + 1].unix_s - s->rows[i].unix_s;
	return (s_held <= longest_s ? s_held : s->period_s) * 1000;
}

static void run_model(struct model *m, const struct replay_config *c,
    const struct autostart_config *policy, const struct series *s)
{
	int64_t now_ms = 0, due_ms = 0;

	*m = (struct model){ .lowest_mpct = c->plant.soc_pct * 1000 };
	m->engine = (struct engine_truth){ .link = true, .holder = true, .stopped_s = UNKNOWN };
	autostart_init(&m->policy, policy, 0);
	plant_init(&m->plant, &c->plant);
	m->shown = plant_step(&m->plant, (struct plant_in){ 0 }, 1);
	for (size_t i = 0; i < s->nrows; i++) {
		const struct series_row *row = &s->rows[i];
		int64_t begun_ms = now_ms;
		double pv_w = fmin(row->pv_w * c->pv_scale, 1e6);

		if (row->load_w == UNKNOWN)
			continue;
		due_ms += held_ms(s, i);
		for (; now_ms < due_ms; now_ms += STEP_MS) {
			struct civil t = civil_at(row->unix_s + (now_ms - begun_ms) / 1000);
			step(m, &t, row->load_w, (int32_t)lround(pv_w), now_ms);
		}
	}
}

static void print_model(
    const struct model *m, const struct replay_config *c, const char *name, FILE *out)
{
	double mj_per_kwh = PLANT_MJ_PER_WH * 1000.0, litres = plant_fuel_ml(&m->plant) / 1e3;

	fprintf(out, "%-28s %6d %8.1f %9.1f %8.1f %7.1f%% %9.1f %9.1f %9.2f\n", name, m->starts,
	    m->plant.run_ms / 3.6e6, m->plant.charger_mj / mj_per_kwh, litres,
	    m->lowest_mpct / 1e3, m->low_ms / 3.6e6, m->plant.unserved_mj / mj_per_kwh,
	    litres * c->fuel_price);
}

static void print_faults(const struct series *s, FILE *out)
{
	if (s->nsunless > 0)
		fprintf(out, "%zu rows have a load but no sun: taken as dark\n", s->nsunless);
	for (int i = 0; i < s->bad_lines && i < SERIES_FAULTS; i++)
		fprintf(out, "line %d not used: %s\n", s->faults[i].line, s->faults[i].what);
	if (s->bad_lines > SERIES_FAULTS)
		fprintf(out, "and %d more lines not used\n", s->bad_lines - SERIES_FAULTS);
}

static void print_head(const struct replay_config *c, const struct series *s, FILE *out)
{
	const struct plant_config *p = &c->plant;
	struct civil a = civil_at(s->rows[0].unix_s),
		     b = civil_at(s->rows[s->nrows - 1].unix_s);
	int64_t covered_ms = 0;
	size_t last = s->nrows - 1;
	double span_h = (s->rows[last].unix_s - s->rows[0].unix_s + s->period_s) / 3600.0;

	for (size_t i = 0; i < s->nrows; i++)
		covered_ms += s->rows[i].load_w != UNKNOWN ? held_ms(s, i) : 0;
	fprintf(out, "%s: %zu rows, %04d-%02d-%02d to %04d-%02d-%02d, %.1f days replayed\n",
	    c->file, s->nrows, a.year, a.month, a.day, b.year, b.month, b.day,
	    covered_ms / 8.64e7);
	if (span_h - covered_ms / 3.6e6 > 0.05)
		fprintf(out, "%.1f hours are not in the recording and are left out\n",
		    span_h - covered_ms / 3.6e6);
	print_faults(s, out);
	fprintf(out,
	    "battery %.1f kWh from %d %%, charger %d W, sun x %.2f, fuel %.2f a litre\n\n",
	    p->capacity_wh / 1e3, p->soc_pct, p->charger_w, c->pv_scale, c->fuel_price);
	fprintf(out, "%-28s %6s %8s %9s %8s %8s %9s %9s %9s\n", "policy", "starts", "run h",
	    "gen kWh", "litres", "min SOC", "h < 10 %", "kWh short", "cost");
}

static int set_option(struct autostart_config *p, const char *name, long value)
{
	const struct {
		const char *name;
		int32_t *at;
		long min, max;
	} options[] = {
		{ "start", &p->soc_start_pct, 1, 99 },
		{ "stop", &p->soc_stop_pct, 2, 100 },
		{ "min_run", &p->min_run_s, 0, 7200 },
		{ "max_run", &p->max_run_s, 600, 18000 },
		{ "rest", &p->min_between_s, 0, 86400 },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (!strcmp(name, options[i].name)) {
			if (value < options[i].min || value > options[i].max)
				return -EINVAL;
			*options[i].at = (int32_t)value;
			return 0;
		}
	return -EINVAL;
}

/* "start=40,stop=90" over the present policy. */
static int read_vs(const char *text, struct autostart_config *p, FILE *out)
{
	char copy[128], *rest = copy, *word;
	const char *wrong;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, ",")) != NULL) {
		char *value = strchr(word, '='), *end = NULL;
		long number = value ? strtol(value + 1, &end, 10) : 0;
		if (value)
			*value = '\0';
		if (!value || end == value + 1 || *end != '\0' ||
		    set_option(p, word, number) < 0) {
			fprintf(out,
			    "--vs %s: write start=1..99,stop=2..100,min_run=0..7200,"
			    "max_run=600..18000,rest=0..86400\n",
			    text);
			return -EINVAL;
		}
	}
	if (p->quiet_start_pct > p->soc_start_pct)
		p->quiet_start_pct = p->soc_start_pct;
	wrong = autostart_fault(p);
	if (wrong)
		fprintf(out, "--vs %s: %s\n", text, wrong);
	return wrong ? -EINVAL : 0;
}

static int run_vs(
    const struct replay_config *c, const struct series *s, const char *vs, FILE *out)
{
	struct autostart_config policy = c->policy;
	struct model m;
	char name[32];
	int rc = vs ? read_vs(vs, &policy, out) : 0;

	if (rc < 0)
		return rc;
	snprintf(name, sizeof(name), "now: start %d stop %d", policy.soc_start_pct,
	    policy.soc_stop_pct);
	run_model(&m, c, &policy, s);
	print_model(&m, c, vs ? vs : name, out);
	return 0;
}

int replay_run(const struct replay_config *c, FILE *out)
{
	struct series s = { 0 };
	int rc = series_read(c->file, &s);

	if (rc == -EBADMSG)
		fprintf(out,
		    "%s: no usable row; expected a header with a time, a load and a sun "
		    "column%s%s\n",
		    c->file, s.bad_lines > 0 ? "; first fault: " : "",
		    s.bad_lines > 0 ? s.faults[0].what : "");
	else if (rc < 0)
		fprintf(out, "%s: %s\n", c->file, strerror(-rc));
	else
		print_head(c, &s, out);
	if (rc == 0)
		rc = run_vs(c, &s, NULL, out);
	for (size_t i = 0; rc == 0 && i < c->nvs; i++)
		rc = run_vs(c, &s, c->vs[i], out);
	series_free(&s);
	return rc;
}
