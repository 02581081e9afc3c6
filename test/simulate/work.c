/* Stands in for common/worker.c: a job runs on the loop, after as long as it would take. */
#include <errno.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/worker.h"
#include "test/simulate/loop.h"
#include "test/simulate/sched.h"
#include "test/simulate/site.h"

struct worker {
	struct event_base *base;
	worker_fn *run, *done;
	void *job;
	bool busy;
};

struct worker *worker_new(struct event_base *base, size_t max_waiting)
{
	struct worker *w = xcalloc(1, sizeof(*w));

	w->base = base;
	return w;
}

static void finish(void *arg, int64_t number)
{
	struct worker *w = arg;

	w->busy = false;
	w->run(w->job);
	w->done(w->job);
}

static void ready(void *arg, int64_t pid)
{
	struct worker *w = arg;

	for (struct proc *p = procs; p < procs + PROCS; p++)
		if (p->pid == pid && (p->state == PROC_READY || p->state == PROC_BLOCKED))
			loop_post(w->base, finish, w, 0);
}

int worker_submit(struct worker *w, worker_fn *run, worker_fn *done, void *job)
{
	if (w->busy)
		return -EAGAIN;
	w->run = run;
	w->done = done;
	w->job = job;
	w->busy = true;
	timer_at(sim_ms + site_inverter_takes_ms(), ready, w, proc_self->pid);
	return 0;
}

void worker_free(struct worker *w)
{
	free(w);
}
