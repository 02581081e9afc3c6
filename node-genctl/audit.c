#include "node-genctl/audit.h"

#include <string.h>

enum { DUE_MS = 250, FILLS_MAX = 1000000 };

static const struct verdict none = { .alarm = ALARM_N };

static void found(struct audit *a, int64_t t_ms, enum rule rule, const char *what)
{
	a->found(a->owner, t_ms, rule, what);
}

/* Events */

/* The number behind "word=", or `otherwise`. */
static int64_t number(const char *event, const char *word, int64_t otherwise)
{
	const char *at = strstr(event, word);
	int64_t n = 0;

	if (!at)
		return otherwise;
	for (at += strlen(word); *at >= '0' && *at <= '9' && n < INT32_MAX; at++)
		n = n * 10 + (*at - '0');
	return n;
}

static bool says(const char *event, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = event; (at = strstr(at, word)); at += n)
		if ((at == event || at[-1] == ' ') && (at[n] == 0 || at[n] == ' '))
			return true;
	return false;
}

static enum start_by who(const char *event)
{
	if (says(event, "by=operator"))
		return BY_OPERATOR;
	return says(event, "by=monitor") ? BY_MONITOR : BY_NOBODY;
}

static void begin(struct audit *a, const struct audit_row *row)
{
	struct start s = { .first = says(row->event, "first"),
		.by = (uint8_t)who(row->event),
		.age_ms = (int32_t)number(row->event, "age_ms=", 0) };

	for (const enum rule *r = rules_begin; *r; r++)
		if (rule_info[*r].begin(&a->k, &s, row->t_ms) != BEGIN_OK)
			found(a, row->t_ms, *r, "the start should have been refused");
	interlock_begin(&a->k, &s, row->t_ms);
}

static void mode(struct audit *a, const char *event)
{
	static const char *const words[] = { "mode=auto", "mode=off", "mode=operator_run",
		"mode=operator_stop", "mode=maintenance", "mode=estop" };

	for (int m = 0; m <= MODE_ESTOP; m++)
		if (says(event, words[m]))
			a->k.ledger.mode = (uint8_t)m;
}

/* The process began anew, with what its ledger says. */
static void boot(struct audit *a, int64_t t_ms)
{
	struct ledger kept = a->k.ledger;

	interlock_init(&a->k, a->k.config, &kept, t_ms);
	inputs_init(&a->inputs, a->k.config, t_ms);
	a->k.ready = true;
	a->due = none;
	if (kept.held)
		a->inputs.relays = RELAY_IGNITION;
}

static void hear(struct audit *a, const struct audit_row *row)
{
	const char *e = row->event;

	mode(a, e);
	if (says(e, "boot"))
		boot(a, row->t_ms);
	if (says(e, "begin"))
		begin(a, row);
	if (says(e, "permit"))
		interlock_permit(&a->k);
	if (says(e, "drop"))
		interlock_drop_permit(&a->k);
	if (says(e, "estop"))
		interlock_estop(&a->k);
	if (says(e, "clear"))
		interlock_clear(&a->k);
	if (says(e, "orphan") || says(e, "back"))
		interlock_orphan(&a->k, says(e, "orphan"), row->t_ms);
	if (strstr(e, "deadline_ms="))
		interlock_deadline(&a->k, number(e, "deadline_ms=", INT64_MAX));
}

/* Samples and bytes */

/* A guard that has written nothing yet looks for the engine its ledger says it held. */
static uint8_t relays_of(const struct audit *a)
{
	return !a->k.live && a->k.ledger.held ? RELAY_IGNITION : a->k.relays;
}

static void sample(struct audit *a, int raw, int64_t t_ms)
{
	bool bad = raw == AUDIT_BAD;
	struct inputs_view v = inputs_step(&a->inputs, bad ? 0 : (uint8_t)raw,
	    bad ? SAMPLE_ERROR : SAMPLE_OK, relays_of(a), t_ms);
	struct verdict d = interlock_watch(&a->k, &v, t_ms);

	if (!d.write || a->due.write)
		return;
	a->due = d;
	a->due_ms = t_ms;
}

/* A byte that leaves out what was demanded to open settles the demand. */
static void overdue(struct audit *a, int64_t t_ms)
{
	if (!a->due.write)
		return;
	if (!(a->k.relays & ~a->due.relays))
		a->due = none;
	else if (t_ms - a->due_ms > DUE_MS) {
		found(a, a->due_ms, a->due.rule, "what it demanded was not written in time");
		a->due = none;
	}
}

static int32_t period_ms(uint8_t relays)
{
	if (relays & RELAY_STARTER)
		return SAMPLE_CRANK_MS;
	return relays ? SAMPLE_ACTIVE_MS : SAMPLE_IDLE_MS;
}

/* A reading stands until the next one: what the guard read in between. */
static void fill(struct audit *a, int64_t t_ms)
{
	for (int i = 0; a->raw != AUDIT_UNKNOWN && i < FILLS_MAX; i++) {
		int64_t next_ms = a->now_ms + period_ms(relays_of(a));

		if (next_ms >= t_ms)
			return;
		a->now_ms = next_ms;
		sample(a, a->raw, next_ms);
		overdue(a, next_ms);
	}
}

static bool adopts(const struct audit *a, const struct audit_row *row)
{
	return says(row->event, "adopt") && row->relays == RELAY_IGNITION;
}

static void byte(struct audit *a, const struct audit_row *row)
{
	uint8_t want = (uint8_t)row->relays;
	bool adopted = adopts(a, row);

	for (const enum rule *r = rules_gate; *r; r++)
		if (!(adopted && *r != RULE_P1) && rule_info[*r].gate(&a->k, want, row->t_ms))
			found(a, row->t_ms, *r, "this byte should have been refused");
	if (a->k.ledger.mode == MODE_MAINTENANCE)
		a->k.raw_ms = row->t_ms;
	interlock_acked(&a->k, want, row->t_ms);
	if (!adopted)
		return;
	interlock_adopt(&a->k, row->t_ms);
	inputs_credit(
	    &a->inputs, a->k.ledger.warm ? a->k.config->warmup_ms : 0, row->t_ms);
}

/* A trace that begins in the middle: what came before is taken to have been right. */
static void first(struct audit *a, const struct audit_row *row)
{
	int64_t long_ago_ms = row->t_ms - DAY_MS;
	uint8_t relays = row->relays == AUDIT_UNKNOWN ? 0 : (uint8_t)row->relays;

	a->began = true;
	a->now_ms = row->t_ms;
	if (says(row->event, "boot"))
		return boot(a, row->t_ms);
	boot(a, long_ago_ms);
	sample(a, 0, long_ago_ms);
	interlock_acked(&a->k, 0, long_ago_ms);
	if (!(relays & RELAY_IGNITION))
		return;
	interlock_permit(&a->k);
	interlock_acked(&a->k, relays, row->t_ms - 1);
	if (row->inputs < 0 || !(row->inputs & INPUT_ENGINE))
		return;
	a->k.ledger.held = a->k.ledger.warm = 1;
	a->k.ledger.run_from_ms = row->t_ms;
	interlock_adopt(&a->k, row->t_ms);
	interlock_deadline(&a->k, INT64_MAX);
	inputs_credit(
	    &a->inputs, a->k.config->warmup_ms + a->k.config->stabilise_ms, row->t_ms);
}

void audit_init(struct audit *a, const struct engine_config *config)
{
	struct ledger l;

	*a = (struct audit){ .due = none, .raw = AUDIT_UNKNOWN };
	ledger_init(&l);
	interlock_init(&a->k, config, &l, 0);
	inputs_init(&a->inputs, config, 0);
}

void audit_row(struct audit *a, const struct audit_row *row)
{
	if (!a->began)
		first(a, row);
	if (row->t_ms < a->now_ms) {
		found(a, row->t_ms, RULE_T1, "time ran backwards");
		return;
	}
	fill(a, row->t_ms);
	a->now_ms = row->t_ms;
	hear(a, row);
	if (row->inputs != AUDIT_UNKNOWN) {
		a->raw = row->inputs;
		sample(a, row->inputs, row->t_ms);
	}
	if (row->relays != AUDIT_UNKNOWN && (row->relays != a->k.relays || !a->k.live))
		byte(a, row);
	overdue(a, row->t_ms);
}

void audit_end(struct audit *a, int64_t t_ms)
{
	fill(a, t_ms);
	overdue(a, t_ms);
}
