/*
 * gencli_wire - one connection to the engine node, used by one caller at a time.
 *
 * Every call has a deadline of its own and returns; nothing runs in the background. Events
 * that the node pushes while another answer is awaited are handed to on_event at once.
 *
 * Errors: -ETIMEDOUT no answer in time, -EBADMSG it answered nonsense, else the -errno of
 * the failing call; after an error the connection is of no use. wire_strerror() makes a
 * sentence of them.
 */
#ifndef GENCLI_WIRE_H
#define GENCLI_WIRE_H

#include <stdint.h>

#include "proto/genctl.pb-c.h"

enum { WIRE_UNREAD = 1 };

struct wire;
struct wire_config {
	const char *host;
	int port;
	int64_t timeout_ms; /* to connect, and for each answer */
	void (*on_event)(void *arg, const Genctl__Event *event); /* NULL: dropped */
	void *arg;
};

int wire_open(const struct wire_config *config, struct wire **out);
/* Sends the request under a new id and returns its answer, to be freed by the caller. */
int wire_ask(struct wire *w, Genctl__Request *request, Genctl__Reply **out);
/* Handles pushed events for ms; returns early, with 0, after the first of them.
 * WIRE_UNREAD: whoever read our standard output has gone. */
int wire_wait(struct wire *w, int64_t ms);
void wire_close(struct wire *w); /* NULL is allowed */
const char *wire_strerror(int rc);

#endif
