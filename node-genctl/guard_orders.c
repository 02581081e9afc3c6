#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/log.h"
#include "node-genctl/guard_parts.h"

enum { ORDERS_A_TURN = 16 };

void guard_answer(struct guard *g, uint32_t serial, int32_t answer)
{
	if (!serial)
		return;
	if (answer > 0)
		log_debug("guard", "order %u refused: %d", serial, answer);
	g->answered = serial;
	g->answer = answer;
	g->push = true;
	guard_push(g, clock_ms()); /* each answer is seen once, before the next replaces it */
}

void guard_begun(struct guard *g, int rc)
{
	uint32_t serial = g->begin_serial;

	if (!serial)
		return;
	g->begin_serial = 0;
	if (rc == 0)
		interlock_permit(&g->k);
	else
		interlock_drop_permit(&g->k);
	guard_note(g, rc == 0 ? RECORD_PERMIT : RECORD_DROP, 0, 0, clock_ms());
	guard_answer(g, serial, rc);
}

static void abandon(struct guard *g)
{
	guard_begun(g, -ECANCELED);
	if (g->k.permit)
		guard_note(g, RECORD_DROP, 0, 0, clock_ms());
	interlock_drop_permit(&g->k);
}

static void order_begin(struct guard *g, const struct order *o, int64_t now_ms)
{
	struct start start = { .first = o->arg == 1, .by = o->by, .age_ms = o->age_ms };
	enum begin answer;

	abandon(g);
	answer = g->stage == STAGE_LIVE ? interlock_begin(&g->k, &start, now_ms) : BEGIN_BUSY;
	if (answer != BEGIN_OK) {
		guard_answer(g, o->serial, (int32_t)answer);
		return;
	}
	guard_note(g, RECORD_BEGIN, o->age_ms,
	    (uint8_t)(o->by | (o->arg == 1 ? RECORD_FIRST : 0)), now_ms);
	g->begin_serial = o->serial;
	g->begin_save = g->saves + 1;
	g->begin_ms = now_ms;
}

static void order_relays(struct guard *g, const struct order *o, int64_t now_ms)
{
	bool raw = g->k.ledger.mode == MODE_MAINTENANCE;
	enum rule rule = interlock_gate(&g->k, o->relays, now_ms);

	if (raw != (o->kind == ORDER_RAW) && o->relays)
		rule = RULE_L3;
	if (rule != RULE_NONE) {
		guard_note_refused(g, rule, o->relays, now_ms);
		guard_answer(g, o->serial, (int32_t)rule);
		return;
	}
	if (raw)
		g->k.raw_ms = now_ms;
	if (guard_write(g, o->relays, false, o->serial, now_ms) == 0)
		guard_answer(g, o->serial, 0);
}

static void order_mode(struct guard *g, const struct order *o)
{
	bool known = o->arg <= MODE_MAINTENANCE;

	guard_answer(g, o->serial, known ? interlock_mode(&g->k, (enum mode)o->arg) : -EINVAL);
}

static void order_estop(struct guard *g, const struct order *o, int64_t now_ms)
{
	abandon(g);
	if (g->stage == STAGE_AUDIT)
		guard_begin_open(g, now_ms);
	interlock_estop(&g->k);
	guard_note(g, RECORD_ESTOP, 0, 0, now_ms);
	g->told_rule = RULE_R5;
	guard_write(g, 0, true, 0, now_ms);
	guard_answer(g, o->serial, 0);
}

static void carry_out(struct guard *g, const struct order *o, int64_t now_ms)
{
	switch ((enum order_kind)o->kind) {
	case ORDER_RELAYS:
	case ORDER_RAW:
		order_relays(g, o, now_ms);
		break;
	case ORDER_BEGIN:
		order_begin(g, o, now_ms);
		break;
	case ORDER_MODE:
		order_mode(g, o);
		break;
	case ORDER_ESTOP:
		order_estop(g, o, now_ms);
		break;
	case ORDER_CLEAR:
		guard_answer(g, o->serial, -EPERM);
		break;
	case ORDER_ABANDON:
		abandon(g);
		guard_answer(g, o->serial, 0);
		break;
	case ORDER_BEAT:
	case ORDER_KINDS:
		break;
	}
}

static void heard(struct guard *g, const struct order *o, int64_t now_ms)
{
	struct child *c = &g->children[CHILD_CONTROL];

	if (g->k.orphan_ms != NEVER && !c->killed) {
		interlock_orphan(&g->k, false, now_ms);
		interlock_lower(&g->k, ALARM_CONTROL_LOST);
		guard_note(g, RECORD_BACK, 0, 0, now_ms);
		log_info("guard", "control is back");
	}
	c->heard_ms = now_ms;
	if (!g->ready_told && g->stage != STAGE_HEIR)
		watchdog_ready(&g->watchdog, g->pid);
	g->ready_told = true;
	if (g->stage == STAGE_HEIR || o->phase >= PHASE_N)
		return; /* it knows nothing yet that could be handed on */
	g->phase = o->phase;
	g->phase_since_ms = o->since_ms;
	interlock_deadline(&g->k, o->deadline_ms);
	if (o->lease == LEASE_IS_LOST)
		interlock_raise(&g->k, ALARM_LEASE_LOST);
	else if (o->lease == LEASE_IS_HELD && !g->k.descending)
		interlock_lower(&g->k, ALARM_LEASE_LOST);
	guard_note_changes(g, now_ms);
}

/* Whose engine it is need not be known to obey a mode, or to open everything. */
static bool waits_for_audit(const struct guard *g, const struct order *o)
{
	if (g->stage != STAGE_AUDIT)
		return g->stage < STAGE_LIVE;
	return o->kind != ORDER_MODE && o->kind != ORDER_ESTOP;
}

void guard_orders(struct guard *g, int64_t now_ms)
{
	struct order o;

	for (int i = 0; i < ORDERS_A_TURN && g->children[CHILD_CONTROL].pid; i++) {
		ssize_t n = recv(
		    g->children[CHILD_CONTROL].fd, &o, sizeof(o), MSG_DONTWAIT | MSG_TRUNC);

		if (n <= 0)
			return;
		if (n != (ssize_t)sizeof(o) || o.kind >= ORDER_KINDS) {
			log_warn("guard", "control sent what is no order");
			continue;
		}
		heard(g, &o, now_ms);
		if (waits_for_audit(g, &o))
			guard_answer(g, o.kind == ORDER_BEAT ? 0 : o.serial, -EAGAIN);
		else
			carry_out(g, &o, now_ms);
		guard_note_changes(g, now_ms);
		now_ms = clock_ms();
	}
}

/* When a lockout ends by itself; INT64_MAX: only by an operator; NEVER: there is none. */
static int64_t lockout_until_ms(const struct guard *g, int64_t now_ms)
{
	const struct ledger *l = &g->k.ledger;
	int32_t n = g->config->engine.lockout_retries;
	int64_t until_ms = l->lockout_ms + g->config->engine.lockout_ms, again_ms;

	if (!(l->latches >> ALARM_FAIL_TO_START & 1))
		return NEVER;
	if (n == 0 || l->latches != UINT32_C(1) << ALARM_FAIL_TO_START)
		return INT64_MAX;
	again_ms = l->retries[n - 1] == NEVER ? now_ms : l->retries[n - 1] + DAY_MS;
	return again_ms > until_ms ? again_ms : until_ms;
}

static struct guard_state state_of(const struct guard *g, int64_t now_ms)
{
	const struct interlock *k = &g->k;
	const struct ledger *l = &k->ledger;

	return (struct guard_state){
		.now_ms = now_ms,
		.in = k->in,
		.relays = k->relays,
		.known = k->known,
		.forced = g->forced,
		.mode = l->mode,
		.descending = k->descending,
		.permit = k->permit,
		.shutdown = g->stage == STAGE_LEAVING,
		.control_phase = g->phase,
		.external = k->alarms >> ALARM_EXTERNAL_RUN & 1,
		.adopted = g->adopted,
		.simulated = g->board->ops == &board_sim,
		.reset_gpio = g->board->ops->reset && g->config->board.reset_gpio >= 0,
		.answered = g->answered,
		.answer = g->answer,
		.alarms = k->alarms,
		.latches = l->latches,
		.first = g->alarms.first,
		.control_since_ms = g->phase_since_ms,
		.ready_ms = interlock_ready_ms(k),
		.crank_ms = l->crank_ms,
		.charger_off_ms = k->charger_off_ms,
		.stopped_ms = l->stopped_ms,
		.run_from_ms = k->proved ? l->run_from_ms : NEVER,
		.deadline_ms = k->proved ? l->deadline_ms : NEVER,
		.lockout_until_ms = lockout_until_ms(g, now_ms),
		.failed = l->failed,
		.running = k->in.running,
		.request = l->request,
		.total_starts = l->total_starts,
		.total_run_s = l->total_run_s,
		.reads = g->reads,
		.io_errors = g->io_errors,
		.restarts_control = g->children[CHILD_CONTROL].restarts,
		.restarts_saver = g->children[CHILD_SAVER].restarts,
		.restarts_deadman = g->children[CHILD_DEADMAN].restarts,
		.told_alarm = (uint8_t)g->told_alarm,
		.told_rule = (uint8_t)g->told_rule,
	};
}

static void log_alarms(struct guard *g, int64_t now_ms)
{
	uint32_t was = g->alarms.standing;
	uint32_t fresh = alarm_note(&g->alarms, g->k.alarms | g->k.ledger.latches, now_ms);

	for (int a = 0; a < ALARM_N; a++) {
		if (!(fresh >> a & 1))
			continue;
		log_error("alarm", "%s%s: %s", alarm_info[a].code,
		    a == g->alarms.first ? " (first)" : "", alarm_info[a].text);
		g->told_alarm = (enum alarm)a;
		guard_note(g, RECORD_ALARM, a, 0, now_ms);
	}
	if (g->alarms.standing != was)
		g->push = true;
}

/* A full socket loses this state, not what it reports newly: that goes with the next. */
void guard_push(struct guard *g, int64_t now_ms)
{
	struct guard_state s;

	log_alarms(g, now_ms);
	if (!g->push || !g->children[CHILD_CONTROL].pid)
		return;
	s = state_of(g, now_ms);
	memcpy(s.alarm_ms, g->alarms.since_ms, sizeof(s.alarm_ms));
	if (send(g->children[CHILD_CONTROL].fd, &s, sizeof(s), MSG_DONTWAIT | MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(s))
		return;
	g->push = false;
	g->told_alarm = ALARM_N;
	g->told_rule = RULE_NONE;
}
