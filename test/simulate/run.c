#include "test/simulate/run.h"

#include <stdio.h>
#include <string.h>

#include "node-genctl/engine.h"
#include "test/simulate/chance.h"
#include "test/simulate/disk.h"
#include "test/simulate/fail.h"
#include "test/simulate/faults.h"
#include "test/simulate/judge.h"
#include "test/simulate/loop.h"
#include "test/simulate/net.h"
#include "test/simulate/nodes.h"
#include "test/simulate/oper.h"
#include "test/simulate/os.h"
#include "test/simulate/report.h"
#include "test/simulate/site.h"

enum {
	DAY = 86400000,
	HOUR = 3600000,
	QUIET_LEAP_MS = 13000,
	STEADY_LEAP_MS = 900,
	STEADY_AFTER_MS = 3000,
	QUIET_AFTER_MS = 40000,
	FAULTS_A_WEEK = 40,
	GROWTH_BYTES = 65536,
	CLEARED_MS = 3 * HOUR
};
#define WALL_2026 INT64_C(1767225600000)

static size_t heap_then[PROCS];

void sched_ended(struct proc *p)
{
	if (p->rank == 1 || (p->rank == 2 && p->status == 0 && p->parent)) /* the guard ends */
		judge_unseen();
	net_ended(p);
	loop_ended(p);
	os_ended(p);
	for (struct proc *parent = procs; parent < procs + PROCS; parent++)
		if (p->parent && parent->pid == p->parent && parent->state != PROC_FREE) {
			parent->signals |= UINT32_C(1) << 17; /* SIGCHLD */
			proc_wake(parent);
		}
	nodes_ended(p);
}

/* How long the present phase goes on for certain; 0: it may end by itself at any time. */
static int64_t phase_left_ms(void)
{
	static const int64_t lasts_ms[PHASE_N] = {
		[PHASE_WARMUP] = 60000, [PHASE_STABILISE] = 20000, [PHASE_COOLDOWN] = 180000
	};
	const struct judge_view *v = &judge_view;
	int64_t end_ms =
	    v->phase == PHASE_LOADED ? v->ends_ms : v->phase_ms + lasts_ms[v->phase];

	if (v->wall_ms < end_ms)
		end_ms = v->wall_ms;
	return end_ms == INT64_MAX ? HOUR : end_ms - sim_ms;
}

static bool runs_steadily(void)
{
	const struct judge_view *v = &judge_view;
	bool phase = v->phase == PHASE_WARMUP || v->phase == PHASE_STABILISE ||
		     v->phase == PHASE_LOADED || v->phase == PHASE_COOLDOWN;

	return phase && sim_ms - v->phase_ms > STEADY_AFTER_MS &&
	       phase_left_ms() > 2 * STEADY_LEAP_MS && site.engine.phase == ENGINE_FIRING &&
	       v->relays == site.modio.contacts;
}

static bool stands_still(void)
{
	const struct judge_view *v = &judge_view;
	bool phase = v->phase == PHASE_OFF || v->phase == PHASE_LOCKOUT;

	return phase && sim_ms - v->phase_ms > QUIET_AFTER_MS && v->relays == 0 &&
	       sim_ms - v->relays_ms > QUIET_AFTER_MS && site.modio.relays == 0 &&
	       site.modio.contacts == 0 && site.engine.phase == ENGINE_AT_REST;
}

int64_t sched_leap(void)
{
	if (!judge_view.known || faults_active() || fail_recently() || !net_quiet() ||
	    !site_steady())
		return 0;
	if (stands_still())
		return QUIET_LEAP_MS;
	return runs_steadily() && !fail_armed() ? STEADY_LEAP_MS : 0;
}

/* What must hold in a site that has had no fault for a while */

static void must_live(const char *name)
{
	char text[80];

	if (proc_find(name))
		return;
	snprintf(text, sizeof(text), "%s does not run", name);
	report_violation("DEAD", text);
}

static void must_not_grow(void)
{
	for (struct proc *p = procs; p < procs + PROCS; p++) {
		size_t *then = &heap_then[p - procs];

		if (p->state == PROC_FREE)
			continue;
		if (*then && p->heap_bytes > *then + GROWTH_BYTES)
			report_violation("GROWS", p->name);
		if (*then == 0)
			*then = p->heap_bytes;
	}
}

void run_check_settled(void)
{
	static const char *const names[] = { "genctld", "control", "saver", "deadman",
		"monitord" };
	bool ours = judge_view.relays & RELAY_IGNITION;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		must_live(names[i]);
	if (!judge_view.known || sim_ms - judge_view.at_ms > 2 * QUIET_LEAP_MS)
		report_violation("HUNG", "the guard has told control nothing for a while");
	if (site.engine.phase == ENGINE_FIRING && !ours && !site.engine.set.external)
		report_violation("LOOSE", "the engine runs and nobody holds it");
	if (judge_view.latches && sim_ms - judge_view.latched_ms > CLEARED_MS)
		report_violation("STUCK", "a latch stands although the operator came by");
	if (!ours && site.modio.contacts)
		report_violation("LOOSE", "a contact is closed that nobody asked for");
}

static void check(void *arg, int64_t number)
{
	judge_until();
	if (sim_ms - faults_busy_until_ms() > 4 * HOUR)
		run_check_settled();
	timer_at(sim_ms + HOUR, check, NULL, 0);
}

static void start(void *arg, int64_t number)
{
	nodes_start(arg);
}

static void quiet_now(void *arg, int64_t number)
{
	faults_settle();
	oper_live(false);
	memset(heap_then, 0, sizeof(heap_then));
}

static void grown(void *arg, int64_t number)
{
	must_not_grow();
}

void run_reset(uint64_t seed)
{
	struct chance c = { .state = seed };

	sched_reset();
	report_reset();
	disk_reset();
	os_reset();
	loop_reset();
	site_reset(chance_next(&c));
	net_reset(chance_next(&c));
	faults_reset(chance_next(&c));
	oper_reset(chance_next(&c));
	nodes_reset(site.reset_wired, chance_between(&c, 1, 30) * 1000);
	for (int i = 0; i < NODES; i++)
		machines[i] = (struct machine){ .mono_ms = chance_between(&c, 1000, 10000000),
			.wall_ms = WALL_2026,
			.boot_id = "00000000-0000-4000-8000-000000000001" };
	judge_reset();
	memset(heap_then, 0, sizeof(heap_then));
}

struct run_result run_week(uint64_t seed)
{
	static char genctld[] = "genctld", monitord[] = "monitord";

	run_reset(seed);
	nodes_hold("second", true);
	timer_at(1000, start, genctld, 0);
	timer_at(4000, start, monitord, 0);
	timer_at(HOUR, check, NULL, 0);
	timer_at(6 * DAY + 1, quiet_now, NULL, 0);
	timer_at(6 * DAY + 4 * HOUR, grown, NULL, 0);
	timer_at(7 * DAY - 1, grown, NULL, 0);
	oper_live(true);
	faults_plan(HOUR, 6 * DAY - HOUR, FAULTS_A_WEEK);
	sched_run(7 * DAY, &report.violated);
	if (!report.violated)
		run_check_settled();
	faults_collect();
	return (struct run_result){ .starts = judge_view.starts };
}
