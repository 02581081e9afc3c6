/* Start and stop, and watching them to their end. */
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "node-genctl/gencli.h"
#include "node-genctl/progress.h"

enum { TICK_MS = 1000, WAIT_LIMIT_MS = 3600 * 1000 };

struct view {
	int format;
	bool tty;
};

static void show_event(void *arg, const Genctl__Event *e)
{
	const struct view *v = arg;
	char time[RENDER_TIME_MAX];

	if (v->format == RENDER_JSON) {
		render_json(stdout, &e->base);
		putchar('\n');
	} else if (strcmp(e->kind, "phase") != 0) {
		fputs(v->tty ? "\r\033[K" : "", stdout);
		render_event(stdout, e);
	} else if (!v->tty) {
		fputs(render_phase(e->phase), stdout);
		if (e->left_ms)
			printf(", %s", render_ms(e->left_ms, time));
		putchar('\n');
	}
	fflush(stdout);
}

static void show_countdown(const struct view *v, const Genctl__Status *s)
{
	char time[RENDER_TIME_MAX];

	if (!v->tty || v->format == RENDER_JSON)
		return;
	printf("\r\033[K%s", render_phase(s->phase));
	if (s->phase_left_ms)
		printf(", %s left", render_ms(s->phase_left_ms, time));
	fflush(stdout);
}

static int finished(const struct view *v, const Genctl__Status *s, enum progress_end end)
{
	if (v->tty && v->format != RENDER_JSON)
		fputs("\r\033[K", stdout);
	if (end == PROGRESS_DONE) {
		if (v->format != RENDER_JSON)
			printf("OK: %s\n", render_phase(s->phase));
		return CLI_DONE;
	}
	fprintf(stderr, "FAILED: %s: ", render_phase(s->phase));
	render_text(stderr, *s->why ? s->why : s->blocks);
	putc('\n', stderr);
	render_alarms(stderr, s);
	return CLI_REFUSED;
}

static int watch(struct cli *c, const struct view *v, enum progress_goal goal)
{
	struct progress p = { .goal = goal };
	int64_t began_ms = clock_ms(), waited_ms;

	do {
		Genctl__Status *s;
		enum progress_end end;
		int rc = cli_status(c, &s);

		waited_ms = clock_ms() - began_ms;
		if (rc)
			return rc;
		end = progress_step(&p, s, waited_ms);
		if (end != PROGRESS_GOING)
			rc = finished(v, s, end);
		else
			show_countdown(v, s);
		genctl__status__free_unpacked(s, NULL);
		if (end != PROGRESS_GOING)
			return rc;
		rc = wire_wait(c->wire, TICK_MS);
		if (rc)
			return rc == WIRE_UNREAD ? CLI_DONE : cli_wire_failed(c, rc);
	} while (waited_ms < WAIT_LIMIT_MS);
	fprintf(stderr, "gencli: no end after an hour; the engine node carries on\n");
	return CLI_REFUSED;
}

/* Subscribed before the order is given, so that no phase passes unseen. */
static int subscribe(struct cli *c, struct view *v)
{
	Genctl__Reply *r;
	int rc;

	*v = (struct view){ .format = c->format, .tty = isatty(STDOUT_FILENO) };
	if (!c->wait)
		return CLI_DONE;
	c->on_event = show_event;
	c->event_arg = v;
	rc = cli_ask_empty(c, GENCTL__REQUEST__BODY_SUBSCRIBE, &r);
	if (rc == CLI_DONE)
		genctl__reply__free_unpacked(r, NULL);
	return rc;
}

int cmd_start(struct cli *c)
{
	struct view v;
	Genctl__Reply *r;
	int rc = subscribe(c, &v);

	if (rc == CLI_DONE)
		rc = cli_ask_start(c, c->for_s, 0, &r);
	if (rc == CLI_DONE)
		rc = cli_accepted(c, r);
	return rc || !c->wait ? rc : watch(c, &v, PROGRESS_START);
}

int cmd_stop(struct cli *c)
{
	struct view v;
	Genctl__Reply *r;
	int rc = subscribe(c, &v);

	if (rc == CLI_DONE)
		rc = cli_ask_empty(c, GENCTL__REQUEST__BODY_STOP, &r);
	if (rc == CLI_DONE)
		rc = cli_accepted(c, r);
	return rc || !c->wait ? rc : watch(c, &v, PROGRESS_STOP);
}
