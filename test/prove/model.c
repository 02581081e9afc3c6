#include "test/prove/model.h"

enum { AUDIT_TICKS = 3, TURNS = 4, SAMPLES = 19, PAST_TICKS = 2 };

static const uint32_t mode_told[] = {
	[MODE_AUTO] = ORACLE_ENABLED,
	[MODE_OFF] = ORACLE_OFF,
	[MODE_OPERATOR_RUN] = ORACLE_ENABLED,
	[MODE_OPERATOR_STOP] = ORACLE_OFF,
	[MODE_MAINTENANCE] = ORACLE_MAINTENANCE,
	[MODE_ESTOP] = ORACLE_ESTOP,
};

struct step {
	const struct model *m;
	struct node *n;
	struct choices *c;
	struct step_note *note;
	int64_t now;
	uint64_t broken;
};

static int choose(struct step *st, int n)
{
	struct choices *c = st->c;
	int i = c->asked++;

	if (c->n[i] != n) { /* asked for the first time on this path */
		c->n[i] = (uint8_t)n;
		c->pick[i] = 0;
	}
	return c->pick[i];
}

bool choices_next(struct choices *c)
{
	for (int i = c->asked - 1; i >= 0; i--) {
		if (++c->pick[i] < c->n[i]) {
			for (int j = i + 1; j < CHOICES_MAX; j++)
				c->n[j] = 0;
			c->asked = 0;
			return true;
		}
		c->pick[i] = 0;
	}
	return false;
}

/* The judge */

/* While the board acknowledges nothing no duty can be done: all that may be written is 0. */
static void judge(struct step *st, int relays, int inputs, uint32_t events)
{
	uint64_t broken = oracle_row(&st->n->o, st->now, relays, inputs, events);

	st->broken |= !st->n->lost || relays > 0 ? broken : 0;
}

static void tell(struct step *st, uint32_t event)
{
	judge(st, ORACLE_NONE, ORACLE_NONE, event);
}

static void tell_latches(struct step *st)
{
	struct node *n = st->n;
	bool latched = n->k.ledger.latches != 0;

	if (st->m->kind == MODEL_SEQUENCE)
		return;
	if (latched != n->latched)
		tell(st, latched ? ORACLE_LATCHED : ORACLE_CLEARED);
	n->latched = latched;
}

/* The board */

static bool write_byte(struct step *st, uint8_t relays)
{
	struct node *n = st->n;

	st->note->relays = relays;
	if (choose(st, 2)) {
		interlock_unacked(&n->k);
		n->lost = true;
		tell_latches(st);
		return false;
	}
	if (n->k.ledger.mode == MODE_MAINTENANCE)
		n->k.raw_ms = st->now;
	judge(st, relays, ORACLE_NONE, ORACLE_WRITTEN);
	interlock_acked(&n->k, relays, st->now);
	n->lost = !n->k.known;
	tell_latches(st);
	return n->k.known;
}

static void adopt(struct step *st)
{
	struct node *n = st->n;

	n->audit = 0;
	tell(st, ORACLE_ADOPTED);
	if (!write_byte(st, RELAY_IGNITION))
		return;
	interlock_adopt(&n->k, st->now);
	inputs_credit(&n->in, n->k.ledger.warm ? st->m->config.warmup_ms : 0, st->now);
	n->adopted = true;
	seq_adopt(&n->s, PHASE_STABILISE, st->now, RELAY_IGNITION);
}

static void begin_open(struct step *st)
{
	struct ledger *l = &st->n->k.ledger;

	st->n->audit = 0;
	if (l->held)
		l->stopped_ms = st->now;
	l->held = l->warm = l->charged = 0;
	write_byte(st, 0);
}

static void look_before_the_first_byte(struct step *st)
{
	struct node *n = st->n;

	if (interlock_may_adopt(&n->k))
		adopt(st);
	else if (!interlock_had_run(&n->k) || --n->audit == 0)
		begin_open(st);
}

/* The guard's sample */

static void see(struct step *st)
{
	struct node *n = st->n;
	int pick = choose(st, SAMPLES);
	uint8_t raw = pick < 16 ? (uint8_t)pick : pick == 18 ? 0x80 : 0;
	enum sample_fault fault =
	    pick == 16 ? SAMPLE_ERROR : pick == 17 ? SAMPLE_STUCK : SAMPLE_OK;
	uint8_t relays = n->audit && n->k.ledger.held ? RELAY_IGNITION : n->k.relays;
	struct inputs_view v = inputs_step(&n->in, raw, fault, relays, st->now);
	struct verdict d = interlock_watch(&n->k, &v, st->now);

	st->note->sample = pick < 16 ? pick : -pick;
	judge(st, ORACLE_NONE, v.fault == SAMPLE_OK ? raw & 0x0f : ORACLE_BAD, 0);
	tell_latches(st);
	if (n->audit)
		look_before_the_first_byte(st);
	else if (!n->k.known)
		write_byte(st, 0);
	else if (d.write && st->m->kind != MODEL_SEQUENCE) {
		st->note->forced = d.rule;
		write_byte(st, d.relays);
	}
}

static enum rule ask(struct step *st, uint8_t want)
{
	struct node *n = st->n;
	enum rule rule = RULE_NONE;

	if (st->m->kind != MODEL_SEQUENCE)
		rule = interlock_gate(&n->k, want, st->now);
	if (!n->k.known)
		rule = RULE_I1;
	st->note->refused = rule;
	if (rule == RULE_NONE && !write_byte(st, want))
		return RULE_I1;
	return rule;
}

/* Control, as shipped: a phase and its byte in one turn. */

static bool begin(struct step *st, bool first)
{
	struct node *n = st->n;
	struct start start = { .first = first, .by = BY_MONITOR };

	if (n->audit || interlock_begin(&n->k, &start, st->now) != BEGIN_OK)
		return false;
	tell(st, first || !n->asked ? ORACLE_BEGIN : ORACLE_ATTEMPT);
	n->asked = true;
	return true;
}

static enum seq_wish effective(const struct node *n, int64_t now)
{
	bool fresh = n->s.phase == PHASE_OFF || n->s.phase == PHASE_STOPPING;
	enum mode mode = (enum mode)n->k.ledger.mode;

	if (n->wish == WISH_REST || n->k.ledger.latches || n->k.descending ||
	    (mode != MODE_AUTO && mode != MODE_OPERATOR_RUN))
		return SEQ_REST;
	if (fresh && (n->wish == WISH_KEEP || interlock_ready_ms(&n->k) > now || !n->k.known ||
			 n->k.in.bad_ms || (n->k.alarms >> ALARM_EXTERNAL_RUN & 1)))
		return SEQ_REST;
	return SEQ_RUN;
}

static void hear(struct step *st, enum seq_event event)
{
	struct node *n = st->n;

	if (event == SEQ_GAVE_UP)
		n->wish = WISH_REST;
	if (event == SEQ_TRY_FAILED || n->s.phase == PHASE_OFF)
		n->q.permit = PERMIT_NONE;
}

static void turn(struct step *st)
{
	struct node *n = st->n;

	for (int i = 0; i < TURNS; i++) {
		enum phase was = n->s.phase;
		struct seq_out out;

		n->q.in = &n->k.in;
		n->q.acked = n->k.relays;
		n->q.wish = effective(n, st->now);
		n->q.attempts = (uint8_t)st->m->config.attempts;
		n->q.no_load = n->adopted && n->wish == WISH_KEEP;
		out = seq_step(&n->s, &n->q, st->now);
		n->q.refused = false;
		hear(st, out.event);
		if (n->s.phase == PHASE_STOPPING)
			interlock_drop_permit(&n->k);
		if (out.begin) {
			bool ok = begin(st, n->s.attempt == 1) && !choose(st, 2);

			n->q.permit = ok ? PERMIT_GRANTED : PERMIT_REFUSED;
			if (ok)
				interlock_permit(&n->k);
		}
		if (out.write) {
			bool ok = ask(st, out.relays) == RULE_NONE;

			n->q.refused = !ok;
			n->q.acks += ok;
		}
		if (n->s.phase == was && !out.write && !out.begin)
			break;
	}
}

/* The world's acts */

static void tick(struct step *st)
{
	st->now++;
	st->note->act = "tick";
	see(st);
}

static void change_mode(struct step *st, enum mode mode)
{
	struct node *n = st->n;
	bool raw = n->k.ledger.mode == MODE_MAINTENANCE;

	st->note->act = "mode";
	st->note->arg = mode;
	if (mode == n->k.ledger.mode || interlock_mode(&n->k, mode) < 0)
		return;
	if (raw)
		tell(st, ORACLE_LEFT);
	tell(st, mode_told[mode]);
}

static void estop(struct step *st)
{
	st->note->act = "emergency stop";
	if (st->n->k.ledger.mode == MODE_MAINTENANCE)
		tell(st, ORACLE_LEFT);
	tell(st, ORACLE_ESTOP);
	if (st->n->audit)
		begin_open(st);
	interlock_estop(&st->n->k);
	tell_latches(st);
	if (st->n->k.known)
		write_byte(st, 0);
}

static void clear(struct step *st)
{
	struct node *n = st->n;
	bool held = n->latched || n->k.ledger.mode == MODE_ESTOP;
	bool raw = n->k.ledger.mode == MODE_MAINTENANCE;

	st->note->act = "clear";
	if (interlock_clear(&n->k) != 0 || !held)
		return;
	n->latched = false;
	tell(st, ORACLE_CLEARED | ORACLE_OFF | (raw ? ORACLE_LEFT : 0));
}

/* The process ends; a starter that it leaves closed is the deadman's. */
static void restart(struct step *st, bool reboot)
{
	struct node *n = st->n;
	struct ledger l = n->k.ledger;

	st->note->act = reboot ? "reboot" : "restart";
	if (n->k.relays & RELAY_STARTER)
		judge(st, 0, ORACLE_NONE, 0);
	if (reboot)
		ledger_rebase(&l, st->now);
	interlock_init(&n->k, &st->m->config, &l, st->now);
	inputs_init(&n->in, &st->m->config, st->now);
	seq_init(&n->s, &st->m->config, st->now);
	n->q = (struct seq_in){ .attempts = (uint8_t)st->m->config.attempts };
	n->k.ready = true;
	n->audit = AUDIT_TICKS;
	n->begun = n->adopted = n->asked = false;
	if (st->m->kind == MODEL_NODE && n->wish == WISH_RUN)
		n->wish = WISH_KEEP;
	tell(st, ORACLE_RESTARTED);
}

static void hostile(struct step *st)
{
	struct node *n = st->n;

	switch (choose(st, 9)) {
	case 0:
		st->note->act = "byte";
		if (!n->audit) /* until then every order is told to come again */
			ask(st, (uint8_t)choose(st, 17));
		break;
	case 1:
		st->note->act = "begin";
		n->begun = begin(st, choose(st, 2)) || n->begun;
		break;
	case 2:
		st->note->act = "saved";
		if (n->begun)
			interlock_permit(&n->k);
		n->begun = false;
		break;
	case 3:
		st->note->act = "abandon";
		interlock_drop_permit(&n->k);
		n->begun = false;
		break;
	case 4:
		st->note->act = "control gone or back";
		interlock_orphan(&n->k, n->k.orphan_ms == NEVER, st->now);
		break;
	case 5:
		st->note->act = "helpers gone or back";
		n->k.ready = !n->k.ready;
		break;
	case 6:
		st->note->act = "descend";
		interlock_descend(&n->k, ALARM_CONTROL_LOST, st->now);
		break;
	case 7:
		st->note->act = "deadline now";
		interlock_deadline(&n->k, st->now);
		break;
	default:
		st->note->act = "deadline far";
		interlock_deadline(&n->k, INT64_MAX / 4);
		break;
	}
}

static void wish(struct step *st)
{
	struct node *n = st->n;
	uint8_t was = n->wish;
	bool up = n->s.phase >= PHASE_WAIT && n->s.phase <= PHASE_COOLDOWN;

	n->wish = (uint8_t)choose(st, 3);
	st->note->act = "wish";
	st->note->arg = n->wish;
	if (n->wish == WISH_REST && was != WISH_REST)
		tell(st, ORACLE_STOP);
	if (n->wish != WISH_REST && was == WISH_REST && up)
		tell(st, ORACLE_BEGIN);
}

uint64_t model_step(
    const struct model *m, struct node *n, struct choices *c, struct step_note *note)
{
	struct step st = { .m = m, .n = n, .c = c, .note = note };

	c->asked = 0;
	*note = (struct step_note){ .act = "", .sample = -99, .relays = -1 };
	switch (choose(&st, 7)) {
	case 0:
		tick(&st);
		break;
	case 1:
		if (m->kind == MODEL_GATE)
			hostile(&st);
		else
			wish(&st);
		break;
	case 2:
		change_mode(&st, (enum mode)choose(&st, 5));
		break;
	case 3:
		estop(&st);
		break;
	case 4:
		clear(&st);
		break;
	case 5:
		restart(&st, false);
		break;
	default:
		restart(&st, true);
		break;
	}
	if (m->kind != MODEL_GATE && !n->audit)
		turn(&st);
	model_canon(m, n, st.now);
	return st.broken;
}

/* What the journal says was so; the relays stand as the dead process left them. */
static void tell_past(const struct model *m, struct node *n)
{
	oracle_init(&n->o, &m->times, -PAST_TICKS);
	if (interlock_had_run(&n->k))
		oracle_row(&n->o, -PAST_TICKS, RELAY_IGNITION, INPUT_ENGINE | INPUT_IGNITION,
		    ORACLE_ADOPTED);
	oracle_row(&n->o, 0, ORACLE_NONE, ORACLE_NONE,
	    ORACLE_RESTARTED | mode_told[n->k.ledger.mode]);
}

/* Every journal: mode, a run that was held, failures, latches, each time just now or long ago. */
bool model_initial(const struct model *m, size_t i, struct node *n)
{
	static const uint32_t latches[] = { 0, 1u << ALARM_FAIL_TO_START,
		1u << ALARM_FAIL_TO_STOP, 1u << ALARM_STARTER_STUCK, 1u << ALARM_EMERGENCY_STOP,
		1u << ALARM_OUTPUT_UNKNOWN, 1u << ALARM_IGN_FEEDBACK };
	struct ledger l;
	size_t run = i % 5, mode = i / 5 % 6, latch = i / 30 % 7, failed = i / 210 % 3,
	       recent = i / 630 % 2;

	if (i >= 1260)
		return false;
	*n = (struct node){ 0 };
	ledger_init(&l);
	l.mode = (uint8_t)mode;
	l.held = run > 0;
	l.warm = run > 1 && run != 3;
	l.charged = run > 2;
	l.failed = (uint8_t)failed;
	l.latches = latches[latch];
	if (l.held)
		l.run_from_ms = 0, l.deadline_ms = m->config.max_run_ms;
	if (recent) {
		l.unexpected_ms = 0;
		l.pulses[0] = (struct pulse){ 0, crank_total_ms(&m->config) };
	}
	interlock_init(&n->k, &m->config, &l, 0);
	inputs_init(&n->in, &m->config, 0);
	seq_init(&n->s, &m->config, 0);
	tell_past(m, n);
	if (n->k.ledger.latches)
		oracle_row(&n->o, 0, ORACLE_NONE, ORACLE_NONE, ORACLE_LATCHED);
	n->wish = m->kind == MODEL_GATE ? WISH_REST : WISH_KEEP;
	n->latched = n->k.ledger.latches != 0;
	n->k.ready = true;
	n->audit = AUDIT_TICKS;
	model_canon(m, n, 0);
	return true;
}
