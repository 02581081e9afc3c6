/*
 * gencli - the hand tool of the engine node: what its parts share.
 *
 * A command runs on a connection of its own and returns the exit status: 0 done, 1 refused
 * or failed (the reason is on standard error), 2 usage, 3 the node cannot be reached.
 */
#ifndef GENCLI_H
#define GENCLI_H

#include <stdbool.h>
#include <stdint.h>

#include "node-genctl/gencli_wire.h"
#include "node-genctl/render.h"

enum { CLI_DONE, CLI_REFUSED, CLI_USAGE, CLI_UNREACHABLE };

struct cli {
	const char *host, *socket;
	const char *operand; /* NULL: none */
	int port;
	int64_t timeout_ms;
	int format;		 /* enum render_format */
	uint32_t for_s, since_s; /* 0: not given */
	const char *config;	 /* NULL: not given */
	bool wait, follow, no_start;
	struct wire *wire; /* NULL: not connected */
	void (*on_event)(void *arg, const Genctl__Event *event);
	void *event_arg;
};

/* Exit status of an error of the wire, told on standard error. */
int cli_wire_failed(const struct cli *c, int rc);
/* Connects first where need be. CLI_DONE and *out, to be freed; or the reason was told. */
int cli_ask(struct cli *c, Genctl__Request *request, Genctl__Reply **out);
/* A request without content: PING, STATUS, INPUTS, ... */
int cli_ask_empty(struct cli *c, Genctl__Request__BodyCase body, Genctl__Reply **out);
int cli_ask_start(struct cli *c, uint32_t for_s, uint32_t attempts, Genctl__Reply **out);
int cli_status(struct cli *c, Genctl__Status **out); /* to be freed */
/* Prints the body as JSON, or "OK: text" of an accepted order; frees the reply. */
int cli_accepted(const struct cli *c, Genctl__Reply *reply);

int cmd_ping(struct cli *c);
int cmd_status(struct cli *c);
int cmd_inputs(struct cli *c);
int cmd_health(struct cli *c);
int cmd_why(struct cli *c);
int cmd_estop(struct cli *c);
int cmd_auto(struct cli *c);
int cmd_relay(struct cli *c);
int cmd_maintenance(struct cli *c);
int cmd_clear(struct cli *c);
int cmd_events(struct cli *c);
int cmd_start(struct cli *c);
int cmd_stop(struct cli *c);
int cmd_trace(struct cli *c);
int cmd_audit(struct cli *c);
int cmd_rules(struct cli *c);
int cmd_diagnose(struct cli *c);

#endif
