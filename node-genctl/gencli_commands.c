/* The commands that ask once and print the answer, and the events. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "node-genctl/gencli.h"

enum { PAGE = 200, ALIVE_MS = 5000 };

/* Asks, and in JSON prints the whole body; *out is NULL when nothing is left to print. */
static int fetch(struct cli *c, Genctl__Request__BodyCase body,
    Genctl__Reply__BodyCase expected, Genctl__Reply **out)
{
	int rc = cli_ask_empty(c, body, out);

	if (rc)
		return rc;
	if ((*out)->body_case != expected) {
		genctl__reply__free_unpacked(*out, NULL);
		return cli_wire_failed(c, -EBADMSG);
	}
	if (c->format == RENDER_JSON) {
		render_json(stdout, (const ProtobufCMessage *)(*out)->pong);
		putchar('\n');
	}
	return CLI_DONE;
}

int cmd_ping(struct cli *c)
{
	Genctl__Reply *r;
	int rc = fetch(c, GENCTL__REQUEST__BODY_PING, GENCTL__REPLY__BODY_PONG, &r);

	if (rc)
		return rc;
	if (c->format != RENDER_JSON)
		puts("PONG");
	genctl__reply__free_unpacked(r, NULL);
	return CLI_DONE;
}

int cmd_inputs(struct cli *c)
{
	Genctl__Reply *r;
	char text[RENDER_INPUTS_MAX];
	int rc = fetch(c, GENCTL__REQUEST__BODY_INPUTS, GENCTL__REPLY__BODY_INPUTS, &r);

	if (rc)
		return rc;
	if (c->format == RENDER_KV)
		render_kv(stdout, &r->inputs->base);
	else if (c->format != RENDER_JSON)
		puts(render_inputs(r->inputs, text));
	genctl__reply__free_unpacked(r, NULL);
	return CLI_DONE;
}

int cmd_health(struct cli *c)
{
	Genctl__Reply *r;
	int rc = fetch(c, GENCTL__REQUEST__BODY_HEALTH, GENCTL__REPLY__BODY_HEALTH, &r);

	if (rc)
		return rc;
	if (c->format == RENDER_KV)
		render_kv(stdout, &r->health->base);
	else if (c->format != RENDER_JSON)
		render_health(stdout, r->health);
	genctl__reply__free_unpacked(r, NULL);
	return CLI_DONE;
}

/* The text formats hold what the original's did, so the alarms go beside them. */
int cmd_status(struct cli *c)
{
	Genctl__Reply *s, *h;
	int rc = fetch(c, GENCTL__REQUEST__BODY_STATUS, GENCTL__REPLY__BODY_STATUS, &s);

	if (rc)
		return rc;
	if (c->format != RENDER_JSON)
		rc = fetch(c, GENCTL__REQUEST__BODY_HEALTH, GENCTL__REPLY__BODY_HEALTH, &h);
	if (rc == CLI_DONE && c->format != RENDER_JSON) {
		render_status(stdout, (enum render_format)c->format, c->host, c->port,
		    s->status, h->health);
		fflush(stdout);
		render_alarms(stderr, s->status);
		genctl__reply__free_unpacked(h, NULL);
	}
	genctl__reply__free_unpacked(s, NULL);
	return rc;
}

int cmd_why(struct cli *c)
{
	Genctl__Reply *r;
	int rc = fetch(c, GENCTL__REQUEST__BODY_STATUS, GENCTL__REPLY__BODY_STATUS, &r);

	if (rc)
		return rc;
	if (c->format != RENDER_JSON)
		render_why(stdout, r->status);
	genctl__reply__free_unpacked(r, NULL);
	return CLI_DONE;
}

static int order(struct cli *c, Genctl__Request__BodyCase body)
{
	Genctl__Reply *r;
	int rc = cli_ask_empty(c, body, &r);

	return rc ? rc : cli_accepted(c, r);
}

int cmd_estop(struct cli *c)
{
	return order(c, GENCTL__REQUEST__BODY_ESTOP);
}

int cmd_auto(struct cli *c)
{
	return order(c, GENCTL__REQUEST__BODY_AUTO_MODE);
}

int cmd_relay(struct cli *c)
{
	Genctl__Relay relay;
	Genctl__Request request;
	Genctl__Reply *r;
	uint8_t relays;
	int rc;

	if (!c->operand || render_hex(c->operand, &relays)) {
		fprintf(
		    stderr, "gencli: relay takes the byte in hex, 00 to 0F, as in: relay 08\n");
		return CLI_USAGE;
	}
	genctl__relay__init(&relay);
	relay.relays = relays;
	genctl__request__init(&request);
	request.body_case = GENCTL__REQUEST__BODY_RELAY;
	request.relay = &relay;
	rc = cli_ask(c, &request, &r);
	return rc ? rc : cli_accepted(c, r);
}

int cmd_maintenance(struct cli *c)
{
	Genctl__Maintenance maintenance;
	Genctl__Request request;
	Genctl__Reply *r;
	bool on = c->operand && strcasecmp(c->operand, "on") == 0;
	int rc;

	if (!on && (!c->operand || strcasecmp(c->operand, "off") != 0)) {
		fprintf(stderr, "gencli: say maintenance on, or maintenance off\n");
		return CLI_USAGE;
	}
	genctl__maintenance__init(&maintenance);
	maintenance.on = on;
	genctl__request__init(&request);
	request.body_case = GENCTL__REQUEST__BODY_MAINTENANCE;
	request.maintenance = &maintenance;
	rc = cli_ask(c, &request, &r);
	return rc ? rc : cli_accepted(c, r);
}

static int operator_socket(const struct cli *c)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = c->timeout_ms / 1000,
		.tv_usec = c->timeout_ms % 1000 * 1000 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", c->socket);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

/* The answer is one line, and the guard closes after it; -errno, or its length. */
static ssize_t read_line(int fd, char *line, size_t size)
{
	size_t n = 0;
	ssize_t got = 0;

	while (n + 1 < size && (got = recv(fd, line + n, size - 1 - n, 0)) > 0)
		n += (size_t)got;
	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	return n > 0 ? (ssize_t)n : got < 0 ? -errno : -ECONNRESET;
}

/* Latches clear over the guard's own socket alone: who may open it is an operator. */
int cmd_clear(struct cli *c)
{
	char answer[256];
	int fd = operator_socket(c);
	ssize_t n = fd;

	if (fd >= 0) {
		n = send(fd, "clear\n", 6, MSG_NOSIGNAL) == 6
			? read_line(fd, answer, sizeof(answer))
			: -errno;
		close(fd);
	}
	if (n < 0) {
		fprintf(stderr,
		    "gencli: %s: %s; clear works only on the engine node itself, as root, "
		    "while genctld runs\n",
		    c->socket, strerror((int)-n));
		return CLI_UNREACHABLE;
	}
	if (strncmp(answer, "OK", 2) == 0) {
		puts(answer);
		return CLI_DONE;
	}
	fprintf(stderr, "%s\n", answer);
	return CLI_REFUSED;
}

struct reader {
	int format;
	uint32_t seen; /* sequence number last printed */
	bool deaf;     /* what is pushed while the history is read comes again in it */
};

static void print_event(struct reader *r, const Genctl__Event *event)
{
	r->seen = event->seq;
	if (r->format == RENDER_JSON) {
		render_json(stdout, &event->base);
		putchar('\n');
	} else {
		render_event(stdout, event);
	}
}

static void pushed(void *arg, const Genctl__Event *event)
{
	struct reader *r = arg;

	if (!r->deaf && event->seq > r->seen)
		print_event(r, event);
}

/* One page; *last is the newest event the node has. */
static int page(struct cli *c, struct reader *reader, uint32_t *last)
{
	Genctl__EventQuery query;
	Genctl__Request request;
	Genctl__Reply *r;
	int rc;

	genctl__event_query__init(&query);
	query.after = reader->seen;
	query.limit = PAGE;
	genctl__request__init(&request);
	request.body_case = GENCTL__REQUEST__BODY_EVENTS;
	request.events = &query;
	rc = cli_ask(c, &request, &r);
	if (rc)
		return rc;
	if (r->body_case != GENCTL__REPLY__BODY_EVENTS) {
		genctl__reply__free_unpacked(r, NULL);
		return cli_wire_failed(c, -EBADMSG);
	}
	*last = r->events->n_event ? r->events->last : reader->seen;
	for (size_t i = 0; i < r->events->n_event; i++)
		print_event(reader, r->events->event[i]);
	genctl__reply__free_unpacked(r, NULL);
	return CLI_DONE;
}

static int history(struct cli *c, struct reader *reader)
{
	uint32_t last = 0, before;
	int rc;

	do {
		before = reader->seen;
		rc = page(c, reader, &last);
	} while (rc == CLI_DONE && reader->seen < last && reader->seen > before);
	return rc;
}

/* Pings while nothing happens: a node that has gone is told of, not waited for. */
static int follow(struct cli *c)
{
	Genctl__Reply *r;
	int rc = CLI_DONE;

	while (rc == CLI_DONE) {
		int wait;

		if (fflush(stdout) != 0)
			return CLI_DONE;
		wait = wire_wait(c->wire, ALIVE_MS);
		if (wait)
			return wait == WIRE_UNREAD ? CLI_DONE : cli_wire_failed(c, wait);
		rc = cli_ask_empty(c, GENCTL__REQUEST__BODY_PING, &r);
		if (rc == CLI_DONE)
			genctl__reply__free_unpacked(r, NULL);
	}
	return rc;
}

int cmd_events(struct cli *c)
{
	struct reader reader = { .format = c->format, .deaf = true };
	Genctl__Reply *r;
	int rc;

	c->on_event = pushed;
	c->event_arg = &reader;
	rc = history(c, &reader);
	if (rc || !c->follow)
		return rc;
	rc = cli_ask_empty(c, GENCTL__REQUEST__BODY_SUBSCRIBE, &r);
	if (rc)
		return rc;
	genctl__reply__free_unpacked(r, NULL);
	rc = history(c, &reader); /* what happened before the subscription stood */
	reader.deaf = false;
	return rc ? rc : follow(c);
}
