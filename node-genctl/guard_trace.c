/* What the flight recorder is told. A row costs a few stores; without a file it costs none. */
#include <string.h>

#include "common/log.h"
#include "node-genctl/guard_parts.h"

enum {
	CLOSED_ROW_MS = 1000, /* a row at least, while a relay is closed */
	IDLE_ROW_MS = 60000,
	REFUSED_ROW_MS = 1000 /* the same refusal again */
};

static struct recorder_row row_now(const struct guard *g, int64_t now_ms)
{
	const struct recorder_row *last = &g->tracing.last;

	return (struct recorder_row){
		.t_ms = now_ms > last->t_ms ? now_ms : last->t_ms,
		.relays = g->k.known ? g->k.relays : RECORDER_UNKNOWN,
		.fault = RECORDER_UNKNOWN,
		.phase = g->phase,
	};
}

static void append(struct guard *g, const struct recorder_row *row)
{
	g->tracing.last = *row;
	recorder_append(&g->tracing.recorder, row);
}

void guard_note(
    struct guard *g, enum recorder_event event, int32_t arg, uint8_t detail, int64_t now_ms)
{
	struct recorder_row row = row_now(g, now_ms);

	row.event = (uint8_t)event;
	row.arg = arg;
	row.detail = detail;
	append(g, &row);
}

/* What is refused is asked for again ten times a second. */
void guard_note_refused(struct guard *g, enum rule rule, uint8_t want, int64_t now_ms)
{
	const struct recorder_row *last = &g->tracing.last;
	bool again = last->event == RECORD_REFUSED && last->arg == (int32_t)rule &&
		     last->detail == want && now_ms - last->t_ms < REFUSED_ROW_MS;

	if (!again)
		guard_note(g, RECORD_REFUSED, (int32_t)rule, want, now_ms);
}

static int32_t span_ms(int64_t until_ms, int64_t now_ms)
{
	int64_t ms = until_ms - now_ms;

	return ms > INT32_MAX ? INT32_MAX : ms < INT32_MIN ? INT32_MIN : (int32_t)ms;
}

void guard_note_changes(struct guard *g, int64_t now_ms)
{
	const struct ledger *l = &g->k.ledger;
	struct tracing *t = &g->tracing;

	if (g->phase != t->last.phase)
		guard_note(g, RECORD_PHASE, 0, 0, now_ms);
	if (l->mode != t->mode)
		guard_note(g, RECORD_MODE, l->mode, 0, now_ms);
	if (g->k.proved && l->deadline_ms != t->deadline_ms) {
		struct recorder_row row = row_now(g, now_ms);

		row.event = RECORD_DEADLINE;
		row.arg = span_ms(l->deadline_ms, row.t_ms);
		append(g, &row);
	}
	t->mode = l->mode;
	t->deadline_ms = l->deadline_ms;
}

/* IN3 counts where something is wired to it. */
static uint8_t counting(const struct guard *g)
{
	const struct inputs_view *in = &g->k.in;
	uint8_t mask = g->config->engine.in3 == IN3_UNUSED ? (uint8_t)~INPUT_IN3 : UINT8_MAX;

	return in->fault == SAMPLE_OK ? in->raw & mask : 0;
}

void guard_note_sample(struct guard *g, int64_t now_ms)
{
	struct tracing *t = &g->tracing;
	const struct inputs_view *in = &g->k.in;
	int64_t due_ms = t->sampled_ms + (g->k.relays ? CLOSED_ROW_MS : IDLE_ROW_MS);
	struct recorder_row row;

	guard_note_changes(g, now_ms);
	if (in->fault == t->fault && counting(g) == t->sample && now_ms < due_ms &&
	    g->stage != STAGE_AUDIT) /* whose engine it is rests on every one of these */
		return;
	row = row_now(g, now_ms);
	row.inputs = in->raw;
	row.fault = in->fault;
	append(g, &row);
	t->sampled_ms = now_ms;
	t->sample = counting(g);
	t->fault = in->fault;
}

void guard_trace_open(struct guard *g, enum recorder_event first, int64_t now_ms)
{
	struct tracing *t = &g->tracing;
	const char *folder = g->config->runtime_dir;
	int rc = recorder_open(&t->recorder, folder);

	if (rc < 0)
		log_warn("recorder", "%s/genctl.trace: %s; going on without a trace", folder,
		    strerror(-rc));
	else if (t->recorder.on_disk)
		log_warn("recorder", "%s is on no tmpfs: a row may have to wait for the disk",
		    folder);
	t->fault = RECORDER_UNKNOWN;
	t->mode = RECORDER_UNKNOWN;
	t->deadline_ms = NEVER;
	guard_note(g, first, 0, 0, now_ms);
}
