/*
 * link_fake - common/link.h without a network: the target is every peer.
 *
 * It keeps link.h's promises - links over the limit are refused, units over it close the link,
 * what is sent to a link that ends is dropped, closed() is called once - and gives what
 * was sent to the target, unit by unit. Bytes are cut into units as common/link.c does, by
 * the real frame_size(). Limits of time are the target's to keep: link_fake_close(l, "idle").
 */
#ifndef TEST_LINK_FAKE_H
#define TEST_LINK_FAKE_H

#include "common/link.h"

struct link_fake_peer {	   /* the target's end of one link */
	struct link *link; /* NULL: not open, or closed meanwhile */
	void *owner;	   /* the target's own */
	void (*sent)(struct link_fake_peer *p, const uint8_t *unit, size_t n);
	void (*closed)(struct link_fake_peer *p, const char *why); /* link is NULL already */
};

/* The listener on that address; NULL: nobody listens there. */
struct link_listener *link_fake_listener(const char *address);
/* false: the listener's limit is reached and the peer was told so. */
bool link_fake_open(struct link_listener *ls, struct link_fake_peer *p);
/* The link that link_connect() began last and that was neither opened nor lost yet; NULL. */
struct link *link_fake_connecting(void);
void link_fake_accept(struct link *l, struct link_fake_peer *p);
/* The next calls of link_connect() fail with this -errno; 0: they begin. */
void link_fake_refuse(int rc);

/* One whole unit, a line without its end; nothing happens on a link that reads no more. */
void link_fake_unit(struct link_fake_peer *p, const uint8_t *data, size_t n);
void link_fake_bytes(struct link_fake_peer *p, const uint8_t *data, size_t n);
void link_fake_end(struct link_fake_peer *p); /* the peer sends no more, but still reads */
void link_fake_close(struct link_fake_peer *p, const char *why);
bool link_fake_reads(const struct link_fake_peer *p); /* what the peer sends is looked at */
void link_fake_reset(void);			      /* asserts that nothing was left behind */

#endif
