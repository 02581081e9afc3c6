#include "test/simulate/script.h"

#include <stdio.h>
#include <string.h>

#include "node-genctl/engine.h"
#include "test/simulate/fail.h"
#include "test/simulate/faults.h"
#include "test/simulate/judge.h"
#include "test/simulate/nodes.h"
#include "test/simulate/oper.h"
#include "test/simulate/report.h"
#include "test/simulate/run.h"
#include "test/simulate/sched.h"
#include "test/simulate/site.h"

enum { SEED = 7, END_MS = 12 * 60000, MINUTE_MS = 60000, ABSENT_MS = 10000 };

struct scenario {
	const char *name;
	void (*begin)(void);
	bool runs; /* its engine must be seen on load when nothing fails */
};

static void act(void *arg, int64_t what)
{
	oper_visit((enum oper_act)what);
}

static void kill_named(void *arg, int64_t number)
{
	struct proc *p = proc_find(arg);

	if (!p)
		return;
	if (p->rank == 1)
		judge_excuses.guard_until_ms = sim_ms + ABSENT_MS;
	proc_kill(p, 9);
}

static void cold_start(void)
{
	timer_at(MINUTE_MS, act, NULL, OPER_START);
}

static void failed_start(void)
{
	site.engine.set.stuck = 1;
	timer_at(MINUTE_MS, act, NULL, OPER_START);
}

static void start_and_stop(void)
{
	timer_at(MINUTE_MS, act, NULL, OPER_START);
	timer_at(4 * MINUTE_MS, act, NULL, OPER_STOP);
}

static void control_killed(void)
{
	static char control[] = "control";

	timer_at(MINUTE_MS, act, NULL, OPER_START);
	timer_at(4 * MINUTE_MS, kill_named, control, 0);
}

static void guard_restarted(void)
{
	static char genctld[] = "genctld";

	timer_at(MINUTE_MS, act, NULL, OPER_START);
	timer_at(4 * MINUTE_MS, kill_named, genctld, 0);
}

static void monitor_run(void)
{
	plant_set_soc(&site.plant, 20000);
}

static const struct scenario scenarios[] = {
	{ "cold start", cold_start, true },
	{ "failed start", failed_start, false },
	{ "start and stop", start_and_stop, true },
	{ "control killed on load", control_killed, true },
	{ "guard restarted on load", guard_restarted, true },
	{ "monitor's run under lease", monitor_run, true },
};

static bool loaded;

void script_phase(uint8_t phase)
{
	loaded = loaded || phase == PHASE_LOADED;
}

static void start(void *arg, int64_t number)
{
	nodes_start(arg);
}

/* Whatever failed, the site ends as one that works. */
static void play(const struct scenario *s)
{
	static char genctld[] = "genctld", monitord[] = "monitord";

	run_reset(SEED);
	nodes_hold("second", true);
	loaded = false;
	timer_at(1000, start, genctld, 0);
	timer_at(4000, start, monitord, 0);
	oper_live(false);
	s->begin();
	sched_run(END_MS, &report.violated);
	if (fail_recently()) /* time to recover */
		sched_run(END_MS + 2 * MINUTE_MS, &report.violated);
	judge_until();
	if (!report.violated)
		run_check_settled();
}

static int told(const struct scenario *s, const char *kind, long k)
{
	report_print_tail();
	printf("VIOLATION %s, %s operation %ld failing: %s: %s\n", s->name, kind, k,
	    report.rule, report.text);
	return 1;
}

/* In a quick turn each kind has about as many runs. */
static const int quick_step[FAIL_KINDS] = { 17, 5, 211, 17 };

static int each(const struct scenario *s, enum fail_kind kind, int step)
{
	long k = 0, n = 0;

	fail_arm(kind, 0);
	play(s);
	if (report.violated || (s->runs && !loaded)) {
		if (!report.violated)
			report_violation("SCRIPT", "the engine never came on load");
		return told(s, fail_names[kind], 0);
	}
	do {
		k += step;
		fail_arm(kind, k);
		play(s);
		if (report.violated)
			return told(s, fail_names[kind], k);
		n++;
	} while (fail_happened());
	printf("%-28s %-6s %6ld runs, each of every %d operations up to %ld failed once\n",
	    s->name, fail_names[kind], n, step, k);
	return 0;
}

int script_fail_each(const char *kind, bool quick)
{
	int rc = 0;

	for (int f = 0; f < FAIL_KINDS; f++) {
		if (strcmp(kind, fail_names[f]) != 0)
			continue;
		for (size_t i = 0; rc == 0 && i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
			rc = each(&scenarios[i], (enum fail_kind)f, quick ? quick_step[f] : 1);
		return rc;
	}
	fprintf(stderr, "--fail alloc|disk|board|link\n");
	return 2;
}
