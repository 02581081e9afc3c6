#include "node-genctl/textserver.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"
#include "common/mem.h"
#include "node-genctl/control_parts.h"
#include "node-genctl/health.h"
#include "node-genctl/render.h"
#include "node-genctl/server.h"

enum {
	PEERS_MAX = 32,
	IDLE_MS = 600000, /* longer than a stop takes */
	UNIT_MS = 10000,
	LINE_MAX_LEN = 256,
	QUEUE_MAX = 32,
	REPLY_MAX = 512
};
enum waits { FOR_NOTHING, FOR_START, FOR_STOP, FOR_RELAY };

struct text_peer {
	TAILQ_ENTRY(text_peer) entry;
	struct textserver *server;
	struct link *link;
	uint64_t number;
	enum waits waits;
	uint8_t relays; /* asked for, while FOR_RELAY */
	bool leaving;
	bool ended;    /* it sends no more, but waits for its answers */
	int queued;    /* lines that came meanwhile, in order */
	int overtaken; /* the first so many of them: an emergency stop came since */
	char queue[QUEUE_MAX][LINE_MAX_LEN];
};

struct textserver {
	struct control *control;
	struct link_listener *listener;
	TAILQ_HEAD(, text_peer) peers;
	uint64_t numbers;
};

static void obey(struct text_peer *p, char *line, bool overtaken);

static void say(struct text_peer *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct text_peer *p, const char *fmt, ...)
{
	char text[REPLY_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(text) - 2)
		n = (int)sizeof(text) - 2;
	text[n] = '\n';
	link_send(p->link, text, (size_t)n + 1);
}

/* The sequence this peer waited for is over: the lines that came meanwhile have their turn. */
static void resume(struct text_peer *p)
{
	p->waits = FOR_NOTHING;
	while (p->queued > 0 && p->waits == FOR_NOTHING && !p->leaving) {
		char line[LINE_MAX_LEN];
		bool overtaken = p->overtaken > 0;

		memcpy(line, p->queue[0], sizeof(line));
		p->queued--;
		p->overtaken -= overtaken;
		memmove(p->queue[0], p->queue[1], (size_t)p->queued * LINE_MAX_LEN);
		obey(p, line, overtaken);
	}
	if (p->ended && p->waits == FOR_NOTHING)
		link_close_after_send(p->link);
}

static void do_ping(struct text_peer *p, const char *rest)
{
	say(p, "PONG");
}

static void do_help(struct text_peer *p, const char *rest)
{
	say(p, "Commands:\n"
	       "  PING - Connection test\n"
	       "  STATUS - Full status\n"
	       "  INPUTS - Read inputs\n"
	       "  START - Start generator\n"
	       "  STOP - Stop generator\n"
	       "  RELAY xx - Set relays (hex)\n"
	       "  HELP - This help\n"
	       "  QUIT - Disconnect\n"
	       "END");
}

static void do_quit(struct text_peer *p, const char *rest)
{
	say(p, "BYE");
	p->leaving = true;
	link_close_after_send(p->link);
}

/* "IN1=0 IN2=1 IN3=0 IN4=0 raw=2"; false: not readable now */
static bool inputs_text(const struct control *c, char *out, size_t size)
{
	Genctl__Inputs in = GENCTL__INPUTS__INIT;
	unsigned x;

	status_inputs(c, &in, clock_ms());
	x = in.raw & 0x0f;
	snprintf(out, size, "IN1=%u IN2=%u IN3=%u IN4=%u raw=%u", x & 1, x >> 1 & 1, x >> 2 & 1,
	    x >> 3 & 1, x);
	return in.valid;
}

static void do_inputs(struct text_peer *p, const char *rest)
{
	char text[64];

	say(p, "%s", inputs_text(p->server->control, text, sizeof(text)) ? text : "ERROR");
}

/* UPTIME, MEMORY and DISK lines; what cannot be read is "unknown". */
static int health_text(char *out, size_t size)
{
	struct health h = health_read();
	int n;

	if (h.uptime_s >= 0)
		n = snprintf(out, size, "UPTIME: %dh%dm\n", (int)(h.uptime_s / 3600),
		    (int)(h.uptime_s / 60 % 60));
	else
		n = snprintf(out, size, "UPTIME: unknown\n");
	if (h.memory_pct >= 0)
		n += snprintf(out + n, size - (size_t)n, "MEMORY: %d%%\n", h.memory_pct);
	else
		n += snprintf(out + n, size - (size_t)n, "MEMORY: unknown\n");
	if (h.disk_free >= 0)
		n += snprintf(out + n, size - (size_t)n, "DISK: %.1fG free (%d%% used)",
		    (double)h.disk_free / (1 << 30), h.disk_pct);
	else
		n += snprintf(out + n, size - (size_t)n, "DISK: unknown");
	return n;
}

static void do_status(struct text_peer *p, const char *rest)
{
	const struct control *c = p->server->control;
	char inputs[64], health[128], relays[RENDER_RELAYS_MAX];

	if (!inputs_text(c, inputs, sizeof(inputs)))
		snprintf(inputs, sizeof(inputs), "ERROR");
	health_text(health, sizeof(health));
	say(p,
	    "INPUTS: %s\nRELAYS: %s (0x%02X)\nRUNNING: %s\nSTART_IN_PROGRESS: %s\nI2C: %s\n"
	    "THREADS: %d\n%s\nEND",
	    inputs, render_relays(c->g.relays, relays), c->g.relays,
	    c->g.running ? "YES" : "NO", status_starting(c) ? "YES" : "NO", status_i2c(c),
	    link_count(p->server->listener) + server_connections(c->server), health);
}

static void on_relay_answer(struct control *c, int32_t answer, uint64_t who, uint32_t id)
{
	struct text_peer *p;
	char relays[RENDER_RELAYS_MAX];

	TAILQ_FOREACH(p, &c->text->peers, entry)
	if (p->number == who)
		break;
	if (!p)
		return;
	if (answer == 0)
		say(p, "OK: Relays set to 0x%02X (%s)", p->relays,
		    render_relays(p->relays, relays));
	else if (answer > 0 && answer < RULE_N)
		say(p, "ERROR: %s", rule_info[answer].text);
	else
		say(p, "ERROR: The relay board did not confirm it");
	resume(p);
}

static void do_relay(struct text_peer *p, const char *rest)
{
	struct control *c = p->server->control;
	char *end;
	long value = strtol(rest, &end, 16);

	if (!*rest) {
		say(p, "ERROR: RELAY requires hex value (e.g., RELAY 0A)");
	} else if (end == rest || (*end && !isspace((unsigned char)*end))) {
		say(p, "ERROR: Invalid hex value");
	} else if (value < 0 || value > RELAY_ALL) {
		say(p, "ERROR: Relay value must be 0x00-0x0F");
	} else if (!c->config->text_allow_relay || c->g.mode != MODE_MAINTENANCE) {
		say(p,
		    "ERROR: RELAY needs text_allow_relay in the configuration and maintenance "
		    "mode");
	} else {
		struct order o = { .kind = ORDER_RAW, .relays = (uint8_t)value };

		p->relays = (uint8_t)value;
		p->waits = FOR_RELAY;
		if (control_send(c, &o, on_relay_answer, p->number, 0) < 0)
			on_relay_answer(c, -EAGAIN, p->number, 0);
	}
}

static void do_start(struct text_peer *p, const char *rest)
{
	struct control *c = p->server->control;
	struct refusal no;

	if (status_starting(c)) {
		say(p, "ERROR: Start already in progress");
		return;
	}
	if (c->g.running && c->seq.phase != PHASE_COOLDOWN) {
		say(p, "ERROR: Generator already running");
		return;
	}
	no = control_start(c, 0, 1, "text protocol");
	if (no.code)
		say(p, "ERROR: %s", no.text);
	else if (c->config->text_reply_after == TEXT_REPLY_ACCEPTED)
		say(p, "OK: Generator start accepted");
	else
		p->waits = FOR_START;
}

static void do_stop(struct text_peer *p, const char *rest)
{
	struct control *c = p->server->control;
	bool at_rest = c->seq.phase == PHASE_OFF;

	if (control_stop(c) < 0)
		say(p, "ERROR: The guard did not take it, send STOP again");
	else if (!at_rest && c->config->text_reply_after == TEXT_REPLY_END)
		p->waits = FOR_STOP;
	else
		say(p, at_rest ? "OK: Generator stopped (after 3 min cooldown)"
			       : "OK: Generator stop accepted");
}

static const struct {
	const char *word;
	void (*run)(struct text_peer *p, const char *rest);
	bool closes; /* may close a relay: not if an emergency stop came since it was asked */
} commands[] = {
	{ "PING", do_ping, false },
	{ "STATUS", do_status, false },
	{ "INPUTS", do_inputs, false },
	{ "RELAY", do_relay, true },
	{ "START", do_start, true },
	{ "STOP", do_stop, false },
	{ "HELP", do_help, false },
	{ "QUIT", do_quit, false },
};

static void obey(struct text_peer *p, char *line, bool overtaken)
{
	char *save, *word, *rest;

	for (char *s = line; *s; s++)
		*s = (char)toupper((unsigned char)*s);
	word = strtok_r(line, " \t\r", &save);
	if (!word)
		return;
	rest = strtok_r(NULL, " \t\r", &save);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].word, word) != 0)
			continue;
		if (overtaken && commands[i].closes)
			say(p, "ERROR: An emergency stop came since, send it again");
		else
			commands[i].run(p, rest ? rest : "");
		return;
	}
	say(p, "ERROR: Unknown command '%.64s' (try HELP)", word);
}

static void on_unit(struct link *l, const uint8_t *data, size_t n)
{
	struct text_peer *p = link_owner(l);
	char line[LINE_MAX_LEN];

	snprintf(line, sizeof(line), "%s", (const char *)data);
	if (p->leaving)
		return;
	if (p->waits == FOR_NOTHING) {
		obey(p, line, false);
	} else if (p->queued < QUEUE_MAX) {
		memcpy(p->queue[p->queued++], line, sizeof(line));
	} else {
		say(p, "ERROR: Too many commands are waiting");
		p->leaving = true;
		link_close_after_send(l);
	}
}

static void on_opened(struct link *l)
{
	struct textserver *s = link_owner(l);
	struct text_peer *p = xcalloc(1, sizeof(*p));

	p->server = s;
	p->link = l;
	p->number = ++s->numbers;
	link_set_owner(l, p);
	TAILQ_INSERT_TAIL(&s->peers, p, entry);
	say(p, "GENNY SERVER READY");
}

static void on_closed(struct link *l, const char *why)
{
	struct text_peer *p = link_owner(l);

	log_debug("text", "%s left: %s", link_peer(l), why);
	TAILQ_REMOVE(&p->server->peers, p, entry);
	free(p);
}

/* `echo START | nc host 9998`: the commands are in, the answers are still due. */
static void on_ended(struct link *l)
{
	struct text_peer *p = link_owner(l);

	p->ended = true;
	if (p->waits == FOR_NOTHING)
		link_close_after_send(l);
}

static const struct link_ops ops = {
	.opened = on_opened, .unit = on_unit, .ended = on_ended, .closed = on_closed
};

int textserver_open(struct control *c, struct textserver **out)
{
	static const uint8_t full[] = "ERROR: Too many connections\n";
	struct textserver *s;
	struct link_config config = {
		.kind = LINK_LINES,
		.ops = &ops,
		.idle_ms = IDLE_MS,
		.unit_ms = UNIT_MS,
		.max_unit = LINE_MAX_LEN - 1,
		.max_links = PEERS_MAX,
		.refuse = full,
		.refuse_n = sizeof(full) - 1,
	};
	int rc;

	if (!*c->config->text_listen)
		return 0;
	s = xcalloc(1, sizeof(*s));
	s->control = c;
	TAILQ_INIT(&s->peers);
	config.owner = s;
	rc = link_listen(c->base, c->config->text_listen, &config, &s->listener);
	if (rc < 0) {
		free(s);
		return rc;
	}
	log_info("text", "listening on port %d", link_port(s->listener));
	*out = s;
	return 0;
}

static bool start_is_over(struct text_peer *p, enum seq_event event)
{
	const struct control *c = p->server->control;
	bool dropped = c->seq.phase == PHASE_OFF && !lease_wish(&c->lease, clock_ms()).run;

	if (event == SEQ_ON_LOAD)
		say(p, "OK: Generator started and charger enabled");
	else if (event == SEQ_GAVE_UP || event == SEQ_LOST || dropped)
		say(p, "ERROR: Generator failed to start (status=%d)",
		    c->g.in.bad_ms ? -1 : c->g.in.raw);
	else
		return false;
	return true;
}

static bool stop_is_over(struct text_peer *p, enum seq_event event)
{
	if (event == SEQ_STOPPED)
		say(p, "OK: Generator stopped (after 3 min cooldown)");
	else if (event == SEQ_ON_LOAD)
		say(p, "ERROR: Generator was started again");
	else
		return false;
	return true;
}

void textserver_progress(struct textserver *s, enum seq_event event)
{
	struct text_peer *p, *next;

	if (!s)
		return;
	for (p = TAILQ_FIRST(&s->peers); p; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (s->control->lease.mode == MODE_ESTOP)
			p->overtaken = p->queued;
		if (p->waits == FOR_START && start_is_over(p, event)) {
			resume(p);
		} else if (p->waits == FOR_STOP && stop_is_over(p, event)) {
			resume(p);
		}
	}
}

int textserver_connections(const struct textserver *s)
{
	return s ? link_count(s->listener) : 0;
}

void textserver_free(struct textserver *s)
{
	if (!s)
		return;
	link_listener_free(s->listener);
	free(s);
}
