#include "node-genctl/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "node-genctl/control_parts.h"
#include "node-genctl/server.h"
#include "node-genctl/textserver.h"

enum {
	ANSWER_MS = 1000,	/* the guard answers within */
	BEGIN_ANSWER_MS = 6000, /* it may wait 5 s for the disk */
	BEAT_CRANK_MS = 50,
	BEAT_MS = 500,
	LISTEN_MS = 5000,
	REWRITE_MS = 100, /* a refused byte is asked for again no sooner */
	HOLD_MS = 10000,  /* nor a start that was given up */
	STEPS = 4	  /* transitions in one turn: a phase and its byte */
};

static int64_t run_deadline_ms(const struct control *c, int64_t now_ms)
{
	return lease_wish(&c->lease, now_ms).deadline_ms;
}

/* A monitor's run goes on to its deadline without it, and people are told. */
static enum order_lease lease_now(const struct control *c, int64_t now_ms)
{
	bool runs = c->seq.phase >= PHASE_WARMUP && c->seq.phase <= PHASE_LOADED;

	if (lease_held(&c->lease, now_ms))
		return LEASE_IS_HELD;
	return runs && c->lease.mode == MODE_AUTO && lease_wish(&c->lease, now_ms).run
		   ? LEASE_IS_LOST
		   : LEASE_NO_MATTER;
}

/* Peers that ask much cannot take the places that the engine itself needs. */
static struct pending *free_place(struct control *c, bool for_a_peer)
{
	for (int i = for_a_peer ? ORDERS_OWN : 0; i < ORDERS_MAX; i++)
		if (!c->pending[i].serial)
			return &c->pending[i];
	return NULL;
}

int control_send(
    struct control *c, const struct order *order, control_done *done, uint64_t who, uint32_t id)
{
	struct order o = *order;
	int64_t now_ms = clock_ms();
	struct pending *p = o.kind == ORDER_BEAT ? NULL : free_place(c, done != NULL);

	if (!p && o.kind != ORDER_BEAT && o.kind != ORDER_ESTOP) /* that one never waits */
		return -EAGAIN;
	o.serial = p ? ++c->serial : 0;
	o.phase = (uint8_t)(c->known ? c->seq.phase : PHASE_N); /* nothing yet that adopts */
	o.since_ms = c->seq.since_ms;
	o.deadline_ms = run_deadline_ms(c, now_ms);
	o.lease = (uint8_t)lease_now(c, now_ms);
	c->beat_ms = now_ms + (c->g.relays & RELAY_STARTER ? BEAT_CRANK_MS : BEAT_MS);
	if (send(c->fd, &o, sizeof(o), MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)sizeof(o))
		return -errno;
	if (p)
		*p = (struct pending){ o.serial, (enum order_kind)o.kind, now_ms, done, who,
			id };
	return 0;
}

static bool outstanding(const struct control *c, enum order_kind kind)
{
	for (int i = 0; i < ORDERS_MAX; i++)
		if (c->pending[i].serial && c->pending[i].kind == kind)
			return true;
	return false;
}

static const char *begin_text(int32_t answer)
{
	switch (answer) {
	case BEGIN_LATCHED:
		return "No start: a latched alarm must be cleared first.";
	case BEGIN_MODE:
		return "No start: the mode forbids it.";
	case BEGIN_REST:
		return "No start: a rest between runs, or too many starts this hour.";
	case BEGIN_EXTERNAL:
		return "No start: the engine runs by itself.";
	case BEGIN_BUSY:
		return "No start: the guard is busy with something else.";
	case BEGIN_STALE:
	case BEGIN_NOBODY:
		return "No start: no fresh order stands behind it.";
	case BEGIN_FAULT:
		return "No start: the board, the saver or the deadman does not stand ready.";
	default:
		return "No start: its record could not be saved; check the state folder.";
	}
}

/* The same refusal is told once, not each time the byte is asked for again. */
static void tell_refusal(struct control *c, enum order_kind kind, int32_t answer)
{
	int32_t refusal = answer == 0 ? 0 : (int32_t)kind << 16 ^ answer;

	if (refusal == c->told_refusal)
		return;
	c->told_refusal = refusal;
	if (kind == ORDER_BEGIN && answer != 0)
		control_event(c, "refused", "BEGIN", "%s", begin_text(answer));
	else if (answer > 0)
		control_event(c, "refused", rule_info[answer].id, "%s", rule_info[answer].text);
}

static void note_answer(struct control *c, enum order_kind kind, int32_t answer, int64_t now_ms)
{
	if (kind == ORDER_BEGIN)
		c->in.permit = answer == 0 ? PERMIT_GRANTED : PERMIT_REFUSED;
	if (kind == ORDER_RELAYS && answer == 0)
		c->in.acks++;
	if (kind == ORDER_RELAYS && answer != 0) {
		c->in.refused = true;
		c->write_ms = now_ms + REWRITE_MS;
	}
	if (kind == ORDER_BEGIN || kind == ORDER_RELAYS)
		tell_refusal(c, kind, answer);
}

static void settle(struct control *c, struct pending *p, int32_t answer, int64_t now_ms)
{
	struct pending was = *p;

	p->serial = 0;
	note_answer(c, was.kind, answer, now_ms);
	if (was.done)
		was.done(c, answer, was.who, was.id);
}

static void settle_late(struct control *c, int64_t now_ms)
{
	for (int i = 0; i < ORDERS_MAX; i++) {
		struct pending *p = &c->pending[i];
		int64_t limit_ms = p->kind == ORDER_BEGIN ? BEGIN_ANSWER_MS : ANSWER_MS;

		if (p->serial && now_ms - p->sent_ms > limit_ms)
			settle(c, p, -ETIMEDOUT, now_ms);
	}
}

static void send_kind(struct control *c, enum order_kind kind, uint8_t relays, uint8_t arg)
{
	int rc = control_send(
	    c, &(struct order){ .kind = kind, .relays = relays, .arg = arg }, NULL, 0, 0);

	if (rc < 0)
		log_warn("control", "the guard takes no order: %s", strerror(-rc));
}

static void send_begin(struct control *c)
{
	bool by_hand = c->lease.mode == MODE_OPERATOR_RUN;
	struct order o = { .kind = ORDER_BEGIN,
		.arg = c->seq.attempt == 1,
		.by = by_hand ? BY_OPERATOR : BY_MONITOR,
		.age_ms = by_hand ? 0 : c->lease.age_ms };

	if (control_send(c, &o, NULL, 0, 0) < 0)
		log_warn("control", "the guard takes no order");
}

static enum seq_wish wish_now(const struct control *c, int64_t now_ms)
{
	struct lease_wish w = lease_wish(&c->lease, now_ms);
	enum phase p = c->seq.phase;
	bool carries = p >= PHASE_WARMUP && p <= PHASE_LOADED;
	bool fresh = p == PHASE_OFF || p == PHASE_STOPPING;

	if (c->g.shutdown || c->g.descending || c->g.latches || !w.run)
		return SEQ_REST;
	if (carries)
		return SEQ_RUN;
	if (!w.may_start)
		return SEQ_REST;
	if (fresh && (c->g.ready_ms > now_ms || c->hold_ms > now_ms || c->g.external ||
			 !c->g.known || c->g.in.bad_ms))
		return SEQ_REST;
	return SEQ_RUN;
}

static void end_operator_run(struct control *c)
{
	if (c->lease.mode != MODE_OPERATOR_RUN)
		return;
	lease_mode(&c->lease, MODE_AUTO);
	send_kind(c, ORDER_MODE, 0, MODE_AUTO);
}

static void note_event(struct control *c, enum seq_event event, int64_t now_ms)
{
	textserver_progress(c->text, event);
	switch (event) {
	case SEQ_TRY_FAILED:
		c->in.permit = PERMIT_NONE;
		control_event(c, "phase", "TRY_FAILED", "Attempt %d of %d failed.",
		    c->seq.attempt, c->seq.attempts);
		break;
	case SEQ_GAVE_UP:
		c->hold_ms = now_ms + HOLD_MS;
		control_event(c, "phase", "GAVE_UP", "The engine did not start.");
		end_operator_run(c);
		break;
	case SEQ_LOST:
		control_event(c, "phase", "LOST", "The engine is lost.");
		break;
	case SEQ_CAUGHT:
	case SEQ_ON_LOAD:
	case SEQ_STOPPED:
	case SEQ_NOTHING:
		break;
	}
}

static void tell_phase(struct control *c)
{
	uint8_t phase = (uint8_t)status_phase(c);

	if (phase == c->last_phase || !c->seq.entered) /* not before its byte is written */
		return;
	c->last_phase = phase;
	control_event(c, "phase", "", "%s", phase_name((enum phase)phase));
}

static void step_once(struct control *c, int64_t now_ms, struct seq_out *out)
{
	c->in.acked = c->g.relays;
	c->in.wish = wish_now(c, now_ms);
	c->in.attempts = c->attempts;
	c->in.no_load = c->g.adopted && !lease_wish(&c->lease, now_ms).may_start;
	*out = seq_step(&c->seq, &c->in, now_ms);
	c->in.refused = false;
	note_event(c, out->event, now_ms);
	if (c->seq.phase == PHASE_OFF)
		c->in.permit = PERMIT_NONE;
	if (c->seq.phase == PHASE_STOPPING && c->g.permit && !outstanding(c, ORDER_ABANDON))
		send_kind(c, ORDER_ABANDON, 0, 0);
	if (out->begin && !outstanding(c, ORDER_BEGIN))
		send_begin(c);
	if (out->write && now_ms >= c->write_ms && !outstanding(c, ORDER_RELAYS))
		send_kind(c, ORDER_RELAYS, out->relays, 0);
}

static void expire_operator_run(struct control *c, int64_t now_ms)
{
	if (c->lease.mode == MODE_OPERATOR_RUN && !lease_wish(&c->lease, now_ms).run)
		end_operator_run(c);
}

static void arm(struct control *c, int64_t at_ms, int64_t now_ms)
{
	int64_t ms = at_ms > now_ms ? at_ms - now_ms : 0;
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(c->timer, &tv);
}

/* Steps until nothing moves any more; when to look again by time. */
static int64_t advance(struct control *c, int64_t now_ms)
{
	struct seq_out out = { .wake_ms = INT64_MAX };

	expire_operator_run(c, now_ms);
	for (int i = 0; i < STEPS; i++) {
		enum phase was = c->seq.phase;

		step_once(c, now_ms, &out);
		if (c->seq.phase == was)
			break;
	}
	tell_phase(c);
	return out.wake_ms;
}

static int open_servers(struct control *c, const char **address)
{
	int rc = 0;

	*address = c->config->listen;
	if (!c->server)
		rc = server_open(c, &c->server);
	if (rc == 0 && !c->text) {
		*address = c->config->text_listen;
		rc = textserver_open(c, &c->text);
	}
	return rc;
}

/* An address that is not there yet, as early at boot, ends no control process: it serves the
 * guard meanwhile. */
static void listen_when_it_can(struct control *c, int64_t now_ms)
{
	const char *address;
	int rc;

	if (now_ms < c->listen_ms)
		return;
	rc = open_servers(c, &address);
	if (rc < 0 && c->listen_ms == 0)
		log_error("control", "cannot listen on %s: %s; trying again every 5 s", address,
		    strerror(-rc));
	c->listen_ms = rc < 0 ? now_ms + LISTEN_MS : INT64_MAX;
}

static void turn(struct control *c)
{
	int64_t now_ms = clock_ms(), wake_ms = INT64_MAX;

	listen_when_it_can(c, now_ms);
	settle_late(c, now_ms);
	if (c->known)
		wake_ms = advance(c, now_ms);
	if ((c->g.relays & RELAY_STARTER) && c->beat_ms > now_ms + BEAT_CRANK_MS)
		c->beat_ms = now_ms + BEAT_CRANK_MS;
	if (now_ms >= c->beat_ms)
		send_kind(c, ORDER_BEAT, 0, 0);
	arm(c, wake_ms < c->beat_ms ? wake_ms : c->beat_ms, now_ms);
}

void control_wake(struct control *c)
{
	arm(c, 0, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	turn(arg);
}

/* A control process that was just born finds an engine, or none. */
static void adopt(struct control *c)
{
	const struct guard_state *g = &c->g;
	bool runs = g->relays & RELAY_IGNITION;

	c->seq.starter_off_ms = g->crank_ms == NEVER ? c->seq.starter_off_ms : g->crank_ms;
	lease_mode(&c->lease, (enum mode)g->mode);
	if (!runs) {
		control_event(
		    c, "process", "READY", "Engine node %s is ready.", PIGENNY_VERSION);
		return;
	}
	seq_adopt(&c->seq, (enum phase)g->control_phase, g->control_since_ms, g->relays);
	if (g->adopted && g->relays == RELAY_IGNITION && g->control_phase == PHASE_OFF)
		seq_adopt(&c->seq, PHASE_STABILISE, g->now_ms, g->relays);
	if (c->seq.phase != PHASE_COOLDOWN && g->deadline_ms != NEVER)
		lease_adopt(&c->lease, g->deadline_ms);
	control_event(
	    c, "process", "ADOPTED", "Took on a running engine, %s.", phase_name(c->seq.phase));
}

/* Not of those that an order of ours announced. */
static void tell_mode(struct control *c)
{
	if (c->g.mode == MODE_AUTO)
		control_event(c, "order", "AUTO", "The lease holder's orders count again.");
	else if (c->g.mode == MODE_OFF)
		control_event(c, "order", "OFF", "Off until an operator's `auto` or `start`.");
	else if (c->g.mode == MODE_MAINTENANCE)
		control_event(c, "order", "MAINTENANCE", "Raw relay bytes only.");
}

static void tell_changes(struct control *c, const struct guard_state *was)
{
	if (c->known && c->g.mode != was->mode)
		tell_mode(c);
	if (c->g.restarts_saver > was->restarts_saver)
		control_event(c, "process", "SAVER", "The saver was started again.");
	if (c->g.restarts_deadman > was->restarts_deadman)
		control_event(c, "process", "DEADMAN", "The deadman was started again.");
}

static void take_state(struct control *c, const struct guard_state *g, int64_t now_ms)
{
	struct guard_state was = c->g;
	bool first = !c->known && g->known;

	c->g = *g;
	c->in.in = &c->g.in;
	tell_changes(c, &was);
	if (first) {
		c->known = true;
		adopt(c);
	}
	if (g->forced && g->told_rule != RULE_NONE)
		control_event(c, "forced", rule_info[g->told_rule].id, "%s",
		    rule_info[g->told_rule].text);
	for (int i = 0; i < ORDERS_MAX; i++)
		if (c->pending[i].serial && c->pending[i].serial == g->answered)
			settle(c, &c->pending[i], g->answer, now_ms);
	if (!outstanding(c, ORDER_MODE) && !outstanding(c, ORDER_ESTOP))
		lease_mode(&c->lease, (enum mode)g->mode);
}

static void on_guard(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	struct guard_state g;
	ssize_t n;

	while ((n = recv(c->fd, &g, sizeof(g), MSG_DONTWAIT)) == (ssize_t)sizeof(g))
		take_state(c, &g, clock_ms());
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		event_base_loopbreak(c->base); /* the guard is gone; the deadman sees to it */
		return;
	}
	control_tell_alarms(c);
	turn(c);
}

static uint64_t fresh_id(void)
{
	uint64_t id = 0;

	while (id == 0)
		if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
			id = (uint64_t)clock_ms() << 20 | (uint64_t)(clock_unix_ms() & 0xfffff);
	return id;
}

static struct control *open_control(const struct genctl_config *config, int fd)
{
	struct control *c = xcalloc(1, sizeof(*c));

	c->config = config;
	c->fd = fd;
	c->born_ms = clock_ms();
	c->attempts = (uint8_t)config->engine.attempts;
	c->base = event_base_new();
	seq_init(&c->seq, &config->engine, c->born_ms);
	lease_init(&c->lease, fresh_id());
	c->in.in = &c->g.in;
	c->timer = evtimer_new(c->base, on_timer, c);
	c->heard = event_new(c->base, fd, EV_READ | EV_PERSIST, on_guard, c);
	event_add(c->heard, NULL);
	return c;
}

static void close_control(struct control *c)
{
	textserver_free(c->text);
	server_free(c->server);
	event_free(c->heard);
	event_free(c->timer);
	event_base_free(c->base);
	free(c);
}

int control_main(const struct genctl_config *config, int guard_fd)
{
	struct control *c = open_control(config, guard_fd);

	turn(c);
	event_base_dispatch(c->base);
	close_control(c);
	return 0;
}
