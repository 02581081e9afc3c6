/*
 * The real common/link.c on libevent, its peers' bytes cut anywhere, on the target's clock.
 *
 * Byte 0 says whether frames or lines, and if half-closed peers are served; then a row of acts:
 * a byte's high half says what, its low half who or how; some acts take more bytes (see act()).
 * Peers are socket pairs; the listening socket is played, so nothing touches a network.
 *
 * Asserts: what is handed up is what a decoder of its own finds in the bytes, none too long, in
 * order; what is too long or of no length ends the link; a peer that is slow, idle or does not
 * read ends it in time; closed() comes once; never more links than allowed.
 */
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "common/clock.h"
#include "common/link.h"
#include "common/mem.h"
#include "test/fuzz/fuzz.h"

enum {
	PEERS = 4,
	LINKS = 3,
	UNIT_MAX = 40,
	STREAM = 8192,
	BULK = 64 * 1024,
	UNSENT_MAX = 1 << 20, /* link.h's 256 KiB and what two sockets hold */
	IDLE_MS = 60000,
	UNIT_MS = 10000,
	TURNS = 12
};

struct peer {
	struct link *link; /* as told by opened() and closed() */
	int fd;		   /* its end; -1: none */
	bool opened, ended, ending, closed, bad;
	uint8_t stream[STREAM]; /* what it has sent */
	size_t nstream, handed;
	int64_t unread;	  /* sent to it and not read */
	int64_t first_ms; /* since when a unit is unfinished; 0: none is */
	unsigned todo;	  /* what the owner does in the next unit */
};

static struct {
	struct event_base *base;
	struct link_listener *listener;
	evconnlistener_cb accept;
	void *accept_arg;
	enum link_kind kind;
	struct peer peers[PEERS], *opening;
} world;

/* The clock of libevent is the target's. */
int clock_gettime(clockid_t id, struct timespec *t)
{
	if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, id, t);
	*t = (struct timespec){ clock_ms() / 1000, clock_ms() % 1000 * 1000000 };
	return 0;
}

/* The listening socket of event2/listener.h, played. */
struct evconnlistener *evconnlistener_new_bind(struct event_base *base, evconnlistener_cb call,
    void *arg, unsigned flags, int backlog, const struct sockaddr *sa, int len)
{
	world.accept = call;
	world.accept_arg = arg;
	return xcalloc(1, 1);
}

void evconnlistener_set_error_cb(struct evconnlistener *l, evconnlistener_errorcb call)
{
}

struct event_base *evconnlistener_get_base(struct evconnlistener *l)
{
	return world.base;
}

void evconnlistener_free(struct evconnlistener *l)
{
	free(l);
}

/* A decoder of its own: the next unit of the stream from *at; -1 bad, 0 not whole, 1 a unit. */
static int next_frame(const struct peer *p, size_t *at, const uint8_t **unit, size_t *n)
{
	const uint8_t *b = p->stream + *at;
	size_t left = p->nstream - *at;

	if (left < 4)
		return 0;
	*n = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
	if (*n == 0 || *n > UNIT_MAX)
		return *n == 0 || *n > 65536 || left > UNIT_MAX + 4 ? -1 : 0;
	if (left - 4 < *n)
		return 0;
	*unit = b + 4;
	*at += 4 + *n;
	return 1;
}

static int next_line(const struct peer *p, size_t *at, const uint8_t **unit, size_t *n)
{
	const uint8_t *b = p->stream + *at;
	size_t left = p->nstream - *at;
	const uint8_t *end = left ? memchr(b, '\n', left) : NULL;

	if (!end)
		return left > UNIT_MAX + 2 ? -1 : 0;
	*n = (size_t)(end - b);
	if (*n + 1 > UNIT_MAX + 2)
		return -1;
	*unit = b;
	*at += *n + 1;
	if (*n > 0 && b[*n - 1] == '\r')
		--*n;
	return 1;
}

static int next_unit(const struct peer *p, size_t *at, const uint8_t **unit, size_t *n)
{
	return world.kind == LINK_FRAMES ? next_frame(p, at, unit, n)
					 : next_line(p, at, unit, n);
}

static void send_bulk(struct peer *p)
{
	static const uint8_t bulk[BULK];

	link_send(p->link, bulk, sizeof(bulk));
	p->unread += BULK;
}

static void on_opened(struct link *l)
{
	struct peer *p = world.opening;

	p->link = l;
	p->opened = true;
	link_set_owner(l, p);
	assert(link_count(world.listener) <= LINKS);
}

static void on_unit(struct link *l, const uint8_t *data, size_t n)
{
	struct peer *p = link_owner(l);
	const uint8_t *unit = NULL;
	size_t size = 0;
	unsigned todo = p->todo;

	assert(!p->closed && !p->ending && n <= UNIT_MAX + 1);
	assert(next_unit(p, &p->handed, &unit, &size) == 1);
	assert(size == n && memcmp(unit, data, n) == 0);
	if (world.kind == LINK_LINES)
		assert(data[n] == 0);
	p->todo = 0;
	if (todo == 1)
		link_send(l, "ok\n", 3);
	if (todo == 2)
		send_bulk(p);
	if (todo == 3) {
		p->ending = true;
		link_close_after_send(l);
	}
	if (todo == 4)
		link_close(l, "test");
}

static void on_ended(struct link *l)
{
	struct peer *p = link_owner(l);

	assert((p->ended || p->fd < 0) && !p->closed);
	p->ending = true;
	link_close_after_send(l);
}

static void on_closed(struct link *l, const char *why)
{
	struct peer *p = link_owner(l);

	assert(p->opened && !p->closed && *why && p->link == l);
	p->closed = true;
	p->link = NULL;
}

static void connect_peer(struct peer *p)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	int pair[2];

	if (p->fd >= 0 || p->link)
		return;
	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	*p = (struct peer){ .fd = pair[1] };
	world.opening = p;
	world.accept(NULL, pair[0], (struct sockaddr *)&from, sizeof(from), world.accept_arg);
}

static void leave(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static void say(struct peer *p, const uint8_t *data, size_t n)
{
	if (p->fd < 0 || p->ended || n > sizeof(p->stream) - p->nstream)
		return;
	if (send(p->fd, data, n, MSG_NOSIGNAL) != (ssize_t)n)
		return;
	memcpy(p->stream + p->nstream, data, n);
	p->nstream += n;
}

static void say_head(struct fuzz_input *in, struct peer *p)
{
	static const uint32_t lengths[] = { 1, 5, UNIT_MAX, 0, UNIT_MAX + 1, 65536, 65537,
		UINT32_MAX };
	uint32_t n = lengths[fuzz_byte(in) % 8];
	uint8_t head[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
		(uint8_t)n };

	say(p, head, sizeof(head));
}

static void say_raw(struct fuzz_input *in, struct peer *p)
{
	size_t n;
	const uint8_t *data = fuzz_bytes(in, 1 + fuzz_byte(in) % 64u, &n);

	say(p, data, n);
}

/* Whole units, so many that they come in one piece. */
static void say_units(struct fuzz_input *in, struct peer *p)
{
	static const uint8_t frame[] = { 0, 0, 0, 2, 'a', 'b' }, line[] = "ab\r\n";

	for (int i = fuzz_byte(in) % 16; i >= 0; i--)
		world.kind == LINK_FRAMES ? say(p, frame, sizeof(frame))
					  : say(p, line, sizeof(line) - 1);
}

static void read_all(struct peer *p)
{
	static uint8_t buf[BULK];
	ssize_t n;

	while (p->fd >= 0 && (n = recv(p->fd, buf, sizeof(buf), 0)) > 0)
		p->unread -= n;
}

/* Everything that was sent has arrived: what must hold now. */
static void check_peer(struct peer *p)
{
	size_t at = p->handed, n;
	const uint8_t *unit;
	int next;

	if (!p->opened || p->closed || p->ending || p->fd < 0)
		return;
	next = next_unit(p, &at, &unit, &n);
	assert(next <= 0 || p->unread > 0); /* all was handed up */
	assert(next >= 0 || p->unread > 0);
	assert(p->unread <= UNSENT_MAX || p->ended); /* what follows its end is dropped */
	if (p->nstream == p->handed)
		p->first_ms = 0;
	else if (!p->first_ms)
		p->first_ms = clock_ms();
	assert(!p->first_ms || clock_ms() - p->first_ms <= UNIT_MS + 2 * IDLE_MS);
}

static void turn(void)
{
	for (int i = 0; i < TURNS; i++)
		event_base_loop(world.base, EVLOOP_NONBLOCK);
	assert(link_count(world.listener) <= LINKS);
	for (int i = 0; i < PEERS; i++)
		check_peer(&world.peers[i]);
}

static void wait(unsigned arg)
{
	static const int64_t waits_ms[] = { 1, 1000, 4999, 5001, 9999, 10001, 30000, 60001 };

	fuzz_clock_set(clock_ms() + waits_ms[arg % 8]);
	turn();
}

static void end(struct peer *p)
{
	if (p->fd >= 0)
		shutdown(p->fd, SHUT_WR);
	p->ended = true;
}

static void act(struct fuzz_input *in)
{
	uint8_t what = fuzz_byte(in);
	struct peer *p = &world.peers[what % PEERS];

	switch (what >> 4) {
	case 0:
		connect_peer(p);
		break;
	case 1:
		leave(p);
		break;
	case 2:
		end(p);
		break;
	case 3:
		wait(what & 15);
		return;
	case 4:
		p->todo = 1 + (what >> 2 & 3);
		break;
	case 5:
		read_all(p);
		break;
	case 6:
		if (p->link)
			send_bulk(p);
		break;
	case 7:
	case 8:
		say_head(in, p);
		break;
	case 9:
		say_units(in, p);
		break;
	default:
		say_raw(in, p);
		break;
	}
	if (what & 8)
		turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t how = fuzz_byte(&in);
	const struct link_ops ops = { .opened = on_opened,
		.unit = on_unit,
		.ended = how & 2 ? on_ended : NULL,
		.closed = on_closed };
	const struct link_config config = { .kind = how & 1 ? LINK_LINES : LINK_FRAMES,
		.ops = &ops,
		.idle_ms = IDLE_MS,
		.unit_ms = UNIT_MS,
		.max_unit = UNIT_MAX,
		.max_links = LINKS,
		.refuse = (const uint8_t *)"full\n",
		.refuse_n = 5 };

	fuzz_clock_set(FUZZ_EPOCH_MS);
	world.kind = config.kind;
	world.base = event_base_new();
	for (int i = 0; i < PEERS; i++)
		world.peers[i] = (struct peer){ .fd = -1 };
	assert(link_listen(world.base, "127.0.0.1:1", &config, &world.listener) == 0);
	while (in.left > 0)
		act(&in);
	turn();
	link_listener_free(world.listener);
	for (int i = 0; i < PEERS; i++) {
		assert(!world.peers[i].opened || world.peers[i].closed);
		leave(&world.peers[i]);
	}
	event_base_free(world.base);
	return 0;
}
