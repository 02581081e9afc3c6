#include "node-monitor/poller.h"

#include <errno.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/worker.h"

enum { BACKOFF_FIRST_MS = 1000, BACKOFF_MAX_MS = 60000, SILENT_MAX = 3, TICK_MS = 1000 };

struct poller {
	struct worker *worker;
	const struct inverter_ops *ops;
	struct inverter_config config;
	poller_fn *polled;
	void *owner;
	struct inverter *inverter; /* the thread's while busy; NULL: not open */
	struct poll_result result; /* the thread's while busy */
	bool busy, tried;
	int silent; /* polls in a row without an answer */
	int64_t due_ms, began_ms, interval_ms, backoff_ms;
};

static bool hopeless(int rc)
{
	return rc == -ENODEV || rc == -ENOENT || rc == -EIO;
}

static void run(void *arg)
{
	struct poller *p = arg;
	struct poll_result *r = &p->result;

	if (!p->inverter)
		r->rc = p->ops->open(&p->inverter, &p->config);
	r->opened = p->inverter != NULL;
	if (!r->opened)
		return;
	r->rc = p->ops->poll(p->inverter, &r->sample);
	p->silent = r->rc < 0 ? p->silent + 1 : 0;
	if (hopeless(r->rc) || p->silent >= SILENT_MAX) {
		p->ops->close(p->inverter);
		p->inverter = NULL;
		p->silent = 0;
	}
}

static void done(void *arg)
{
	struct poller *p = arg;
	struct poll_result *r = &p->result;
	int64_t now_ms = clock_ms();

	p->busy = false;
	if (r->opened) {
		p->backoff_ms = BACKOFF_FIRST_MS;
		p->due_ms = p->began_ms + p->interval_ms;
	} else {
		p->due_ms = now_ms + p->backoff_ms;
		p->backoff_ms *= p->backoff_ms < BACKOFF_MAX_MS ? 2 : 1;
	}
	if (p->polled)
		p->polled(p->owner, r);
}

void poller_tick(struct poller *p, int64_t interval_ms, int64_t now_ms)
{
	if (p->busy || now_ms + TICK_MS / 2 < p->due_ms)
		return;
	p->result = (struct poll_result){ .first = !p->tried };
	p->interval_ms = interval_ms;
	p->began_ms = now_ms;
	p->busy = p->tried = worker_submit(p->worker, run, done, p) == 0;
}

bool poller_busy(const struct poller *p)
{
	return p->busy;
}

struct poller *poller_new(struct event_base *base, const struct inverter_ops *ops,
    const struct inverter_config *config, poller_fn *polled, void *owner)
{
	struct poller *p = xcalloc(1, sizeof(*p));

	p->worker = worker_new(base, 1);
	p->ops = ops;
	p->config = *config;
	p->polled = polled;
	p->owner = owner;
	p->backoff_ms = BACKOFF_FIRST_MS;
	return p;
}

void poller_free(struct poller *p)
{
	if (!p)
		return;
	p->polled = NULL;
	worker_free(p->worker);
	p->ops->close(p->inverter);
	free(p);
}
