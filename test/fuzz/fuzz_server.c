/*
 * Whole conversations of several peers with the engine node's protobuf server.
 *
 * An input is a row of acts: a byte's high half says what, its low half who or how; some acts
 * take more bytes (see act()). Requests are canned, with stamps that mostly fit, or raw bytes.
 *
 * Asserts: one reply a request and none else; nobody who may not commands; what holds a field
 * that is not known is refused; an order older than 5 s is refused; and guard_fake's.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/frame.h"
#include "common/mem.h"
#include "test/fuzz/guard_fake.h"
#include "test/fuzz/link_fake.h"

enum { PEERS = 40, TALKING = 8, ASKED = 64, RAW_MAX = 64, CANNED_MAX = 512 };

struct asked {
	uint32_t id;
	Genctl__Request__BodyCase what;
	bool unknown;	   /* holds what the schema does not know */
	bool by_hand;	   /* by one who is an operator then */
	Genctl__Role role; /* of a hello */
	bool old, bad, run;
	int64_t until_ms;
};

struct peer_fake {
	struct link_fake_peer line;
	struct asked asked[ASKED];
	size_t nasked;
	bool hello;
	Genctl__Role role; /* of the last hello that was answered */
	uint32_t last_id;
};

struct talk {
	struct fuzz_input in;
	struct peer_fake peers[PEERS];
};

static void forget(struct peer_fake *p, size_t i)
{
	p->nasked--;
	memmove(&p->asked[i], &p->asked[i + 1], (p->nasked - i) * sizeof(p->asked[0]));
}

static void check_accepted(struct peer_fake *p, const struct asked *a)
{
	bool by_hand = a->by_hand;

	assert(p->hello && !a->unknown && a->id);
	switch (a->what) {
	case GENCTL__REQUEST__BODY_DESIRED:
		assert(!by_hand && !a->old && !a->bad);
		guard_fake_allow(a->run ? a->until_ms : INT64_MIN);
		break;
	case GENCTL__REQUEST__BODY_START:
		assert(by_hand);
		break;
	case GENCTL__REQUEST__BODY_STOP:
		assert(by_hand);
		guard_fake_allow(INT64_MIN);
		break;
	case GENCTL__REQUEST__BODY_ESTOP:
		guard_fake_estopped();
		break;
	case GENCTL__REQUEST__BODY_CLEAR:
		assert(false); /* never over the wire */
		break;
	case GENCTL__REQUEST__BODY_AUTO_MODE:
	case GENCTL__REQUEST__BODY_MAINTENANCE:
	case GENCTL__REQUEST__BODY_RELAY:
		assert(by_hand);
		break;
	default:
		break;
	}
}

static bool waits(const struct peer_fake *p, uint32_t id)
{
	for (size_t i = 0; i < p->nasked; i++)
		if (p->asked[i].id == id)
			return true;
	return false;
}

static void check_reply(struct peer_fake *p, const Genctl__Reply *r)
{
	size_t i = 0;

	if (r->body_case == GENCTL__REPLY__BODY_EVENT) {
		assert(r->id == 0);
		return;
	}
	while (i < p->nasked && p->asked[i].id != r->id && !(p->asked[i].unknown && !r->id))
		i++;
	assert(i < p->nasked);
	if (p->asked[i].unknown)
		assert(r->body_case == GENCTL__REPLY__BODY_ERROR &&
		       r->error->code == GENCTL__CODE__BAD_REQUEST);
	if (r->body_case == GENCTL__REPLY__BODY_HELLO) {
		p->hello = true;
		p->role = p->asked[i].role;
	} else if (r->body_case == GENCTL__REPLY__BODY_ACCEPTED) {
		check_accepted(p, &p->asked[i]);
	} else if (r->body_case == GENCTL__REPLY__BODY_ERROR) {
		assert(r->error->code && *r->error->text);
	} else {
		assert(p->hello);
	}
	forget(p, i);
}

static void sent(struct link_fake_peer *line, const uint8_t *unit, size_t n)
{
	ProtobufCMessage *m;

	assert(frame_size(unit, n) == (ssize_t)n);
	m = frame_unpack(&genctl__reply__descriptor, unit + FRAME_HEAD, n - FRAME_HEAD, true);
	assert(m);
	check_reply(line->owner, (const Genctl__Reply *)m);
	protobuf_c_message_free_unpacked(m, NULL);
}

static void closed(struct link_fake_peer *line, const char *why)
{
	struct peer_fake *p = line->owner;

	assert(*why);
	p->nasked = 0;
	p->hello = false;
	p->role = GENCTL__ROLE__MONITOR;
}

/* An account of its own of what is asked, without frame.c's. */
static void note_asked(struct peer_fake *p, const Genctl__Request *q)
{
	struct asked a = { .unknown = !q, .by_hand = p->role == GENCTL__ROLE__OPERATOR };

	if (q) {
		const ProtobufCMessage *inner = (const ProtobufCMessage *)q->hello;

		a.id = q->id;
		a.what = q->body_case;
		a.unknown =
		    q->base.n_unknown_fields > 0 || (a.what && inner->n_unknown_fields > 0);
	}
	if (a.what == GENCTL__REQUEST__BODY_DESIRED) {
		const Genctl__Stamp *s = q->desired->stamp;

		a.run = q->desired->run;
		a.unknown = a.unknown || (s && s->base.n_unknown_fields > 0);
		a.bad = !s || (a.run && (q->desired->for_s == 0 || q->desired->for_s > 900));
		a.old = s && s->age_ms > 5000;
		a.until_ms =
		    clock_ms() - (s ? s->age_ms : 0) + q->desired->for_s * INT64_C(1000);
	}
	/* Accepted before it is answered: control may begin at once. */
	if (a.what == GENCTL__REQUEST__BODY_START)
		guard_fake_allow(INT64_MAX);
	if (a.what == GENCTL__REQUEST__BODY_HELLO)
		a.role = q->hello->role;
	p->asked[p->nasked++] = a;
}

static void ask(struct peer_fake *p, const uint8_t *body, size_t n)
{
	Genctl__Request *q = genctl__request__unpack(NULL, n, body);
	bool twin = q && q->id && waits(p, q->id); /* whose answer would it be? */

	if (!twin && link_fake_reads(&p->line) && p->nasked < ASKED) {
		note_asked(p, q);
		link_fake_unit(&p->line, body, n);
		guard_fake_settle();
	}
	if (q)
		genctl__request__free_unpacked(q, NULL);
}

/* Canned requests */

static uint32_t pick(struct fuzz_input *in, const uint32_t *from, size_t n)
{
	return from[fuzz_byte(in) % n];
}
#define PICK(in, ...)                                                                          \
	pick(in, (const uint32_t[]){ __VA_ARGS__ },                                            \
	    sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

union body {
	Genctl__Hello hello;
	Genctl__Acquire acquire;
	Genctl__Desired desired;
	Genctl__Start start;
	Genctl__Maintenance maintenance;
	Genctl__Relay relay;
	Genctl__EventQuery events;
	Genctl__Empty empty;
};

static char words[] = "a reason of some length, with a % and a \x01 in it, and then some more "
		      "of it so that whoever copies it has to cut it: 0123456789 0123456789";

static void can_hello(struct fuzz_input *in, Genctl__Hello *m)
{
	uint8_t how = fuzz_byte(in);

	genctl__hello__init(m);
	m->role = how & 1 ? GENCTL__ROLE__OPERATOR : GENCTL__ROLE__MONITOR;
	m->major = how & 0x80 ? 2 : 1;
	m->name = words + how % sizeof(words);
}

static void can_desired(struct fuzz_input *in, Genctl__Desired *m, Genctl__Stamp *s)
{
	const struct lease *l = &guard_fake_control()->lease;
	uint8_t how = fuzz_byte(in);

	genctl__desired__init(m);
	genctl__stamp__init(s);
	m->run = how & 1;
	m->for_s = PICK(in, 15, 60, 1, 0, 900, 901, UINT32_MAX);
	m->reason = m->next = words + how % sizeof(words);
	m->stamp = (how & 0x70) == 0x70 ? NULL : s;
	s->boot_id = l->boot_id + ((how & 0x70) == 0x10);
	s->epoch = l->epoch - ((how & 0x70) == 0x20);
	s->seq = l->seq + 1 - ((how & 0x70) == 0x30) - 2 * ((how & 0x70) == 0x40);
	s->age_ms = PICK(in, 0, 4999, 5000, 5001, 60000, UINT32_MAX);
}

static void can_rest(struct fuzz_input *in, Genctl__Request *q, union body *m)
{
	switch (q->body_case) {
	case GENCTL__REQUEST__BODY_ACQUIRE:
		genctl__acquire__init(&m->acquire);
		m->acquire.ttl_ms = PICK(in, 0, 1, 5000, 60000, 60001, UINT32_MAX);
		break;
	case GENCTL__REQUEST__BODY_START:
		genctl__start__init(&m->start);
		m->start.for_s = PICK(in, 0, 1, 30, 86400, 86401, UINT32_MAX);
		m->start.attempts = PICK(in, 0, 1, 2, 3, 255, 257);
		m->start.reason = words + fuzz_byte(in) % sizeof(words);
		break;
	case GENCTL__REQUEST__BODY_MAINTENANCE:
		genctl__maintenance__init(&m->maintenance);
		m->maintenance.on = fuzz_byte(in) & 1;
		break;
	case GENCTL__REQUEST__BODY_RELAY:
		genctl__relay__init(&m->relay);
		m->relay.relays = fuzz_byte(in) % 24;
		break;
	case GENCTL__REQUEST__BODY_EVENTS:
		genctl__event_query__init(&m->events);
		m->events.after = PICK(in, 0, 1, 5, 499, 500, 501, UINT32_MAX);
		m->events.limit = PICK(in, 0, 1, 199, 200, 201, UINT32_MAX);
		break;
	default:
		genctl__empty__init(&m->empty);
		break;
	}
}

static void ask_canned(struct fuzz_input *in, struct peer_fake *p)
{
	static const uint8_t newer[] = { 0xc2, 0x0c, 1, 'x' }; /* field 200 */
	uint8_t how = fuzz_byte(in), body[CANNED_MAX + sizeof(newer)];
	Genctl__Request q = GENCTL__REQUEST__INIT;
	Genctl__Stamp stamp;
	union body m;
	size_t n;

	q.body_case = (Genctl__Request__BodyCase)(GENCTL__REQUEST__BODY_HELLO + (how & 15));
	q.hello = &m.hello;
	if (q.body_case == GENCTL__REQUEST__BODY_HELLO)
		can_hello(in, &m.hello);
	else if (q.body_case == GENCTL__REQUEST__BODY_DESIRED)
		can_desired(in, &m.desired, &stamp);
	else
		can_rest(in, &q, &m);
	q.id = (how & 0xc0) == 0x40 ? p->last_id : ++p->last_id;
	assert(genctl__request__get_packed_size(&q) <= CANNED_MAX);
	n = genctl__request__pack(&q, body);
	memcpy(body + n, newer, sizeof(newer));
	ask(p, body, (how & 0xc0) == 0xc0 ? n + sizeof(newer) : n);
}

static void ask_raw(struct fuzz_input *in, struct peer_fake *p)
{
	size_t n;
	const uint8_t *body = fuzz_bytes(in, fuzz_byte(in) % RAW_MAX + 1u, &n);

	if (n > 0)
		ask(p, body, n);
}

static void open_peer(struct peer_fake *p)
{
	struct link_listener *ls = link_fake_listener("127.0.0.1:9999");

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
		ask_raw(&t->in, p);
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
	case 9:
		guard_fake_act(ACT_WAIT, arg);
		break;
	default:
		ask_canned(&t->in, p);
		break;
	}
}

/* Every answer that is due comes within the guard's longest time. */
static void converse(void *arg)
{
	struct talk *t = arg;

	while (t->in.left > 0)
		act(t);
	guard_fake_wait(7000);
	for (int i = 0; i < PEERS; i++)
		assert(!link_fake_reads(&t->peers[i].line) || t->peers[i].nasked == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct talk *t = xcalloc(1, sizeof(*t));
	struct genctl_config config;

	guard_fake_config(&config);
	t->in = (struct fuzz_input){ data, size };
	guard_fake_run(&config, converse, t);
	link_fake_reset();
	free(t);
	return 0;
}
