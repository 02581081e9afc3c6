/* One seed is one whole life of a site: read README's page on evidence for what it shows. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "test/simulate/faults.h"
#include "test/simulate/oper.h"
#include "test/simulate/report.h"
#include "test/simulate/run.h"
#include "test/simulate/script.h"

enum { WEEKS_A_YEAR = 52 };

static struct {
	int64_t runs, injected[FAULTS], with[FAULTS], acts[OPER_ACTS], starts;
	uint64_t hash;
} total;

/* Of this one core: the machine may have other work. */
static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add_up(const struct run_result *r)
{
	total.runs++;
	total.starts += r->starts;
	for (int i = 0; i < FAULTS; i++) {
		total.injected[i] += faults[i].injected;
		total.with[i] += faults[i].injected > 0;
	}
	for (int i = 0; i < OPER_ACTS; i++)
		total.acts[i] += oper_acts[i];
	total.hash = total.hash * UINT64_C(0x100000001b3) ^ report.hash;
}

static int show_violation(uint64_t seed)
{
	report_print_tail();
	printf("VIOLATION seed %" PRIu64 " at day %" PRId64 " %02" PRId64 ":%02" PRId64
	       ":%02" PRId64 ".%03" PRId64 ": %s: %s\n",
	    seed, report.at_ms / 86400000, report.at_ms / 3600000 % 24,
	    report.at_ms / 60000 % 60, report.at_ms / 1000 % 60, report.at_ms % 1000,
	    report.rule, report.text);
	return 1;
}

/* A kind that never occurred is a failure once there were enough runs to expect it. */
static int show_totals(double seconds)
{
	double years = (double)total.runs / WEEKS_A_YEAR;
	int64_t all = 0;
	int rc = 0;

	printf("%-32s %10s %10s\n", "fault", "runs", "injected");
	for (int i = 0; i < FAULTS; i++) {
		printf("%-32s %10" PRId64 " %10" PRId64 "\n", fault_names[i], total.with[i],
		    total.injected[i]);
		all += total.injected[i];
		if (total.with[i] == 0 && total.runs >= WEEKS_A_YEAR) {
			printf("FAILED: it never occurred: %s\n", fault_names[i]);
			rc = 1;
		}
	}
	for (int i = 1; i < OPER_ACTS; i++)
		printf(
		    "operator: %-22s %10s %10" PRId64 "\n", oper_names[i], "", total.acts[i]);
	printf("%" PRId64 " site-weeks (%.2f years), %" PRId64 " starts, %" PRId64
	       " faults injected, %.1f s, %.0f site-years an hour, trace %016" PRIx64 "\n",
	    total.runs, years, total.starts, all, seconds, years / seconds * 3600, total.hash);
	return rc;
}

static int simulate(uint64_t seed, int64_t runs)
{
	double began = cpu_s();

	for (int64_t i = 0; i < runs; i++) {
		struct run_result r = run_week(seed + (uint64_t)i);

		add_up(&r);
		if (report.violated)
			return show_violation(seed + (uint64_t)i);
	}
	return show_totals(cpu_s() - began);
}

static int usage(void)
{
	fprintf(stderr, "simulate [--seed N] [--years N | --weeks N] [--verbose]\n"
			"simulate --fail alloc|disk|board|link [--quick]\n"
			"Without --seed a fresh one is drawn and printed.\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "seed", required_argument, NULL, 's' },
		{ "years", required_argument, NULL, 'y' },
		{ "weeks", required_argument, NULL, 'w' },
		{ "fail", required_argument, NULL, 'f' }, { "quick", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 } };
	int64_t runs = 1;
	uint64_t seed = 0;
	const char *fail = NULL;
	bool quick = false;
	int c;

	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 'y')
			runs = (int64_t)(strtod(optarg, NULL) * WEEKS_A_YEAR);
		else if (c == 'w')
			runs = strtoll(optarg, NULL, 0);
		else if (c == 'f')
			fail = optarg;
		else if (c == 'q')
			quick = true;
		else if (c == 'v')
			report_verbose = true;
		else
			return usage();
	}
	if (fail)
		return script_fail_each(fail, quick);
	while (seed == 0)
		if (getrandom(&seed, sizeof(uint32_t), 0) < 0)
			return 2;
	printf("seed %" PRIu64 ", %" PRId64 " site-weeks\n", seed, runs);
	return simulate(seed, runs);
}
