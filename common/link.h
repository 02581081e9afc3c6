/*
 * link - framed or line TCP connections on the event loop, both ends, with every limit.
 *
 * A link hands up whole units (frames, or lines without their end) and never blocks.
 * It drops a peer that is idle for idle_ms, does not finish a unit within unit_ms of its
 * first byte, sends one over the limit, or does not read (more than 256 KiB unsent);
 * closed() is called once for each link, and the link is gone after it returns.
 * TCP keepalive and TCP_NODELAY are set. At `max_links` a further peer is told
 * `refuse` (may be empty) and closed at once: it is never left in the backlog. A peer
 * that ends its sending side still gets the answers already sent. SIGPIPE is ignored.
 *
 * Units: ms. Errors: -errno of the failing call, or of address_parse(). Addresses are
 * "host:port" (address.h); port 0 lets the kernel choose and link_port() tells.
 */
#ifndef COMMON_LINK_H
#define COMMON_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct link;
struct link_listener;

enum link_kind { LINK_FRAMES, LINK_LINES };

struct link_ops {
	/* Accepted or connected; may send. */
	void (*opened)(struct link *l);
	/* A frame's body, or a line with a 0 for its end; borrowed. */
	void (*unit)(struct link *l, const uint8_t *data, size_t n);
	/* Optional: the peer will send no more but still reads; without it, and once the owner
	 * calls link_close_after_send(), the link closes when all that was sent has gone out. */
	void (*ended)(struct link *l);
	/* why: "peer closed", "idle", "too long", "not reading", strerror(); l is freed after.
	 */
	void (*closed)(struct link *l, const char *why);
};

struct link_config {
	enum link_kind kind;
	const struct link_ops *ops;
	void *owner;	       /* link_owner() of each link until link_set_owner() */
	int64_t idle_ms;       /* 0: no limit */
	int64_t unit_ms;       /* 0: no limit */
	size_t max_unit;       /* frame body or line */
	int max_links;	       /* listener only */
	const uint8_t *refuse; /* what a peer over the limit is sent; borrowed */
	size_t refuse_n;
};

int link_listen(struct event_base *base, const char *address, const struct link_config *config,
    struct link_listener **out);
int link_port(const struct link_listener *ls);
int link_count(const struct link_listener *ls);
void link_listener_free(struct link_listener *ls); /* closes its links too */

/* Starts to connect; ops->opened or ops->closed follows within timeout_ms. */
int link_connect(struct event_base *base, const char *address, int64_t timeout_ms,
    const struct link_config *config, struct link **out);
void *link_owner(const struct link *l);
void link_set_owner(struct link *l, void *owner);
const char *link_peer(const struct link *l); /* "127.0.0.1:4711" */
bool link_peer_is_loopback(const struct link *l);
/* Frames: n bytes as frame_pack made them; lines: raw bytes, ends included. Never closes
 * the link before it returns; too much unsent does so from the loop. */
void link_send(struct link *l, const void *data, size_t n);
void link_close_after_send(struct link *l); /* what was sent still goes out, 5 s at most */
void link_close(struct link *l, const char *why); /* closed() is called before it returns */

#endif
