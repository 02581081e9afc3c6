/*
 * Conversations of several peers with the text protocol, pipelined, cut anywhere, or too long.
 *
 * An input is a row of acts: a byte's high half says what, its low half who or how; some acts
 * take more bytes (see act()). Lines are canned words, or raw bytes.
 *
 * Asserts: each line gets exactly one answer, of a shape its word can have, in order; nothing
 * waits longer than the sequence takes; nothing is held for a peer without a bound.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/mem.h"
#include "test/fuzz/guard_fake.h"
#include "test/fuzz/link_fake.h"

enum { PEERS = 40, TALKING = 8, ASKED = 64, RAW_MAX = 64, LINE_MAX_LEN = 255 };

struct peer_fake {
	struct link_fake_peer line;
	uint8_t asked[ASKED]; /* rows of shapes[] that have no answer yet, in order */
	size_t nasked;
	char part[LINE_MAX_LEN + 3]; /* of a line that is not whole yet */
	size_t npart;
	bool greeted, gone;
};

struct talk {
	struct fuzz_input in;
	struct peer_fake peers[PEERS];
};

static const struct {
	const char *word, *answers[4]; /* how an answer may begin */
	const char *end;	       /* and end; NULL: it is one line */
} shapes[] = {
	{ "PING", { "PONG\n" }, NULL }, { "STATUS", { "INPUTS: " }, "\nEND\n" },
	{ "INPUTS", { "IN1=", "ERROR\n" }, NULL },
	{ "RELAY", { "OK: Relays set to 0x", "ERROR: " }, NULL },
	{ "START", { "OK: Generator start", "ERROR: " }, NULL },
	{ "STOP", { "OK: Generator stop", "ERROR: " }, NULL },
	{ "HELP", { "Commands:\n" }, "\nEND\n" }, { "QUIT", { "BYE\n" }, NULL },
	{ "", { "ERROR: Unknown command '" }, NULL }, /* any other word */
};
enum { NSHAPES = sizeof(shapes) / sizeof(shapes[0]), START = 4, QUIT = 7 };

static void check_shape(size_t row, const char *text, size_t n)
{
	const char *const *answers = shapes[row].answers, *end = shapes[row].end;
	bool fits = false;

	assert(n > 5 || !end);
	assert(text[n - 1] == '\n' && !memchr(text, 0, n));
	for (size_t i = 0; i < 4 && answers[i]; i++)
		fits = fits || strncmp(text, answers[i], strlen(answers[i])) == 0;
	assert(fits);
	if (end)
		assert(strcmp(text + n - 5, end) == 0);
	else
		assert(memchr(text, '\n', n) == text + n - 1);
}

static void sent(struct link_fake_peer *line, const uint8_t *unit, size_t n)
{
	struct peer_fake *p = line->owner;
	char *text = xcalloc(1, n + 1);

	memcpy(text, unit, n);
	if (!p->greeted) {
		assert(strcmp(text, "GENNY SERVER READY\n") == 0);
		p->greeted = true;
	} else if (strcmp(text, "ERROR: Too many commands are waiting\n") == 0) {
		p->gone = true;
	} else {
		assert(p->nasked > 0 && !p->gone);
		check_shape(p->asked[0], text, n);
		p->gone = p->asked[0] == QUIT;
		p->nasked--;
		memmove(p->asked, p->asked + 1, p->nasked);
	}
	free(text);
}

static void closed(struct link_fake_peer *line, const char *why)
{
	struct peer_fake *p = line->owner;

	p->nasked = p->npart = 0;
	p->greeted = p->gone = false;
}

/* The first word of a whole line, as the protocol sees it; a line without one is not asked. */
static void note_line(struct peer_fake *p)
{
	const char *word = p->part + strspn(p->part, " \t\r");
	size_t n = strcspn(word, " \t\r"), row = 0;

	while (row < NSHAPES - 1 &&
	       (strlen(shapes[row].word) != n || strncasecmp(word, shapes[row].word, n) != 0))
		row++;
	if (n > 0)
		p->asked[p->nasked++] = (uint8_t)row;
	if (row == START)
		guard_fake_allow(INT64_MAX);
}

/* In two pieces, cut after `cut` bytes. */
static void say(struct peer_fake *p, const uint8_t *text, size_t n, size_t cut)
{
	if (!link_fake_reads(&p->line) || p->nasked + n >= ASKED)
		return;
	for (size_t i = 0; i < n; i++) {
		p->part[p->npart] = text[i] == '\n' ? 0 : (char)text[i];
		if (text[i] != '\n' && p->npart < LINE_MAX_LEN + 2) {
			p->npart++;
		} else {
			note_line(p);
			p->npart = 0;
		}
	}
	cut = cut < n ? cut : n;
	link_fake_bytes(&p->line, text, cut);
	link_fake_bytes(&p->line, text + cut, n - cut);
	guard_fake_settle();
}

static void say_canned(struct fuzz_input *in, struct peer_fake *p)
{
	static const char *const lines[] = { "START\n", "STOP\n", "PING\n", "STATUS\n",
		"INPUTS\n", "RELAY 08\n", "RELAY 04 x\n", "RELAY 1f\n", "RELAY\n", "RELAY xx\n",
		"relay -1\n", "HELP\r\n", "QUIT\n", "\n", " \t\r\n", "start now\n", "stop",
		"\n\n", "PING\nPING\n", "STOP\nSTART\n", "what\n" };
	uint8_t how = fuzz_byte(in);
	const char *line = lines[how % (sizeof(lines) / sizeof(lines[0]))];

	say(p, (const uint8_t *)line, strlen(line), how / 32u);
}

static void say_raw(struct fuzz_input *in, struct peer_fake *p)
{
	size_t n;
	uint8_t how = fuzz_byte(in);
	const uint8_t *text = fuzz_bytes(in, how % RAW_MAX, &n);

	say(p, text, n, how / 4u);
}

/* A line of so many times 16 characters, or more lines than may wait. */
static void say_much(struct fuzz_input *in, struct peer_fake *p)
{
	uint8_t how = fuzz_byte(in);

	for (int i = 0; i <= (how & 31); i++)
		say(p, (const uint8_t *)(how & 0x80 ? "ping\n" : "0123456789abcdef"),
		    how & 0x80 ? 5 : 16, 16);
}

static void open_peer(struct peer_fake *p)
{
	struct link_listener *ls = link_fake_listener("127.0.0.1:9998");

	assert(link_count(ls) <= 32);
	p->line.owner = p;
	p->line.sent = sent;
	p->line.closed = closed;
	if (!link_fake_reads(&p->line))
		link_fake_close(&p->line, "all sent");
	if (!p->line.link)
		(void)link_fake_open(ls, &p->line);
}

static void open_all(struct talk *t)
{
	for (int i = 0; i < PEERS; i++)
		open_peer(&t->peers[i]);
}

static void act(struct talk *t)
{
	uint8_t what = fuzz_byte(&t->in);
	unsigned arg = what & 15;
	struct peer_fake *p = &t->peers[arg % TALKING];

	switch (what >> 4) {
	case 0:
		arg == 15 ? open_all(t) : open_peer(p);
		break;
	case 1:
		arg < TALKING ? link_fake_close(&p->line, "idle") : link_fake_end(&p->line);
		break;
	case 2:
		say_raw(&t->in, p);
		break;
	case 3:
		guard_fake_act(ACT_WAIT_LONG, arg);
		break;
	case 4:
		guard_fake_act(ACT_MOOD, arg);
		break;
	case 5:
		guard_fake_act(ACT_ENGINE, arg);
		break;
	case 6:
		guard_fake_act(ACT_OPERATOR, arg);
		break;
	case 7:
	case 8:
		guard_fake_act(ACT_WAIT, arg);
		break;
	case 9:
		say_much(&t->in, p);
		break;
	default:
		say_canned(&t->in, p);
		break;
	}
}

/* With an engine at rest and a guard that obeys, all that waits comes to its end. */
static void wind_down(struct talk *t)
{
	guard_fake_rest();
	for (int i = 0; i < PEERS; i++)
		assert(!link_fake_reads(&t->peers[i].line) || t->peers[i].nasked == 0);
}

static void converse(void *arg)
{
	struct talk *t = arg;

	while (t->in.left > 0)
		act(t);
	wind_down(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct talk *t = xcalloc(1, sizeof(*t));
	struct fuzz_input in = { data, size };
	struct genctl_config config;

	guard_fake_config(&config);
	if (fuzz_byte(&in) & 1)
		config.text_reply_after = TEXT_REPLY_ACCEPTED;
	t->in = in;
	guard_fake_run(&config, converse, t);
	link_fake_reset();
	free(t);
	return 0;
}
