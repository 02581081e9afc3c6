/* What the servers ask for, judged: accepted with an effect, or refused with a sentence. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "node-genctl/control_parts.h"
#include "node-genctl/textserver.h"

enum { START_FOR_MAX_S = 86400 };

static struct refusal refuse(Genctl__Code code, int64_t retry_ms, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static struct refusal refuse(Genctl__Code code, int64_t retry_ms, const char *fmt, ...)
{
	struct refusal r = { .code = code, .retry_ms = retry_ms > 0 ? (uint32_t)retry_ms : 0 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.text, sizeof(r.text), fmt, ap);
	va_end(ap);
	return r;
}

static struct refusal why_not_now(const struct control *c, int64_t now_ms)
{
	char blocks[SENTENCE_MAX];

	status_blocks(c, now_ms, blocks, sizeof(blocks));
	if (c->g.latches)
		return refuse(GENCTL__CODE__LOCKED_OUT, 0, "%.180s", blocks);
	if (c->g.mode == MODE_ESTOP || c->g.mode == MODE_MAINTENANCE)
		return refuse(GENCTL__CODE__MODE, 0, "%.180s", blocks);
	if (c->lease.mode == MODE_ESTOP) /* the guard has not said so yet */
		return refuse(GENCTL__CODE__MODE, 0,
		    "An emergency stop was just ordered: clear it, then start.");
	if (c->g.external)
		return refuse(GENCTL__CODE__RUNNING, 0, "%.180s", blocks);
	if (!c->known || !c->g.known || c->g.in.bad_ms >= BAD_MS)
		return refuse(GENCTL__CODE__FAULT, 0, "%.180s", blocks);
	if (c->seq.phase == PHASE_OFF && c->g.ready_ms > now_ms)
		return refuse(GENCTL__CODE__REST, c->g.ready_ms - now_ms, "%.180s", blocks);
	return (struct refusal){ 0 };
}

struct refusal control_start(
    struct control *c, uint32_t for_s, uint32_t attempts, const char *reason)
{
	int64_t now_ms = clock_ms();
	struct refusal no = why_not_now(c, now_ms);
	struct order mode = { .kind = ORDER_MODE, .arg = MODE_OPERATOR_RUN };
	bool at_rest = c->seq.phase == PHASE_OFF || c->seq.phase == PHASE_STOPPING;

	if (no.code)
		return no;
	if (for_s > START_FOR_MAX_S)
		return refuse(
		    GENCTL__CODE__BAD_VALUE, 0, "for_s is at most %d.", START_FOR_MAX_S);
	if (c->g.descending)
		return refuse(GENCTL__CODE__BUSY, 0,
		    "The engine is being brought down; start it again once it stands still.");
	if (attempts > (uint32_t)c->config->engine.attempts)
		return refuse(GENCTL__CODE__BAD_VALUE, 0, "At most %d attempts are configured.",
		    c->config->engine.attempts);
	if (status_starting(c))
		return refuse(GENCTL__CODE__BUSY, 0, "A start is already in progress.");
	if (c->lease.mode == MODE_OPERATOR_RUN && c->seq.phase == PHASE_LOADED)
		return refuse(
		    GENCTL__CODE__RUNNING, 0, "The engine already runs for an operator.");
	if (control_send(c, &mode, NULL, 0, 0) < 0)
		return refuse(
		    GENCTL__CODE__FAULT, 0, "The guard does not answer; see the log.");
	c->attempts = attempts ? (uint8_t)attempts : (uint8_t)c->config->engine.attempts;
	c->hold_ms = 0;
	lease_operator_run(&c->lease, for_s, now_ms);
	snprintf(c->operator_reason, sizeof(c->operator_reason), "%s", reason);
	control_event(
	    c, "order", "START", "Operator's start: %s.", *reason ? reason : "by hand");
	control_wake(c);
	return (struct refusal){ .request = c->g.request + at_rest };
}

int control_stop(struct control *c)
{
	struct order o = { .kind = ORDER_MODE, .arg = MODE_OPERATOR_STOP };
	bool raw = c->g.mode == MODE_ESTOP || c->g.mode == MODE_MAINTENANCE;
	int rc;

	if (raw)
		o = (struct order){ .kind = ORDER_RAW };
	else
		lease_mode(&c->lease, MODE_OPERATOR_STOP);
	rc = control_send(c, &o, NULL, 0, 0);
	control_event(
	    c, "order", "STOP", "Operator's stop; `auto` lets the monitor start again.");
	control_wake(c);
	return rc;
}

int control_estop(struct control *c)
{
	int rc = control_send(c, &(struct order){ .kind = ORDER_ESTOP }, NULL, 0, 0);

	lease_mode(&c->lease, MODE_ESTOP);
	control_event(c, "order", "ESTOP", "Emergency stop by order.");
	control_wake(c);
	return rc;
}

static struct refusal lease_refusal(const struct control *c, enum lease_code code)
{
	switch (code) {
	case LEASE_STALE:
		return refuse(GENCTL__CODE__STALE, 0,
		    "The order is from before a restart, from an old lease or too old: acquire "
		    "the "
		    "lease and state it anew.");
	case LEASE_NOT_HOLDER:
		return refuse(GENCTL__CODE__NOT_HOLDER, 0, "Acquire the lease first.");
	case LEASE_MODE:
		return refuse(GENCTL__CODE__MODE, 0,
		    "The mode forbids automatic starts; an operator's `auto` allows them "
		    "again.");
	case LEASE_BAD_VALUE:
		return refuse(
		    GENCTL__CODE__BAD_VALUE, 0, "for_s must be 1 to %d.", ORDER_FOR_MAX_S);
	case LEASE_TAKEN:
		return refuse(GENCTL__CODE__LEASE_TAKEN, 0, "%s holds the lease.", c->holder);
	case LEASE_OK:
		break;
	}
	return (struct refusal){ 0 };
}

struct refusal control_desire(
    struct control *c, uint64_t who, const char *name, const Genctl__Desired *d)
{
	const Genctl__Stamp *s = d->stamp;
	bool was = c->lease.run;
	struct lease_order o = { .run = d->run, .for_s = d->for_s };
	enum lease_code code;

	if (!s)
		return refuse(GENCTL__CODE__BAD_REQUEST, 0, "An order carries a stamp.");
	o.boot_id = s->boot_id;
	o.epoch = s->epoch;
	o.seq = s->seq;
	o.age_ms = s->age_ms;
	code = lease_order(&c->lease, who, &o, clock_ms());
	if (code != LEASE_OK)
		return lease_refusal(c, code);
	snprintf(c->holder, sizeof(c->holder), "%s", name);
	snprintf(c->reason, sizeof(c->reason), "%s", d->reason);
	snprintf(c->next, sizeof(c->next), "%s", d->next);
	if (c->lease.run != was) {
		c->attempts = (uint8_t)c->config->engine.attempts;
		control_event(c, "order", d->run ? "RUN" : "REST", "%s: %s", name, d->reason);
		control_wake(c);
	}
	return (struct refusal){ 0 };
}
