#include "test/simulate/nodes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "node-genctl/config.h"
#include "test/simulate/judge.h"
#include "test/simulate/monitors.h"
#include "test/simulate/os.h"
#include "test/simulate/report.h"

int genctld_main(int argc, char **argv);
int __wrap_options_start(const struct options *o, int argc, char **argv, void *conf);

static const struct daemon {
	const char *name;
	enum node node;
	int (*main)(const void *arg);
} * find(const char *name);

static bool held[3], wired;
static int64_t pause_ms;

int __wrap_options_start(const struct options *o, int argc, char **argv, void *conf)
{
	struct genctl_config *c = conf;

	conf_defaults(config_keys, config_nkeys, c);
	c->board.reset_gpio = wired ? 17 : -1;
	return -1;
}

static int genctld(const void *arg)
{
	static char name[] = "genctld", *argv[] = { name, NULL };

	return genctld_main(1, argv);
}

static const struct daemon daemons[] = {
	{ "genctld", NODE_ENGINE, genctld },
	{ "monitord", NODE_MONITOR, monitor_first },
	{ "second", NODE_SECOND, monitor_second },
};

static const struct daemon *find(const char *name)
{
	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++)
		if (strcmp(daemons[i].name, name) == 0)
			return &daemons[i];
	return NULL;
}

void nodes_reset(bool reset_wired, int64_t restart_ms)
{
	wired = reset_wired;
	pause_ms = restart_ms;
	memset(held, 0, sizeof(held));
}

void nodes_start(const char *name)
{
	const struct daemon *d = find(name);

	if (held[d - daemons] || proc_find(name))
		return;
	if (d->node == NODE_ENGINE)
		judge_restarted();
	proc_start(d->name, d->node, d->main, NULL, 0)->rank = d->node == NODE_ENGINE;
}

static void start_again(void *arg, int64_t number)
{
	nodes_start(daemons[number].name);
}

void nodes_ended(const struct proc *p)
{
	const struct daemon *d = find(p->name);

	report_note(p->name, "ends with status %d", p->status);
	if (d)
		timer_at(sim_ms + pause_ms, start_again, NULL, d - daemons);
}

void nodes_hold(const char *name, bool yes)
{
	held[find(name) - daemons] = yes;
	if (!yes)
		nodes_start(name);
}

/* The kernel's monotonic clock begins anew with another boot id. */
void nodes_boot(uint64_t id)
{
	struct machine *m = &machines[NODE_ENGINE];

	m->mono_ms = 3000 - sim_ms;
	snprintf(m->boot_id, sizeof(m->boot_id), "%036" PRIx64, id);
}
