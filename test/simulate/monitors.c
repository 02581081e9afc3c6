#include "test/simulate/monitors.h"

#include <stdio.h>

#include "node-monitor/schedule.h"
#include "node-monitor/status.h"

enum { STATUS_S = 10 };

int schedule_run_first(const struct schedule_start *start);
int schedule_run_second(const struct schedule_start *start);

static void fill(struct schedule_start *start)
{
	*start = (struct schedule_start){ .options = NULL };
	conf_defaults(monitor_keys, monitor_nkeys, &start->config);
	start->config.csv_dir[0] = 0;
	start->config.status_s = STATUS_S;
	snprintf(start->generator, sizeof(start->generator), "192.0.2.1:9999");
}

int monitor_first(const void *arg)
{
	struct schedule_start start;

	fill(&start);
	return schedule_run_first(&start);
}

int monitor_second(const void *arg)
{
	struct schedule_start start;

	fill(&start);
	return schedule_run_second(&start);
}

/* In place of the shipped ones: nobody asks a simulated monitor for its screen. */
int status_open(struct event_base *base, const char *runtime_dir, const struct site *site,
    struct status **out)
{
	*out = NULL;
	return 0;
}

void status_close(struct status *st)
{
}
