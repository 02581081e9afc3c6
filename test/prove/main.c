/*
 * prove - every reachable state of the engine node's pure parts, judged by the oracle.
 *
 *   prove                 all models, all slices, then liveness; exit 1 on any violation
 *   prove --model M --slice S    one of them (sequence, gate, node; 0..)
 *   prove --quiet         one line: "caught RULE MODEL SLICE" or "not caught", for mutants
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/prove/live.h"
#include "test/prove/scale.h"
#include "test/prove/search.h"

enum { NODES_MAX = 60000000 };
static const char *const names[] = { "sequence", "gate", "node" };
static const char *const claims[] = {
	"the sequence alone, ungated and unwatched, breaks none of its rules",
	"the gate lets no rule be broken by any byte or order of control",
	"sequence, gate and watch together break no rule",
};

/* What the sequence alone answers for; the others are the watch's. */
static uint64_t rules_of(enum model_kind kind)
{
	return ~UINT64_C(0);
}

struct totals {
	size_t nodes;
	uint64_t transitions;
	int failed;
};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *first_rule(uint64_t broken)
{
	for (int r = 0; r < ORACLE_RULES; r++)
		if (broken >> r & 1)
			return oracle_rule_name(r);
	return "";
}

static bool run(enum model_kind kind, size_t slice, bool quiet, struct totals *t)
{
	struct model m = { .kind = kind };
	struct search s;
	double began = seconds();
	bool live = true;

	scale_use(slice, &m.config, &m.times);
	search_run(&s, &m, NODES_MAX);
	t->nodes += s.nodes;
	t->transitions += s.transitions;
	if (quiet && s.broken)
		printf("caught %s %s %zu\n", first_rule(s.broken), names[kind], slice);
	if (!quiet)
		printf("%-9s slice %zu %10zu states %12llu transitions %7.1f s  %s\n",
		    names[kind], slice, s.nodes, (unsigned long long)s.transitions,
		    seconds() - began, s.broken ? "VIOLATION" : "0 violations");
	if (s.broken && !quiet)
		search_print_trace(&s);
	if (!s.broken)
		live = live_check(&s, quiet);
	search_free(&s);
	fflush(stdout);
	t->failed += s.broken || !live;
	return !s.broken && live;
}

int main(int argc, char **argv)
{
	int kind = -1, slice = -1;
	bool quiet = false;
	struct totals t = { 0 };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--quiet") == 0)
			quiet = true;
		else if (strcmp(argv[i], "--slice") == 0 && i + 1 < argc)
			slice = atoi(argv[++i]);
		else if (strcmp(argv[i], "--model") == 0 && i + 1 < argc)
			for (kind = 0, i++; kind < MODEL_KINDS && strcmp(argv[i], names[kind]);)
				kind++;
		else
			return fprintf(stderr, "usage: prove [--model M] [--slice N] [--quiet]\n"), 2;
	}
	if (!quiet && !scale_covers())
		return 1;
	for (int k = 0; k < MODEL_KINDS; k++) {
		if (kind >= 0 && k != kind)
			continue;
		if (!quiet)
			printf("claim: %s\n", claims[k]);
		for (size_t s = 0; s < scale_slices; s++)
			if (slice < 0 || (size_t)slice == s)
				if (!run((enum model_kind)k, s, quiet, &t) && quiet)
					return 1;
	}
	if (quiet)
		printf("not caught\n");
	else
		printf("%zu states, %llu transitions, %d of the runs failed\n", t.nodes,
		    (unsigned long long)t.transitions, t.failed);
	return t.failed != 0;
}
