#include <errno.h>

#include "common/clock.h"
#include "common/log.h"
#include "node-genctl/guard_parts.h"

enum { ABSENT_MS = 1000 }; /* between tries while the board was never there */

/* An engine that turns is watched whoever turns it: a second between two samples and the
 * time of a read is more than RUN_GAP_MS. */
int32_t guard_period_ms(const struct guard *g)
{
	if (g->k.relays & RELAY_STARTER)
		return SAMPLE_CRANK_MS;
	/* An input that is high at rest is looked at: a second between samples, and a little
	 * more on a busy machine, would count as a gap and prove no running engine. */
	if (g->k.relays || g->k.in.x || g->retry.left || (g->acked_ever && !g->k.known) ||
	    (g->stage < STAGE_LIVE && g->k.ledger.held))
		return SAMPLE_ACTIVE_MS;
	return SAMPLE_IDLE_MS;
}

static void soon(struct guard *g, int64_t now_ms)
{
	int64_t at_ms = now_ms + guard_period_ms(g);

	if (at_ms < g->sample_ms)
		g->sample_ms = at_ms;
}

/* False when the interlock does not believe it: a bus held low acknowledges everything. */
static bool acknowledged(struct guard *g, uint8_t relays, bool forced, int64_t now_ms)
{
	bool changed = relays != g->k.relays || !g->k.known;

	interlock_acked(&g->k, relays, now_ms);
	if (!g->k.known)
		return false;
	if (changed) {
		log_info("guard", "relays 0x%02X%s", relays, forced ? " (guard)" : "");
		guard_note(g, g->adopted && !g->acked_ever ? RECORD_ADOPT : RECORD_NOTHING, 0,
		    0, now_ms);
	}
	if (!relays) {
		g->adopted = false;
		interlock_lower(&g->k, ALARM_RESTARTED);
	}
	g->acked_ever = true;
	g->lost = false;
	g->forced = forced;
	g->retry.left = 0;
	g->may_be_closed = relays;
	g->push = true;
	guard_beat(g, false, now_ms);
	soon(g, now_ms);
	return true;
}

/* A device that came after the start is taken then; without its lock it is not ours. */
static int hold_lock(struct guard *g)
{
	if (g->lock < 0)
		g->lock = board_lock(&g->config->board);
	return g->lock < 0 ? -ENODEV : 0;
}

static int try_write(struct guard *g, uint8_t want, bool forced, int64_t *now_ms)
{
	int rc = hold_lock(g);

	g->may_be_closed |= want | g->k.relays;
	guard_beat(g, false, *now_ms);
	if (rc == 0)
		rc = g->board->ops->write_relays(g->board, want);
	*now_ms = clock_ms();
	if (rc == 0 && !acknowledged(g, want, forced, *now_ms))
		rc = -EBADMSG;
	if (rc < 0)
		g->io_errors++;
	return rc;
}

/* Output unknown: from now on only 0x00 is written, until the board takes it. */
static void give_up(struct guard *g, int64_t now_ms)
{
	bool first = g->acked_ever && !g->lost;

	guard_answer(g, g->retry.serial, -EIO);
	g->retry = (struct retry){ .at_ms = now_ms + (g->acked_ever ? ZERO_MS : ABSENT_MS) };
	if (!g->acked_ever) {
		if (now_ms - g->started_ms >= ABSENT_MS)
			interlock_raise(&g->k, ALARM_MODIO_LOST);
		return;
	}
	interlock_unacked(&g->k);
	if (!first)
		return;
	g->lost = true;
	g->told_rule = RULE_I1;
	guard_note(g, RECORD_LOST, 0, 0, now_ms);
	if (g->board->ops->reset && g->board->ops->reset(g->board) == 0)
		log_warn("guard", "the board was reset by its RST pin");
}

/* A byte that is already being tried again is waited for, so that tries stay counted. */
static bool joined(struct guard *g, uint8_t want, bool forced, uint32_t serial)
{
	struct retry *r = &g->retry;

	if (!r->left || r->want != want)
		return false;
	guard_answer(g, serial ? r->serial : 0, -ECANCELED);
	r->serial = serial ? serial : r->serial;
	r->forced = r->forced || forced;
	return true;
}

int guard_write(struct guard *g, uint8_t want, bool forced, uint32_t serial, int64_t now_ms)
{
	struct retry *r = &g->retry;
	uint8_t left = r->left ? r->left : WRITE_TRIES - 1;

	if (g->lost) {
		guard_answer(g, serial, -EIO);
		return 1;
	}
	if (joined(g, want, forced, serial))
		return 1;
	guard_answer(g, r->left ? r->serial : 0, -ECANCELED);
	if (try_write(g, want, forced, &now_ms) == 0)
		return 0;
	*r = (struct retry){ .want = want,
		.left = left,
		.forced = forced,
		.serial = serial,
		.at_ms = now_ms + WRITE_RETRY_MS };
	if (g->acked_ever && !g->k.known)
		give_up(g, now_ms);
	return 1;
}

/* What was allowed when it was first tried may not be any more. */
static enum rule refused_now(const struct guard *g, int64_t now_ms)
{
	return g->retry.forced ? RULE_NONE : interlock_gate(&g->k, g->retry.want, now_ms);
}

void guard_retry(struct guard *g, int64_t now_ms)
{
	struct retry *r = &g->retry;
	enum rule rule;

	if (!r->left)
		*r = (struct retry){ .forced = true, .left = 1 };
	rule = refused_now(g, now_ms);
	if (rule) {
		guard_answer(g, r->serial, (int32_t)rule);
		r->serial = 0;
		r->want = g->k.relays;
	}
	if (try_write(g, r->want, r->forced, &now_ms) == 0) {
		guard_answer(g, r->serial, 0);
		return;
	}
	r->at_ms = now_ms + WRITE_RETRY_MS;
	if (--r->left == 0)
		give_up(g, now_ms);
}

int64_t guard_retry_ms(const struct guard *g)
{
	if (g->retry.left || (!g->k.known && g->stage >= STAGE_LIVE))
		return g->retry.at_ms;
	return INT64_MAX;
}

static void forget_run(struct guard *g, int64_t now_ms)
{
	struct ledger *l = &g->k.ledger;

	if (!l->held)
		return;
	l->held = l->warm = l->charged = 0;
	l->stopped_ms = now_ms;
	g->k.dirty = true;
}

void guard_begin_open(struct guard *g, int64_t now_ms)
{
	g->stage = STAGE_LIVE;
	forget_run(g, now_ms);
	guard_write(g, 0, true, 0, now_ms);
}

static void begin_adopted(struct guard *g, int64_t now_ms)
{
	const struct ledger *l = &g->k.ledger;

	g->stage = STAGE_LIVE;
	g->adopted = true; /* as the first row with the byte says */
	if (guard_write(g, RELAY_IGNITION, true, 0, now_ms) != 0) {
		g->adopted = false;
		g->retry.want = 0;
		forget_run(g, now_ms);
		return;
	}
	log_warn("guard", "adopted the running engine after a restart");
	interlock_adopt(&g->k, now_ms);
	inputs_credit(&g->inputs, l->warm ? g->config->engine.warmup_ms : 0, now_ms);
}

/* Whose engine is it? Decided before the first byte (engine node: Unplanned restart). */
static void audit(struct guard *g, int64_t now_ms)
{
	if (interlock_may_adopt(&g->k))
		begin_adopted(g, now_ms);
	else if (!interlock_had_run(&g->k) || now_ms - g->started_ms >= AUDIT_MS)
		guard_begin_open(g, now_ms);
}

static enum sample_fault read_board(struct guard *g, uint8_t *raw)
{
	int rc = hold_lock(g);

	if (rc == 0)
		rc = g->board->ops->read_inputs(g->board, raw);
	g->reads++;
	if (rc < 0)
		g->io_errors++;
	return rc == 0 ? SAMPLE_OK : rc == -EBADMSG ? SAMPLE_STUCK : SAMPLE_ERROR;
}

static void obey(struct guard *g, const struct verdict *v, int64_t now_ms)
{
	const struct retry *r = &g->retry;

	if (!v->write || (r->left && r->forced && r->want == v->relays))
		return;
	if (v->rule == RULE_S3) /* how every good crank ends */
		log_info("guard", "the engine runs: starter open");
	else
		log_warn("guard", "%s: %s", rule_info[v->rule].id, rule_info[v->rule].text);
	g->told_rule = v->rule;
	guard_note(g, RECORD_FORCED, (int32_t)v->rule, 0, now_ms);
	guard_write(g, v->relays, true, 0, now_ms);
	if (v->alarm == ALARM_STARTER_STUCK && g->board->ops->reset)
		g->board->ops->reset(g->board);
}

void guard_sample(struct guard *g, int64_t now_ms)
{
	uint8_t raw = 0, relays = g->k.relays;
	enum sample_fault fault = read_board(g, &raw);
	struct inputs_view view;
	struct verdict v;

	now_ms = clock_ms();
	if (g->stage < STAGE_LIVE && g->k.ledger.held)
		relays = RELAY_IGNITION;
	view = inputs_step(&g->inputs, raw, fault, relays, now_ms);
	v = interlock_watch(&g->k, &view, now_ms);
	guard_note_sample(g, now_ms);
	if (g->stage == STAGE_AUDIT)
		audit(g, now_ms);
	else if (g->stage != STAGE_HEIR)
		obey(g, &v, now_ms);
	g->sample_ms = now_ms + guard_period_ms(g);
	g->push = true;
	guard_beat(g, false, now_ms);
	watchdog_feed(&g->watchdog, now_ms);
}
