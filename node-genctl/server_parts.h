/* server_parts - what the server's two halves share: a peer, and how it is answered. */
#ifndef GENCTL_SERVER_PARTS_H
#define GENCTL_SERVER_PARTS_H

#include <sys/queue.h>

#include "common/link.h"
#include "node-genctl/control_parts.h"
#include "node-genctl/server.h"

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
	uint8_t *full; /* what a peer too many is told */
};

void server_reply(struct peer *p, Genctl__Reply *r);
void server_error(
    struct peer *p, uint32_t id, Genctl__Code code, uint32_t retry_ms, const char *text);

/* server_read.c: questions that change nothing. */
void server_ping(struct peer *p, const Genctl__Request *q);
void server_status(struct peer *p, const Genctl__Request *q);
void server_inputs(struct peer *p, const Genctl__Request *q);
void server_health(struct peer *p, const Genctl__Request *q);
void server_events(struct peer *p, const Genctl__Request *q);
void server_trace(struct peer *p, const Genctl__Request *q);
void server_fill_event(Genctl__Event *out, const struct event_record *e);

#endif
