#include "node-genctl/gencli_timeline.h"

#include <inttypes.h>
#include <string.h>

#include "node-genctl/render.h"

enum { NAME_WIDTH = 11, EVENT_WIDTH = 38, FOUND_WIDTH = 42, LANES = 4, TEXT_MAX = 256 };

/* clang-format off */
static const struct lane {
	uint8_t bit;
	const char *name, *rises, *falls;
} relays[LANES] = {
	{ RELAY_IGNITION, "IGN", "ignition closes", "ignition opens" },
	{ RELAY_GLOW,     "GLO", "glow closes",     "glow opens" },
	{ RELAY_STARTER,  "STA", "starter closes",  "starter opens" },
	{ RELAY_CHARGER,  "CHG", "charger closes",  "charger opens" },
}, inputs[LANES] = {
	{ INPUT_IGNITION, "ign", "ignition seen",   "ignition gone" },
	{ INPUT_STARTER,  "sta", "starter seen",    "starter gone" },
	{ INPUT_ENGINE,   "run", "engine runs",     "engine silent" },
	{ INPUT_IN3,      "in3", "IN3 on",          "IN3 off" },
};
static const struct pens {
	const char *open, *closed, *asked, *stays, *bad, *lasts, *finding;
} pens[] = {
	{ ".", "|", ",", "'", "?", ":", ">>>" },
	{ "\u00b7", "\u2503", "\u2577", "\u2575", "?", "\u22ee", "\u25b6\u25b6\u25b6" },
};
/* clang-format on */

struct drawing {
	FILE *to;
	const struct pens *pen;
	int64_t begin_ms, shown_ms;	     /* shown_ms: of the last line with a time */
	struct tracetext_row state;	     /* as far as it is known */
	const struct finding *finding, *end; /* still to be shown */
};

static void put_time(const struct drawing *d, int64_t t_ms)
{
	int64_t ms = t_ms > d->begin_ms ? t_ms - d->begin_ms : 0;

	fprintf(d->to, "%4" PRId64 ":%02d:%02d.%03d", ms / 3600000, (int)(ms / 60000 % 60),
	    (int)(ms / 1000 % 60), (int)(ms % 1000));
}

/* What was written and what the contact does may differ: for a moment, or for ever. */
static const char *relay_mark(const struct drawing *d, uint8_t bit)
{
	const struct tracetext_row *s = &d->state;
	bool asked = s->acked >= 0 ? s->acked & bit : s->contacts & bit;
	bool closed = s->contacts >= 0 ? s->contacts & bit : asked;

	if (s->acked < 0 && s->contacts < 0)
		return d->pen->bad;
	if (asked == closed)
		return closed ? d->pen->closed : d->pen->open;
	return asked ? d->pen->asked : d->pen->stays;
}

static const char *input_mark(const struct drawing *d, uint8_t bit)
{
	int x = d->state.inputs;

	if (x == TRACETEXT_UNKNOWN)
		return " ";
	if (x == TRACETEXT_BAD || (x & ~0x0f))
		return d->pen->bad;
	return x & bit ? d->pen->closed : d->pen->open;
}

static void put_lanes(const struct drawing *d)
{
	for (int i = 0; i < LANES; i++)
		fprintf(d->to, "   %s", relay_mark(d, relays[i].bit));
	fputs("  ", d->to);
	for (int i = 0; i < LANES; i++)
		fprintf(d->to, "   %s", input_mark(d, inputs[i].bit));
}

static void put_head(const struct drawing *d)
{
	fprintf(d->to, "%14s  ", "time");
	for (int i = 0; i < LANES; i++)
		fprintf(d->to, "%-4s", relays[i].name);
	fputs("  ", d->to);
	for (int i = 0; i < LANES; i++)
		fprintf(d->to, "%-4s", inputs[i].name);
	fprintf(d->to, " %-*s%s\n", NAME_WIDTH, "phase", "what happens");
}

/* The lanes drawn on, one line for seconds and up to four for hours. */
static void put_span(const struct drawing *d, int64_t ms)
{
	static const int64_t steps_ms[] = { 5000, 60000, 600000, 3600000 };
	char time[RENDER_TIME_MAX];

	for (size_t i = 0; i < sizeof(steps_ms) / sizeof(steps_ms[0]); i++) {
		if (ms < steps_ms[i])
			return;
		fprintf(d->to, "%14s", "");
		put_lanes(d);
		if (i == 0)
			fprintf(d->to, "  %s %s", d->pen->lasts,
			    render_ms(ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms, time));
		putc('\n', d->to);
	}
}

static bool news(const struct tracetext_row *was, const struct tracetext_row *is)
{
	bool drawn = *is->event && strncmp(is->event, "deadline_ms=", 12) != 0;

	return drawn || was->acked != is->acked || was->contacts != is->contacts ||
	       was->inputs != is->inputs;
}

/* What a row leaves empty stays as it was. */
static struct tracetext_row carried(
    const struct tracetext_row *was, const struct tracetext_row *row)
{
	struct tracetext_row is = *row;

	if (is.acked == TRACETEXT_UNKNOWN)
		is.acked = was->acked;
	if (is.contacts == TRACETEXT_UNKNOWN)
		is.contacts = was->contacts;
	if (is.inputs == TRACETEXT_UNKNOWN)
		is.inputs = was->inputs;
	return is;
}

static void say(char *text, const char *words)
{
	size_t n = strlen(text);

	snprintf(text + n, TEXT_MAX - n, "%s%s", n ? ", " : "", words);
}

static void say_changes(const struct lane *lanes, int was, int is, char *text)
{
	for (int i = 0; was != is && i < LANES; i++) {
		if ((was ^ is) & lanes[i].bit)
			say(text, is & lanes[i].bit ? lanes[i].rises : lanes[i].falls);
	}
}

/* The event, and what changed with it: a line a person reads without the lanes. */
static void say_row(
    const struct tracetext_row *was, const struct tracetext_row *is, char text[static TEXT_MAX])
{
	snprintf(text, TEXT_MAX, "%s", is->event);
	if (is->acked >= 0)
		say_changes(relays, was->acked >= 0 ? was->acked : 0, is->acked, text);
	if (is->inputs == TRACETEXT_BAD && was->inputs != TRACETEXT_BAD)
		say(text, "inputs do not answer");
	else if (is->inputs > RELAY_ALL && was->inputs != is->inputs)
		say(text, "inputs are noise");
	else if (is->inputs >= 0)
		say_changes(inputs, was->inputs >= 0 ? was->inputs : 0, is->inputs, text);
}

/* A line's left half: the time, unless the line above has it, and the lanes. */
static void put_line(struct drawing *d, int64_t t_ms)
{
	if (t_ms == d->shown_ms)
		fprintf(d->to, "%14s", "");
	else
		put_time(d, t_ms);
	put_lanes(d);
	d->shown_ms = t_ms;
}

static void put_row(struct drawing *d, const struct tracetext_row *is)
{
	static const char phase[] = "phase=";
	bool enters = strncmp(is->event, phase, strlen(phase)) == 0;
	char text[TEXT_MAX];

	say_row(&d->state, is, text);
	if (d->shown_ms != NEVER)
		put_span(d, is->t_ms - d->shown_ms);
	d->state = *is;
	put_line(d, is->t_ms);
	if (enters)
		fprintf(d->to, "  %.*s", NAME_WIDTH, is->event + strlen(phase));
	else if (*text)
		fprintf(d->to, "  %-*s%.*s", NAME_WIDTH, "", EVENT_WIDTH, text);
	putc('\n', d->to);
}

/* Acknowledged bytes and contacts mostly break a rule together: that is drawn once. */
static void put_findings(struct drawing *d, int64_t until_ms)
{
	const struct finding *drawn = NULL;

	for (; d->finding < d->end && d->finding->t_ms <= until_ms; d->finding++) {
		const struct finding *f = d->finding;

		if (drawn && drawn->t_ms == f->t_ms && drawn->rule == f->rule)
			continue;
		if (d->shown_ms != NEVER)
			put_span(d, f->t_ms - d->shown_ms);
		put_line(d, f->t_ms);
		fprintf(d->to, "  %s %s %.*s\n", d->pen->finding, rule_info[f->rule].id,
		    FOUND_WIDTH, f->what);
		drawn = f;
	}
}

void timeline_draw(FILE *to, bool utf8, const struct tracetext_row *rows, size_t nrows,
    const struct finding *findings, size_t nfindings)
{
	struct drawing d = { .to = to,
		.pen = &pens[utf8],
		.begin_ms = nrows ? rows[0].t_ms : 0,
		.shown_ms = NEVER,
		.state = { .acked = TRACETEXT_UNKNOWN,
		    .contacts = TRACETEXT_UNKNOWN,
		    .inputs = TRACETEXT_UNKNOWN },
		.finding = findings,
		.end = findings + nfindings };

	put_head(&d);
	for (size_t i = 0; i < nrows; i++) {
		struct tracetext_row is = carried(&d.state, &rows[i]);

		put_findings(&d, is.t_ms - 1);
		if (i == 0 || i + 1 == nrows || news(&d.state, &is))
			put_row(&d, &is);
		put_findings(&d, is.t_ms);
	}
	put_findings(&d, INT64_MAX);
}
