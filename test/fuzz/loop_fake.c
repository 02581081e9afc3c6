#include "test/fuzz/loop_fake.h"

#include <assert.h>
#include <event2/event.h>

#include "common/clock.h"
#include "common/mem.h"
#include "test/fuzz/fuzz.h"

enum { EVENTS = 8, TURNS = 10000 };

struct event {
	event_callback_fn call;
	void *arg;
	bool reads, armed;
	int64_t at_ms;
};

struct event_base {
	struct event *events[EVENTS];
	bool broken;
};

static struct event_base *loop;
static void (*conversation)(void *arg);
static void *conversation_arg;

void loop_fake_set(void (*run)(void *arg), void *arg)
{
	conversation = run;
	conversation_arg = arg;
}

static struct event *first_due(int64_t now_ms)
{
	struct event *first = NULL;

	for (int i = 0; i < EVENTS; i++) {
		struct event *e = loop->events[i];

		if (e && e->armed && !e->reads && e->at_ms <= now_ms &&
		    (!first || e->at_ms < first->at_ms))
			first = e;
	}
	return first;
}

void loop_fake_until(int64_t now_ms)
{
	struct event *e;
	int turns = 0;

	while ((e = first_due(now_ms))) {
		assert(turns++ < TURNS); /* a loop that never rests */
		if (e->at_ms > clock_ms())
			fuzz_clock_set(e->at_ms);
		e->armed = false;
		e->call(-1, EV_TIMEOUT, e->arg);
	}
	fuzz_clock_set(now_ms);
}

void loop_fake_heard(void)
{
	for (int i = 0; i < EVENTS; i++) {
		struct event *e = loop->events[i];

		if (e && e->armed && e->reads)
			e->call(-1, EV_READ, e->arg);
	}
}

bool loop_fake_broken(void)
{
	return loop->broken;
}

void *loop_fake_owner(void)
{
	return loop->events[0]->arg;
}

/* event2/event.h */

struct event_base *event_base_new(void)
{
	return loop = xcalloc(1, sizeof(*loop));
}

void event_base_free(struct event_base *base)
{
	for (int i = 0; i < EVENTS; i++)
		assert(!base->events[i]);
	free(base);
	loop = NULL;
}

int event_base_dispatch(struct event_base *base)
{
	conversation(conversation_arg);
	return 0;
}

int event_base_loopbreak(struct event_base *base)
{
	base->broken = true;
	return 0;
}

struct event *event_new(
    struct event_base *base, evutil_socket_t fd, short what, event_callback_fn call, void *arg)
{
	struct event *e = xcalloc(1, sizeof(*e));
	int i = 0;

	while (i < EVENTS - 1 && base->events[i])
		i++;
	assert(!base->events[i]);
	e->call = call;
	e->arg = arg;
	e->reads = what & EV_READ;
	base->events[i] = e;
	return e;
}

int event_add(struct event *e, const struct timeval *tv)
{
	e->armed = true;
	if (tv)
		e->at_ms = clock_ms() + (int64_t)tv->tv_sec * 1000 + tv->tv_usec / 1000;
	return 0;
}

void event_free(struct event *e)
{
	for (int i = 0; i < EVENTS; i++)
		if (loop->events[i] == e)
			loop->events[i] = NULL;
	free(e);
}
