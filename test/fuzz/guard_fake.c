#include "test/fuzz/guard_fake.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "node-genctl/control.h"
#include "node-genctl/health.h"
#include "test/fuzz/loop_fake.h"

enum {
	GUARD_FD = 1000,
	QUEUE = 32,
	STEPS_MAX = 3000, /* of one conversation, so that an input takes no long time */
	STEPS_A_WAIT = 60,
	STEP_CRANK_MS = 50,
	STEP_MS = 100
};

struct guard_fake {
	struct genctl_config config;
	struct inputs inputs;
	struct interlock k;
	enum guard_mood mood;
	bool leaves, catches, turns, bus_fails, shutdown, forced;
	uint8_t noise, phase;
	int64_t since_ms, cranked_ms;
	uint32_t answered, serial;
	int32_t answer;
	uint8_t told_rule;
	int steps;
	struct order orders[QUEUE];
	struct guard_state states[QUEUE];
	size_t norders, nstates;
	struct guard_state heard; /* the last that control has taken */
	bool estopped;
	int64_t may_run_ms; /* until when a run may begin; INT64_MIN: may not */
};

static struct guard_fake *g;

/* What the system would answer, always the same. */

struct health health_read(void)
{
	return (struct health){ 3600, 42, INT64_C(1) << 30, 35 };
}

ssize_t getrandom(void *buf, size_t n, unsigned flags)
{
	memset(buf, 0x5a, n);
	return (ssize_t)n;
}

/* What control sends is checked as it is sent */

static void check_relays(const struct order *o)
{
	static const uint8_t sequence[] = { 0x00, 0x08, 0x09, 0x0d, 0x0a };

	assert(memchr(sequence, o->relays, sizeof(sequence)));
	assert(!g->estopped || (o->relays & ~g->heard.relays) == 0); /* nothing closes */
}

static void check_order(const struct order *o)
{
	assert(o->kind < ORDER_KINDS && o->kind != ORDER_CLEAR && o->phase <= PHASE_N);
	if (o->serial) {
		assert(o->serial > g->serial); /* one that could not be sent is left out */
		g->serial = o->serial;
	} else {
		assert(o->kind == ORDER_BEAT || o->kind == ORDER_ESTOP);
	}
	if (o->kind == ORDER_RELAYS)
		check_relays(o);
	if (o->kind == ORDER_RAW)
		assert(o->relays <= RELAY_ALL &&
		       (o->relays == 0 || g->heard.mode == MODE_MAINTENANCE));
	if (o->kind == ORDER_BEGIN)
		assert(!g->estopped);
	if (o->kind == ORDER_BEGIN && o->arg)
		assert(clock_ms() < g->may_run_ms);
	if (o->kind == ORDER_MODE)
		assert(o->arg <= MODE_MAINTENANCE);
}

ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	assert(fd == GUARD_FD && n == sizeof(struct order));
	if (g->norders == QUEUE) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(&g->orders[g->norders++], buf, n);
	check_order(&g->orders[g->norders - 1]);
	return (ssize_t)n;
}

ssize_t recv(int fd, void *buf, size_t n, int flags)
{
	assert(fd == GUARD_FD && n == sizeof(struct guard_state));
	if (g->nstates == 0 && g->leaves)
		return 0;
	if (g->nstates == 0) {
		errno = EAGAIN;
		return -1;
	}
	g->heard = g->states[0];
	if (g->heard.mode != MODE_ESTOP && g->k.ledger.mode != MODE_ESTOP)
		g->estopped = false;
	else if (g->heard.mode == MODE_ESTOP)
		guard_fake_estopped();
	memcpy(buf, &g->heard, n);
	g->nstates--;
	memmove(g->states, g->states + 1, g->nstates * sizeof(g->states[0]));
	return (ssize_t)n;
}

void guard_fake_allow(int64_t until_ms)
{
	g->may_run_ms = until_ms;
}

void guard_fake_estopped(void)
{
	g->estopped = true;
	g->may_run_ms = INT64_MIN;
}

/* The guard */

static void push(void)
{
	const struct ledger *l = &g->k.ledger;

	if (g->nstates == QUEUE || g->mood == GUARD_SILENT || g->mood == GUARD_DEAF)
		return;
	g->states[g->nstates++] = (struct guard_state){
		.now_ms = clock_ms(),
		.in = g->k.in,
		.relays = g->k.relays,
		.known = g->k.known,
		.forced = g->forced,
		.mode = l->mode,
		.descending = g->k.descending,
		.permit = g->k.permit,
		.shutdown = g->shutdown,
		.control_phase = g->phase,
		.control_since_ms = g->since_ms,
		.external = g->k.alarms >> ALARM_EXTERNAL_RUN & 1,
		.simulated = true,
		.answered = g->answered,
		.answer = g->answer,
		.alarms = g->k.alarms,
		.latches = l->latches,
		.ready_ms = interlock_ready_ms(&g->k),
		.crank_ms = l->crank_ms,
		.charger_off_ms = g->k.charger_off_ms,
		.stopped_ms = l->stopped_ms,
		.run_from_ms = g->k.proved ? l->run_from_ms : NEVER,
		.deadline_ms = g->k.proved ? l->deadline_ms : NEVER,
		.lockout_until_ms = NEVER,
		.failed = l->failed,
		.running = g->k.in.running,
		.request = l->request,
		.total_starts = l->total_starts,
		.total_run_s = l->total_run_s,
		.told_alarm = ALARM_N,
		.told_rule = g->told_rule,
	};
	g->told_rule = RULE_NONE;
}

static void answer(uint32_t serial, int32_t code)
{
	if (!serial)
		return;
	g->answered = serial;
	g->answer = code;
	push();
}

static void written(uint8_t relays, bool forced)
{
	g->forced = forced;
	interlock_acked(&g->k, relays, clock_ms());
}

static int32_t relays(const struct order *o)
{
	bool raw = g->k.ledger.mode == MODE_MAINTENANCE;
	enum rule rule = interlock_gate(&g->k, o->relays, clock_ms());

	if (raw != (o->kind == ORDER_RAW) && o->relays)
		rule = RULE_L3;
	if (rule != RULE_NONE)
		return (int32_t)rule;
	if (raw)
		g->k.raw_ms = clock_ms();
	written(o->relays, false);
	return 0;
}

static int32_t begin(const struct order *o)
{
	enum begin rc;

	interlock_drop_permit(&g->k);
	rc = interlock_begin(&g->k,
	    &(struct start){ .first = o->arg == 1, .by = o->by, .age_ms = o->age_ms },
	    clock_ms());
	if (rc == BEGIN_OK)
		interlock_permit(&g->k);
	return (int32_t)rc;
}

static int32_t carry_out(const struct order *o)
{
	switch ((enum order_kind)o->kind) {
	case ORDER_RELAYS:
	case ORDER_RAW:
		return g->mood == GUARD_REFUSES && o->relays ? RULE_C1 : relays(o);
	case ORDER_BEGIN:
		return g->mood == GUARD_REFUSES ? BEGIN_FAULT : begin(o);
	case ORDER_MODE:
		return g->mood == GUARD_REFUSES ? -EPERM
						: interlock_mode(&g->k, (enum mode)o->arg);
	case ORDER_ESTOP:
		interlock_estop(&g->k);
		written(0, true);
		return 0;
	case ORDER_ABANDON:
		interlock_drop_permit(&g->k);
		return 0;
	default:
		return 0;
	}
}

static void take_orders(void)
{
	for (size_t i = 0; i < g->norders; i++) {
		const struct order *o = &g->orders[i];

		if (o->phase < PHASE_N) {
			g->phase = o->phase;
			g->since_ms = o->since_ms;
			interlock_deadline(&g->k, o->deadline_ms);
		}
		if (o->kind == ORDER_BEAT ||
		    (g->mood == GUARD_SILENT && o->kind != ORDER_ESTOP))
			continue;
		answer(o->serial, carry_out(o));
	}
	g->norders = 0;
}

void guard_fake_settle(void)
{
	for (int i = 0; i < QUEUE && (g->norders || g->nstates); i++) {
		if (g->mood != GUARD_DEAF)
			take_orders();
		loop_fake_heard();
		loop_fake_until(clock_ms());
		if (g->mood == GUARD_DEAF)
			break;
	}
}

static uint8_t engine_inputs(void)
{
	uint8_t r = g->k.relays, raw = g->noise;

	if (!(r & RELAY_STARTER))
		g->cranked_ms = clock_ms();
	else if (g->catches && clock_ms() - g->cranked_ms >= 500)
		g->turns = true;
	if (!(r & RELAY_IGNITION) && g->catches)
		g->turns = false;
	raw |= r & RELAY_IGNITION ? INPUT_IGNITION : 0;
	raw |= r & RELAY_STARTER ? INPUT_STARTER : 0;
	return raw | (g->turns ? INPUT_ENGINE : 0);
}

static void sample(void)
{
	enum sample_fault fault = g->bus_fails ? SAMPLE_ERROR : SAMPLE_OK;
	struct inputs_view in =
	    inputs_step(&g->inputs, engine_inputs(), fault, g->k.relays, clock_ms());
	struct verdict v = interlock_watch(&g->k, &in, clock_ms());

	if (v.write) {
		g->told_rule = (uint8_t)v.rule;
		written(v.relays, true);
	}
	push();
}

void guard_fake_wait(int64_t ms)
{
	int64_t end_ms = clock_ms() + ms, step_ms = ms / STEPS_A_WAIT;

	while (clock_ms() < end_ms && g->steps < STEPS_MAX) {
		int64_t shortest_ms = g->k.relays & RELAY_STARTER ? STEP_CRANK_MS : STEP_MS;

		if (step_ms < shortest_ms || g->k.relays & RELAY_STARTER)
			step_ms = shortest_ms;
		loop_fake_until(clock_ms() + step_ms);
		sample();
		guard_fake_settle();
		g->steps++;
	}
}

static void act_engine(unsigned arg)
{
	g->catches = arg & 1;
	g->turns = arg & 2;
	g->bus_fails = arg & 4;
	g->noise = arg & 8 ? INPUT_STARTER : 0;
}

static void act_operator(unsigned arg)
{
	switch (arg) {
	case 0:
		(void)interlock_clear(&g->k);
		break;
	case 1:
		(void)interlock_mode(&g->k, MODE_OPERATOR_STOP);
		break;
	case 2:
		(void)interlock_mode(&g->k, MODE_MAINTENANCE);
		break;
	case 3:
		(void)interlock_mode(&g->k, MODE_AUTO);
		break;
	case 4:
		interlock_estop(&g->k);
		break;
	case 5:
		interlock_descend(&g->k, ALARM_MAX_RUN, clock_ms());
		break;
	case 6:
		g->shutdown = !g->shutdown;
		break;
	default:
		g->k.ready = arg & 1;
		break;
	}
	sample();
	guard_fake_settle();
}

void guard_fake_act(enum guard_act what, unsigned arg)
{
	static const int64_t waits_ms[] = { 0, 1, 20, 50, 100, 200, 500, 1000, 1500, 2000, 3000,
		5000, 5001, 6000, 8000, 10000 };

	switch (what) {
	case ACT_WAIT:
		guard_fake_wait(waits_ms[arg]);
		break;
	case ACT_WAIT_LONG:
		guard_fake_wait(INT64_C(7000) * (1 + arg));
		break;
	case ACT_MOOD:
		g->mood = (enum guard_mood)(arg % GUARD_MOODS);
		break;
	case ACT_ENGINE:
		act_engine(arg);
		break;
	case ACT_OPERATOR:
		act_operator(arg);
		break;
	}
}

void guard_fake_rest(void)
{
	g->mood = GUARD_OBEYS;
	g->shutdown = false;
	g->steps = 0;
	act_engine(1);
	guard_fake_wait(7000);
	(void)interlock_clear(&g->k);
	(void)interlock_mode(&g->k, MODE_OPERATOR_STOP);
	guard_fake_wait(60000);
	assert(g->k.relays == 0);
}

struct control *guard_fake_control(void)
{
	return loop_fake_owner();
}

void guard_fake_config(struct genctl_config *config)
{
	conf_defaults(config_keys, config_nkeys, config);
	strcpy(config->text_listen, "127.0.0.1:9998");
	config->text_allow_relay = true;
	config->engine = (struct engine_config){ .reset_ms = 100,
		.ignition_ms = 500,
		.crank_ms = 2000,
		.glow_assist_ms = 500,
		.coast_ms = 1000,
		.warmup_ms = 1000,
		.stabilise_ms = 1000,
		.cooldown_ms = 2000,
		.crank_rest_ms = 5000,
		.at_rest_ms = 5000,
		.attempts = 2,
		.lost_ms = 1000,
		.fail_to_stop_ms = 10000,
		.max_run_ms = 60000,
		.starts_per_hour = 8,
		.lockout_ms = 60000,
		.glow_mode = GLOW_ASSIST };
}

/* The guard goes: control must end by itself. */
static void leave(void)
{
	g->leaves = true;
	g->norders = 0;
	loop_fake_heard();
	assert(loop_fake_broken());
}

static void (*talk)(void *arg);

static void converse(void *arg)
{
	g->mood = GUARD_OBEYS;
	sample();
	guard_fake_settle();
	talk(arg);
	leave();
}

void guard_fake_run(
    const struct genctl_config *config, void (*conversation)(void *arg), void *arg)
{
	static struct guard_fake fresh;
	struct ledger nothing;

	fresh =
	    (struct guard_fake){ .config = *config, .catches = true, .may_run_ms = INT64_MIN };
	g = &fresh;
	talk = conversation;
	fuzz_clock_set(FUZZ_EPOCH_MS);
	ledger_init(&nothing);
	inputs_init(&g->inputs, &g->config.engine, clock_ms());
	interlock_init(&g->k, &g->config.engine, &nothing, clock_ms());
	g->k.ready = true;
	interlock_acked(&g->k, 0, clock_ms());
	loop_fake_set(converse, arg);
	assert(control_main(&g->config, GUARD_FD) == 0);
}
