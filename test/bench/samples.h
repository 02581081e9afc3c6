/*
 * samples - many measurements of one thing: kept, then told as median and 99th percentile.
 *
 * Units: ns. Errors: none; one more than SAMPLES_MAX ends the program.
 */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SAMPLES_MAX = 20000 };

struct samples {
	int64_t ns[SAMPLES_MAX];
	size_t n;
};

static inline int64_t samples_clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static inline void samples_add(struct samples *s, int64_t ns)
{
	if (s->n == SAMPLES_MAX)
		abort();
	s->ns[s->n++] = ns;
}

static inline int samples_order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Prints `name MEDIAN P99 N`; sorts the samples. */
static inline void samples_print(struct samples *s, const char *name)
{
	qsort(s->ns, s->n, sizeof(s->ns[0]), samples_order);
	printf("%s %lld %lld %zu\n", name, (long long)s->ns[s->n / 2],
	    (long long)s->ns[s->n * 99 / 100], s->n);
}

#endif
