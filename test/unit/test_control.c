/* The control process as a process of its own, over loopback, before a guard played here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/frame.h"
#include "node-genctl/config.h"
#include "node-genctl/control.h"
#include "node-genctl/ipc.h"
#include "proto/genctl.pb-c.h"

enum { LIMIT_MS = 8000, SAMPLE_MS = 20, ORDERS = 512 };

struct world {
	struct genctl_config config;
	pid_t pid;
	int guard_fd, control_fd, log_fd, peer; /* control_fd: its end, to tune it */
	char log[16384];
	size_t log_n;
	struct guard_state g;
	struct inputs inputs;
	int64_t sampled_ms, crank_ms; /* crank_ms: since when the starter turns */
	int64_t catch_ms;	      /* of cranking */
	bool turning, silent, deaf, refuses_modes; /* deaf: it does not even read */
	enum sample_fault fault;
	uint8_t refuse; /* relay bits that are refused, by RULE_C1 */
	int norders;
	struct order orders[ORDERS];
	int64_t ordered_ms[ORDERS];
	uint32_t last_id;
	Genctl__Reply *reply; /* of the last ask() */
};

static void start_control(struct world *w)
{
	int guard[2], log[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, guard), 0);
	assert_int_equal(pipe(log), 0);
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (w->pid == 0) {
		dup2(log[1], STDERR_FILENO);
		close(guard[0]);
		close(log[0]);
		_exit(control_main(&w->config, guard[1]));
	}
	close(log[1]);
	w->control_fd = guard[1];
	w->guard_fd = guard[0];
	w->log_fd = log[0];
	w->log_n = 0;
	w->log[0] = 0;
}

static void push(struct world *w)
{
	w->g.now_ms = clock_ms();
	(void)send(w->guard_fd, &w->g, sizeof(w->g), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int32_t carry_out(struct world *w, const struct order *o)
{
	switch ((enum order_kind)o->kind) {
	case ORDER_RELAYS:
	case ORDER_RAW:
		if (o->relays & w->refuse)
			return RULE_C1;
		w->g.relays = o->relays;
		return 0;
	case ORDER_BEGIN:
		w->g.permit = 1;
		w->g.request += o->arg;
		return 0;
	case ORDER_MODE:
		if (w->refuses_modes)
			return -EPERM;
		w->g.mode = o->arg;
		return 0;
	case ORDER_ESTOP:
		w->g.mode = MODE_ESTOP;
		w->g.relays = 0;
		w->g.latches |= 1u << ALARM_EMERGENCY_STOP;
		return 0;
	default:
		return 0;
	}
}

static void take_orders(struct world *w)
{
	struct order o;

	while (recv(w->guard_fd, &o, sizeof(o), MSG_DONTWAIT) == (ssize_t)sizeof(o)) {
		if (w->norders < ORDERS) {
			w->ordered_ms[w->norders] = clock_ms();
			w->orders[w->norders++] = o;
		}
		if (w->silent || o.kind == ORDER_BEAT)
			continue;
		w->g.answer = carry_out(w, &o);
		w->g.answered = o.serial ? o.serial : w->g.answered;
		push(w);
	}
}

static void sample(struct world *w, int64_t now_ms)
{
	uint8_t r = w->g.relays, raw = 0;

	if (!(r & RELAY_STARTER))
		w->crank_ms = now_ms;
	if (now_ms - w->crank_ms >= w->catch_ms)
		w->turning = true;
	if (!(r & RELAY_IGNITION))
		w->turning = false;
	raw |= r & RELAY_IGNITION ? INPUT_IGNITION : 0;
	raw |= r & RELAY_STARTER ? INPUT_STARTER : 0;
	raw |= w->turning ? INPUT_ENGINE : 0;
	w->g.in = inputs_step(&w->inputs, raw, w->fault, r, now_ms);
	w->g.running = w->g.in.running;
	w->sampled_ms = now_ms;
	push(w);
}

static void take_log(struct world *w)
{
	ssize_t n = read(w->log_fd, w->log + w->log_n, sizeof(w->log) - 1 - w->log_n);

	if (n > 0)
		w->log_n += (size_t)n;
	w->log[w->log_n] = 0;
}

/* One turn of the guard; true when the peer's socket has something to read. */
static bool turn(struct world *w)
{
	struct pollfd p[3] = { { w->deaf ? -1 : w->guard_fd, POLLIN, 0 },
		{ w->log_fd, POLLIN, 0 }, { w->peer, POLLIN, 0 } };
	int64_t now_ms;

	poll(p, 3, 5);
	now_ms = clock_ms();
	if (p[0].revents)
		take_orders(w);
	if (p[1].revents & POLLIN)
		take_log(w);
	if (now_ms - w->sampled_ms >= SAMPLE_MS && !w->silent)
		sample(w, now_ms);
	return p[2].revents;
}

static int port_of(const struct world *w, const char *server)
{
	char words[64];
	const char *at;

	snprintf(words, sizeof(words), "%s: listening on port ", server);
	at = strstr(w->log, words);
	return at && strchr(at, '\n') ? atoi(at + strlen(words)) : 0;
}

static int connect_to(struct world *w, const char *server)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	for (int64_t end_ms = clock_ms() + LIMIT_MS; !port_of(w, server);) {
		assert_true(clock_ms() < end_ms);
		turn(w);
	}
	a.sin_port = htons((uint16_t)port_of(w, server));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void read_exactly(struct world *w, uint8_t *to, size_t n)
{
	int64_t end_ms = clock_ms() + LIMIT_MS;

	while (n > 0) {
		assert_true(clock_ms() < end_ms);
		if (turn(w)) {
			ssize_t got = recv(w->peer, to, n, 0);

			assert_true(got > 0);
			to += got;
			n -= (size_t)got;
		}
	}
}

static Genctl__Reply *next_reply(struct world *w)
{
	uint8_t head[4], *body;
	ProtobufCMessage *m;
	size_t n;

	read_exactly(w, head, sizeof(head));
	n = (size_t)head[2] << 8 | head[3];
	body = malloc(n);
	read_exactly(w, body, n);
	m = frame_unpack(&genctl__reply__descriptor, body, n, true);
	assert_non_null(m);
	free(body);
	return (Genctl__Reply *)m;
}

static void post(struct world *w, Genctl__Request *q)
{
	size_t n;
	uint8_t *frame;

	q->id = ++w->last_id;
	frame = frame_pack(&q->base, &n);
	assert_int_equal(send(w->peer, frame, n, 0), n);
	free(frame);
}

/* The answer to the last request posted; pushed events are passed over. */
static const Genctl__Reply *answer(struct world *w)
{
	do {
		if (w->reply)
			genctl__reply__free_unpacked(w->reply, NULL);
		w->reply = next_reply(w);
	} while (w->reply->id != w->last_id);
	return w->reply;
}

static const Genctl__Reply *ask(struct world *w, Genctl__Request *q)
{
	post(w, q);
	return answer(w);
}

static const Genctl__Reply *ask_empty(struct world *w, Genctl__Request__BodyCase what)
{
	Genctl__Request q = GENCTL__REQUEST__INIT;
	Genctl__Empty empty = GENCTL__EMPTY__INIT;

	q.body_case = what;
	q.ping = &empty;
	return ask(w, &q);
}

static void hello(struct world *w)
{
	Genctl__Request q = GENCTL__REQUEST__INIT;
	Genctl__Hello h = GENCTL__HELLO__INIT;

	w->peer = connect_to(w, "server");
	h.major = 1;
	h.role = GENCTL__ROLE__OPERATOR;
	q.body_case = GENCTL__REQUEST__BODY_HELLO;
	q.hello = &h;
	assert_int_equal(ask(w, &q)->body_case, GENCTL__REPLY__BODY_HELLO);
}

static const Genctl__Reply *start(struct world *w)
{
	Genctl__Request q = GENCTL__REQUEST__INIT;
	Genctl__Start s = GENCTL__START__INIT;

	q.body_case = GENCTL__REQUEST__BODY_START;
	q.start = &s;
	return ask(w, &q);
}

static void until_phase(struct world *w, Genctl__Phase phase)
{
	for (int64_t end_ms = clock_ms() + LIMIT_MS;
	     ask_empty(w, GENCTL__REQUEST__BODY_STATUS)->status->phase != phase;)
		assert_true(clock_ms() < end_ms);
}

static void run_for(struct world *w, int64_t ms)
{
	for (int64_t end_ms = clock_ms() + ms; clock_ms() < end_ms;)
		turn(w);
}

static int count(const struct world *w, enum order_kind kind)
{
	int n = 0;

	for (int i = 0; i < w->norders; i++)
		n += w->orders[i].kind == kind;
	return n;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct engine_config *e = &w->config.engine;

	conf_defaults(config_keys, config_nkeys, &w->config);
	snprintf(w->config.listen, sizeof(w->config.listen), "127.0.0.1:0");
	snprintf(w->config.text_listen, sizeof(w->config.text_listen), "127.0.0.1:0");
	*e = (struct engine_config){ .reset_ms = 20,
		.ignition_ms = 100,
		.crank_ms = 2000,
		.coast_ms = 600,
		.warmup_ms = 50,
		.stabilise_ms = 50,
		.cooldown_ms = 100,
		.attempts = 2,
		.lost_ms = 200,
		.max_run_ms = 3600000 };
	inputs_init(&w->inputs, e, clock_ms());
	w->g.known = w->g.simulated = 1;
	w->g.crank_ms = w->g.stopped_ms = w->g.run_from_ms = w->g.deadline_ms =
	    w->g.lockout_until_ms = w->g.charger_off_ms = NEVER;
	w->catch_ms = 60;
	w->peer = -1;
	start_control(w);
	*state = w;
	return 0;
}

static int end_control(struct world *w)
{
	int status = -1;

	close(w->guard_fd);
	close(w->control_fd);
	waitpid(w->pid, &status, 0);
	close(w->log_fd);
	return status;
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (w->reply)
		genctl__reply__free_unpacked(w->reply, NULL);
	if (w->peer >= 0)
		close(w->peer);
	kill(w->pid, SIGKILL);
	end_control(w);
	free(w);
	return 0;
}

static void control_ends_when_its_guard_is_gone(void **state)
{
	struct world *w = *state;

	hello(w);
	assert_int_equal(end_control(w), 0);
	start_control(w); /* for teardown */
}

static void an_operators_start_ends_on_load_and_its_stop_at_rest(void **state)
{
	struct world *w = *state;

	hello(w);
	assert_int_equal(start(w)->accepted->request, 1);
	until_phase(w, GENCTL__PHASE__LOADED);
	assert_int_equal(w->g.relays, RELAY_IGNITION | RELAY_CHARGER);
	assert_int_equal(count(w, ORDER_BEGIN), 1);
	ask_empty(w, GENCTL__REQUEST__BODY_STOP);
	until_phase(w, GENCTL__PHASE__OFF);
	assert_int_equal(w->g.relays, 0);
	assert_int_equal(w->g.mode, MODE_OPERATOR_STOP);
	ask_empty(w, GENCTL__REQUEST__BODY_AUTO_MODE);
	assert_int_equal(w->g.mode, MODE_AUTO);
}

static void defect_d7_and_0_1_stop_is_answered_while_the_cool_down_still_runs(void **state)
{
	struct world *w = *state;

	hello(w);
	start(w);
	until_phase(w, GENCTL__PHASE__LOADED);
	assert_non_null(ask_empty(w, GENCTL__REQUEST__BODY_STOP)->accepted);
	assert_int_not_equal(
	    ask_empty(w, GENCTL__REQUEST__BODY_STATUS)->status->phase, GENCTL__PHASE__OFF);
	until_phase(w, GENCTL__PHASE__OFF);
}

static void each_phase_is_told_once_its_byte_stands_with_the_time_it_has_left(void **state)
{
	struct world *w = *state;
	Genctl__Request q = GENCTL__REQUEST__INIT;
	Genctl__EventQuery all = GENCTL__EVENT_QUERY__INIT;
	const Genctl__Events *told;
	int phases = 0;

	hello(w);
	start(w);
	until_phase(w, GENCTL__PHASE__LOADED);
	run_for(w, 100);
	q.body_case = GENCTL__REQUEST__BODY_EVENTS;
	q.events = &all;
	told = ask(w, &q)->events;
	for (size_t i = 0; i < told->n_event; i++) {
		const Genctl__Event *e = told->event[i];

		if (e->phase == GENCTL__PHASE__CRANK && ++phases)
			assert_int_equal(e->relays, RELAY_IGNITION | RELAY_STARTER);
		if (e->phase == GENCTL__PHASE__COAST && ++phases)
			assert_in_range(e->left_ms, 500, 600);
		if (e->phase == GENCTL__PHASE__LOADED && ++phases)
			assert_int_equal(e->relays, RELAY_IGNITION | RELAY_CHARGER);
	}
	assert_int_equal(phases, 3);
}

static void a_refused_byte_is_told_once_and_asked_for_ten_times_a_second_at_most(void **state)
{
	struct world *w = *state;
	int before, told = 0;

	w->refuse = RELAY_CHARGER;
	hello(w);
	start(w);
	until_phase(w, GENCTL__PHASE__STABILISE);
	run_for(w, 300);
	before = w->norders;
	run_for(w, 1000);
	for (int i = before; i < w->norders; i++)
		told += w->orders[i].kind == ORDER_RELAYS;
	assert_in_range(told, 1, 11);
	told = 0;
	for (const char *at = w->log; (at = strstr(at, "refused: C1")); at++)
		told++;
	assert_int_equal(told, 1);
}

static void the_guard_hears_a_beat_each_50_ms_while_the_starter_turns(void **state)
{
	struct world *w = *state;
	int64_t last_ms = 0, longest_ms = 0;
	int n = 0;

	w->catch_ms = 800;
	hello(w);
	start(w);
	until_phase(w, GENCTL__PHASE__COAST);
	for (int i = 0; i < w->norders; i++) {
		if (w->orders[i].phase != PHASE_CRANK)
			continue;
		if (last_ms && w->ordered_ms[i] - last_ms > longest_ms)
			longest_ms = w->ordered_ms[i] - last_ms;
		last_ms = w->ordered_ms[i];
		n++;
	}
	assert_true(n >= 8);
	assert_true(longest_ms <= 150);
}

static void an_emergency_stop_reaches_the_guard_past_any_crowd_of_orders(void **state)
{
	struct world *w = *state;
	Genctl__Request q = GENCTL__REQUEST__INIT;
	Genctl__Empty empty = GENCTL__EMPTY__INIT;

	hello(w);
	w->silent = true;
	q.ping = &empty;
	for (int i = 0; i < 60; i++) {
		q.body_case =
		    i % 2 ? GENCTL__REQUEST__BODY_STOP : GENCTL__REQUEST__BODY_AUTO_MODE;
		post(w, &q);
	}
	q.body_case = GENCTL__REQUEST__BODY_ESTOP;
	assert_int_equal(ask(w, &q)->body_case, GENCTL__REPLY__BODY_ACCEPTED);
	assert_int_equal(count(w, ORDER_ESTOP), 1);
}

static void a_start_right_behind_an_emergency_stop_is_refused(void **state)
{
	struct world *w = *state;
	Genctl__Request q = GENCTL__REQUEST__INIT;
	Genctl__Empty empty = GENCTL__EMPTY__INIT;

	hello(w);
	w->silent = true; /* the guard has not taken it yet */
	q.ping = &empty;
	q.body_case = GENCTL__REQUEST__BODY_ESTOP;
	assert_int_equal(ask(w, &q)->body_case, GENCTL__REPLY__BODY_ACCEPTED);
	assert_int_equal(start(w)->error->code, GENCTL__CODE__MODE);
	push(w); /* what the guard said before it */
	run_for(w, 20);
	assert_int_equal(start(w)->error->code, GENCTL__CODE__MODE);
	assert_int_equal(count(w, ORDER_BEGIN), 0);
}

static void one_bad_sample_delays_a_start_and_a_silent_board_refuses_it_with_the_reason(
    void **state)
{
	struct world *w = *state;

	hello(w);
	w->fault = SAMPLE_ERROR;
	run_for(w, BAD_MS + 100);
	assert_int_equal(start(w)->error->code, GENCTL__CODE__FAULT);
	assert_non_null(strstr(w->reply->error->text, "does not answer"));
	w->fault = SAMPLE_OK;
	run_for(w, 100);
	w->fault = SAMPLE_ERROR;
	run_for(w, 2 * SAMPLE_MS);
	assert_int_equal(start(w)->body_case, GENCTL__REPLY__BODY_ACCEPTED);
	assert_int_equal(count(w, ORDER_BEGIN), 0);
	w->fault = SAMPLE_OK;
	until_phase(w, GENCTL__PHASE__LOADED);
}

static void a_guard_that_does_not_read_is_written_to_no_oftener_than_beats_are_due(void **state)
{
	struct world *w = *state;
	int few = 1, told = 0;

	hello(w);
	assert_int_equal(
	    setsockopt(w->control_fd, SOL_SOCKET, SO_SNDBUF, &few, sizeof(few)), 0);
	w->deaf = true;
	for (int64_t end_ms = clock_ms() + LIMIT_MS; !strstr(w->log, "takes no order");) {
		assert_true(clock_ms() < end_ms);
		run_for(w, 20);
	}
	run_for(w, 2000);
	for (const char *at = w->log; (at = strstr(at, "takes no order")); at++)
		told++;
	assert_in_range(told, 2, 6);
}

static void a_guard_that_does_not_answer_is_told_of_within_about_a_second(void **state)
{
	struct world *w = *state;
	int64_t began_ms;

	hello(w);
	w->silent = true;
	began_ms = clock_ms();
	assert_int_equal(
	    ask_empty(w, GENCTL__REQUEST__BODY_AUTO_MODE)->error->code, GENCTL__CODE__FAULT);
	assert_in_range(clock_ms() - began_ms, 900, 3000);
}

static void a_new_control_takes_on_what_runs_without_moving_a_relay(void **state)
{
	struct world *w = *state;

	hello(w);
	start(w);
	until_phase(w, GENCTL__PHASE__LOADED);
	w->g.deadline_ms = clock_ms() + 60000;
	w->g.control_phase = PHASE_LOADED;
	w->g.control_since_ms = clock_ms();
	kill(w->pid, SIGKILL);
	end_control(w);
	close(w->peer);
	w->norders = 0;
	start_control(w);
	hello(w);
	until_phase(w, GENCTL__PHASE__LOADED);
	run_for(w, 300);
	assert_int_equal(count(w, ORDER_RELAYS), 0);
	assert_int_equal(w->g.relays, RELAY_IGNITION | RELAY_CHARGER);
}

static void a_field_from_a_newer_peer_is_refused_and_the_connection_goes_on(void **state)
{
	struct world *w = *state;
	/* Request { id: 99, start: {}, and field 200 } */
	static const uint8_t newer[] = { 0, 0, 0, 8, 0x08, 99, 0x4a, 0, 0xc2, 0x0c, 1, 'x' };
	const Genctl__Reply *r;

	hello(w);
	w->last_id = 99;
	assert_int_equal(send(w->peer, newer, sizeof(newer), 0), sizeof(newer));
	r = answer(w);
	assert_int_equal(r->error->code, GENCTL__CODE__BAD_REQUEST);
	assert_int_equal(
	    ask_empty(w, GENCTL__REQUEST__BODY_PING)->body_case, GENCTL__REPLY__BODY_PONG);
	assert_int_equal(count(w, ORDER_MODE), 0);
}

/* Text protocol */

static void expect_line(struct world *w, const char *expected)
{
	char line[256];
	size_t n = 0;

	do
		read_exactly(w, (uint8_t *)&line[n], 1);
	while (line[n++] != '\n' && n < sizeof(line));
	line[n - 1] = 0;
	assert_string_equal(line, expected);
}

static void say(struct world *w, const char *lines)
{
	assert_int_equal(send(w->peer, lines, strlen(lines), 0), strlen(lines));
}

static void text_start_answers_on_load_and_what_came_meanwhile_follows_in_order(void **state)
{
	struct world *w = *state;

	w->peer = connect_to(w, "text");
	expect_line(w, "GENNY SERVER READY");
	say(w, "start now\r\nPING\n\nstart\n");
	expect_line(w, "OK: Generator started and charger enabled");
	expect_line(w, "PONG");
	expect_line(w, "ERROR: Generator already running");
	say(w, "STOP\n");
	expect_line(w, "OK: Generator stopped (after 3 min cooldown)");
	assert_int_equal(w->g.relays, 0);
	say(w, "QUIT\n");
	expect_line(w, "BYE");
}

static void text_start_that_the_guard_does_not_take_is_told_as_failed(void **state)
{
	struct world *w = *state;

	w->peer = connect_to(w, "text");
	expect_line(w, "GENNY SERVER READY");
	w->refuses_modes = true;
	say(w, "START\nPING\n");
	expect_line(w, "ERROR: Generator failed to start (status=0)");
	expect_line(w, "PONG");
}

static void text_start_that_is_stopped_by_another_is_told_as_failed(void **state)
{
	struct world *w = *state;
	int text;

	w->peer = text = connect_to(w, "text");
	expect_line(w, "GENNY SERVER READY");
	w->catch_ms = LIMIT_MS;
	say(w, "START\n");
	while (!(w->g.relays & RELAY_STARTER))
		turn(w);
	hello(w);
	ask_empty(w, GENCTL__REQUEST__BODY_STOP);
	close(w->peer);
	w->peer = text;
	expect_line(w, "ERROR: Generator failed to start (status=0)");
	assert_int_equal(w->g.relays, 0);
}

static void text_start_that_waited_through_an_emergency_stop_starts_nothing(void **state)
{
	struct world *w = *state;

	w->peer = connect_to(w, "text");
	expect_line(w, "GENNY SERVER READY");
	say(w, "START\n");
	expect_line(w, "OK: Generator started and charger enabled");
	say(w, "STOP\nSTART\nPING\n");
	while (w->g.mode != MODE_OPERATOR_STOP)
		turn(w);
	w->g.mode = MODE_ESTOP; /* by the switch, and cleared before the engine is at rest */
	w->g.latches = 1u << ALARM_EMERGENCY_STOP;
	w->g.relays = 0;
	run_for(w, 100);
	w->g.mode = MODE_OFF;
	w->g.latches = 0;
	expect_line(w, "OK: Generator stopped (after 3 min cooldown)");
	expect_line(w, "ERROR: An emergency stop came since, send it again");
	expect_line(w, "PONG");
	assert_int_equal(w->g.mode, MODE_OFF);
}

static void text_lines_beyond_the_queue_end_their_connection_alone(void **state)
{
	struct world *w = *state;
	int crowded;

	w->peer = crowded = connect_to(w, "text");
	expect_line(w, "GENNY SERVER READY");
	say(w, "START\n");
	for (int i = 0; i < 33; i++)
		say(w, "PING\n");
	expect_line(w, "ERROR: Too many commands are waiting");
	hello(w);
	until_phase(w, GENCTL__PHASE__LOADED);
	close(crowded);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(control_ends_when_its_guard_is_gone),
		TEST(an_operators_start_ends_on_load_and_its_stop_at_rest),
		TEST(defect_d7_and_0_1_stop_is_answered_while_the_cool_down_still_runs),
		TEST(each_phase_is_told_once_its_byte_stands_with_the_time_it_has_left),
		TEST(a_refused_byte_is_told_once_and_asked_for_ten_times_a_second_at_most),
		TEST(the_guard_hears_a_beat_each_50_ms_while_the_starter_turns),
		TEST(an_emergency_stop_reaches_the_guard_past_any_crowd_of_orders),
		TEST(a_start_right_behind_an_emergency_stop_is_refused),
		TEST(
		    one_bad_sample_delays_a_start_and_a_silent_board_refuses_it_with_the_reason),
		TEST(a_guard_that_does_not_read_is_written_to_no_oftener_than_beats_are_due),
		TEST(a_guard_that_does_not_answer_is_told_of_within_about_a_second),
		TEST(a_new_control_takes_on_what_runs_without_moving_a_relay),
		TEST(a_field_from_a_newer_peer_is_refused_and_the_connection_goes_on),
		TEST(text_start_answers_on_load_and_what_came_meanwhile_follows_in_order),
		TEST(text_start_that_the_guard_does_not_take_is_told_as_failed),
		TEST(text_start_that_is_stopped_by_another_is_told_as_failed),
		TEST(text_start_that_waited_through_an_emergency_stop_starts_nothing),
		TEST(text_lines_beyond_the_queue_end_their_connection_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
