/* What no part can tell apart any more becomes equal, so that equal futures are one node. */
#include "test/prove/model.h"
#include "test/prove/scale.h"

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Brings a time to the base `now` and cuts its age at `cap`: no threshold lies beyond it. */
static void age(int64_t *t, int64_t cap, int64_t now)
{
	if (*t == NEVER)
		return;
	*t -= now;
	if (*t < -cap)
		*t = -cap;
}

static void unless(bool live, int64_t *t)
{
	if (!live)
		*t = NEVER;
}

static void canon_inputs(const struct model *m, struct inputs *in, int64_t now)
{
	const struct engine_config *c = &m->config;
	struct inputs_view *v = &in->view;
	int64_t bad_cap = most(most(c->lost_ms, scale.bad), scale.run_gap) + 2;

	age(&in->valid_ms, bad_cap, now);
	age(&in->high_ms, c->warmup_ms + c->stabilise_ms, now);
	age(&in->low_ms, c->lost_ms, now);
	age(&in->still_ms, most(c->at_rest_ms, scale.run_debounce), now);
	age(&in->proved_ms, scale.run_debounce, now);
	age(&in->ignition_ms, scale.feedback, now);
	if (!(in->relays & RELAY_IGNITION))
		in->ignition_ms = 0;
	in->in3_low = 0;
	v->at_ms = 0;
	v->raw = 0;
	if (v->fault == SAMPLE_NOISE)
		v->fault = SAMPLE_ERROR;
	v->bad_ms = (int32_t)(v->bad_ms > bad_cap ? bad_cap : v->bad_ms);
	v->run_ms = v->run_ms > c->warmup_ms + c->stabilise_ms ? c->warmup_ms + c->stabilise_ms
							       : v->run_ms;
	v->still_ms = (int32_t)(v->still_ms > most(c->at_rest_ms, scale.run_debounce)
				    ? most(c->at_rest_ms, scale.run_debounce)
				    : v->still_ms);
	v->low_samples = v->low_samples > SAG_SAMPLES ? SAG_SAMPLES : v->low_samples;
	v->alone_samples = v->alone_samples > ALONE_SAMPLES ? ALONE_SAMPLES : v->alone_samples;
}

static void canon_ledger(const struct model *m, struct ledger *l, bool proved, int64_t now)
{
	const uint32_t own = 1u << ALARM_STARTER_STUCK;

	if (l->latches & ~own) /* the others become one that may always be cleared */
		l->latches = (l->latches & own) | 1u << ALARM_IGN_FEEDBACK;
	if (l->failed > m->config.attempts)
		l->failed = (uint8_t)m->config.attempts;
	age(&l->run_from_ms, m->config.max_run_ms, now);
	age(&l->deadline_ms, scale.deadline_grace, now);
	if (l->deadline_ms > m->config.max_run_ms)
		l->deadline_ms = m->config.max_run_ms;
	unless(proved || l->held, &l->run_from_ms);
	unless(proved || l->held, &l->deadline_ms);
	age(&l->unexpected_ms, scale.hour, now);
	if (l->unexpected_ms == -scale.hour)
		l->unexpected_ms = NEVER;
	/* Rests between runs and retries are left out: without them more is allowed. */
	l->stopped_ms = l->lockout_ms = l->crank_ms = l->inhibit_ms = NEVER;
	for (int i = 0; i < LEDGER_STARTS; i++)
		l->starts[i] = NEVER;
	for (int i = 0; i < LEDGER_RETRIES; i++)
		l->retries[i] = NEVER;
	for (int i = 0; i < LEDGER_PULSES; i++) {
		age(&l->pulses[i].from_ms, scale.budget_window, now);
		if (l->pulses[i].from_ms == -scale.budget_window)
			l->pulses[i].from_ms = NEVER;
		if (l->pulses[i].from_ms == NEVER)
			l->pulses[i].ms = 0;
	}
	l->request = l->total_starts = l->total_run_s = 0;
}

/* `cranked` compares two of them: the order must survive the cut. */
static void canon_ignition(const struct model *m, struct interlock *k, int64_t now)
{
	const struct engine_config *c = &m->config;
	int64_t limit =
	    c->ignition_ms + crank_total_ms(c) + c->coast_ms + c->lost_ms + scale.feedback;
	int64_t rest = most(most(c->crank_rest_ms, scale.stuck), 0);
	bool before;

	unless((k->relays & RELAY_IGNITION) && !k->proved, &k->ignition_on_ms);
	before = k->ignition_on_ms != NEVER && k->starter_off_ms < k->ignition_on_ms;
	age(&k->ignition_on_ms, limit, now);
	age(&k->starter_off_ms, before ? most(rest, 1 - k->ignition_on_ms) : most(rest, limit),
	    now);
	if (k->ignition_on_ms == NEVER && k->starter_off_ms < -rest)
		k->starter_off_ms = -rest;
}

static void canon_interlock(const struct model *m, struct interlock *k, int64_t now)
{
	const struct engine_config *c = &m->config;
	struct ledger *l = &k->ledger;

	canon_ledger(m, l, k->proved, now);
	canon_ignition(m, k, now);
	unless(k->relays & RELAY_STARTER, &k->starter_on_ms);
	age(&k->starter_on_ms, crank_total_ms(c) + 2, now);
	if (!(k->relays & RELAY_STARTER))
		k->starter_seen = false, k->absent = 0;
	unless(l->charged || k->sagged, &k->charger_off_ms);
	age(&k->charger_off_ms, most(c->cooldown_ms, scale.reclose), now);
	unless(k->stopping && !(k->relays & RELAY_IGNITION), &k->ignition_off_ms);
	age(&k->ignition_off_ms, c->fail_to_stop_ms, now);
	unless(k->relays & RELAY_GLOW, &k->glow_on_ms);
	age(&k->glow_on_ms, scale.glow_max, now);
	unless(k->descending, &k->descend_ms);
	age(&k->descend_ms, c->cooldown_ms, now);
	age(&k->stuck_ms, scale.stuck, now);
	age(&k->orphan_ms, scale.orphan, now);
	unless(l->mode == MODE_MAINTENANCE, &k->raw_ms);
	age(&k->raw_ms, scale.raw_max, now);
	k->mode_ms = 0;
	k->seen_mode = l->mode;
	k->alarms &= 1u << ALARM_EXTERNAL_RUN;
	k->dirty = false;
}

static void canon_sequence(const struct model *m, struct node *n, int64_t now)
{
	const struct engine_config *c = &m->config;
	struct sequence *s = &n->s;
	int64_t longest = most(most(c->cooldown_ms, c->warmup_ms),
	    (int64_t)c->start_delay_ms + c->crank_rest_ms + c->at_rest_ms + scale.wait_max);

	age(&s->since_ms, longest, now);
	if (!s->entered || s->phase == PHASE_OFF || s->phase == PHASE_LOADED)
		s->since_ms = 0;
	age(&s->starter_off_ms, c->crank_rest_ms, now);
	unless(s->sagged, &s->charger_off_ms);
	age(&s->charger_off_ms, scale.reclose, now);
	n->q.acks -= s->acks;
	s->acks = 0;
	n->q.acks = n->q.acks != 0 && s->phase == PHASE_RESET;
}

void model_canon(const struct model *m, struct node *n, int64_t now)
{
	canon_inputs(m, &n->in, now);
	n->k.in = n->in.view;
	canon_interlock(m, &n->k, now);
	if (m->kind == MODEL_GATE) {
		n->s = (struct sequence){ 0 };
		n->q = (struct seq_in){ 0 };
	} else {
		canon_sequence(m, n, now);
	}
	oracle_rebase(&n->o);
}
