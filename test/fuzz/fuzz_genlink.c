/*
 * The monitor's line to an engine node that says anything at any time.
 *
 * An input is a row of acts: a byte's high half says what, its low half how; some acts take
 * more bytes (see act()). Replies are canned, to what was asked or to nothing, or raw bytes.
 *
 * Asserts: every request is a sound frame with an id of its own; orders only while the lease is
 * held and at most 900 s long, never a run that nobody desires; never more than 8 unanswered;
 * the view's texts end and its numbers are ones its readers know.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/frame.h"
#include "node-monitor/genlink.h"
#include "proto/genctl.pb-c.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/link_fake.h"

enum { ASKED = 8, RAW_MAX = 128, CANNED_MAX = 8192, ALARMS = 12 };

struct node_fake { /* what the target plays */
	struct link_fake_peer line;
	struct fuzz_input in;
	struct genlink *genlink;
	struct gen_desire desire;
	uint32_t asked[ASKED]; /* ids without an answer */
	size_t nasked;
	uint32_t last_id;
};

static void check_order(const struct node_fake *f, const Genctl__Desired *d)
{
	assert(genlink_view(f->genlink)->holder && f->desire.stated && d->stamp);
	assert(d->run == f->desire.run && d->for_s <= 900 && d->stamp->age_ms == 0);
	assert(!d->run || d->for_s > 0);
}

static void sent(struct link_fake_peer *line, const uint8_t *unit, size_t n)
{
	struct node_fake *f = line->owner;
	ProtobufCMessage *m;
	const Genctl__Request *q;

	assert(frame_size(unit, n) == (ssize_t)n && f->nasked < ASKED);
	m = frame_unpack(&genctl__request__descriptor, unit + FRAME_HEAD, n - FRAME_HEAD, true);
	assert(m);
	q = (const Genctl__Request *)m;
	assert(q->id && q->id == f->last_id + 1);
	f->last_id = f->asked[f->nasked++] = q->id;
	if (q->body_case == GENCTL__REQUEST__BODY_DESIRED)
		check_order(f, q->desired);
	protobuf_c_message_free_unpacked(m, NULL);
}

static void closed(struct link_fake_peer *line, const char *why)
{
	struct node_fake *f = line->owner;

	f->nasked = 0;
}

/* The answered one leaves the row, if it stands in it. */
static void forget(struct node_fake *f, uint32_t id)
{
	for (size_t i = 0; i < f->nasked; i++) {
		if (f->asked[i] != id)
			continue;
		f->nasked--;
		memmove(&f->asked[i], &f->asked[i + 1], (f->nasked - i) * sizeof(f->asked[0]));
		return;
	}
}

static void check_view(const struct node_fake *f)
{
	const struct gen_view *v = genlink_view(f->genlink);
	const struct gen_status *s = &v->status;
	struct engine_truth t = genview_truth(v, clock_ms());

	assert(s->phase < ENGINE_NPHASES && s->next_phase < ENGINE_NPHASES);
	assert(*genview_phase_name(s->phase) && *genview_mode_name(s->mode));
	assert(s->nalarms <= GEN_ALARMS && s->relays <= 15 && s->inputs <= 15);
	assert(memchr(s->why, 0, sizeof(s->why)) && memchr(s->next, 0, sizeof(s->next)));
	assert(memchr(v->order_text, 0, sizeof(v->order_text)));
	assert(t.run_s >= 0 && t.start_ready_s >= 0 && t.lockout_left_s >= 0);
	assert(t.stopped_s >= 0 || t.stopped_s == UNKNOWN);
	assert(!t.link || v->state == GEN_UP);
	assert(!v->holder || v->state == GEN_UP);
	assert(*autostart_state_word(&t));
}

static void deliver(struct node_fake *f, const uint8_t *body, size_t n)
{
	Genctl__Reply *r = genctl__reply__unpack(NULL, n, body);

	if (r)
		forget(f, r->id);
	if (r)
		genctl__reply__free_unpacked(r, NULL);
	link_fake_unit(&f->line, body, n);
}

/* Canned replies */

union body {
	Genctl__Error error;
	Genctl__Hello hello;
	Genctl__Status status;
	Genctl__Inputs inputs;
	Genctl__Health health;
	Genctl__Lease lease;
	Genctl__Accepted accepted;
	Genctl__Events events;
	Genctl__Event event;
	Genctl__Empty empty;
};

static char long_text[1200];

/* A text of up to 255 times four characters. */
static char *text(struct fuzz_input *in)
{
	memset(long_text, '%', sizeof(long_text) - 1);
	return long_text + sizeof(long_text) - 1 - 4 * fuzz_byte(in);
}

static void can_status(struct fuzz_input *in, Genctl__Status *m, Genctl__Inputs *inputs)
{
	static Genctl__Alarm alarm[ALARMS], *alarms[ALARMS];
	uint8_t how = fuzz_byte(in);

	genctl__status__init(m);
	genctl__inputs__init(inputs);
	m->phase = m->next_phase = (Genctl__Phase)(int8_t)fuzz_byte(in);
	m->mode = (Genctl__Mode)(int8_t)fuzz_byte(in);
	m->relays = inputs->raw = (uint32_t)fuzz_number(in, 2);
	m->inputs = how & 1 ? inputs : NULL;
	m->run_s = m->run_left_s = m->start_ready_ms = m->lockout_left_s = m->stopped_s =
	    (uint32_t)fuzz_number(in, 4);
	m->stopped_known = how & 2;
	m->running = how & 4;
	m->why = m->blocks = m->next = m->i2c = text(in);
	m->n_alarms = (how >> 4) % (ALARMS + 1u);
	m->alarms = alarms;
	for (size_t i = 0; i < m->n_alarms; i++) {
		genctl__alarm__init(&alarm[i]);
		alarm[i].code = alarm[i].text = m->why;
		alarms[i] = &alarm[i];
	}
}

static void can_event(struct fuzz_input *in, Genctl__Event *m)
{
	static char kinds[][8] = { "alarm", "phase", "cleared", "order" };

	genctl__event__init(m);
	m->kind = kinds[fuzz_byte(in) % 4];
	m->text = m->code = text(in);
}

static void can(struct fuzz_input *in, Genctl__Reply *r, union body *m, Genctl__Inputs *inputs)
{
	r->error = &m->error;
	switch (r->body_case) {
	case GENCTL__REPLY__BODY_ERROR:
		genctl__error__init(&m->error);
		m->error.code = (Genctl__Code)(int8_t)fuzz_byte(in);
		m->error.text = text(in);
		break;
	case GENCTL__REPLY__BODY_HELLO:
		genctl__hello__init(&m->hello);
		m->hello.boot_id = fuzz_byte(in);
		m->hello.version = text(in);
		break;
	case GENCTL__REPLY__BODY_STATUS:
		can_status(in, &m->status, inputs);
		break;
	case GENCTL__REPLY__BODY_LEASE:
		genctl__lease__init(&m->lease);
		m->lease.epoch = fuzz_byte(in) & 3;
		m->lease.ttl_ms = (uint32_t)fuzz_number(in, 4);
		break;
	case GENCTL__REPLY__BODY_HEALTH:
		genctl__health__init(&m->health);
		m->health.version = text(in);
		break;
	case GENCTL__REPLY__BODY_EVENT:
		can_event(in, &m->event);
		break;
	case GENCTL__REPLY__BODY_ACCEPTED:
		genctl__accepted__init(&m->accepted);
		break;
	default:
		r->body_case = GENCTL__REPLY__BODY_PONG;
		genctl__empty__init(&m->empty);
		break;
	}
}

/* `which`: of what was asked, the oldest first; 15 a push, 14 nothing that was asked. */
static void reply_canned(struct node_fake *f, unsigned which)
{
	Genctl__Reply r = GENCTL__REPLY__INIT;
	Genctl__Inputs inputs;
	uint8_t body[CANNED_MAX];
	union body m;

	r.body_case =
	    (Genctl__Reply__BodyCase)(GENCTL__REPLY__BODY_ERROR + fuzz_byte(&f->in) % 10);
	can(&f->in, &r, &m, &inputs);
	if (which == 14)
		r.id = f->last_id + 1;
	else if (which < 14 && f->nasked > 0)
		r.id = f->asked[which % f->nasked];
	if (genctl__reply__get_packed_size(&r) <= sizeof(body))
		deliver(f, body, genctl__reply__pack(&r, body));
}

static void reply_raw(struct node_fake *f)
{
	size_t n;
	const uint8_t *body = fuzz_bytes(&f->in, fuzz_byte(&f->in) % RAW_MAX + 1u, &n);

	if (n > 0)
		deliver(f, body, n);
}

static void desire(struct node_fake *f, unsigned how)
{
	f->desire = (struct gen_desire){ .stated = how & 1, .run = how & 2 };
	f->desire.for_s = how & 4 ? 900 : 1;
	snprintf(f->desire.reason, sizeof(f->desire.reason), "%s", how & 8 ? "low" : "full");
	genlink_desire(f->genlink, &f->desire, clock_ms());
}

static void wait(struct node_fake *f, unsigned s)
{
	for (unsigned i = 0; i <= s; i++) {
		fuzz_clock_set(clock_ms() + 1000);
		genlink_tick(f->genlink, 5000, clock_ms());
	}
}

static void act(struct node_fake *f)
{
	uint8_t what = fuzz_byte(&f->in);

	switch (what >> 4) {
	case 0:
		wait(f, what & 15);
		break;
	case 1:
		if (link_fake_connecting())
			link_fake_accept(link_fake_connecting(), &f->line);
		break;
	case 2:
		link_fake_close(&f->line, "peer closed");
		break;
	case 3:
		desire(f, what & 15);
		break;
	case 4:
		genlink_ask_health(f->genlink, clock_ms());
		break;
	case 5:
		link_fake_refuse(what & 1 ? -ECONNREFUSED : 0);
		break;
	case 6:
		reply_raw(f);
		break;
	case 7:
		if (link_fake_connecting())
			link_close(link_fake_connecting(), "no answer");
		break;
	default:
		reply_canned(f, what & 15);
		break;
	}
	check_view(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct node_fake f = { .line = { .sent = sent, .closed = closed },
		.in = { data, size } };
	struct genlink_config config = { .address = "192.0.2.1:9999", .name = "monitord" };

	fuzz_clock_set(FUZZ_EPOCH_MS);
	f.line.owner = &f;
	config.command = fuzz_byte(&f.in) & 1;
	f.genlink = genlink_new(NULL, &config);
	genlink_tick(f.genlink, 5000, clock_ms());
	while (f.in.left > 0)
		act(&f);
	genlink_free(f.genlink);
	link_fake_reset();
	return 0;
}
