#include "test/simulate/loop.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "test/simulate/os.h"
#include "test/simulate/report.h"
#include "test/simulate/sched.h"

enum { POSTS = 512 };

struct event {
	TAILQ_ENTRY(event) entry;
	struct event_base *base;
	evutil_socket_t fd;
	short what;
	event_callback_fn fn;
	void *arg;
	int64_t at_ms, interval_ms; /* INT64_MAX: no timer runs */
	bool added, active;
};

struct post {
	loop_fn *fn;
	void *arg;
	int64_t number;
};

/* Bases are the simulation's memory, so that a post to a dead process can be told. */
struct event_base {
	struct proc *owner; /* NULL: free */
	TAILQ_HEAD(, event) events;
	struct post posts[POSTS];
	int first, nposts;
	bool stop;
};

static struct event_base bases[PROCS];

struct event_base *event_base_new(void)
{
	for (int i = 0; i < PROCS; i++) {
		struct event_base *b = &bases[i];

		if (b->owner)
			continue;
		b->owner = proc_self;
		b->first = b->nposts = 0;
		b->stop = false;
		TAILQ_INIT(&b->events);
		return b;
	}
	report_broken("the simulation has too many loops");
}

void event_base_free(struct event_base *base)
{
	base->owner = NULL;
}

void loop_reset(void)
{
	for (int i = 0; i < PROCS; i++)
		bases[i].owner = NULL;
}

void loop_ended(const struct proc *p)
{
	for (int i = 0; i < PROCS; i++)
		if (bases[i].owner == p)
			bases[i].owner = NULL;
}

struct proc *loop_owner(const struct event_base *base)
{
	return base->owner;
}

void loop_post(struct event_base *base, loop_fn *fn, void *arg, int64_t number)
{
	if (!base->owner)
		return;
	if (base->nposts == POSTS)
		report_broken("a loop of the simulation is behind by too much");
	base->posts[(base->first + base->nposts++) % POSTS] = (struct post){ fn, arg, number };
	proc_wake(base->owner);
}

struct event *event_new(
    struct event_base *base, evutil_socket_t fd, short what, event_callback_fn fn, void *arg)
{
	struct event *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	*e = (struct event){
		.base = base, .fd = fd, .what = what, .fn = fn, .arg = arg, .at_ms = INT64_MAX
	};
	TAILQ_INSERT_TAIL(&base->events, e, entry);
	return e;
}

void event_free(struct event *e)
{
	if (!e)
		return;
	TAILQ_REMOVE(&e->base->events, e, entry);
	free(e);
}

int event_add(struct event *e, const struct timeval *tv)
{
	e->added = true;
	if (tv) {
		e->interval_ms = tv->tv_sec * INT64_C(1000) + tv->tv_usec / 1000;
		e->at_ms = sim_ms + e->interval_ms;
	}
	return 0;
}

void event_active(struct event *e, int what, short calls)
{
	e->active = true;
}

int event_base_loopbreak(struct event_base *base)
{
	base->stop = true;
	return 0;
}

static bool take_signal(const struct event *e)
{
	uint32_t bit = UINT32_C(1) << e->fd;

	if (!(e->what & EV_SIGNAL) || !(proc_self->signals & bit))
		return false;
	proc_self->signals &= ~bit;
	return true;
}

static bool is_due(struct event *e)
{
	if (e->active)
		return true;
	if (!e->added)
		return false;
	if (e->at_ms <= sim_ms)
		return true;
	return e->what & EV_SIGNAL ? take_signal(e) : e->fd >= 0 && os_readable(e->fd);
}

static void fire(struct event *e)
{
	short what = e->at_ms <= sim_ms ? EV_TIMEOUT : EV_READ;

	if (what == EV_TIMEOUT)
		e->at_ms = e->what & EV_PERSIST ? sim_ms + e->interval_ms : INT64_MAX;
	e->active = false;
	if (!(e->what & EV_PERSIST))
		e->added = false;
	e->fn(e->fd, what, e->arg);
}

static bool fire_due(struct event_base *b)
{
	struct event *e;

	TAILQ_FOREACH(e, &b->events, entry)
	{
		if (!is_due(e))
			continue;
		fire(e); /* may free others: look anew */
		return true;
	}
	return false;
}

static bool run_post(struct event_base *b)
{
	struct post p;

	if (b->nposts == 0)
		return false;
	p = b->posts[b->first];
	b->first = (b->first + 1) % POSTS;
	b->nposts--;
	p.fn(p.arg, p.number);
	return true;
}

static int64_t next_timer_ms(const struct event_base *b)
{
	int64_t at_ms = INT64_MAX;
	const struct event *e;

	TAILQ_FOREACH(e, &b->events, entry)
	if (e->added && e->at_ms < at_ms)
		at_ms = e->at_ms;
	return at_ms;
}

void loop_until(struct event_base *b, const bool *stop, int64_t end_ms)
{
	while (!b->stop && !*stop && sim_ms < end_ms) {
		int64_t at_ms;

		proc_call();
		if (fire_due(b) || run_post(b))
			continue;
		at_ms = next_timer_ms(b);
		proc_block(at_ms < end_ms ? at_ms : end_ms);
	}
}

int event_base_dispatch(struct event_base *base)
{
	static const bool never;

	loop_until(base, &never, INT64_MAX);
	return 0;
}
