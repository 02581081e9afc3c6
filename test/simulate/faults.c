#include "test/simulate/faults.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "test/simulate/chance.h"
#include "test/simulate/disk.h"
#include "test/simulate/judge.h"
#include "test/simulate/net.h"
#include "test/simulate/nodes.h"
#include "test/simulate/oper.h"
#include "test/simulate/os.h"
#include "test/simulate/report.h"
#include "test/simulate/site.h"

enum { PLANS = 256, SETTLE_MS = 20000, STEPS_MAX = 120, SECOND_MS = 1000, MINUTE_MS = 60000 };
enum { HOUR_MS = 3600000, PHASES = 17, ANY = -1 };

struct plan {
	int phase; /* ANY: at once */
	enum fault fault;
	int64_t delay_ms;
};

const char *const fault_names[FAULTS] = { "unit lost", "unit late", "unit doubled",
	"unit reordered", "unit replayed", "partition", "connections reset",
	"no address to listen on", "two monitors", "guard killed", "control killed",
	"saver killed", "deadman killed", "monitord killed", "guard frozen", "control frozen",
	"saver frozen", "deadman frozen", "monitord frozen", "genctld restarted",
	"monitord restarted", "power cut of the engine node", "no new process",
	"wall clock steps by an hour", "wall clock steps by years", "board NAKs",
	"board reads zero", "bus stuck", "noise in the inputs byte", "brown-out",
	"relays latched", "slow bus", "bus gone", "input stuck low", "input stuck high",
	"input chatters", "starter welded", "run-on", "stumble", "out of fuel",
	"does not catch", "engine runs by itself", "disk full", "disk error", "disk slow",
	"inverter silent", "inverter talks nonsense" };

struct fault_count faults[FAULTS];
static struct chance chance;
static struct plan plans[PLANS];
static int nplans;
static int64_t busy_ms;

static int64_t span(int64_t low_ms, int64_t high_ms)
{
	return sim_ms + chance_between(&chance, low_ms, high_ms);
}

static void busy(int64_t until_ms)
{
	if (until_ms + SETTLE_MS > busy_ms)
		busy_ms = until_ms + SETTLE_MS;
}

static void later(int64_t *member, int64_t until_ms)
{
	if (until_ms > *member)
		*member = until_ms;
	busy(until_ms);
}

/* Processes */

static struct proc *target(enum fault fault, enum fault first)
{
	static const char *const names[] = { "genctld", "control", "saver", "deadman",
		"monitord" };

	return proc_find(names[fault - first]);
}

static void kill_one(enum fault fault)
{
	struct proc *p = target(fault, FAULT_KILL_GUARD);

	if (!p)
		return;
	p->doom = (uint32_t)chance_between(&chance, 1, STEPS_MAX);
	if (fault == FAULT_KILL_GUARD)
		later(&judge_excuses.guard_until_ms, sim_ms + 40 * SECOND_MS);
	busy(sim_ms + 40 * SECOND_MS);
}

static void freeze_one(enum fault fault)
{
	struct proc *p = target(fault, FAULT_FREEZE_GUARD);
	int64_t until_ms = span(20, chance_of(&chance, 500) ? 800 : 20000);

	if (!p)
		return;
	proc_freeze(p, until_ms);
	if (fault == FAULT_FREEZE_GUARD) {
		later(&judge_excuses.guard_until_ms, until_ms + 40 * SECOND_MS);
		if (until_ms - sim_ms > SECOND_MS)
			judge_unseen();
	}
	busy(until_ms + SECOND_MS);
}

static void signal_one(const char *name, int sig)
{
	struct proc *p = proc_find(name);

	if (!p)
		return;
	p->signals |= UINT32_C(1) << sig;
	proc_wake(p);
	busy(sim_ms + 300 * SECOND_MS);
}

static void power_back(void *arg, int64_t number)
{
	nodes_hold("genctld", false);
}

static void cut_power(void)
{
	static const char *const names[] = { "genctld", "deadman" };

	nodes_hold("genctld", true);
	judge_excuses.power_until_ms = sim_ms + 60 * SECOND_MS;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct proc *p = proc_find(names[i]);

		if (p)
			proc_kill(p, SIGKILL);
	}
	disk_power_cut(&chance);
	nodes_boot(chance_next(&chance));
	timer_at(span(5000, 30000), power_back, NULL, 0);
	busy(sim_ms + 90 * SECOND_MS);
}

static void second_leaves(void *arg, int64_t number)
{
	struct proc *p = proc_find("second");

	nodes_hold("second", true);
	if (p)
		proc_kill(p, SIGKILL);
}

static void second_comes(void)
{
	nodes_hold("second", false);
	if (chance_of(&chance, 500))
		later(&net_faults.cut_until_ms[NODE_MONITOR], span(1000, 120000));
	timer_at(span(MINUTE_MS, 20 * MINUTE_MS), second_leaves, NULL, 0);
	busy(sim_ms + MINUTE_MS);
}

/* Network */

static void bad_net(enum fault fault)
{
	static const enum net_fault of[] = { NET_LOST, NET_LATE, NET_DOUBLED, NET_REORDERED,
		NET_REPLAYED };
	enum net_fault n = of[fault - FAULT_LOST];

	net_faults.per_mille[n] = (int)chance_between(&chance, 50, 600);
	later(&net_faults.until_ms[n], span(10000, 300000));
}

/* Board, wires, engine */

static void clear_wire(void *arg, int64_t wire)
{
	site.wire[wire] = WIRE_GOOD;
	busy(sim_ms);
}

static void bad_wire(enum input_fault how)
{
	static const int wires[] = { 0, 1, 3 };
	int wire = wires[chance_between(&chance, 0, 2)];
	int64_t until_ms = span(20, chance_of(&chance, 500) ? 1500 : 60000);

	site.wire[wire] = how;
	if (wire == 1)
		later(&judge_excuses.wire_until_ms, until_ms + 2 * SECOND_MS);
	timer_at(until_ms, clear_wire, NULL, wire);
	busy(until_ms);
}

static void clear_fault(void *arg, int64_t number)
{
	*(int64_t *)arg = number;
	site.modio.moves_ms = sim_ms;
	busy(sim_ms);
}

/* For a while; then it is `back` again. */
static void set_for(int64_t *member, int64_t value, int64_t back, int64_t until_ms)
{
	*member = value;
	timer_at(until_ms, clear_fault, member, back);
	busy(until_ms);
}

static void board_fault(enum fault fault)
{
	struct modio_faults *f = &site.modio.fault;
	int64_t until_ms = span(20, chance_of(&chance, 600) ? 1500 : 30000);

	switch (fault) {
	case FAULT_NAK:
		later(&f->nak_until_ms, until_ms);
		later(&judge_excuses.board_until_ms, until_ms);
		break;
	case FAULT_ZERO:
		later(&f->zero_until_ms, until_ms);
		break;
	case FAULT_STUCK_BUS:
		later(&f->stuck_until_ms, until_ms);
		later(&judge_excuses.stuck_until_ms, until_ms + SECOND_MS);
		later(&judge_excuses.contacts_until_ms, until_ms + 5000);
		break;
	case FAULT_NOISE:
		set_for(&f->noise, 1 << chance_between(&chance, 4, 7), 0, until_ms);
		break;
	case FAULT_BROWN_OUT:
		set_for(&f->brownout_ms, chance_between(&chance, 50, 3000), 0,
		    sim_ms + 20 * SECOND_MS);
		later(&judge_excuses.contacts_until_ms, sim_ms + 20 * SECOND_MS);
		break;
	case FAULT_LATCHED:
		set_for(&f->latched, 1, 0, until_ms);
		later(&judge_excuses.contacts_until_ms, until_ms + 5000);
		break;
	case FAULT_SLOW_BUS:
		later(&site.bus_slow_until_ms, until_ms);
		later(&judge_excuses.board_until_ms, until_ms);
		break;
	default:
		later(&site.bus_gone_until_ms, until_ms);
		later(&judge_excuses.board_until_ms, until_ms);
	}
}

static void engine_fault(enum fault fault)
{
	struct engine_settings *e = &site.engine.set;

	switch (fault) {
	case FAULT_WELDED:
		set_for(&site.modio.fault.welded, 1, 0, span(5000, 60000));
		later(&judge_excuses.contacts_until_ms, sim_ms + 120 * SECOND_MS);
		break;
	case FAULT_RUN_ON:
		set_for(&e->run_on_ms, chance_between(&chance, 5000, 90000), 2000,
		    sim_ms + 120 * SECOND_MS);
		break;
	case FAULT_STUMBLE:
		later(&e->stumble_until_ms, span(50, 8000));
		break;
	case FAULT_FUEL_OUT:
		set_for(&e->fuel_out, 1, 0, span(5000, 30 * MINUTE_MS));
		break;
	case FAULT_NO_CATCH:
		set_for(&e->stuck, 1, 0, span(20000, 3 * HOUR_MS));
		break;
	default:
		set_for(&e->external, 1, 0, span(1000, 20 * MINUTE_MS));
	}
}

static void others(enum fault fault)
{
	switch (fault) {
	case FAULT_PARTITION:
		later(&net_faults.cut_until_ms[NODE_MONITOR], span(500, 10 * MINUTE_MS));
		break;
	case FAULT_RESET_LINE:
		net_break(NODE_MONITOR);
		busy(sim_ms);
		break;
	case FAULT_NO_ADDRESS:
		later(&net_faults.deaf_until_ms, span(1000, 120000));
		kill_one(FAULT_KILL_CONTROL);
		break;
	case FAULT_NO_FORK:
		later(&os_no_fork_until_ms, span(1000, 30000));
		kill_one((enum fault)chance_between(
		    &chance, FAULT_KILL_CONTROL, FAULT_KILL_DEADMAN));
		break;
	case FAULT_CLOCK_HOUR:
		machines[chance_between(&chance, 0, 1)].wall_ms +=
		    chance_of(&chance, 500) ? HOUR_MS : -HOUR_MS;
		break;
	case FAULT_CLOCK_YEARS:
		machines[chance_between(&chance, 0, 1)].wall_ms +=
		    chance_between(&chance, -30, 30) * 365 * 24 * HOUR_MS;
		break;
	case FAULT_DISK_FULL:
		later(&disk_faults.full_until_ms, span(1000, 30 * MINUTE_MS));
		break;
	case FAULT_DISK_ERROR:
		later(&disk_faults.error_until_ms, span(1000, 60000));
		break;
	case FAULT_DISK_SLOW:
		disk_faults.sync_ms = chance_between(&chance, 100, 8000);
		later(&disk_faults.slow_until_ms, span(5000, 60000));
		break;
	case FAULT_INVERTER_SILENT:
		later(&site.inverter_silent_until_ms, span(10000, HOUR_MS));
		break;
	default:
		later(&site.inverter_lies_until_ms, span(10000, HOUR_MS));
	}
}

void faults_begin(enum fault fault)
{
	report_note("FAULT", "%s", fault_names[fault]);
	busy(sim_ms);
	if (fault > FAULT_REPLAYED) /* those are counted unit by unit */
		faults[fault].injected++;
	if (fault <= FAULT_REPLAYED)
		bad_net(fault);
	else if (fault == FAULT_SPLIT_BRAIN)
		second_comes();
	else if (fault >= FAULT_KILL_GUARD && fault <= FAULT_KILL_MONITOR)
		kill_one(fault);
	else if (fault >= FAULT_FREEZE_GUARD && fault <= FAULT_FREEZE_MONITOR)
		freeze_one(fault);
	else if (fault == FAULT_RESTART_GENCTLD)
		signal_one("genctld", SIGTERM);
	else if (fault == FAULT_RESTART_MONITOR)
		signal_one("monitord", SIGTERM);
	else if (fault == FAULT_POWER_CUT)
		cut_power();
	else if (fault >= FAULT_NAK && fault <= FAULT_NO_BUS)
		board_fault(fault);
	else if (fault >= FAULT_INPUT_LOW && fault <= FAULT_INPUT_CHATTERS)
		bad_wire((enum input_fault)(WIRE_LOW + (fault - FAULT_INPUT_LOW)));
	else if (fault >= FAULT_WELDED && fault <= FAULT_EXTERNAL)
		engine_fault(fault);
	else
		others(fault);
}

/* Plans */

static void begin(void *arg, int64_t fault)
{
	faults_begin((enum fault)fault);
}

/* A trigger waits for its phase, and somebody may start the engine so that it comes. */
static void arm(void *arg, int64_t number)
{
	static const int phases[] = { ANY, 1, 3, 4, 4, 5, 6, 7, 8, 9, 9, 10, 14 };
	struct plan *p = &plans[nplans++ % PLANS];

	p->fault = (enum fault)number;
	p->phase = phases[chance_between(&chance, 0, sizeof(phases) / sizeof(phases[0]) - 1)];
	p->delay_ms = chance_between(&chance, 0, chance_of(&chance, 700) ? 3000 : 200000);
	if (p->phase == ANY)
		timer_at(sim_ms + p->delay_ms, begin, NULL, number);
	else if (chance_of(&chance, 300))
		oper_visit(OPER_START);
}

void faults_phase(uint8_t phase)
{
	for (int i = 0; i < PLANS; i++) {
		struct plan *p = &plans[i];

		if (p->phase != phase)
			continue;
		p->phase = ANY;
		timer_at(sim_ms + p->delay_ms, begin, NULL, p->fault);
		busy(sim_ms + p->delay_ms);
	}
}

void faults_reset(uint64_t seed)
{
	chance.state = seed;
	memset(faults, 0, sizeof(faults));
	for (int i = 0; i < PLANS; i++)
		plans[i].phase = ANY;
	nplans = 0;
	busy_ms = 0;
	os_no_fork_until_ms = 0;
}

void faults_plan(int64_t from_ms, int64_t until_ms, int n)
{
	for (int i = 0; i < n; i++)
		timer_at(chance_between(&chance, from_ms, until_ms), arm, NULL,
		    chance_between(&chance, 0, FAULTS - 1));
}

void faults_settle(void)
{
	for (int i = 0; i < PLANS; i++)
		plans[i].phase = ANY;
	busy(sim_ms);
}

void faults_collect(void)
{
	static const enum net_fault of[] = { NET_LOST, NET_LATE, NET_DOUBLED, NET_REORDERED,
		NET_REPLAYED };

	for (int i = 0; i < NET_FAULTS; i++)
		faults[FAULT_LOST + i].injected = net_hits[of[i]];
}

bool faults_active(void)
{
	return sim_ms < busy_ms;
}

int64_t faults_busy_until_ms(void)
{
	return busy_ms;
}
