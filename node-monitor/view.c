#include "node-monitor/view.h"

#include <stdarg.h>
#include <stdio.h>

#include "node-monitor/catalog.h"
#include "node-monitor/reason.h"

enum { TEXT_SIZE = 64 };

struct out { /* a buffer that is filled from the left and never overrun */
	char *text;
	size_t n;
};

static __attribute__((format(printf, 2, 3))) void put(struct out *o, const char *fmt, ...)
{
	size_t left = VIEW_SIZE - o->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->text + o->n, left, fmt, ap);
	va_end(ap);
	o->n += n < 0 ? 0 : (size_t)n >= left ? left - 1 : (size_t)n;
}

/* "24", "51.2", or "?" */
static const char *value(
    const struct site *s, enum inverter_key key, char text[static TEXT_SIZE])
{
	int32_t v = s->sample.v[key];
	double scale = 1;

	if (v == UNKNOWN)
		return "?";
	for (int i = 0; i < catalog[key].decimals; i++)
		scale *= 10;
	snprintf(text, TEXT_SIZE, "%.*f", catalog[key].decimals > 0, v / scale);
	return text;
}

static const char *relay_names(const struct gen_status *g, char text[static TEXT_SIZE])
{
	static const char *const names[] = { "START", "CHARGER", "GLOW", "IGN" };
	static const int order[] = { 3, 2, 1, 0 };
	size_t n = 0;

	if (!g->relays_known)
		return "unknown";
	for (int i = 0; i < 4; i++) {
		if (g->relays >> order[i] & 1)
			n += (size_t)snprintf(
			    text + n, TEXT_SIZE - n, "%s%s", n ? "+" : "", names[order[i]]);
	}
	snprintf(text + n, TEXT_SIZE - n, "%s (0x%02X)", n ? "" : "OFF", g->relays);
	return text;
}

static const char *input_names(const struct gen_status *g, char text[static TEXT_SIZE])
{
	if (!g->inputs_valid)
		return "not readable";
	snprintf(text, TEXT_SIZE, "engine %s, ignition %s, starter %s",
	    g->inputs & 1 ? "RUNNING" : "off", g->inputs & 2 ? "ON" : "off",
	    g->inputs & 8 ? "ON" : "off");
	return text;
}

static int64_t left_s(const struct gen_status *g, int64_t now_ms)
{
	int64_t left_ms = g->phase_left_ms - (now_ms - g->at_ms);

	return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}

static void put_generator(struct out *o, const struct gen_view *v, int64_t now_ms)
{
	const struct gen_status *g = &v->status;
	char text[TEXT_SIZE];

	if (!v->heard) {
		put(o, "  Generator  no connection to %s%s%s\n", v->peer,
		    v->down_because[0] ? ": " : "", v->down_because);
		return;
	}
	put(o, "  Generator  %s", genview_phase_name(g->phase));
	if (g->phase_left_ms)
		put(o, ", %lld s left, then %s", (long long)left_s(g, now_ms),
		    genview_phase_name(g->next_phase));
	if (g->run_s)
		put(o, "   (this run %um%02us)", g->run_s / 60, g->run_s % 60);
	put(o, "\n  Relays     %s\n", relay_names(g, text));
	put(o, "  Inputs     %s\n", input_names(g, text));
	if (g->mode != MODE_AUTO)
		put(o, "  Mode       %s: nothing starts by itself\n",
		    genview_mode_name(g->mode));
}

static const char *wish_name(const struct site *s)
{
	static const char *const names[] = { "as it is", "run", "stop" };

	return names[s->decision.wish];
}

static void put_why(struct out *o, const struct site *s)
{
	const struct gen_view *v = s->generator;

	put(o, "\n  Monitor    %s: %s\n", wish_name(s), s->reason);
	if (s->next[0])
		put(o, "             next: %s\n", s->next);
	if (!v->heard)
		return;
	put(o, "  Engine     %s\n", v->status.why);
	if (v->status.blocks[0])
		put(o, "             blocked: %s\n", v->status.blocks);
	if (v->status.next[0])
		put(o, "             next: %s\n", v->status.next);
}

static void put_alarms(struct out *o, const struct site *s)
{
	const struct gen_status *g = &s->generator->status;

	for (int i = 0; i < REASON_NALARMS; i++) {
		if (s->decision.alarms & reason_alarms[i].bit)
			put(o, "  ALARM      %s: %s\n", reason_alarms[i].code,
			    reason_alarms[i].text);
	}
	for (size_t i = 0; i < g->nalarms; i++) {
		const struct gen_alarm *a = &g->alarms[i];

		put(o, "  ALARM      %s (engine node, %s%s%s): %s\n", a->code,
		    genview_class_name(a->class), a->latched ? ", latched" : "",
		    a->first ? ", first" : "", a->text);
	}
	for (uint32_t bit = 1; bit < 1u << HEALTH_NBITS; bit <<= 1) {
		if (s->health.alarms & bit)
			put(o, "  ALARM      %s\n", health_text(bit));
	}
	if (s->csv_rc < 0)
		put(o, "  ALARM      the CSV file cannot be written: %s\n",
		    csv_advice(s->csv_rc));
}

static void put_inverter(struct out *o, const struct site *s, int64_t now_ms)
{
	char t[4][TEXT_SIZE];

	put(o, "  Battery    %s %%   %s V\n", value(s, INV_SOC, t[0]),
	    value(s, INV_BATTERY_VOLTAGE, t[1]));
	put(o, "  Sun, load  PV %s W   load %s W\n", value(s, INV_PV_POWER, t[2]),
	    value(s, INV_LOAD_POWER, t[3]));
	if (!s->sample_ms)
		put(o, "  Inverter   %s has not answered yet\n", s->device);
	else
		put(o, "  Inverter   answered %lld s ago%s\n",
		    (long long)(now_ms - s->sample_ms) / 1000,
		    s->poll_rc < 0 ? ", and not the last time" : "");
}

void view_screen(const struct site *s, int64_t now_ms, char text[static VIEW_SIZE])
{
	struct out o = { .text = text };
	bool simulated = s->generator->heard && s->generator->status.simulated;

	put(&o, "  PiGenny %s%s\n\n", PIGENNY_VERSION,
	    simulated ? "      *** SIMULATED SITE: no real engine, battery or relay ***" : "");
	put_inverter(&o, s, now_ms);
	put_generator(&o, s->generator, now_ms);
	put_why(&o, s);
	put_alarms(&o, s);
}

/* The one that came first, or else the first in the list, and how many more there are. */
static void put_line_alarms(struct out *o, const struct gen_status *g)
{
	size_t shown = 0;

	if (g->nalarms == 0)
		return;
	for (size_t i = 0; i < g->nalarms; i++) {
		if (g->alarms[i].first)
			shown = i;
	}
	put(o, " | ALARM %s", g->alarms[shown].code);
	if (g->nalarms > 1)
		put(o, " and %zu more", g->nalarms - 1);
}

void view_line(const struct site *s, int64_t now_ms, char text[static VIEW_SIZE])
{
	const struct gen_view *v = s->generator;
	struct out o = { .text = text };
	char t[2][TEXT_SIZE];

	put(&o, "%sSOC %s %% | %s | ", v->heard && v->status.simulated ? "SIMULATED | " : "",
	    value(s, INV_SOC, t[0]), site_word(s, now_ms));
	if (v->heard)
		put(&o, "%s relays %s inputs %u", genview_phase_name(v->status.phase),
		    relay_names(&v->status, t[1]), v->status.inputs);
	else
		put(&o, "no connection");
	put(&o, " | %s", wish_name(s));
	if (v->heard)
		put_line_alarms(&o, &v->status);
	put(&o, "\n");
}

/* JSON */

static void put_string(struct out *o, const char *key, const char *text)
{
	put(o, "\"%s\":\"", key);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			put(o, "\\%c", *c);
		else if (*c < ' ' || *c == 0x7f)
			put(o, "\\u%04x", *c);
		else
			put(o, "%c", *c);
	}
	put(o, "\"");
}

static void put_json_alarms(struct out *o, const struct gen_status *g, int64_t now_ms)
{
	put(o, "\"alarms\":[");
	for (size_t i = 0; i < g->nalarms; i++) {
		const struct gen_alarm *a = &g->alarms[i];

		put(o, "%s{", i ? "," : "");
		put_string(o, "code", a->code);
		put(o, ",");
		put_string(o, "class", genview_class_name(a->class));
		put(o, ",\"latched\":%s,\"first\":%s,\"age_s\":%lld,",
		    a->latched ? "true" : "false", a->first ? "true" : "false",
		    (long long)(now_ms - a->since_ms) / 1000);
		put_string(o, "text", a->text);
		put(o, "}");
	}
	put(o, "]");
}

static void put_json_generator(struct out *o, const struct gen_view *v, int64_t now_ms)
{
	const struct gen_status *g = &v->status;

	put(o, "\"generator\":{\"link\":%s", v->heard ? "true" : "false");
	if (v->heard) {
		put(o, ",\"age_ms\":%lld,", (long long)(now_ms - g->at_ms));
		put_string(o, "phase", genview_phase_name(g->phase));
		put(o, ",\"left_s\":%lld,", (long long)left_s(g, now_ms));
		put_string(o, "mode", genview_mode_name(g->mode));
		put(o, ",\"relays\":%u,\"inputs\":%u,\"running\":%s,\"holder\":%s,", g->relays,
		    g->inputs, g->running ? "true" : "false", v->holder ? "true" : "false");
		put_string(o, "why", g->why);
		put(o, ",");
		put_string(o, "blocks", g->blocks);
		put(o, ",");
		put_string(o, "next", g->next);
		put(o, ",");
		put_json_alarms(o, g, now_ms);
	}
	put(o, "},");
}

void view_json(const struct site *s, int64_t now_ms, char text[static VIEW_SIZE])
{
	struct out o = { .text = text };
	char t[TEXT_SIZE];

	put(&o, "{\"inverter\":{\"age_ms\":%lld",
	    s->sample_ms ? (long long)(now_ms - s->sample_ms) : -1LL);
	for (int key = 0; key < INV_NKEYS && o.n < VIEW_SIZE * 3 / 4; key++) {
		if (s->sample.v[key] != UNKNOWN)
			put(&o, ",\"%s\":%s", catalog[key].name, value(s, key, t));
	}
	put(&o, "},");
	put_json_generator(&o, s->generator, now_ms);
	put_string(&o, "state", site_word(s, now_ms));
	put(&o, ",");
	put_string(&o, "wish", wish_name(s));
	put(&o, ",");
	put_string(&o, "reason", s->reason);
	put(&o, ",");
	put_string(&o, "next", s->next);
	put(&o, ",\"alarms\":%u,\"health_alarms\":%u}\n", s->decision.alarms, s->health.alarms);
}
