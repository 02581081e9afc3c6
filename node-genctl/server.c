#include "node-genctl/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/frame.h"
#include "common/log.h"
#include "common/mem.h"
#include "node-genctl/server_parts.h"

enum { MAJOR = 1, MINOR = 0, PEERS_MAX = 32, IDLE_MS = 60000, UNIT_MS = 10000 };

void server_reply(struct peer *p, Genctl__Reply *r)
{
	size_t n;
	uint8_t *frame = frame_pack(&r->base, &n);

	if (frame)
		link_send(p->link, frame, n);
	free(frame);
}

void server_error(
    struct peer *p, uint32_t id, Genctl__Code code, uint32_t retry_ms, const char *text)
{
	Genctl__Error error = GENCTL__ERROR__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;

	error.code = code;
	error.retry_ms = retry_ms;
	error.text = (char *)(uintptr_t)text;
	r.id = id;
	r.body_case = GENCTL__REPLY__BODY_ERROR;
	r.error = &error;
	server_reply(p, &r);
}

static void reply_request(struct peer *p, uint32_t id, uint32_t request, const char *text)
{
	Genctl__Accepted accepted = GENCTL__ACCEPTED__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;

	accepted.request = request;
	accepted.text = (char *)(uintptr_t)text;
	r.id = id;
	r.body_case = GENCTL__REPLY__BODY_ACCEPTED;
	r.accepted = &accepted;
	server_reply(p, &r);
}

static void reply_accepted(struct peer *p, uint32_t id, const char *text)
{
	reply_request(p, id, p->server->control->g.request, text);
}

static void reply_judged(
    struct peer *p, uint32_t id, const struct refusal *refusal, const char *text)
{
	if (refusal->code)
		server_error(p, id, refusal->code, refusal->retry_ms, refusal->text);
	else
		reply_accepted(p, id, text);
}

/* The answer to an order that only the guard can give. */
static void on_answer(struct control *c, int32_t answer, uint64_t who, uint32_t id)
{
	struct peer *p;

	TAILQ_FOREACH(p, &c->server->peers, entry)
	if (p->number == who)
		break;
	if (!p) /* it left meanwhile */
		return;
	if (answer == 0)
		reply_accepted(p, id, "done");
	else if (answer == -EBUSY)
		server_error(p, id, GENCTL__CODE__BUSY, 0, "Stop the engine first.");
	else if (answer == -EPERM)
		server_error(p, id, GENCTL__CODE__NO_OPERATOR, 0,
		    "Not from here: end maintenance, or `clear` on the engine node itself.");
	else if (answer > 0 && answer < RULE_N)
		server_error(p, id, GENCTL__CODE__MODE, 0, rule_info[answer].text);
	else
		server_error(
		    p, id, GENCTL__CODE__FAULT, 0, "The guard could not do it; see the log.");
}

static void order(
    struct peer *p, uint32_t id, enum order_kind kind, uint8_t relays, uint8_t arg)
{
	struct order o = { .kind = kind, .relays = relays, .arg = arg };

	if (control_send(p->server->control, &o, on_answer, p->number, id) < 0)
		server_error(p, id, GENCTL__CODE__FAULT, 1000, "The guard is busy; try again.");
}

static void ask_hello(struct peer *p, const Genctl__Request *q)
{
	Genctl__Hello hello = GENCTL__HELLO__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;
	static char name[] = "genctld", version[] = PIGENNY_VERSION;

	if (q->hello->major != MAJOR) {
		server_error(p, q->id, GENCTL__CODE__VERSION, 0,
		    "This engine node speaks version 1; upgrade the older of the two.");
		return;
	}
	p->hello = true;
	p->role = q->hello->role;
	snprintf(p->name, sizeof(p->name), "%s", q->hello->name);
	hello.major = MAJOR;
	hello.minor = MINOR; /* the lower of the two counts */
	hello.name = name;
	hello.role = p->role;
	hello.version = version;
	hello.boot_id = p->server->control->lease.boot_id;
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_HELLO;
	r.hello = &hello;
	server_reply(p, &r);
}

static void ask_acquire(struct peer *p, const Genctl__Request *q)
{
	struct control *c = p->server->control;
	enum lease_code code =
	    lease_acquire(&c->lease, p->number, q->acquire->ttl_ms, clock_ms());
	Genctl__Lease lease = GENCTL__LEASE__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;
	char text[80];

	if (code != LEASE_OK) {
		snprintf(
		    text, sizeof(text), "%s holds the lease; it ends by itself.", c->holder);
		server_error(p, q->id, (Genctl__Code)code,
		    code == LEASE_TAKEN ? (uint32_t)(c->lease.expires_ms - clock_ms()) : 0,
		    code == LEASE_TAKEN ? text : "ttl_ms is at most 60000.");
		return;
	}
	memcpy(c->holder, p->name, sizeof(c->holder));
	lease.epoch = c->lease.epoch;
	lease.ttl_ms = (uint32_t)(c->lease.expires_ms - clock_ms());
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_LEASE;
	r.lease = &lease;
	server_reply(p, &r);
}

static void ask_desired(struct peer *p, const Genctl__Request *q)
{
	struct refusal no = control_desire(p->server->control, p->number, p->name, q->desired);

	reply_judged(p, q->id, &no, q->desired->run ? "will run" : "will rest");
}

static void ask_start(struct peer *p, const Genctl__Request *q)
{
	struct refusal no = control_start(
	    p->server->control, q->start->for_s, q->start->attempts, q->start->reason);

	if (no.code)
		reply_judged(p, q->id, &no, "");
	else
		reply_request(p, q->id, no.request, "start accepted");
}

static void reply_unheard(struct peer *p, uint32_t id)
{
	server_error(p, id, GENCTL__CODE__FAULT, 1000,
	    "The guard did not take it: ask again, or use the stop switch on the engine.");
}

static void ask_stop(struct peer *p, const Genctl__Request *q)
{
	if (control_stop(p->server->control) < 0)
		reply_unheard(p, q->id);
	else
		reply_accepted(p, q->id, "stop accepted");
}

static void ask_estop(struct peer *p, const Genctl__Request *q)
{
	if (control_estop(p->server->control) < 0)
		reply_unheard(p, q->id);
	else
		reply_accepted(p, q->id, "emergency stop");
}

static void ask_clear(struct peer *p, const Genctl__Request *q)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "Latches are cleared on the engine node itself: `gencli clear` there, over %.80s/"
	    "genctl.sock.",
	    p->server->control->config->runtime_dir);
	server_error(p, q->id, GENCTL__CODE__NO_OPERATOR, 0, text);
}

static void ask_auto(struct peer *p, const Genctl__Request *q)
{
	order(p, q->id, ORDER_MODE, 0, MODE_AUTO);
}

static void ask_maintenance(struct peer *p, const Genctl__Request *q)
{
	if (!q->maintenance->on && p->server->control->g.mode != MODE_MAINTENANCE)
		reply_accepted(p, q->id, "maintenance was not on");
	else
		order(
		    p, q->id, ORDER_MODE, 0, q->maintenance->on ? MODE_MAINTENANCE : MODE_OFF);
}

static void ask_relay(struct peer *p, const Genctl__Request *q)
{
	if (q->relay->relays > RELAY_ALL)
		server_error(p, q->id, GENCTL__CODE__BAD_VALUE, 0, "A relay byte is 00 to 0F.");
	else if (p->server->control->g.mode != MODE_MAINTENANCE)
		server_error(p, q->id, GENCTL__CODE__MODE, 0,
		    "Raw relay bytes need maintenance: `maintenance on` first.");
	else
		order(p, q->id, ORDER_RAW, (uint8_t)q->relay->relays, 0);
}

static void ask_subscribe(struct peer *p, const Genctl__Request *q)
{
	p->subscribed = true;
	reply_accepted(p, q->id, "subscribed");
}

/* clang-format off */
static const struct {
	void (*ask)(struct peer *p, const Genctl__Request *q);
	bool monitor, by_hand; /* which role may; before hello: only hello */
} table[] = {
	[GENCTL__REQUEST__BODY_HELLO]       = { ask_hello,       true,  true },
	[GENCTL__REQUEST__BODY_PING]        = { server_ping,     true,  true },
	[GENCTL__REQUEST__BODY_STATUS]      = { server_status,   true,  true },
	[GENCTL__REQUEST__BODY_INPUTS]      = { server_inputs,   true,  true },
	[GENCTL__REQUEST__BODY_HEALTH]      = { server_health,   true,  true },
	[GENCTL__REQUEST__BODY_ACQUIRE]     = { ask_acquire,     true,  false },
	[GENCTL__REQUEST__BODY_DESIRED]     = { ask_desired,     true,  false },
	[GENCTL__REQUEST__BODY_START]       = { ask_start,       false, true },
	[GENCTL__REQUEST__BODY_STOP]        = { ask_stop,        false, true },
	[GENCTL__REQUEST__BODY_ESTOP]       = { ask_estop,       true,  true },
	[GENCTL__REQUEST__BODY_CLEAR]       = { ask_clear,       false, true },
	[GENCTL__REQUEST__BODY_AUTO_MODE]   = { ask_auto,        false, true },
	[GENCTL__REQUEST__BODY_MAINTENANCE] = { ask_maintenance, false, true },
	[GENCTL__REQUEST__BODY_RELAY]       = { ask_relay,       false, true },
	[GENCTL__REQUEST__BODY_SUBSCRIBE]   = { ask_subscribe,   true,  true },
	[GENCTL__REQUEST__BODY_EVENTS]      = { server_events,   true,  true },
	[GENCTL__REQUEST__BODY_TRACE]       = { server_trace,    true,  true },
};
/* clang-format on */

static void dispatch(struct peer *p, const Genctl__Request *q)
{
	size_t body = (size_t)q->body_case;

	if (body >= sizeof(table) / sizeof(table[0]) || !table[body].ask || q->id == 0)
		server_error(p, q->id, GENCTL__CODE__BAD_REQUEST, 0,
		    "A request has an id other than 0 and one body.");
	else if (!p->hello && body != GENCTL__REQUEST__BODY_HELLO)
		server_error(p, q->id, GENCTL__CODE__NOT_HELLO, 0, "Say hello first.");
	else if (p->hello && !(p->role == GENCTL__ROLE__OPERATOR ? table[body].by_hand
								 : table[body].monitor))
		server_error(p, q->id, GENCTL__CODE__NO_OPERATOR, 0,
		    "This role may not: say hello as the other one.");
	else
		table[body].ask(p, q);
}

/* A newer peer's request is refused under its own id; what is none ends the connection. */
static void refuse_unit(struct peer *p, const uint8_t *data, size_t n)
{
	ProtobufCMessage *m = frame_unpack(&genctl__request__descriptor, data, n, false);

	if (m) {
		server_error(p, ((const Genctl__Request *)m)->id, GENCTL__CODE__BAD_REQUEST, 0,
		    "The request has a field that this engine node does not know: upgrade "
		    "genctld, or leave it out.");
		protobuf_c_message_free_unpacked(m, NULL);
		return;
	}
	server_error(p, 0, GENCTL__CODE__BAD_REQUEST, 0, "This is no request.");
	link_close_after_send(p->link);
}

static void on_unit(struct link *l, const uint8_t *data, size_t n)
{
	struct peer *p = link_owner(l);
	ProtobufCMessage *m = frame_unpack(&genctl__request__descriptor, data, n, true);

	if (!m) {
		refuse_unit(p, data, n);
		return;
	}
	dispatch(p, (const Genctl__Request *)m);
	protobuf_c_message_free_unpacked(m, NULL);
}

static void on_opened(struct link *l)
{
	struct server *s = link_owner(l);
	struct peer *p = xcalloc(1, sizeof(*p));

	p->server = s;
	p->link = l;
	p->number = ++s->numbers;
	link_set_owner(l, p);
	TAILQ_INSERT_TAIL(&s->peers, p, entry);
}

static void on_closed(struct link *l, const char *why)
{
	struct peer *p = link_owner(l);

	log_debug("server", "%s left: %s", link_peer(l), why);
	lease_release(&p->server->control->lease, p->number);
	TAILQ_REMOVE(&p->server->peers, p, entry);
	free(p);
}

static const struct link_ops ops = {
	.opened = on_opened, .unit = on_unit, .closed = on_closed
};

static uint8_t *full_frame(size_t *n)
{
	static char text[] = "Too many connections: close one, then try again.";
	Genctl__Error error = GENCTL__ERROR__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;

	error.code = GENCTL__CODE__BUSY;
	error.text = text;
	r.body_case = GENCTL__REPLY__BODY_ERROR;
	r.error = &error;
	return frame_pack(&r.base, n);
}

int server_open(struct control *c, struct server **out)
{
	struct server *s = xcalloc(1, sizeof(*s));
	struct link_config config = {
		.kind = LINK_FRAMES,
		.ops = &ops,
		.owner = s,
		.idle_ms = IDLE_MS,
		.unit_ms = UNIT_MS,
		.max_unit = FRAME_MAX,
		.max_links = PEERS_MAX,
	};
	int rc;

	s->control = c;
	s->full = full_frame(&config.refuse_n);
	config.refuse = s->full;
	TAILQ_INIT(&s->peers);
	rc = link_listen(c->base, c->config->listen, &config, &s->listener);
	if (rc < 0) {
		free(s->full);
		free(s);
		return rc;
	}
	log_info("server", "listening on port %d", link_port(s->listener));
	*out = s;
	return 0;
}

void server_push(struct server *s, const struct event_record *e)
{
	Genctl__Event event;
	Genctl__Reply r = GENCTL__REPLY__INIT;
	struct peer *p;
	size_t n;
	uint8_t *frame = NULL;

	if (!s)
		return;
	server_fill_event(&event, e);
	r.body_case = GENCTL__REPLY__BODY_EVENT;
	r.event = &event;
	TAILQ_FOREACH(p, &s->peers, entry)
	{
		if (!p->subscribed)
			continue;
		if (!frame)
			frame = frame_pack(&r.base, &n);
		if (frame)
			link_send(p->link, frame, n);
	}
	free(frame);
}

int server_connections(const struct server *s)
{
	return s ? link_count(s->listener) : 0;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	link_listener_free(s->listener);
	free(s->full);
	free(s);
}
