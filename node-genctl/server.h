/*
 * server - the wire contract of proto/genctl.proto on TCP: at most 32 peers, each bounded.
 *
 * A peer says hello first. Orders are answered at once; what comes of them is pushed as
 * events to whoever subscribed. A peer that sends nonsense gets an Error and is closed, a
 * refused order gets a sentence that says what to do; nobody else notices either.
 */
#ifndef GENCTL_SERVER_H
#define GENCTL_SERVER_H

struct control;
struct event_record;
struct server;

/* 0, or -errno when the address cannot be listened on. */
int server_open(struct control *c, struct server **out);
void server_push(struct server *s, const struct event_record *e); /* NULL server: nothing */
int server_connections(const struct server *s);
void server_free(struct server *s);

#endif
