#include "test/fuzz/link_fake.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "common/frame.h"
#include "common/mem.h"

enum { LISTENERS = 2 };

struct link {
	struct link_config config;
	struct link_listener *listener;
	struct link_fake_peer *peer;
	LIST_ENTRY(link) entry;
	bool draining, closed, in_unit;
	uint8_t *held; /* bytes that are no whole unit yet */
	size_t nheld;
};

struct link_listener {
	struct link_config config;
	char address[128];
	LIST_HEAD(, link) links;
	int count;
};

static struct link_listener *listeners[LISTENERS];
static struct link *connecting;
static int alive, connect_rc;

struct link_listener *link_fake_listener(const char *address)
{
	for (int i = 0; i < LISTENERS; i++)
		if (listeners[i] && strcmp(listeners[i]->address, address) == 0)
			return listeners[i];
	return NULL;
}

static struct link *link_new(const struct link_config *config)
{
	struct link *l = xcalloc(1, sizeof(*l));

	l->config = *config;
	alive++;
	return l;
}

static void release(struct link *l)
{
	free(l->held);
	free(l);
	alive--;
}

static void attach(struct link *l, struct link_fake_peer *p)
{
	l->peer = p;
	p->link = l;
	l->config.ops->opened(l);
}

bool link_fake_open(struct link_listener *ls, struct link_fake_peer *p)
{
	struct link *l;

	if (ls->count >= ls->config.max_links)
		return false;
	l = link_new(&ls->config);
	l->listener = ls;
	LIST_INSERT_HEAD(&ls->links, l, entry);
	ls->count++;
	attach(l, p);
	return true;
}

struct link *link_fake_connecting(void)
{
	return connecting;
}

void link_fake_accept(struct link *l, struct link_fake_peer *p)
{
	assert(l == connecting);
	connecting = NULL;
	attach(l, p);
}

void link_fake_refuse(int rc)
{
	connect_rc = rc;
}

bool link_fake_reads(const struct link_fake_peer *p)
{
	return p->link && !p->link->draining;
}

void link_fake_unit(struct link_fake_peer *p, const uint8_t *data, size_t n)
{
	struct link *l = p->link;
	uint8_t *copy;

	if (!link_fake_reads(p))
		return;
	if (n > l->config.max_unit) {
		link_close(l, "too long");
		return;
	}
	copy = xcalloc(1, n + 1); /* of exact size, so that a read past its end is seen */
	memcpy(copy, data, n);
	l->in_unit = true;
	l->config.ops->unit(l, copy, n);
	l->in_unit = false;
	free(copy);
	if (l->closed)
		release(l);
}

static ssize_t unit_size(const struct link *l)
{
	const uint8_t *end;

	if (l->config.kind == LINK_FRAMES)
		return frame_size(l->held, l->nheld);
	end = memchr(l->held, '\n', l->nheld);
	return end ? end - l->held + 1 : 0;
}

static void hold(struct link *l, const uint8_t *data, size_t n)
{
	uint8_t *held = xcalloc(1, l->nheld + n + 1);

	if (l->nheld > 0)
		memcpy(held, l->held, l->nheld);
	if (n > 0)
		memcpy(held + l->nheld, data, n);
	free(l->held);
	l->held = held;
	l->nheld += n;
}

static void hand_up(struct link *l, struct link_fake_peer *p, size_t size)
{
	size_t head = l->config.kind == LINK_FRAMES ? FRAME_HEAD : 0, n = size - head;
	uint8_t *unit = xcalloc(1, size);

	memcpy(unit, l->held, size);
	l->nheld -= size;
	memmove(l->held, l->held + size, l->nheld);
	if (l->config.kind == LINK_LINES)
		n -= n > 1 && unit[n - 2] == '\r' ? 2 : 1;
	link_fake_unit(p, unit + head, n);
	free(unit);
}

void link_fake_bytes(struct link_fake_peer *p, const uint8_t *data, size_t n)
{
	ssize_t size = 0;

	if (!link_fake_reads(p))
		return;
	hold(p->link, data, n);
	while (link_fake_reads(p) && (size = unit_size(p->link)) > 0)
		hand_up(p->link, p, (size_t)size);
	if (link_fake_reads(p) && (size < 0 || p->link->nheld > p->link->config.max_unit + 4))
		link_close(p->link, "too long");
}

void link_fake_end(struct link_fake_peer *p)
{
	struct link *l = p->link;

	if (!link_fake_reads(p))
		return;
	if (l->config.ops->ended)
		l->config.ops->ended(l);
	else
		link_close(l, "peer closed");
}

void link_fake_close(struct link_fake_peer *p, const char *why)
{
	if (p->link)
		link_close(p->link, why);
}

void link_fake_reset(void)
{
	assert(alive == 0 && !connecting);
	for (int i = 0; i < LISTENERS; i++)
		assert(!listeners[i]);
	connect_rc = 0;
}

/* common/link.h */

int link_listen(struct event_base *base, const char *address, const struct link_config *config,
    struct link_listener **out)
{
	struct link_listener *ls = xcalloc(1, sizeof(*ls));
	int i = 0;

	while (i < LISTENERS - 1 && listeners[i])
		i++;
	assert(!listeners[i]);
	ls->config = *config;
	snprintf(ls->address, sizeof(ls->address), "%s", address);
	LIST_INIT(&ls->links);
	listeners[i] = *out = ls;
	return 0;
}

int link_port(const struct link_listener *ls)
{
	return 9999;
}

int link_count(const struct link_listener *ls)
{
	return ls->count;
}

void link_listener_free(struct link_listener *ls)
{
	struct link *l;

	if (!ls)
		return;
	while ((l = LIST_FIRST(&ls->links)))
		link_close(l, "shutting down");
	for (int i = 0; i < LISTENERS; i++)
		if (listeners[i] == ls)
			listeners[i] = NULL;
	free(ls);
}

int link_connect(struct event_base *base, const char *address, int64_t timeout_ms,
    const struct link_config *config, struct link **out)
{
	if (connect_rc < 0)
		return connect_rc;
	assert(!connecting);
	*out = connecting = link_new(config);
	return 0;
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
	return "127.0.0.1:4711";
}

bool link_peer_is_loopback(const struct link *l)
{
	return true;
}

void link_send(struct link *l, const void *data, size_t n)
{
	assert(n > 0);
	if (!l->closed && !l->draining)
		l->peer->sent(l->peer, data, n);
}

void link_close_after_send(struct link *l)
{
	l->draining = true;
}

void link_close(struct link *l, const char *why)
{
	struct link_fake_peer *p = l->peer;

	if (l->closed)
		return;
	l->closed = true;
	if (connecting == l)
		connecting = NULL;
	if (l->listener) {
		LIST_REMOVE(l, entry);
		l->listener->count--;
	}
	if (p)
		p->link = NULL;
	l->config.ops->closed(l, why);
	if (p && p->closed)
		p->closed(p, why);
	if (!l->in_unit)
		release(l);
}
