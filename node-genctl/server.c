#include "node-genctl/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/frame.h"
#include "common/link.h"
#include "common/log.h"
#include "common/mem.h"
#include "node-genctl/control_parts.h"
#include "node-genctl/health.h"
#include "node-genctl/textserver.h"

enum {
	MAJOR = 1,
	MINOR = 0,
	PEERS_MAX = 32,
	IDLE_MS = 60000,
	UNIT_MS = 10000,
	EVENTS_A_REPLY = 200
};

struct peer {
	TAILQ_ENTRY(peer) entry;
	struct server *server;
	struct link *link;
	uint64_t number; /* never used again: what the lease knows it by */
	bool hello, subscribed;
	Genctl__Role role;
	char name[NAME_MAX_LEN];
};

struct server {
	struct control *control;
	struct link_listener *listener;
	TAILQ_HEAD(, peer) peers;
	uint64_t numbers;
};

static void reply(struct peer *p, Genctl__Reply *r)
{
	size_t n;
	uint8_t *frame = frame_pack(&r->base, &n);

	if (frame)
		link_send(p->link, frame, n);
	free(frame);
}

static void reply_error(
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
	reply(p, &r);
}

static void reply_accepted(struct peer *p, uint32_t id, const char *text)
{
	Genctl__Accepted accepted = GENCTL__ACCEPTED__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;

	accepted.request = p->server->control->g.request;
	accepted.text = (char *)(uintptr_t)text;
	r.id = id;
	r.body_case = GENCTL__REPLY__BODY_ACCEPTED;
	r.accepted = &accepted;
	reply(p, &r);
}

static void reply_judged(
    struct peer *p, uint32_t id, const struct refusal *refusal, const char *text)
{
	if (refusal->code)
		reply_error(p, id, refusal->code, refusal->retry_ms, refusal->text);
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
		reply_error(p, id, GENCTL__CODE__BUSY, 0, "Stop the engine first.");
	else if (answer == -EPERM)
		reply_error(p, id, GENCTL__CODE__NO_OPERATOR, 0,
		    "Not from here: end maintenance, or `clear` on the engine node itself.");
	else if (answer > 0 && answer < RULE_N)
		reply_error(p, id, GENCTL__CODE__MODE, 0, rule_info[answer].text);
	else
		reply_error(
		    p, id, GENCTL__CODE__FAULT, 0, "The guard could not do it; see the log.");
}

static void order(
    struct peer *p, uint32_t id, enum order_kind kind, uint8_t relays, uint8_t arg)
{
	struct order o = { .kind = kind, .relays = relays, .arg = arg };

	if (control_send(p->server->control, &o, on_answer, p->number, id) < 0)
		reply_error(p, id, GENCTL__CODE__FAULT, 1000, "The guard is busy; try again.");
}

static void ask_hello(struct peer *p, const Genctl__Request *q)
{
	Genctl__Hello hello = GENCTL__HELLO__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;
	static char name[] = "genctld", version[] = PIGENNY_VERSION;

	if (q->hello->major != MAJOR) {
		reply_error(p, q->id, GENCTL__CODE__VERSION, 0,
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
	reply(p, &r);
}

static void ask_ping(struct peer *p, const Genctl__Request *q)
{
	Genctl__Empty pong = GENCTL__EMPTY__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;

	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_PONG;
	r.pong = &pong;
	reply(p, &r);
}

static void ask_status(struct peer *p, const Genctl__Request *q)
{
	Genctl__Status status = GENCTL__STATUS__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;
	struct status_text text;

	status_fill(p->server->control, &status, &text, clock_ms());
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_STATUS;
	r.status = &status;
	reply(p, &r);
}

static void ask_inputs(struct peer *p, const Genctl__Request *q)
{
	Genctl__Inputs inputs = GENCTL__INPUTS__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;

	status_inputs(p->server->control, &inputs, clock_ms());
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_INPUTS;
	r.inputs = &inputs;
	reply(p, &r);
}

static void ask_health(struct peer *p, const Genctl__Request *q)
{
	const struct control *c = p->server->control;
	struct health h = health_read();
	Genctl__Health health = GENCTL__HEALTH__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;
	static char version[] = PIGENNY_VERSION, protocol[] = "1.0";

	health.connections =
	    (uint32_t)(link_count(p->server->listener) + textserver_connections(c->text));
	health.uptime_s = h.uptime_s > 0 ? (uint32_t)h.uptime_s : 0;
	health.service_uptime_s = (uint32_t)((clock_ms() - c->born_ms) / 1000);
	health.memory_pct = h.memory_pct > 0 ? (uint32_t)h.memory_pct : 0;
	health.disk_free = h.disk_free > 0 ? (uint64_t)h.disk_free : 0;
	health.disk_pct = h.disk_pct > 0 ? (uint32_t)h.disk_pct : 0;
	health.i2c_errors = c->g.io_errors;
	health.i2c_reads = c->g.reads;
	health.version = version;
	health.protocol = protocol;
	health.control_restarts = c->g.restarts_control;
	health.saver_restarts = c->g.restarts_saver;
	health.deadman_restarts = c->g.restarts_deadman;
	health.i2c = (char *)(uintptr_t)status_i2c(c);
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_HEALTH;
	r.health = &health;
	reply(p, &r);
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
		reply_error(p, q->id, (Genctl__Code)code, LEASE_TTL_MS,
		    code == LEASE_TAKEN ? text : "ttl_ms is at most 60000.");
		return;
	}
	memcpy(c->holder, p->name, sizeof(c->holder));
	lease.epoch = c->lease.epoch;
	lease.ttl_ms = (uint32_t)(c->lease.expires_ms - clock_ms());
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_LEASE;
	r.lease = &lease;
	reply(p, &r);
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

	reply_judged(p, q->id, &no, "start accepted");
}

static void ask_stop(struct peer *p, const Genctl__Request *q)
{
	control_stop(p->server->control);
	reply_accepted(p, q->id, "stop accepted");
}

static void ask_estop(struct peer *p, const Genctl__Request *q)
{
	control_estop(p->server->control);
	reply_accepted(p, q->id, "emergency stop");
}

static void ask_clear(struct peer *p, const Genctl__Request *q)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "Latches are cleared on the engine node itself: `gencli clear` there, over %.80s/"
	    "genctl.sock.",
	    p->server->control->config->runtime_dir);
	reply_error(p, q->id, GENCTL__CODE__NO_OPERATOR, 0, text);
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
		reply_error(p, q->id, GENCTL__CODE__BAD_VALUE, 0, "A relay byte is 00 to 0F.");
	else if (p->server->control->g.mode != MODE_MAINTENANCE)
		reply_error(p, q->id, GENCTL__CODE__MODE, 0,
		    "Raw relay bytes need maintenance: `maintenance on` first.");
	else
		order(p, q->id, ORDER_RAW, (uint8_t)q->relay->relays, 0);
}

static void ask_subscribe(struct peer *p, const Genctl__Request *q)
{
	p->subscribed = true;
	reply_accepted(p, q->id, "subscribed");
}

static void fill_event(Genctl__Event *out, const struct event_record *e)
{
	genctl__event__init(out);
	out->seq = e->seq;
	out->mono_ms = (uint64_t)e->mono_ms;
	out->unix_ms = e->unix_ms;
	out->kind = (char *)(uintptr_t)e->kind;
	out->code = (char *)(uintptr_t)e->code;
	out->text = (char *)(uintptr_t)e->text;
	out->phase = (Genctl__Phase)e->phase;
	out->relays = e->relays;
	out->inputs = e->inputs;
	out->left_ms = e->left_ms;
	out->request = e->request;
}

static void ask_events(struct peer *p, const Genctl__Request *q)
{
	const struct events *all = &p->server->control->events;
	const struct event_record *e = events_after(all, q->events->after);
	uint32_t limit = q->events->limit;
	Genctl__Event event[EVENTS_A_REPLY], *list[EVENTS_A_REPLY];
	Genctl__Events events = GENCTL__EVENTS__INIT;
	Genctl__Reply r = GENCTL__REPLY__INIT;

	if (limit == 0 || limit > EVENTS_A_REPLY)
		limit = EVENTS_A_REPLY;
	events.event = list;
	events.last = all->last;
	for (; e && events.n_event < limit; e = events_after(all, e->seq)) {
		fill_event(&event[events.n_event], e);
		list[events.n_event] = &event[events.n_event];
		events.n_event++;
	}
	r.id = q->id;
	r.body_case = GENCTL__REPLY__BODY_EVENTS;
	r.events = &events;
	reply(p, &r);
}

/* clang-format off */
static const struct {
	void (*ask)(struct peer *p, const Genctl__Request *q);
	bool monitor, by_hand; /* which role may; before hello: only hello */
} table[] = {
	[GENCTL__REQUEST__BODY_HELLO]       = { ask_hello,       true,  true },
	[GENCTL__REQUEST__BODY_PING]        = { ask_ping,        true,  true },
	[GENCTL__REQUEST__BODY_STATUS]      = { ask_status,      true,  true },
	[GENCTL__REQUEST__BODY_INPUTS]      = { ask_inputs,      true,  true },
	[GENCTL__REQUEST__BODY_HEALTH]      = { ask_health,      true,  true },
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
	[GENCTL__REQUEST__BODY_EVENTS]      = { ask_events,      true,  true },
};
/* clang-format on */

static void dispatch(struct peer *p, const Genctl__Request *q)
{
	size_t body = (size_t)q->body_case;

	if (body >= sizeof(table) / sizeof(table[0]) || !table[body].ask || q->id == 0)
		reply_error(p, q->id, GENCTL__CODE__BAD_REQUEST, 0,
		    "A request has an id other than 0 and one body.");
	else if (!p->hello && body != GENCTL__REQUEST__BODY_HELLO)
		reply_error(p, q->id, GENCTL__CODE__NOT_HELLO, 0, "Say hello first.");
	else if (p->hello && !(p->role == GENCTL__ROLE__OPERATOR ? table[body].by_hand
								 : table[body].monitor))
		reply_error(p, q->id, GENCTL__CODE__NO_OPERATOR, 0,
		    "This role may not: say hello as the other one.");
	else
		table[body].ask(p, q);
}

static void on_unit(struct link *l, const uint8_t *data, size_t n)
{
	struct peer *p = link_owner(l);
	ProtobufCMessage *m = frame_unpack(&genctl__request__descriptor, data, n, true);

	if (!m) {
		reply_error(p, 0, GENCTL__CODE__BAD_REQUEST, 0,
		    "Not a request of this protocol version, or with a field it does not "
		    "know.");
		link_close_after_send(l);
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
	TAILQ_INIT(&s->peers);
	rc = link_listen(c->base, c->config->listen, &config, &s->listener);
	if (rc < 0) {
		log_error(
		    "server", "cannot listen on %s: %s", c->config->listen, strerror(-rc));
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
	fill_event(&event, e);
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
	free(s);
}
