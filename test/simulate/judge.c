#include "test/simulate/judge.h"

#include <stdio.h>
#include <string.h>

#include "node-genctl/ipc.h"
#include "test/oracle.h"
#include "test/simulate/faults.h"
#include "test/simulate/os.h"
#include "test/simulate/report.h"
#include "test/simulate/script.h"
#include "test/simulate/site.h"

enum {
	ORDERS = 32,
	RETRY_MS = 400,
	LEFT_MS = 1500,
	COOLED_MS = 200000,
	AGAIN_MS = 300000,
	FOLLOW_MS = 20,
	FED_MS = 1200,
	PROVED_LATER_MS = 200 /* the guard needs a sample for it */
};

struct judge_view judge_view;
struct judge_excuses judge_excuses;

static struct oracle_times times;
static struct oracle columns[2]; /* what was acknowledged, what the contacts did */
static struct order orders[ORDERS];
static struct {
	int acked, contacts, inputs;
} last;
static uint32_t answered, pending_events;
static int64_t held_ms, acked_ms, fuelled_ms, restarted_ms;
static int held;			/* a byte that waits for its reason; ORACLE_NONE */
static int64_t left_ms;			/* maintenance ended */
static bool adopted, cools, first_look; /* first: of a new guard */
static bool caught_in_reset;

static uint64_t bits(const int *rules, size_t n)
{
	uint64_t set = 0;

	for (size_t i = 0; i < n; i++)
		set |= ORACLE_BIT(rules[i]);
	return set;
}

/* What nobody can do while the board takes no byte. */
static uint64_t duties(void)
{
	static const int rules[] = { ORACLE_S3, ORACLE_S4, ORACLE_S7, ORACLE_S8, ORACLE_F1,
		ORACLE_F2, ORACLE_F3, ORACLE_G1, ORACLE_C3, ORACLE_R1, ORACLE_R2, ORACLE_R4,
		ORACLE_R5, ORACLE_I2, ORACLE_L3 };

	return bits(rules, sizeof(rules) / sizeof(rules[0]));
}

/* Starter rules hold whoever is gone: that is what the deadman is for. */
static uint64_t of_the_starter(void)
{
	static const int rules[] = { ORACLE_S1, ORACLE_S2, ORACLE_S4, ORACLE_S5, ORACLE_S6 };

	return bits(rules, sizeof(rules) / sizeof(rules[0]));
}

static uint64_t excused(int column)
{
	uint64_t set = 0;

	if (sim_ms < judge_excuses.board_until_ms + RETRY_MS)
		set |= duties();
	if (sim_ms < judge_excuses.guard_until_ms + RETRY_MS)
		set |= ~of_the_starter();
	if (sim_ms < judge_excuses.stuck_until_ms) /* held, as an engine that may run */
		set |= ORACLE_BIT(ORACLE_F2);
	if (sim_ms < judge_excuses.wire_until_ms) /* on the run a warning, by design */
		set |= ORACLE_BIT(ORACLE_F3);
	if (judge_view.mode == MODE_MAINTENANCE) /* what was long ago binds no raw byte */
		set |= ORACLE_BIT(ORACLE_R5) | ORACLE_BIT(ORACLE_I3) | ORACLE_BIT(ORACLE_F2);
	if (caught_in_reset) /* the starter's end holds ignition: an open finding */
		set |= ORACLE_BIT(ORACLE_I3);
	if (sim_ms - fuelled_ms < FED_MS) /* zero is no lie while the input may still follow */
		set |= ORACLE_BIT(ORACLE_I2);
	if (sim_ms - restarted_ms < AGAIN_MS) /* its cool-down begins anew */
		set |= ORACLE_BIT(ORACLE_R5);
	if (sim_ms - acked_ms < RAW_MAX_MS + LEFT_MS) /* the same byte again is a new 10 s */
		set |= ORACLE_BIT(ORACLE_L3);
	if (sim_ms - left_ms < LEFT_MS) /* an engine that raw bytes started is not cooled */
		set |= ORACLE_BIT(ORACLE_C2) | ORACLE_BIT(ORACLE_L3) | ORACLE_BIT(ORACLE_R5);
	else if (sim_ms - left_ms < COOLED_MS) /* or it is, once it was proved */
		set |= ORACLE_BIT(ORACLE_L3);
	if (sim_ms - judge_view.coast_ms < RETRY_MS) /* the check at its end failed */
		set |= ORACLE_BIT(ORACLE_C2);
	if (sim_ms - judge_view.coast_ms < AGAIN_MS) /* so what follows is the next attempt */
		set |= ORACLE_BIT(ORACLE_F1);
	if (column == 1 || adopted) /* its byte was the one that stood: no change to be seen */
		set |= ORACLE_BIT(ORACLE_P1);		  /* of writes, not of contacts */
	if (column == 1 && sim_ms - acked_ms < FOLLOW_MS) /* by a sample of the time between */
		set |= ORACLE_BIT(ORACLE_S2) | ORACLE_BIT(ORACLE_I2) | ORACLE_BIT(ORACLE_C1) |
		       ORACLE_BIT(ORACLE_C2);
	if (sim_ms < judge_excuses.power_until_ms)
		set = ~UINT64_C(0);
	if (column == 1 && sim_ms < judge_excuses.contacts_until_ms + RETRY_MS)
		set = ~UINT64_C(0);
	return set;
}

static void tell(int column, uint64_t broken)
{
	static const char *const names[] = { "as acknowledged", "as the contacts did" };

	broken &= ~excused(column);
	for (int rule = 0; broken && rule < ORACLE_RULES; rule++)
		if (broken & ORACLE_BIT(rule)) {
			report_violation(oracle_rule_name(rule), names[column]);
			return;
		}
}

static void judge(int64_t at_ms, int relays, int moved, int inputs, uint32_t events)
{
	tell(0, oracle_row(&columns[0], at_ms, relays, inputs, events));
	tell(1, oracle_row(&columns[1], at_ms, moved, inputs, events));
}

/* The guard says why it wrote a byte only after it has: the byte waits for that word, at most
 * until the next row or until time moves on. */
void judge_flush(void)
{
	int relays = held;
	uint32_t events = pending_events;

	if (relays == ORACLE_NONE)
		return;
	held = ORACLE_NONE;
	pending_events = 0;
	judge(held_ms, relays, ORACLE_NONE, ORACLE_NONE, events);
}

static void row(int relays, int inputs, uint32_t events, const char *text)
{
	int contacts = site.modio.contacts, moved = ORACLE_NONE;

	pending_events |= events;
	judge_flush();
	events = pending_events;
	pending_events = 0;
	if (events & (ORACLE_BEGIN | ORACLE_ATTEMPT))
		caught_in_reset = false;
	if (contacts != last.contacts)
		moved = contacts;
	if (*text || relays != ORACLE_NONE || moved != ORACLE_NONE ||
	    (inputs != ORACLE_NONE && inputs != last.inputs))
		report_row(relays == ORACLE_NONE ? last.acked : relays, contacts, inputs, text);
	if (relays != ORACLE_NONE)
		last.acked = relays;
	held = relays;
	held_ms = sim_ms;
	last.contacts = contacts;
	if (inputs != ORACLE_NONE)
		last.inputs = inputs;
	if (relays == ORACLE_NONE || moved != ORACLE_NONE || events)
		judge(sim_ms, ORACLE_NONE, moved, inputs, events);
}

void judge_reset(void)
{
	times = oracle_default;
	times.max_run_ms += PROVED_LATER_MS;
	for (int i = 0; i < 2; i++)
		oracle_init(&columns[i], &times, sim_ms);
	memset(orders, 0, sizeof(orders));
	judge_view = (struct judge_view){ .coast_ms = -AGAIN_MS };
	judge_excuses = (struct judge_excuses){ -RETRY_MS, -RETRY_MS, -RETRY_MS, 0, 0, 0 };
	left_ms = -COOLED_MS;
	last.acked = ORACLE_NONE;
	last.contacts = last.inputs = 0;
	answered = pending_events = 0;
	held = ORACLE_NONE;
	adopted = cools = caught_in_reset = false;
}

void judge_sample(int inputs)
{
	if (!proc_self || strcmp(proc_self->name, "genctld") != 0)
		return;
	if (inputs > 0 && first_look) /* a starter that is stuck counts from the next one */
		inputs &= ~INPUT_STARTER;
	first_look = false;
	row(ORACLE_NONE, inputs < 0 ? ORACLE_BAD : inputs, 0, "");
}

void judge_unseen(void)
{
	row(ORACLE_NONE, ORACLE_BAD, 0, "");
}

void judge_acked(uint8_t relays)
{
	char text[40] = "";

	if (strcmp(proc_self->name, "genctld") != 0)
		snprintf(text, sizeof(text), "written by %s", proc_self->name);
	acked_ms = sim_ms;
	if (relays & ~(last.acked > 0 ? last.acked : 0) & RELAY_IGNITION)
		fuelled_ms = sim_ms;
	row(relays, ORACLE_NONE, 0, text);
}

void judge_contacts(void)
{
	row(ORACLE_NONE, ORACLE_NONE, 0, "");
}

void judge_board_reset(void)
{
	caught_in_reset = site.engine.phase != ENGINE_AT_REST;
	row(ORACLE_NONE, ORACLE_NONE, ORACLE_BOARD_RESET, "board reset");
}

void judge_restarted(void)
{
	answered = 0;
	restarted_ms = sim_ms;
	first_look = true;
	adopted = cools = false;
	row(ORACLE_NONE, ORACLE_NONE, ORACLE_RESTARTED, "genctld starts");
}

void judge_until(void)
{
	for (int i = 0; i < 2; i++)
		tell(i, oracle_until(&columns[i], sim_ms));
}

/* Events */

static uint32_t mode_events(uint8_t from, uint8_t to)
{
	uint32_t events = from == MODE_MAINTENANCE && to != from ? ORACLE_LEFT : 0;

	switch (to) {
	case MODE_AUTO:
	case MODE_OPERATOR_RUN:
		return events | ORACLE_ENABLED;
	case MODE_OFF:
		return events | ORACLE_OFF;
	case MODE_OPERATOR_STOP:
		return events | ORACLE_OFF | ORACLE_STOP;
	case MODE_MAINTENANCE:
		return events | ORACLE_MAINTENANCE;
	}
	return events;
}

static uint32_t order_events(const struct order *o)
{
	switch ((enum order_kind)o->kind) {
	case ORDER_BEGIN:
		return o->arg == 1 ? ORACLE_BEGIN : ORACLE_ATTEMPT;
	case ORDER_ESTOP:
		return ORACLE_ESTOP;
	default:
		return 0;
	}
}

/* A lockout that ends by itself is no latch in the oracle's sense: it counts that itself. */
static uint32_t state_events(const struct guard_state *s)
{
	uint32_t lasting = ~(UINT32_C(1) << ALARM_FAIL_TO_START), events = 0;

	if (s->latches & ~judge_view.latches & lasting)
		events |= ORACLE_LATCHED;
	if (s->mode != judge_view.mode && judge_view.known)
		events |= mode_events(judge_view.mode, s->mode);
	if (s->adopted && !adopted)
		events |= ORACLE_ADOPTED;
	adopted = s->adopted;
	if (events & ORACLE_LEFT)
		left_ms = sim_ms;
	return events;
}

static void see_state(const struct guard_state *s)
{
	const struct order *o = &orders[s->answered % ORDERS];
	uint32_t events = state_events(s);
	char text[80];

	if (s->answered != answered && s->answer == 0 && o->serial == s->answered)
		events |= order_events(o);
	answered = s->answered;
	judge_view.known = true;
	judge_view.at_ms = sim_ms;
	if (s->relays != judge_view.relays)
		judge_view.relays_ms = sim_ms;
	judge_view.relays = s->relays;
	judge_view.mode = s->mode;
	judge_view.starts = s->total_starts;
	judge_view.wall_ms =
	    s->run_from_ms == NEVER
		? INT64_MAX
		: s->run_from_ms - machines[NODE_ENGINE].mono_ms + oracle_default.max_run_ms;
	if (s->latches && !judge_view.latches)
		judge_view.latched_ms = sim_ms;
	judge_view.latches = s->latches;
	if (!events)
		return;
	snprintf(
	    text, sizeof(text), "events %04x mode %d latches %x", events, s->mode, s->latches);
	row(ORACLE_NONE, ORACLE_NONE, events, text);
}

static void see_order(const struct order *o)
{
	uint8_t was = judge_view.phase;

	if (o->serial)
		orders[o->serial % ORDERS] = *o;
	if (was == PHASE_COAST || was == PHASE_IGNITION)
		judge_view.coast_ms = sim_ms;
	if (o->phase < PHASE_N && o->phase != was) {
		judge_view.phase = o->phase;
		judge_view.phase_ms = sim_ms;
		faults_phase(o->phase);
		script_phase(o->phase);
		if (was == PHASE_COOLDOWN && o->phase >= PHASE_WARMUP &&
		    o->phase <= PHASE_LOADED)
			row(ORACLE_NONE, ORACLE_NONE, ORACLE_BEGIN, "goes on");
	}
	judge_view.ends_ms = o->deadline_ms == INT64_MAX
				 ? INT64_MAX
				 : o->deadline_ms - machines[NODE_ENGINE].mono_ms;
}

static void see_alarm(const char *line)
{
	size_t n = strcspn(line, " :"); /* "CODE: " or "CODE (first): " */

	for (int a = 0; a < ALARM_N; a++)
		if (strlen(alarm_info[a].code) == n &&
		    memcmp(alarm_info[a].code, line, n) == 0 && alarm_info[a].latched &&
		    a != ALARM_FAIL_TO_START)
			pending_events |= ORACLE_LATCHED;
}

/* A cool-down is a stop, whoever asked for it, and may be taken back. */
static void see_phase(const char *line)
{
	bool now = strcmp(line, "cool-down") == 0;
	bool on = strcmp(line, "warm-up") == 0 || strcmp(line, "stabilise") == 0 ||
		  strcmp(line, "on load") == 0;

	if (now && !cools)
		row(ORACLE_NONE, ORACLE_NONE, ORACLE_STOP, "stops");
	else if (cools && on)
		row(ORACLE_NONE, ORACLE_NONE, ORACLE_BEGIN, "goes on");
	cools = now;
}

void judge_line(const char *token, const char *line)
{
	if (strcmp(token, "alarm") == 0)
		see_alarm(line);
	else if (strcmp(token, "phase") == 0)
		see_phase(line);
}

void judge_message(const struct proc *from, const void *data, size_t n)
{
	if (n == sizeof(struct guard_state) && strcmp(from->name, "genctld") == 0)
		see_state(data);
	else if (n == sizeof(struct order) && strcmp(from->name, "control") == 0)
		see_order(data);
	else if (n > 4 && strcmp(from->name, "genctld") == 0 &&
		 memcmp(data, "OK: cleared", 4) == 0)
		pending_events |= ORACLE_CLEARED | ORACLE_OFF;
}
