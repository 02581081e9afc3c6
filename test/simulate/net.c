#include "test/simulate/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/frame.h"
#include "common/link.h"
#include "test/simulate/chance.h"
#include "test/simulate/fail.h"
#include "test/simulate/loop.h"
#include "test/simulate/report.h"

enum { LINKS = 64, UNITS = 512, UNIT_BYTES = 8192, KEPT = 8, LISTENERS = 4 };
enum { LATENCY_MS = 2, LATE_MS = 12000, PATIENCE_MS = 25000 };

struct link {
	bool used, open, closed, in_call;
	struct link_config config;
	struct link_listener *listener;
	struct event_base *base;
	enum node node;
	uint64_t life; /* this use of the place */
	struct link *peer;
	uint64_t peer_life;
	int64_t heard_ms, arrives_ms; /* arrives: the last unit on its way to us, in order */
};

struct link_listener {
	struct link_config config;
	struct event_base *base; /* NULL: free */
	int count;
};

struct unit {		   /* on its way, or kept to be replayed */
	bool used, posted; /* posted: to the loop of `base` */
	struct event_base *base;
	struct link *to;
	uint64_t life;
	size_t n;
	uint8_t data[UNIT_BYTES];
};

struct net_faults net_faults;
int64_t net_hits[NET_FAULTS];
static struct link links[LINKS];
static struct link_listener listeners[LISTENERS];
static struct unit units[UNITS], kept[2][KEPT]; /* to the monitors, to the engine node */
static int nkept[2], in_flight;
static uint64_t lives;
static struct chance chance;

void net_reset(uint64_t seed)
{
	memset(links, 0, sizeof(links));
	memset(listeners, 0, sizeof(listeners));
	for (int i = 0; i < UNITS; i++)
		units[i].used = false;
	memset(net_hits, 0, sizeof(net_hits));
	nkept[0] = nkept[1] = in_flight = 0;
	net_faults = (struct net_faults){ 0 };
	chance.state = seed;
}

bool net_quiet(void)
{
	return in_flight == 0;
}

static bool same(const struct link *l, uint64_t life)
{
	return l && l->used && l->life == life && !l->closed;
}

/* Which partition stands between the two ends; the engine node's own end has none. */
static int64_t cut_until_ms(const struct link *l)
{
	enum node far = l->node != NODE_ENGINE ? l->node
			: l->peer	       ? l->peer->node
					       : NODE_ENGINE;

	return net_faults.cut_until_ms[far];
}

static void release(struct link *l)
{
	if (l->in_call)
		return;
	l->used = false;
}

/* In the process's own context. */
static void on_closed(void *arg, int64_t life)
{
	struct link *l = arg;

	if (same(l, (uint64_t)life))
		link_close(l, l->open ? "peer closed" : "connection refused");
}

static void on_timeout(void *arg, int64_t life)
{
	struct link *l = arg;

	if (same(l, (uint64_t)life))
		link_close(l, l->open ? "connection timed out" : "no answer");
}

static void close_at(struct link *l, uint64_t life, loop_fn *fn, int64_t at_ms);
static void post_close(void *arg, int64_t number)
{
	struct link *l = arg;

	if (same(l, (uint64_t)number))
		loop_post(l->base, on_closed, l, number);
}

static void post_timeout(void *arg, int64_t number)
{
	struct link *l = arg;

	if (same(l, (uint64_t)number))
		loop_post(l->base, on_timeout, l, number);
}

static void close_at(struct link *l, uint64_t life, loop_fn *fn, int64_t at_ms)
{
	timer_at(at_ms, fn == on_closed ? post_close : post_timeout, l, (int64_t)life);
}

/* Limits of silence */

static void check_idle(void *arg, int64_t life)
{
	struct link *l = arg;
	int64_t due_ms;

	if (!same(l, (uint64_t)life))
		return;
	due_ms = l->heard_ms + l->config.idle_ms;
	if (due_ms <= sim_ms)
		post_timeout(l, life);
	else
		timer_at(due_ms, check_idle, l, life);
}

/* Units */

static void on_unit(void *arg, int64_t number)
{
	struct unit *u = arg;
	struct link *l = u->to;

	u->used = false;
	in_flight--;
	if (!same(l, u->life))
		return;
	l->heard_ms = sim_ms;
	l->in_call = true;
	l->config.ops->unit(l, u->data + FRAME_HEAD, u->n - FRAME_HEAD);
	l->in_call = false;
	if (l->closed)
		release(l);
}

static void drop(struct unit *u)
{
	u->used = false;
	in_flight--;
}

static void arrive(void *arg, int64_t number)
{
	struct unit *u = arg;
	int64_t cut_ms;

	if (!same(u->to, u->life) || !loop_owner(u->to->base)) {
		drop(u);
		return;
	}
	cut_ms = cut_until_ms(u->to);
	if (cut_ms > sim_ms + PATIENCE_MS) { /* the connection does not live that long */
		close_at(u->to, u->life, on_timeout, sim_ms + PATIENCE_MS);
		if (same(u->to->peer, u->to->peer_life))
			close_at(
			    u->to->peer, u->to->peer_life, on_timeout, sim_ms + PATIENCE_MS);
		drop(u);
	} else if (cut_ms > sim_ms) {
		timer_at(cut_ms, arrive, u, 0);
	} else {
		u->posted = true;
		u->base = u->to->base;
		loop_post(u->base, on_unit, u, 0);
	}
}

static void send_unit(struct link *to, uint64_t life, const void *data, size_t n, int64_t at_ms)
{
	for (int i = 0; i < UNITS; i++) {
		struct unit *u = &units[i];

		if (u->used)
			continue;
		u->used = true;
		u->posted = false;
		u->to = to;
		u->life = life;
		u->n = n;
		memcpy(u->data, data, n);
		in_flight++;
		timer_at(at_ms, arrive, u, 0);
		return;
	}
	report_broken("the simulation's network is full");
}

static bool meets(enum net_fault fault)
{
	if (sim_ms >= net_faults.until_ms[fault] ||
	    !chance_of(&chance, net_faults.per_mille[fault]))
		return false;
	net_hits[fault]++;
	return true;
}

static void keep(bool to_engine, const void *data, size_t n)
{
	struct unit *u = &kept[to_engine][nkept[to_engine]++ % KEPT];

	u->n = n;
	memcpy(u->data, data, n);
}

static void replay(struct link *to, uint64_t life, bool to_engine)
{
	int have = nkept[to_engine] < KEPT ? nkept[to_engine] : KEPT;

	if (have > 0 && meets(NET_REPLAYED)) {
		const struct unit *u = &kept[to_engine][chance_between(&chance, 0, have - 1)];

		send_unit(to, life, u->data, u->n, sim_ms + chance_between(&chance, 1, 20000));
	}
}

void link_send(struct link *l, const void *data, size_t n)
{
	struct link *to = l->peer;
	bool to_engine = l->node != NODE_ENGINE;
	int64_t at_ms = sim_ms + LATENCY_MS;

	if (l->closed || !l->open)
		return;
	if (fail_now(FAIL_LINK)) {
		close_at(l, l->life, on_timeout, sim_ms);
		return;
	}
	if (!same(to, l->peer_life) || n > UNIT_BYTES || meets(NET_LOST))
		return;
	if (meets(NET_LATE))
		at_ms += chance_between(&chance, 100, LATE_MS);
	if (at_ms < to->arrives_ms && !meets(NET_REORDERED))
		at_ms = to->arrives_ms;
	else if (meets(NET_REORDERED))
		at_ms += chance_between(&chance, 5, 2000);
	else
		to->arrives_ms = at_ms;
	send_unit(to, to->life, data, n, at_ms);
	if (meets(NET_DOUBLED))
		send_unit(to, to->life, data, n, at_ms + chance_between(&chance, 0, 3000));
	replay(to, to->life, to_engine);
	if (net_faults.until_ms[NET_REPLAYED] > sim_ms)
		keep(to_engine, data, n);
}

/* Connections */

static struct link *link_new(struct event_base *base, const struct link_config *config)
{
	for (int i = 0; i < LINKS; i++) {
		struct link *l = &links[i];

		if (l->used)
			continue;
		*l = (struct link){ .used = true,
			.config = *config,
			.base = base,
			.node = loop_owner(base)->node,
			.life = ++lives,
			.heard_ms = sim_ms };
		return l;
	}
	report_broken("the simulation has too many connections");
}

void link_close(struct link *l, const char *why)
{
	if (l->closed)
		return;
	l->closed = true;
	if (same(l->peer, l->peer_life))
		close_at(l->peer, l->peer_life, on_closed,
		    l->peer->arrives_ms > sim_ms + LATENCY_MS ? l->peer->arrives_ms
							      : sim_ms + LATENCY_MS);
	if (l->listener)
		l->listener->count--;
	l->config.ops->closed(l, why);
	release(l);
}

void link_close_after_send(struct link *l)
{
	if (!l->closed)
		close_at(l, l->life, on_closed, sim_ms);
}

static void open_end(struct link *l)
{
	l->open = true;
	if (l->config.idle_ms > 0)
		timer_at(sim_ms + l->config.idle_ms, check_idle, l, (int64_t)l->life);
	l->in_call = true;
	l->config.ops->opened(l);
	l->in_call = false;
	if (l->closed)
		release(l);
}

static void on_opened(void *arg, int64_t life)
{
	if (same(arg, (uint64_t)life))
		open_end(arg);
}

static struct link_listener *find_listener(void)
{
	for (int i = 0; i < LISTENERS; i++)
		if (listeners[i].base && loop_owner(listeners[i].base))
			return &listeners[i];
	return NULL;
}

/* In control's context: the other end is told that it may send. */
static void on_accept(void *arg, int64_t life)
{
	struct link *far = arg, *l;
	struct link_listener *ls = find_listener();

	if (!same(far, (uint64_t)life) || !ls)
		return;
	if (ls->count >= ls->config.max_links) {
		close_at(far, far->life, on_closed, sim_ms + LATENCY_MS);
		return;
	}
	l = link_new(ls->base, &ls->config);
	l->listener = ls;
	ls->count++;
	l->peer = far;
	l->peer_life = far->life;
	far->peer = l;
	far->peer_life = l->life;
	loop_post(far->base, on_opened, far, life);
	open_end(l);
}

static void knock(void *arg, int64_t life)
{
	struct link *l = arg;
	struct link_listener *ls = find_listener();

	if (!same(l, (uint64_t)life) || sim_ms < cut_until_ms(l))
		return; /* the limit of connecting ends it */
	if (ls)
		loop_post(ls->base, on_accept, l, life);
	else
		post_close(l, life);
}

static void give_up(void *arg, int64_t life)
{
	struct link *l = arg;

	if (same(l, (uint64_t)life) && !l->open)
		post_timeout(l, life);
}

int link_connect(struct event_base *base, const char *address, int64_t timeout_ms,
    const struct link_config *config, struct link **out)
{
	if (fail_now(FAIL_LINK))
		return -ENETUNREACH;
	*out = link_new(base, config);
	timer_at(sim_ms + LATENCY_MS, knock, *out, (int64_t)(*out)->life);
	timer_at(sim_ms + timeout_ms, give_up, *out, (int64_t)(*out)->life);
	return 0;
}

int link_listen(struct event_base *base, const char *address, const struct link_config *config,
    struct link_listener **out)
{
	if (fail_now(FAIL_LINK) || sim_ms < net_faults.deaf_until_ms)
		return -EADDRNOTAVAIL;
	for (int i = 0; i < LISTENERS; i++) {
		if (listeners[i].base)
			continue;
		listeners[i] = (struct link_listener){ .config = *config, .base = base };
		*out = &listeners[i];
		return 0;
	}
	report_broken("the simulation has too many listeners");
}

void link_listener_free(struct link_listener *ls)
{
	if (!ls)
		return;
	for (int i = 0; i < LINKS; i++)
		if (links[i].used && !links[i].closed && links[i].listener == ls)
			link_close(&links[i], "shutting down");
	ls->base = NULL;
}

void net_break(enum node node)
{
	for (int i = 0; i < LINKS; i++)
		if (links[i].used && !links[i].closed && links[i].node == node) {
			struct link *l = &links[i];

			close_at(l, l->life, on_closed, sim_ms + LATENCY_MS);
		}
}

/* A killed process closes nothing itself: its kernel does. */
void net_ended(const struct proc *p)
{
	for (int i = 0; i < UNITS; i++)
		if (units[i].used && units[i].posted && loop_owner(units[i].base) == p)
			drop(&units[i]);
	for (int i = 0; i < LINKS; i++) {
		struct link *l = &links[i];

		if (!l->used || loop_owner(l->base) != p)
			continue;
		if (!l->closed && same(l->peer, l->peer_life))
			close_at(l->peer, l->peer_life, on_closed, sim_ms + LATENCY_MS);
		l->used = false;
	}
	for (int i = 0; i < LISTENERS; i++)
		if (listeners[i].base && loop_owner(listeners[i].base) == p)
			listeners[i].base = NULL;
}

int link_port(const struct link_listener *ls)
{
	return 9999;
}

int link_count(const struct link_listener *ls)
{
	return ls->count;
}

void *link_owner(const struct link *l)
{
	return l->config.owner;
}

void link_set_owner(struct link *l, void *owner)
{
	l->config.owner = owner;
}

const char *link_peer(const struct link *l)
{
	static const char *const names[NODES] = { "engine", "monitor", "second", "operator" };

	return l->peer ? names[l->peer->node] : "nobody";
}

bool link_peer_is_loopback(const struct link *l)
{
	return true;
}
