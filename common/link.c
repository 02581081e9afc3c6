#include "common/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "common/address.h"
#include "common/frame.h"
#include "common/log.h"
#include "common/mem.h"

enum { MAX_UNSENT = 256 * 1024, DRAIN_MS = 5000, ACCEPT_AGAIN_MS = 200, BACKLOG = 64 };

enum state { CONNECTING, OPEN, DRAINING };

struct link {
	struct link_config config;
	struct link_listener *listener; /* NULL at the connecting end */
	LIST_ENTRY(link) entry;
	struct bufferevent *bev;
	struct event *limit; /* of connecting, of a unit, of draining: one at a time */
	const char *doom;    /* why to close from the loop, NULL: not to */
	enum state state;
	bool in_unit; /* its memory is still in use further up the stack */
	bool limited, peer_ended, closed, loopback;
	char peer[64];
};

struct link_listener {
	struct link_config config;
	struct evconnlistener *socket;
	struct event *accept_again;
	LIST_HEAD(link_list, link) links;
	int count;
	bool starved;
};

static struct timeval interval(int64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

static void set_limit(struct link *l, int64_t ms)
{
	struct timeval tv = interval(ms);

	event_add(l->limit, &tv);
	l->limited = true;
}

static void clear_limit(struct link *l)
{
	if (l->limited)
		event_del(l->limit);
	l->limited = false;
}

static void release(struct link *l)
{
	bufferevent_free(l->bev);
	event_free(l->limit);
	free(l);
}

void link_close(struct link *l, const char *why)
{
	if (l->closed)
		return;
	l->closed = true;
	clear_limit(l);
	bufferevent_disable(l->bev, EV_READ | EV_WRITE);
	if (l->listener) {
		LIST_REMOVE(l, entry);
		l->listener->count--;
	}
	l->config.ops->closed(l, why);
	if (!l->in_unit)
		release(l);
}

/* Nobody who sends expects its link to be gone afterwards: the loop closes it. */
static void doom(struct link *l, const char *why)
{
	l->doom = why;
	event_active(l->limit, EV_TIMEOUT, 0);
}

void link_send(struct link *l, const void *data, size_t n)
{
	struct evbuffer *out = bufferevent_get_output(l->bev);

	if (l->closed || l->doom || l->state == DRAINING)
		return;
	if (evbuffer_get_length(out) + n > MAX_UNSENT || evbuffer_add(out, data, n) < 0)
		doom(l, "not reading");
}

/* A plain close with unread input would reset the connection and lose what we sent. */
static void end_when_sent(struct link *l)
{
	if (evbuffer_get_length(bufferevent_get_output(l->bev)) > 0)
		return;
	if (l->peer_ended)
		link_close(l, "peer closed");
	else
		shutdown(bufferevent_getfd(l->bev), SHUT_WR);
}

static void drain(struct link *l)
{
	l->state = DRAINING;
	set_limit(l, DRAIN_MS);
}

void link_close_after_send(struct link *l)
{
	if (l->closed || l->doom || l->state == DRAINING)
		return;
	drain(l);
	end_when_sent(l);
}

static ssize_t line_size(const uint8_t *buf, size_t n)
{
	const uint8_t *end = memchr(buf, '\n', n);

	return end ? end - buf + 1 : 0;
}

/* Whole size of the first unit in buf, 0 when it is not complete, -EMSGSIZE. */
static ssize_t unit_size(const struct link *l, const uint8_t *buf, size_t n)
{
	bool frames = l->config.kind == LINK_FRAMES;
	size_t most = l->config.max_unit + (frames ? FRAME_HEAD : strlen("\r\n"));
	ssize_t size = frames ? frame_size(buf, n) : line_size(buf, n);

	return (size == 0 && n > most) || (size > 0 && (size_t)size > most) ? -EMSGSIZE : size;
}

static void hand_up(struct link *l, uint8_t *buf, size_t size)
{
	size_t n = size - 1;

	if (l->config.kind == LINK_FRAMES) {
		l->config.ops->unit(l, buf + FRAME_HEAD, size - FRAME_HEAD);
		return;
	}
	if (n > 0 && buf[n - 1] == '\r')
		n--;
	buf[n] = '\0';
	l->config.ops->unit(l, buf, n);
}

/* Hands up whole units; 1: at least one, 0: none, -EMSGSIZE. */
static int hand_up_all(struct link *l, struct evbuffer *in)
{
	ssize_t size = 0;
	int some = 0;

	l->in_unit = true;
	while (!l->closed && !l->doom && l->state == OPEN && evbuffer_get_length(in) > 0) {
		size = unit_size(l, evbuffer_pullup(in, -1), evbuffer_get_length(in));
		if (size <= 0)
			break;
		hand_up(l, evbuffer_pullup(in, -1), size);
		evbuffer_drain(in, size);
		some = 1;
	}
	l->in_unit = false;
	return size < 0 ? (int)size : some;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct link *l = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	int rc = hand_up_all(l, in);

	if (l->closed) {
		release(l);
	} else if (l->doom) {
		link_close(l, l->doom);
	} else if (l->state == DRAINING) {
		evbuffer_drain(in, evbuffer_get_length(in));
	} else if (rc < 0) {
		link_close(l, l->config.kind == LINK_FRAMES ? "bad length" : "too long");
	} else if (evbuffer_get_length(in) == 0) {
		clear_limit(l);
	} else if (l->config.unit_ms > 0 && (rc > 0 || !l->limited)) {
		set_limit(l, l->config.unit_ms); /* the first byte of a unit is here */
	}
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct link *l = arg;

	if (l->state == DRAINING)
		end_when_sent(l);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	static const char *const why[] = {
		[CONNECTING] = "no answer", [OPEN] = "too slow", [DRAINING] = "closed"
	};
	struct link *l = arg;

	link_close(l, l->doom ? l->doom : why[l->state]);
}

static void open_link(struct link *l)
{
	struct timeval idle = interval(l->config.idle_ms);

	l->state = OPEN;
	clear_limit(l);
	bufferevent_set_timeouts(l->bev, l->config.idle_ms > 0 ? &idle : NULL, NULL);
	bufferevent_enable(l->bev, EV_READ);
	l->config.ops->opened(l);
}

static void on_end(struct link *l)
{
	l->peer_ended = true;
	if (l->state == OPEN && l->config.ops->ended) {
		l->config.ops->ended(l);
		return;
	}
	if (l->state == OPEN)
		drain(l);
	if (l->state == DRAINING)
		end_when_sent(l); /* half-closed: answers still go out */
	else
		link_close(l, "peer closed");
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	int err = EVUTIL_SOCKET_ERROR();
	struct link *l = arg;

	if (what & BEV_EVENT_CONNECTED && l->state == CONNECTING)
		open_link(l);
	else if (what & BEV_EVENT_TIMEOUT)
		link_close(l, "idle");
	else if (what & BEV_EVENT_EOF)
		on_end(l);
	else if (what & BEV_EVENT_ERROR)
		link_close(l, l->doom ? l->doom : strerror(err));
}

/* A peer that lost its power says nothing: it is found out within half a minute. */
static void set_socket_options(int fd)
{
	static const struct {
		int level, name, value;
	} o[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 10 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 5 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 3 },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, 25000 },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
	};

	for (size_t i = 0; i < sizeof(o) / sizeof(o[0]); i++)
		(void)setsockopt(fd, o[i].level, o[i].name, &o[i].value, sizeof(int));
}

static struct link *link_new(struct event_base *base, int fd, const struct link_config *config,
    const struct sockaddr *peer, socklen_t len)
{
	struct link *l = xcalloc(1, sizeof(*l));

	set_socket_options(fd);
	l->config = *config;
	l->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	l->limit = evtimer_new(base, on_limit, l);
	if (!l->bev || !l->limit)
		abort(); /* out of memory */
	bufferevent_setcb(l->bev, on_read, on_written, on_event, l);
	l->loopback = address_is_loopback(peer);
	address_format(peer, len, l->peer, sizeof(l->peer));
	return l;
}

int link_connect(struct event_base *base, const char *address, int64_t timeout_ms,
    const struct link_config *config, struct link **out)
{
	struct sockaddr_storage peer;
	struct sockaddr *sa = (struct sockaddr *)&peer;
	socklen_t len;
	int rc = address_parse(address, &peer, &len);
	int fd =
	    rc < 0 ? -1 : socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return rc < 0 ? rc : -errno;
	(void)signal(SIGPIPE, SIG_IGN);
	if (connect(fd, sa, len) < 0 && errno != EINPROGRESS) {
		rc = -errno;
		close(fd);
		return rc;
	}
	*out = link_new(base, fd, config, sa, len);
	set_limit(*out, timeout_ms);
	bufferevent_socket_connect((*out)->bev, NULL, 0); /* under way already: just wait */
	return 0;
}

/* What the peer has sent so far is read, else the close would discard our refusal. */
static void refuse(const struct link_listener *ls, int fd)
{
	char unread[512];

	(void)send(fd, ls->config.refuse, ls->config.refuse_n, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
	(void)recv(fd, unread, sizeof(unread), MSG_DONTWAIT);
	close(fd);
}

static void on_accept(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *peer,
    int len, void *arg)
{
	struct link_listener *ls = arg;
	struct link *l;

	ls->starved = false;
	if (ls->count >= ls->config.max_links) {
		refuse(ls, fd);
		return;
	}
	l = link_new(evconnlistener_get_base(socket), fd, &ls->config, peer, len);
	l->listener = ls;
	LIST_INSERT_HEAD(&ls->links, l, entry);
	ls->count++;
	open_link(l);
}

/* Out of descriptors: the waiting peer would wake the loop for ever, so look away a while. */
static void on_accept_error(struct evconnlistener *socket, void *arg)
{
	struct link_listener *ls = arg;
	struct timeval tv = interval(ACCEPT_AGAIN_MS);

	if (!ls->starved)
		log_warn(
		    "link", "cannot accept a connection: %s", strerror(EVUTIL_SOCKET_ERROR()));
	ls->starved = true;
	evconnlistener_disable(socket);
	event_add(ls->accept_again, &tv);
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct link_listener *ls = arg;

	evconnlistener_enable(ls->socket);
}

int link_listen(struct event_base *base, const char *address, const struct link_config *config,
    struct link_listener **out)
{
	unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
	struct sockaddr_storage sa;
	struct link_listener *ls;
	socklen_t len;
	int rc = address_parse(address, &sa, &len);

	if (rc < 0)
		return rc;
	(void)signal(SIGPIPE, SIG_IGN);
	ls = xcalloc(1, sizeof(*ls));
	ls->config = *config;
	LIST_INIT(&ls->links);
	ls->socket = evconnlistener_new_bind(
	    base, on_accept, ls, flags, BACKLOG, (struct sockaddr *)&sa, (int)len);
	if (!ls->socket) {
		rc = -errno;
		free(ls);
		return rc;
	}
	evconnlistener_set_error_cb(ls->socket, on_accept_error);
	ls->accept_again = evtimer_new(base, on_accept_again, ls);
	*out = ls;
	return 0;
}

int link_port(const struct link_listener *ls)
{
	struct sockaddr_in6 sa = { 0 }; /* IPv4's port stands at the same place */
	socklen_t len = sizeof(sa);

	(void)getsockname(evconnlistener_get_fd(ls->socket), (struct sockaddr *)&sa, &len);
	return ntohs(sa.sin6_port);
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
	evconnlistener_free(ls->socket);
	event_free(ls->accept_again);
	while ((l = LIST_FIRST(&ls->links)))
		link_close(l, "shutting down"); /* NOLINT: leaves the list, so it ends */
	free(ls);
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
	return l->peer;
}

bool link_peer_is_loopback(const struct link *l)
{
	return l->loopback;
}
