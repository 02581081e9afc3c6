/* A trace file read, checked against the rule book, and drawn. */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "node-genctl/audit.h"
#include "node-genctl/config.h"
#include "node-genctl/gencli.h"
#include "node-genctl/gencli_timeline.h"

enum { ROWS_MAX = 1000000, FINDINGS_MAX = 1000, AGAIN_MS = 1000, AGAIN_BACK = 16 };

struct trace {
	struct tracetext_row *rows;
	size_t n, room;
};

struct findings {
	struct finding list[FINDINGS_MAX];
	size_t n, all; /* kept; counted */
	uint64_t rules;
	const char *column;
};

static int add(struct trace *t, const struct tracetext_row *row)
{
	struct tracetext_row *rows;

	if (t->n == ROWS_MAX)
		return -EFBIG;
	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 1024;
		rows = realloc(t->rows, t->room * sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		t->rows = rows;
	}
	t->rows[t->n++] = *row;
	return 0;
}

static int bad_line(const char *name, int number, const char *why)
{
	fprintf(stderr, "gencli: %s:%d: %s\n", name, number, why);
	return CLI_USAGE;
}

static int load(FILE *from, const char *name, struct trace *t)
{
	struct tracetext_row row;
	const char *why = "";
	char line[512];
	int number = 0, rc = 0;

	while (fgets(line, sizeof(line), from)) {
		number++;
		if (!strchr(line, '\n') && !feof(from))
			return bad_line(name, number, "this line is too long");
		rc = tracetext_parse(line, &row, &why);
		if (rc < 0)
			return bad_line(name, number, why);
		if (rc > 0 && add(t, &row) < 0)
			return bad_line(name, number, "more than a million rows");
	}
	if (ferror(from))
		return bad_line(name, number, strerror(errno));
	return t->n ? CLI_DONE : bad_line(name, number, "there is no row");
}

static int load_file(const char *name, struct trace *t)
{
	bool piped = strcmp(name, "-") == 0;
	FILE *from = piped ? stdin : fopen(name, "r");
	int rc;

	if (!from) {
		fprintf(stderr, "gencli: %s: %s\n", name, strerror(errno));
		return CLI_USAGE;
	}
	rc = load(from, piped ? "standard input" : name, t);
	if (!piped)
		fclose(from);
	return rc;
}

/* As genctld would run with them. */
static int load_config(const char *name, struct genctl_config *config)
{
	if (!name)
		conf_defaults(config_keys, config_nkeys, config);
	else if (conf_load(name, config_keys, config_nkeys, config, stderr) < 0)
		return CLI_USAGE;
	config_scale(config);
	return CLI_DONE;
}

/* What is still broken is told again and again, often in turn with other rules. */
static struct finding *standing(
    struct findings *f, int64_t t_ms, enum rule rule, const char *what)
{
	for (size_t i = f->n; i > 0 && i + AGAIN_BACK > f->n; i--) {
		struct finding *g = &f->list[i - 1];

		if (g->rule == rule && g->column == f->column &&
		    t_ms - g->last_ms <= AGAIN_MS && strcmp(g->what, what) == 0)
			return g;
	}
	return NULL;
}

static void on_finding(void *owner, int64_t t_ms, enum rule rule, const char *what)
{
	struct findings *f = owner;
	struct finding *g = standing(f, t_ms, rule, what);

	f->all++;
	f->rules |= UINT64_C(1) << rule;
	if (!g && f->n == FINDINGS_MAX)
		return;
	if (!g) {
		g = &f->list[f->n++];
		*g = (struct finding){ .t_ms = t_ms, .rule = rule, .column = f->column };
		snprintf(g->what, sizeof(g->what), "%s", what);
	}
	g->last_ms = t_ms;
	g->times++;
}

/* Inputs and events stand for both columns; what the contacts did is judged by itself. */
static void audit_column(const struct trace *t, bool contacts,
    const struct genctl_config *config, struct findings *f)
{
	struct audit a;

	f->column = contacts ? "contacts" : "acked";
	audit_init(&a, &config->engine);
	a.found = on_finding;
	a.owner = f;
	for (size_t i = 0; i < t->n; i++) {
		const struct tracetext_row *r = &t->rows[i];
		struct audit_row row = { .t_ms = r->t_ms,
			.relays = contacts ? r->contacts : r->acked,
			.inputs = r->inputs,
			.event = r->event };

		audit_row(&a, &row);
	}
	audit_end(&a, t->rows[t->n - 1].t_ms);
}

static bool has_contacts(const struct trace *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].contacts >= 0)
			return true;
	return false;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = ((const struct finding *)a)->t_ms, y = ((const struct finding *)b)->t_ms;

	return x < y ? -1 : x > y;
}

static int verdict(const struct trace *t, const struct findings *f)
{
	char time[RENDER_TIME_MAX];
	int64_t ms = t->rows[t->n - 1].t_ms - t->rows[0].t_ms;

	putchar('\n');
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *g = &f->list[i];

		printf("%" PRId64 " ms  %s  %s  %s: %s", g->t_ms, rule_info[g->rule].id,
		    rule_info[g->rule].text, g->column, g->what);
		if (g->times > 1)
			printf(" (%zu times until %" PRId64 " ms)", g->times, g->last_ms);
		putchar('\n');
	}
	if (f->n == FINDINGS_MAX)
		printf("... only the first %d are listed\n", FINDINGS_MAX);
	printf("%zu rows over %s: ", t->n, render_ms(ms > 0 ? (uint32_t)ms : 0, time));
	fputs(f->all ? "broken:" : "no rule was broken", stdout);
	for (int r = 0; r < RULE_N; r++)
		if (f->rules >> r & 1)
			printf(" %s", rule_info[r].id);
	putchar('\n');
	return f->all ? CLI_REFUSED : CLI_DONE;
}

static int audit(const struct trace *t, const struct genctl_config *config)
{
	static struct findings f;
	bool utf8;

	f = (struct findings){ 0 }; /* the prompt may audit one file after another */
	audit_column(t, false, config, &f);
	if (has_contacts(t))
		audit_column(t, true, config, &f);
	qsort(f.list, f.n, sizeof(f.list[0]), by_time);
	setlocale(LC_CTYPE, "");
	utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	timeline_draw(stdout, utf8, t->rows, t->n, f.list, f.n);
	return verdict(t, &f);
}

int cmd_audit(struct cli *c)
{
	struct genctl_config config;
	struct trace t = { 0 };
	int rc;

	if (!c->operand) {
		fprintf(stderr, "gencli: audit takes the file of a trace, or - for standard "
				"input\n");
		return CLI_USAGE;
	}
	rc = load_config(c->config, &config);
	if (rc == CLI_DONE)
		rc = load_file(c->operand, &t);
	if (rc == CLI_DONE)
		rc = audit(&t, &config);
	free(t.rows);
	return rc;
}
