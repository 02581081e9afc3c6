#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <event2/event.h>

#include "common/clock.h"
#include "common/frame.h"
#include "common/link.h"
#include "common/log.h"
#include "node-monitor/genlink.h"
#include "proto/genctl.pb-c.h"

enum { DEADLINE_MS = 5000, STATUS_MS = 200 };

/* An engine node that answers as it is told, and remembers what it was asked. */
struct node {
	struct event_base *base;
	struct event *timer;
	struct link_listener *listener;
	struct link *peer;
	struct genlink *g;
	bool silent, no_lease;
	bool confused, hasty; /* it gives a status for a hello; an event before the hello */
	Genctl__Request__BodyCase after_hello;
	Genctl__Code order_code;
	uint32_t epoch;
	int hellos, acquires, statuses, orders, subscriptions;
	uint32_t order_epoch, order_seq, order_for_s;
	uint64_t order_boot_id;
	bool order_run;
	char order_reason[64];
};

static void reply(struct link *l, Genctl__Reply *m)
{
	size_t n;
	uint8_t *frame = frame_pack(&m->base, &n);

	link_send(l, frame, n);
	free(frame);
}

static void refuse(struct link *l, Genctl__Reply *m, Genctl__Code code)
{
	char text[] = "because the test says so";
	Genctl__Error e;

	genctl__error__init(&e);
	e.code = code;
	e.text = text;
	m->body_case = GENCTL__REPLY__BODY_ERROR;
	m->error = &e;
	reply(l, m);
}

static void push_event(struct link *l)
{
	Genctl__Reply m = GENCTL__REPLY__INIT;
	Genctl__Event event = GENCTL__EVENT__INIT;

	event.seq = 1;
	m.body_case = GENCTL__REPLY__BODY_EVENT;
	m.event = &event;
	reply(l, &m);
}

static void answer_hello(struct node *n, struct link *l, Genctl__Reply *m)
{
	Genctl__Hello hello;

	genctl__hello__init(&hello);
	hello.major = 1;
	hello.boot_id = 77;
	if (n->hasty)
		push_event(l);
	n->hellos++;
	m->body_case = GENCTL__REPLY__BODY_HELLO;
	m->hello = &hello;
	reply(l, m);
}

static void answer_acquire(struct node *n, struct link *l, Genctl__Reply *m)
{
	Genctl__Lease lease;

	genctl__lease__init(&lease);
	n->acquires++;
	if (n->no_lease) {
		refuse(l, m, GENCTL__CODE__LEASE_TAKEN);
		return;
	}
	lease.epoch = n->epoch;
	lease.ttl_ms = 20000;
	m->body_case = GENCTL__REPLY__BODY_LEASE;
	m->lease = &lease;
	reply(l, m);
}

static void answer_status(struct node *n, struct link *l, Genctl__Reply *m)
{
	Genctl__Status status;

	genctl__status__init(&status);
	n->statuses++;
	status.phase = GENCTL__PHASE__LOADED;
	status.running = true;
	status.relays = 0x0a;
	status.relays_known = true;
	status.run_s = 95;
	status.stopped_known = true;
	status.stopped_s = 4000;
	m->body_case = GENCTL__REPLY__BODY_STATUS;
	m->status = &status;
	reply(l, m);
}

static void answer_order(
    struct node *n, struct link *l, Genctl__Reply *m, const Genctl__Desired *order)
{
	Genctl__Accepted accepted;

	genctl__accepted__init(&accepted);
	n->orders++;
	n->order_run = order->run;
	n->order_for_s = order->for_s;
	n->order_boot_id = order->stamp->boot_id;
	n->order_epoch = order->stamp->epoch;
	n->order_seq = order->stamp->seq;
	snprintf(n->order_reason, sizeof(n->order_reason), "%s", order->reason);
	if (n->order_code) {
		refuse(l, m, n->order_code);
		return;
	}
	m->body_case = GENCTL__REPLY__BODY_ACCEPTED;
	m->accepted = &accepted;
	reply(l, m);
}

static void node_unit(struct link *l, const uint8_t *data, size_t size)
{
	struct node *n = link_owner(l);
	Genctl__Request *r =
	    (Genctl__Request *)frame_unpack(&genctl__request__descriptor, data, size, true);
	Genctl__Reply m;

	assert_non_null(r);
	genctl__reply__init(&m);
	m.id = r->id;
	if (n->hellos > 0 && !n->after_hello)
		n->after_hello = r->body_case;
	if (n->silent)
		;
	else if (n->confused && r->body_case == GENCTL__REQUEST__BODY_HELLO)
		answer_status(n, l, &m);
	else if (r->body_case == GENCTL__REQUEST__BODY_HELLO)
		answer_hello(n, l, &m);
	else if (r->body_case == GENCTL__REQUEST__BODY_ACQUIRE)
		answer_acquire(n, l, &m);
	else if (r->body_case == GENCTL__REQUEST__BODY_STATUS)
		answer_status(n, l, &m);
	else if (r->body_case == GENCTL__REQUEST__BODY_DESIRED)
		answer_order(n, l, &m, r->desired);
	else if (r->body_case == GENCTL__REQUEST__BODY_SUBSCRIBE)
		n->subscriptions++;
	protobuf_c_message_free_unpacked(&r->base, NULL);
}

static void node_opened(struct link *l)
{
	struct node *n = link_owner(l);

	n->peer = l;
}

static void node_closed(struct link *l, const char *why)
{
	struct node *n = link_owner(l);

	n->peer = NULL;
}

static const struct link_ops node_ops = {
	.opened = node_opened, .unit = node_unit, .closed = node_closed
};

static void nothing(evutil_socket_t fd, short what, void *arg)
{
}

static int node_up(void **state)
{
	static struct node n;
	const struct timeval turn = { .tv_usec = 5000 };
	const struct link_config listener = { .kind = LINK_FRAMES,
		.ops = &node_ops,
		.owner = &n,
		.max_unit = FRAME_MAX,
		.max_links = 4 };
	struct genlink_config config = { .name = "test", .command = true };

	log_set_level(LOG_LEVEL_ERROR);
	n = (struct node){ .base = event_base_new(), .epoch = 3 };
	n.timer = event_new(n.base, -1, EV_PERSIST, nothing, NULL);
	event_add(n.timer, &turn);
	if (link_listen(n.base, "127.0.0.1:0", &listener, &n.listener) < 0)
		return -1;
	snprintf(config.address, sizeof(config.address), "127.0.0.1:%d", link_port(n.listener));
	n.g = genlink_new(n.base, &config);
	*state = &n;
	return 0;
}

static int node_down(void **state)
{
	struct node *n = *state;

	genlink_free(n->g);
	link_listener_free(n->listener);
	event_free(n->timer);
	event_base_free(n->base);
	return 0;
}

/* Runs the loop until the condition holds; the test fails after DEADLINE_MS. */
#define UNTIL(n, condition)                                                                    \
	do {                                                                                   \
		int64_t end_ms = clock_ms() + DEADLINE_MS;                                     \
		while (!(condition)) {                                                         \
			assert_true(clock_ms() < end_ms);                                      \
			genlink_tick((n)->g, STATUS_MS, clock_ms());                           \
			event_base_loop((n)->base, EVLOOP_ONCE);                               \
		}                                                                              \
	} while (0)

static struct gen_desire run_for(int32_t for_s, const char *reason)
{
	struct gen_desire d = { .stated = true, .run = true, .for_s = for_s };

	snprintf(d.reason, sizeof(d.reason), "%s", reason);
	return d;
}

static void greets_subscribes_and_holds_the_lease(void **state)
{
	struct node *n = *state;
	const struct gen_view *v = genlink_view(n->g);
	struct engine_truth truth;

	UNTIL(n, v->holder && v->heard);
	assert_int_equal(n->hellos, 1);
	assert_int_equal(n->subscriptions, 1);
	truth = genview_truth(v, v->status.at_ms + 30);
	assert_true(truth.link && truth.running && truth.holder);
	assert_int_equal(truth.age_ms, 30);
	assert_int_equal(truth.phase, ENGINE_LOADED);
	assert_int_equal(truth.run_s, 95);
	assert_int_equal(truth.stopped_s, 4000);
}

static void looking_on_takes_no_lease_and_orders_nothing(void **state)
{
	struct node *n = *state;
	struct genlink_config config = { .name = "looks on" };
	struct gen_desire d = run_for(900, "it must not be sent");

	snprintf(
	    config.address, sizeof(config.address), "127.0.0.1:%d", link_port(n->listener));
	genlink_free(n->g);
	n->g = genlink_new(n->base, &config);
	genlink_desire(n->g, &d, clock_ms());
	UNTIL(n, n->statuses >= 3);
	assert_int_equal(n->acquires, 0);
	assert_int_equal(n->orders, 0);
}

static void desire_is_stated_with_stamp_and_reason_and_only_once(void **state)
{
	struct node *n = *state;
	struct gen_desire d = run_for(900, "SOC 24 % is below 25 %");
	int statuses;

	genlink_desire(n->g, &d, clock_ms());
	UNTIL(n, n->orders == 1);
	assert_true(n->order_run);
	assert_int_equal(n->order_for_s, 900);
	assert_int_equal(n->order_boot_id, 77);
	assert_int_equal(n->order_epoch, 3);
	assert_int_equal(n->order_seq, 1);
	assert_string_equal(n->order_reason, "SOC 24 % is below 25 %");
	statuses = n->statuses;
	genlink_desire(n->g, &d, clock_ms());
	UNTIL(n, n->statuses >= statuses + 3);
	assert_int_equal(n->orders, 1);
}

static void stop_follows_a_run_at_once(void **state)
{
	struct node *n = *state;
	struct gen_desire d = run_for(900, "run"), stop = { .stated = true };

	genlink_desire(n->g, &d, clock_ms());
	UNTIL(n, n->orders == 1);
	genlink_desire(n->g, &stop, clock_ms());
	UNTIL(n, n->orders == 2);
	assert_false(n->order_run);
	assert_int_equal(n->order_for_s, 0);
	assert_int_equal(n->order_seq, 2);
}

static void run_is_renewed_long_before_it_ends(void **state)
{
	struct node *n = *state;
	struct gen_desire d = run_for(1, "run");
	int64_t first_ms;

	genlink_desire(n->g, &d, clock_ms());
	UNTIL(n, n->orders == 1);
	first_ms = clock_ms();
	UNTIL(n, n->orders == 2);
	assert_true(clock_ms() - first_ms < 900);
}

static void lost_link_is_a_state_and_the_desire_is_stated_anew_under_the_new_epoch(void **state)
{
	struct node *n = *state;
	const struct gen_view *v = genlink_view(n->g);
	struct gen_desire d = run_for(900, "run");

	genlink_desire(n->g, &d, clock_ms());
	UNTIL(n, n->orders == 1 && v->heard);
	n->epoch = 4;
	link_close(n->peer, "the test cuts it");
	UNTIL(n, v->state == GEN_DOWN);
	assert_false(genview_truth(v, clock_ms()).link);
	assert_false(v->holder);
	assert_true(v->status.running); /* last known, and known to be old */
	UNTIL(n, n->orders == 2);
	assert_int_equal(n->order_epoch, 4);
	assert_int_equal(n->order_seq, 1);
	assert_int_equal(n->hellos, 2);
}

static void what_was_desired_while_down_is_not_sent_late(void **state)
{
	struct node *n = *state;
	const struct gen_view *v = genlink_view(n->g);
	struct gen_desire d = run_for(900, "run"), stop = { .stated = true }, none = { 0 };

	UNTIL(n, v->holder);
	link_close(n->peer, "the test cuts it");
	UNTIL(n, v->state == GEN_DOWN);
	genlink_desire(n->g, &d, clock_ms());
	genlink_desire(n->g, &stop, clock_ms());
	genlink_desire(n->g, &none, clock_ms());
	UNTIL(n, v->holder && n->statuses >= 3);
	assert_int_equal(n->orders, 0);
}

static void peer_that_does_not_answer_in_five_seconds_is_left(void **state)
{
	struct node *n = *state;
	const struct gen_view *v = genlink_view(n->g);
	int64_t now_ms;

	UNTIL(n, v->heard);
	n->silent = true;
	now_ms = clock_ms();
	genlink_tick(n->g, 0, now_ms);
	genlink_tick(n->g, 0, now_ms + 4900);
	assert_int_equal(v->state, GEN_UP);
	genlink_tick(n->g, 0, now_ms + 5001);
	assert_int_equal(v->state, GEN_DOWN);
	assert_string_equal(v->down_because, "no answer within 5 s");
}

static void refused_order_is_shown_and_given_again_when_it_may_be(void **state)
{
	struct node *n = *state;
	const struct gen_view *v = genlink_view(n->g);
	struct gen_desire d = run_for(900, "run");

	n->order_code = GENCTL__CODE__LOCKED_OUT;
	genlink_desire(n->g, &d, clock_ms());
	UNTIL(n, v->order_code == GENCTL__CODE__LOCKED_OUT);
	assert_string_equal(v->order_text, "because the test says so");
	assert_true(v->holder);
	n->order_code = GENCTL__CODE__OK;
	genlink_tick(n->g, STATUS_MS, clock_ms() + 1000);
	assert_int_equal(n->orders, 1);
	genlink_tick(n->g, STATUS_MS, clock_ms() + 6000);
	UNTIL(n, n->orders == 2 && v->order_code == 0);
}

static void stale_order_gives_the_lease_up_and_takes_it_anew(void **state)
{
	struct node *n = *state;
	const struct gen_view *v = genlink_view(n->g);
	struct gen_desire d = run_for(900, "run");

	n->order_code = GENCTL__CODE__STALE;
	genlink_desire(n->g, &d, clock_ms());
	UNTIL(n, n->orders == 1 && !v->holder);
	n->order_code = GENCTL__CODE__OK;
	n->epoch = 9;
	UNTIL(n, v->holder);
	assert_int_equal(n->acquires, 2);
}

static void lease_of_another_is_respected(void **state)
{
	struct node *n = *state;
	const struct gen_view *v = genlink_view(n->g);
	struct gen_desire d = run_for(900, "run");

	n->no_lease = true;
	genlink_desire(n->g, &d, clock_ms());
	UNTIL(n, v->order_code == GENCTL__CODE__LEASE_TAKEN && n->statuses >= 3);
	assert_false(genview_truth(v, clock_ms()).holder);
	assert_int_equal(n->orders, 0);
}

static void answer_to_something_else_ends_the_line_and_counts_for_nothing(void **state)
{
	struct node *n = *state;
	const struct gen_view *v = genlink_view(n->g);

	n->confused = true;
	UNTIL(n, n->statuses > 0 && v->state == GEN_DOWN);
	assert_string_equal(v->down_because, "it does not speak our protocol");
	assert_false(v->heard);
}

static void event_before_the_hello_is_not_acted_on(void **state)
{
	struct node *n = *state;

	n->hasty = true;
	UNTIL(n, n->after_hello);
	assert_int_equal(n->after_hello, GENCTL__REQUEST__BODY_SUBSCRIBE);
}

static void phase_or_mode_that_is_none_is_a_fault_and_nothing_automatic(void **state)
{
	struct gen_view v = { .state = GEN_UP };
	Genctl__Status m = GENCTL__STATUS__INIT;

	m.phase = m.next_phase = (Genctl__Phase)-119;
	m.mode = (Genctl__Mode)-1;
	genview_status(&v, &m, 1);
	assert_int_equal(v.status.phase, ENGINE_FAULT);
	assert_int_equal(v.status.next_phase, ENGINE_FAULT);
	assert_int_equal(v.status.mode, MODE_OFF);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_up, node_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_NODE(greets_subscribes_and_holds_the_lease),
		WITH_NODE(looking_on_takes_no_lease_and_orders_nothing),
		WITH_NODE(desire_is_stated_with_stamp_and_reason_and_only_once),
		WITH_NODE(stop_follows_a_run_at_once),
		WITH_NODE(run_is_renewed_long_before_it_ends),
		WITH_NODE(
		    lost_link_is_a_state_and_the_desire_is_stated_anew_under_the_new_epoch),
		WITH_NODE(what_was_desired_while_down_is_not_sent_late),
		WITH_NODE(peer_that_does_not_answer_in_five_seconds_is_left),
		WITH_NODE(refused_order_is_shown_and_given_again_when_it_may_be),
		WITH_NODE(stale_order_gives_the_lease_up_and_takes_it_anew),
		WITH_NODE(lease_of_another_is_respected),
		WITH_NODE(answer_to_something_else_ends_the_line_and_counts_for_nothing),
		WITH_NODE(event_before_the_hello_is_not_acted_on),
		cmocka_unit_test(phase_or_mode_that_is_none_is_a_fault_and_nothing_automatic),
	};
	return cmocka_run_group_tests_name("genlink", tests, NULL, NULL);
}
