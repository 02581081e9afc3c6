#include "test/simulate/oper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/frame.h"
#include "common/link.h"
#include "proto/genctl.pb-c.h"
#include "test/simulate/chance.h"
#include "test/simulate/judge.h"
#include "test/simulate/loop.h"
#include "test/simulate/os.h"
#include "test/simulate/report.h"
#include "test/simulate/site.h"

enum { ANSWER_MS = 3000, CONNECT_MS = 5000, MINUTE_MS = 60000, RAW_BYTES = 3 };

struct visit {
	struct event_base *base;
	struct link *link;
	bool answered, open, gone;
	uint32_t id;
	Genctl__Mode mode;
	bool latched;
};

int64_t oper_acts[OPER_ACTS];
const char *const oper_names[OPER_ACTS] = { "look", "start", "stop", "emergency stop",
	"maintenance, raw bytes", "charge by hand", "held off by hand" };
static struct chance chance;
static bool comes, does;

/* The line */

static void on_opened(struct link *l)
{
	((struct visit *)link_owner(l))->open = true;
}

static void take_status(struct visit *v, const Genctl__Status *s)
{
	v->mode = s->mode;
	v->latched = false;
	for (size_t i = 0; i < s->n_alarms; i++)
		v->latched = v->latched || s->alarms[i]->latched;
}

static void on_unit(struct link *l, const uint8_t *data, size_t n)
{
	struct visit *v = link_owner(l);
	ProtobufCMessage *m = frame_unpack(&genctl__reply__descriptor, data, n, false);
	const Genctl__Reply *r = (const Genctl__Reply *)m;

	if (!m)
		return;
	if (r->id == v->id) {
		v->answered = true;
		if (r->body_case == GENCTL__REPLY__BODY_STATUS)
			take_status(v, r->status);
	}
	protobuf_c_message_free_unpacked(m, NULL);
}

static void on_closed(struct link *l, const char *why)
{
	struct visit *v = link_owner(l);

	v->gone = v->answered = v->open = true;
	v->link = NULL;
}

static const struct link_ops ops = {
	.opened = on_opened, .unit = on_unit, .closed = on_closed
};

/* Sends and waits; false: no answer came. */
static bool ask(struct visit *v, Genctl__Request *q)
{
	size_t n;
	uint8_t *frame;

	if (!v->link)
		return false;
	q->id = ++v->id;
	frame = frame_pack(&q->base, &n);
	v->answered = false;
	if (frame)
		link_send(v->link, frame, n);
	free(frame);
	loop_until(v->base, &v->answered, sim_ms + ANSWER_MS);
	return v->answered && !v->gone;
}

static bool ask_empty(struct visit *v, Genctl__Request__BodyCase what)
{
	Genctl__Request q = GENCTL__REQUEST__INIT;
	Genctl__Empty empty = GENCTL__EMPTY__INIT;

	q.body_case = what;
	q.status = &empty;
	return ask(v, &q);
}

static bool greet(struct visit *v)
{
	Genctl__Request q = GENCTL__REQUEST__INIT;
	Genctl__Hello hello = GENCTL__HELLO__INIT;
	static char name[] = "operator";

	hello.major = 1;
	hello.name = name;
	hello.role = GENCTL__ROLE__OPERATOR;
	q.body_case = GENCTL__REQUEST__BODY_HELLO;
	q.hello = &hello;
	return ask(v, &q);
}

static void open_line(struct visit *v)
{
	const struct link_config config = { .ops = &ops, .owner = v, .max_unit = FRAME_MAX };

	if (link_connect(v->base, "192.0.2.1:9999", CONNECT_MS, &config, &v->link) < 0)
		return;
	loop_until(v->base, &v->open, sim_ms + CONNECT_MS);
}

/* What they do */

static void start(struct visit *v)
{
	Genctl__Request q = GENCTL__REQUEST__INIT;
	Genctl__Start s = GENCTL__START__INIT;

	s.for_s = (uint32_t)chance_between(&chance, 120, 1800);
	q.body_case = GENCTL__REQUEST__BODY_START;
	q.start = &s;
	ask(v, &q);
}

static void maintain(struct visit *v, bool on)
{
	Genctl__Request q = GENCTL__REQUEST__INIT;
	Genctl__Maintenance m = GENCTL__MAINTENANCE__INIT;

	m.on = on;
	q.body_case = GENCTL__REQUEST__BODY_MAINTENANCE;
	q.maintenance = &m;
	ask(v, &q);
}

static void raw_bytes(struct visit *v)
{
	maintain(v, true);
	for (int i = 0; i < RAW_BYTES; i++) {
		Genctl__Request q = GENCTL__REQUEST__INIT;
		Genctl__Relay relay = GENCTL__RELAY__INIT;

		relay.relays = (uint32_t)chance_between(&chance, 0, 15);
		q.body_case = GENCTL__REQUEST__BODY_RELAY;
		q.relay = &relay;
		ask(v, &q);
		proc_sleep(sim_ms + chance_between(&chance, 100, 12000));
	}
	maintain(v, false);
}

static void act(struct visit *v, enum oper_act what)
{
	oper_acts[what]++;
	switch (what) {
	case OPER_START:
		start(v);
		break;
	case OPER_STOP:
		ask_empty(v, GENCTL__REQUEST__BODY_STOP);
		break;
	case OPER_ESTOP:
		ask_empty(v, GENCTL__REQUEST__BODY_ESTOP);
		break;
	case OPER_RAW:
		raw_bytes(v);
		break;
	case OPER_FORCE:
		site.force_charge = !site.force_charge;
		break;
	case OPER_HOLD:
		site.force_stop = true;
		break;
	case OPER_NOTHING:
	case OPER_ACTS:
		break;
	}
}

/* Latches are cleared, and whatever was left off is set to automatic again. */
static void tidy(struct visit *v)
{
	char answer[256];

	site.force_charge = site.force_stop = false;
	if (!ask_empty(v, GENCTL__REQUEST__BODY_STATUS))
		return;
	if (v->latched || v->mode == GENCTL__MODE__ESTOPPED)
		os_ask_door("clear\n", answer, sizeof(answer), ANSWER_MS);
	if (v->mode == GENCTL__MODE__MAINTENANCE_MODE)
		maintain(v, false);
	if (v->mode != GENCTL__MODE__AUTO && v->mode != GENCTL__MODE__OPERATOR_RUN)
		ask_empty(v, GENCTL__REQUEST__BODY_AUTO_MODE);
}

static void visit(struct event_base *base, enum oper_act what)
{
	struct visit v = { .base = base };

	open_line(&v);
	if (v.link && greet(&v)) {
		if (what == OPER_NOTHING)
			tidy(&v);
		else
			act(&v, what);
	}
	if (v.link)
		link_close(v.link, "done");
}

static int caller(const void *arg)
{
	const enum oper_act *what = arg;
	struct event_base *base = event_base_new();

	report_note("operator", "%s", oper_names[*what]);
	visit(base, *what);
	event_base_free(base);
	return 0;
}

void oper_visit(enum oper_act what)
{
	if (!proc_find("visitor"))
		proc_start("visitor", NODE_OPERATOR, caller, &what, sizeof(what));
}

static int warden(const void *arg)
{
	struct event_base *base = event_base_new();

	while (comes) {
		proc_sleep(sim_ms + chance_between(&chance, 15, 60) * MINUTE_MS);
		if (does && chance_of(&chance, 40))
			oper_visit((enum oper_act)chance_between(&chance, 1, OPER_ACTS - 1));
		else
			visit(base, OPER_NOTHING);
	}
	event_base_free(base);
	return 0;
}

void oper_reset(uint64_t seed)
{
	chance.state = seed;
	memset(oper_acts, 0, sizeof(oper_acts));
	comes = does = false;
}

void oper_live(bool busy)
{
	if (!comes)
		proc_start("warden", NODE_OPERATOR, warden, NULL, 0);
	comes = true;
	does = busy;
}
