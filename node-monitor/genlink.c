#include "node-monitor/genlink.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/frame.h"
#include "common/link.h"
#include "common/log.h"
#include "common/mem.h"
#include "proto/genctl.pb-c.h"

enum {
	MAJOR = 1,
	MINOR = 0,
	PENDING_MAX = 8,
	CONNECT_MS = 5000,
	ANSWER_MS = 5000,
	BACKOFF_FIRST_MS = 1000,
	BACKOFF_MAX_MS = 30000,
	LEASE_TTL_MS = 20000,
	LEASE_RENEW_MS = 5000,
	TEXT_PAUSE_MS = 2000, /* between orders that differ in their texts only */
	REFUSED_PAUSE_MS = 5000
};

struct pending {
	uint32_t id; /* 0: free */
	Genctl__Request__BodyCase what;
	int64_t sent_ms;
};

struct genlink {
	struct event_base *base;
	struct genlink_config config;
	struct link *link; /* owned by itself; NULL while DOWN */
	struct gen_view view;
	struct pending pending[PENDING_MAX];
	uint32_t last_id, epoch, seq;
	int64_t backoff_ms, retry_ms, asked_ms, leased_ms;
	struct gen_desire desire, sent; /* sent.stated: under this epoch */
	int64_t sent_ms, refused_ms;
};

static void changed(struct genlink *g, enum gen_news what)
{
	if (g->config.changed)
		g->config.changed(g->config.owner, what);
}

static bool waiting_for(const struct genlink *g, Genctl__Request__BodyCase what)
{
	for (int i = 0; i < PENDING_MAX; i++) {
		if (g->pending[i].id && g->pending[i].what == what)
			return true;
	}
	return false;
}

static void forget(struct genlink *g)
{
	memset(g->pending, 0, sizeof(g->pending));
	g->view.heard = g->view.holder = false;
	g->sent.stated = false;
	g->asked_ms = g->leased_ms = g->refused_ms = 0;
}

/* The request's body is the caller's. False: too many answers are still due. */
static bool ask(struct genlink *g, Genctl__Request *r, int64_t now_ms)
{
	struct pending *p = g->pending;
	size_t size;
	uint8_t *frame;

	while (p < g->pending + PENDING_MAX && p->id)
		p++;
	if (!g->link || p == g->pending + PENDING_MAX)
		return false;
	if (++g->last_id == 0)
		g->last_id = 1;
	r->id = g->last_id;
	frame = frame_pack(&r->base, &size);
	if (!frame)
		return false;
	*p = (struct pending){ .id = r->id, .what = r->body_case, .sent_ms = now_ms };
	link_send(g->link, frame, size);
	free(frame);
	return true;
}

static bool ask_empty(struct genlink *g, Genctl__Request__BodyCase what, int64_t now_ms)
{
	Genctl__Request r;
	Genctl__Empty empty;

	genctl__request__init(&r);
	genctl__empty__init(&empty);
	if (waiting_for(g, what))
		return false;
	r.body_case = what;
	r.status = &empty; /* one member of the union serves for all empty ones */
	return ask(g, &r, now_ms);
}

static void ask_status(struct genlink *g, int64_t now_ms)
{
	if (ask_empty(g, GENCTL__REQUEST__BODY_STATUS, now_ms))
		g->asked_ms = now_ms;
}

static void ask_lease(struct genlink *g, int64_t now_ms)
{
	Genctl__Request r;
	Genctl__Acquire acquire;

	genctl__request__init(&r);
	genctl__acquire__init(&acquire);
	acquire.ttl_ms = LEASE_TTL_MS;
	r.body_case = GENCTL__REQUEST__BODY_ACQUIRE;
	r.acquire = &acquire;
	if (!waiting_for(g, r.body_case) && ask(g, &r, now_ms))
		g->leased_ms = now_ms;
}

static void greet(struct genlink *g, int64_t now_ms)
{
	Genctl__Request r;
	Genctl__Hello hello;
	char name[64], version[] = PIGENNY_VERSION;

	genctl__request__init(&r);
	genctl__hello__init(&hello);
	snprintf(name, sizeof(name), "%s", g->config.name);
	hello.major = MAJOR;
	hello.minor = MINOR;
	hello.name = name;
	hello.version = version;
	hello.role = GENCTL__ROLE__MONITOR;
	r.body_case = GENCTL__REQUEST__BODY_HELLO;
	r.hello = &hello;
	ask(g, &r, now_ms);
}

/* Orders */

static bool order_due(const struct genlink *g, int64_t now_ms)
{
	const struct gen_desire *d = &g->desire, *s = &g->sent;
	int64_t age_ms = now_ms - g->sent_ms;

	if (!d->stated || !g->view.holder || waiting_for(g, GENCTL__REQUEST__BODY_DESIRED))
		return false;
	if (g->refused_ms && now_ms - g->refused_ms < REFUSED_PAUSE_MS)
		return false;
	if (!s->stated || d->run != s->run)
		return true;
	if (d->run && (age_ms >= s->for_s * INT64_C(1000) / 3 || d->for_s < s->for_s / 2))
		return true;
	return age_ms >= TEXT_PAUSE_MS &&
	       (strcmp(d->reason, s->reason) != 0 || strcmp(d->next, s->next) != 0);
}

static void send_order(struct genlink *g, int64_t now_ms)
{
	Genctl__Request r;
	Genctl__Desired order;
	Genctl__Stamp stamp;

	genctl__request__init(&r);
	genctl__desired__init(&order);
	genctl__stamp__init(&stamp);
	if (!order_due(g, now_ms))
		return;
	stamp.boot_id = g->view.boot_id;
	stamp.epoch = g->epoch;
	stamp.seq = ++g->seq;
	order.stamp = &stamp;
	order.run = g->desire.run;
	order.for_s = g->desire.run ? (uint32_t)g->desire.for_s : 0;
	order.reason = g->desire.reason;
	order.next = g->desire.next;
	r.body_case = GENCTL__REQUEST__BODY_DESIRED;
	r.desired = &order;
	if (!ask(g, &r, now_ms))
		return;
	g->sent = g->desire;
	g->sent_ms = now_ms;
}

void genlink_desire(struct genlink *g, const struct gen_desire *desire, int64_t now_ms)
{
	g->desire = *desire;
	send_order(g, now_ms);
}

/* Answers */

static void on_hello(struct genlink *g, const Genctl__Hello *hello, int64_t now_ms)
{
	Genctl__Request__BodyCase subscribe = GENCTL__REQUEST__BODY_SUBSCRIBE;

	log_info("", "Connected to generator server %s (genctld %s)", g->config.address,
	    hello->version);
	g->view.state = GEN_UP;
	g->view.boot_id = hello->boot_id;
	g->view.down_because[0] = 0;
	g->backoff_ms = BACKOFF_FIRST_MS;
	ask_empty(g, subscribe, now_ms);
	if (g->config.command)
		ask_lease(g, now_ms);
	ask_status(g, now_ms);
	changed(g, GEN_NEWS_LINK);
}

static void on_lease(struct genlink *g, const Genctl__Lease *lease, int64_t asked_ms)
{
	if (!g->view.holder || lease->epoch != g->epoch) {
		log_info("genlink", "holding the lease, epoch %u", lease->epoch);
		g->sent.stated = false;
		g->seq = 0;
	}
	g->epoch = lease->epoch;
	g->view.holder = true;
	g->view.lease_ms = asked_ms + lease->ttl_ms;
}

static void lose_lease(struct genlink *g, const char *why)
{
	if (g->view.holder)
		log_warn("genlink", "the lease is lost: %s", why);
	g->view.holder = g->sent.stated = false;
}

static void on_refused_order(struct genlink *g, const Genctl__Error *e, int64_t now_ms)
{
	if (g->view.order_code != (int)e->code)
		log_warn("genlink", "the engine node refuses the order: %s", e->text);
	g->view.order_code = (int)e->code;
	snprintf(g->view.order_text, sizeof(g->view.order_text), "%s", e->text);
	g->refused_ms = now_ms;
	g->sent.stated = false;
	if (e->code == GENCTL__CODE__STALE || e->code == GENCTL__CODE__NOT_HOLDER) {
		lose_lease(g, e->text);
		g->leased_ms = now_ms - LEASE_RENEW_MS + BACKOFF_FIRST_MS;
	}
}

static void on_error(
    struct genlink *g, const struct pending *p, const Genctl__Error *e, int64_t now_ms)
{
	if (p->what == GENCTL__REQUEST__BODY_DESIRED) {
		on_refused_order(g, e, now_ms);
	} else if (p->what == GENCTL__REQUEST__BODY_ACQUIRE) {
		if (g->view.order_code != (int)e->code)
			log_warn("genlink", "no lease: %s", e->text);
		g->view.order_code = (int)e->code;
		snprintf(g->view.order_text, sizeof(g->view.order_text), "%s", e->text);
		lose_lease(g, e->text);
	} else if (p->what == GENCTL__REQUEST__BODY_HELLO) {
		link_close(g->link, e->text);
	} else {
		log_warn("genlink", "a question was refused: %s", e->text);
	}
}

static void on_event(struct genlink *g, const Genctl__Event *e, int64_t now_ms)
{
	if (strcmp(e->kind, "alarm") == 0)
		log_warn("generator", "%s: %s", e->code, e->text);
	else if (strcmp(e->kind, "phase") == 0)
		log_info("generator", "%s", e->text);
	else if (strcmp(e->kind, "cleared") == 0)
		log_info("generator", "%s: %s", e->code, e->text);
	else
		log_debug("generator", "%s %s: %s", e->kind, e->code, e->text);
	ask_status(g, now_ms);
}

static void on_accepted(struct genlink *g, const struct pending *p)
{
	if (p->what != GENCTL__REQUEST__BODY_DESIRED)
		return;
	g->view.order_code = 0;
	g->view.order_text[0] = 0;
	g->refused_ms = 0;
}

/* Is it an answer to what was asked? Else nothing that it says may count. */
static bool answers(Genctl__Request__BodyCase what, Genctl__Reply__BodyCase answer)
{
	switch (what) {
	case GENCTL__REQUEST__BODY_HELLO:
		return answer == GENCTL__REPLY__BODY_HELLO;
	case GENCTL__REQUEST__BODY_ACQUIRE:
		return answer == GENCTL__REPLY__BODY_LEASE;
	case GENCTL__REQUEST__BODY_STATUS:
		return answer == GENCTL__REPLY__BODY_STATUS;
	case GENCTL__REQUEST__BODY_HEALTH:
		return answer == GENCTL__REPLY__BODY_HEALTH;
	default:
		return answer == GENCTL__REPLY__BODY_ACCEPTED;
	}
}

static void on_answer(
    struct genlink *g, const struct pending *p, const Genctl__Reply *m, int64_t now_ms)
{
	if (m->body_case != GENCTL__REPLY__BODY_ERROR && !answers(p->what, m->body_case)) {
		link_close(g->link, "it does not speak our protocol");
		return;
	}
	switch (m->body_case) {
	case GENCTL__REPLY__BODY_HELLO:
		on_hello(g, m->hello, now_ms);
		break;
	case GENCTL__REPLY__BODY_LEASE:
		on_lease(g, m->lease, p->sent_ms);
		break;
	case GENCTL__REPLY__BODY_STATUS:
		genview_status(&g->view, m->status, now_ms);
		changed(g, GEN_NEWS_STATUS);
		break;
	case GENCTL__REPLY__BODY_HEALTH:
		genview_health(&g->view, m->health, now_ms);
		changed(g, GEN_NEWS_HEALTH);
		break;
	case GENCTL__REPLY__BODY_ERROR:
		on_error(g, p, m->error, now_ms);
		break;
	case GENCTL__REPLY__BODY_ACCEPTED:
		on_accepted(g, p);
		break;
	default:
		break;
	}
}

/* The line */

static void link_opened(struct link *l)
{
	struct genlink *g = link_owner(l);

	g->view.state = GEN_GREETING;
	greet(g, clock_ms());
}

static void link_unit(struct link *l, const uint8_t *data, size_t n)
{
	struct genlink *g = link_owner(l);
	int64_t now_ms = clock_ms();
	ProtobufCMessage *raw = frame_unpack(&genctl__reply__descriptor, data, n, false);
	Genctl__Reply *m = (Genctl__Reply *)raw;

	if (!m) {
		link_close(l, "it does not speak our protocol");
		return;
	}
	if (m->id == 0 && m->body_case == GENCTL__REPLY__BODY_EVENT && g->view.state == GEN_UP)
		on_event(g, m->event, now_ms);
	for (int i = 0; m->id && i < PENDING_MAX; i++) {
		struct pending p = g->pending[i];

		if (p.id == m->id) {
			g->pending[i].id = 0;
			on_answer(g, &p, m, now_ms);
			break;
		}
	}
	protobuf_c_message_free_unpacked(raw, NULL);
	if (g->link)
		send_order(g, now_ms);
}

static void went_down(struct genlink *g, const char *why, int64_t now_ms)
{
	bool first = strcmp(why, g->view.down_because) != 0;

	if (g->view.state == GEN_UP || first)
		log_warn("genlink",
		    "no connection to the generator server %s: %s; trying again",
		    g->config.address, why);
	snprintf(g->view.down_because, sizeof(g->view.down_because), "%s", why);
	g->link = NULL;
	g->view.state = GEN_DOWN;
	g->retry_ms = now_ms + g->backoff_ms;
	g->backoff_ms = g->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : g->backoff_ms * 2;
	forget(g);
	changed(g, GEN_NEWS_LINK);
}

static void link_closed(struct link *l, const char *why)
{
	went_down(link_owner(l), why, clock_ms());
}

static const struct link_ops genlink_ops = {
	.opened = link_opened,
	.unit = link_unit,
	.closed = link_closed,
};

static void try_connect(struct genlink *g, int64_t now_ms)
{
	const struct link_config config = {
		.kind = LINK_FRAMES,
		.ops = &genlink_ops,
		.owner = g,
		.idle_ms = 2 * LEASE_TTL_MS,
		.unit_ms = ANSWER_MS,
		.max_unit = FRAME_MAX,
	};
	int rc;

	if (g->view.down_because[0] == 0)
		log_info("", "Connecting to generator server...");
	g->view.state = GEN_CONNECTING;
	rc = link_connect(g->base, g->config.address, CONNECT_MS, &config, &g->link);
	if (rc < 0)
		went_down(g, strerror(-rc), now_ms);
}

static bool overdue(const struct genlink *g, int64_t now_ms)
{
	for (int i = 0; i < PENDING_MAX; i++) {
		if (g->pending[i].id && now_ms - g->pending[i].sent_ms >= ANSWER_MS)
			return true;
	}
	return false;
}

static void keep_up(struct genlink *g, int64_t status_ms, int64_t now_ms)
{
	if (g->view.holder && now_ms >= g->view.lease_ms)
		lose_lease(g, "it was not renewed in time");
	if (g->config.command && now_ms - g->leased_ms >= LEASE_RENEW_MS)
		ask_lease(g, now_ms);
	if (now_ms - g->asked_ms >= status_ms)
		ask_status(g, now_ms);
	send_order(g, now_ms);
}

void genlink_tick(struct genlink *g, int64_t status_ms, int64_t now_ms)
{
	if (g->view.state == GEN_DOWN) {
		if (now_ms >= g->retry_ms)
			try_connect(g, now_ms);
	} else if (overdue(g, now_ms)) {
		link_close(g->link, "no answer within 5 s");
	} else if (g->view.state == GEN_UP) {
		keep_up(g, status_ms, now_ms);
	}
}

void genlink_ask_health(struct genlink *g, int64_t now_ms)
{
	if (g->view.state == GEN_UP)
		ask_empty(g, GENCTL__REQUEST__BODY_HEALTH, now_ms);
}

const struct gen_view *genlink_view(const struct genlink *g)
{
	return &g->view;
}

struct genlink *genlink_new(struct event_base *base, const struct genlink_config *config)
{
	struct genlink *g = xcalloc(1, sizeof(*g));

	g->base = base;
	g->config = *config;
	g->backoff_ms = BACKOFF_FIRST_MS;
	snprintf(g->view.peer, sizeof(g->view.peer), "%s", config->address);
	return g;
}

void genlink_free(struct genlink *g)
{
	if (!g)
		return;
	g->config.changed = NULL;
	if (g->link)
		link_close(g->link, "monitord ends");
	free(g);
}
