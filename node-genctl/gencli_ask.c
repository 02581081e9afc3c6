#include "node-genctl/gencli.h"

#include <errno.h>

int cli_wire_failed(const struct cli *c, int rc)
{
	fprintf(stderr, "gencli: %s:%d: %s\n", c->host, c->port, wire_strerror(rc));
	if (rc == -ECONNREFUSED)
		fprintf(
		    stderr, "gencli: is genctld running there, and listening on that port?\n");
	return CLI_UNREACHABLE;
}

static int refused(const struct cli *c, const Genctl__Error *error)
{
	char time[RENDER_TIME_MAX];

	if (c->format == RENDER_JSON) {
		render_json(stdout, &error->base);
		putchar('\n');
	}
	fputs("REFUSED: ", stderr);
	render_text(stderr, error->text);
	if (error->retry_ms)
		fprintf(stderr, " (possible in %s)", render_ms(error->retry_ms, time));
	putc('\n', stderr);
	return CLI_REFUSED;
}

static int open_wire(struct cli *c)
{
	const struct wire_config config = { .host = c->host,
		.port = c->port,
		.timeout_ms = c->timeout_ms,
		.on_event = c->on_event,
		.arg = c->event_arg };

	return c->wire ? 0 : wire_open(&config, &c->wire);
}

int cli_ask(struct cli *c, Genctl__Request *request, Genctl__Reply **out)
{
	Genctl__Reply *reply;
	int rc = open_wire(c);

	if (rc == 0)
		rc = wire_ask(c->wire, request, &reply);
	if (rc)
		return cli_wire_failed(c, rc);
	if (reply->body_case == GENCTL__REPLY__BODY_ERROR) {
		rc = refused(c, reply->error);
		genctl__reply__free_unpacked(reply, NULL);
		return rc;
	}
	*out = reply;
	return CLI_DONE;
}

int cli_ask_empty(struct cli *c, Genctl__Request__BodyCase body, Genctl__Reply **out)
{
	Genctl__Empty empty;
	Genctl__Request request;

	genctl__empty__init(&empty);
	genctl__request__init(&request);
	request.body_case = body;
	request.ping = &empty; /* one place for every empty body */
	return cli_ask(c, &request, out);
}

int cli_ask_start(struct cli *c, uint32_t for_s, uint32_t attempts, Genctl__Reply **out)
{
	Genctl__Start start;
	Genctl__Request request;
	char reason[] = "gencli";

	genctl__start__init(&start);
	start.for_s = for_s;
	start.attempts = attempts;
	start.reason = reason;
	genctl__request__init(&request);
	request.body_case = GENCTL__REQUEST__BODY_START;
	request.start = &start;
	return cli_ask(c, &request, out);
}

int cli_status(struct cli *c, Genctl__Status **out)
{
	Genctl__Reply *reply;
	int rc = cli_ask_empty(c, GENCTL__REQUEST__BODY_STATUS, &reply);

	if (rc)
		return rc;
	if (reply->body_case != GENCTL__REPLY__BODY_STATUS) {
		genctl__reply__free_unpacked(reply, NULL);
		return cli_wire_failed(c, -EBADMSG);
	}
	*out = reply->status;
	reply->status = NULL; /* taken out of it */
	genctl__reply__free_unpacked(reply, NULL);
	return CLI_DONE;
}

int cli_accepted(const struct cli *c, Genctl__Reply *reply)
{
	bool ok = reply->body_case == GENCTL__REPLY__BODY_ACCEPTED;

	if (ok && c->format == RENDER_JSON) {
		render_json(stdout, &reply->accepted->base);
		putchar('\n');
	} else if (ok) {
		fputs("OK: ", stdout);
		render_text(stdout, reply->accepted->text);
		putchar('\n');
	}
	genctl__reply__free_unpacked(reply, NULL);
	return ok ? CLI_DONE : cli_wire_failed(c, -EBADMSG);
}
