#include "node-monitor/schedule.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "node-monitor/csvlog.h"
#include "node-monitor/poller.h"
#include "node-monitor/site.h"
#include "node-monitor/status.h"
#include "node-monitor/tell.h"

enum { FIRST_ROW_MS = 60000 }; /* a first row waits so long for a first reading */

struct schedule {
	const struct schedule_start *start;
	struct monitor_config config;
	struct event_base *base;
	struct event *tick, *hangup, *terminate, *interrupt;
	struct poller *poller;
	struct genlink *genlink;
	struct csvlog *csvlog; /* NULL: no CSV is wanted */
	struct status *status;
	struct site site;
	struct autostart policy;
	struct tell tell;
	int64_t began_ms, row_ms, health_ms;
	int exit_status;
};

static void end(struct schedule *m, int exit_status)
{
	m->exit_status = exit_status;
	event_base_loopbreak(m->base);
}

/* Deciding */

/* With the engine at rest and nothing wanted, the order says so: `gencli why` shows it,
 * and a wish of ours that has not been obeyed yet is withdrawn. */
static bool at_rest(const struct gen_view *v)
{
	enum engine_phase p = v->status.phase;

	return v->heard && (p == ENGINE_OFF || p == ENGINE_LOCKOUT);
}

static void order(struct schedule *m, int64_t now_ms)
{
	const struct autostart_out *o = &m->site.decision;
	struct gen_desire d = {
		.stated = o->wish != WISH_NONE || at_rest(m->site.generator),
		.run = o->wish == WISH_RUN,
		.for_s = o->for_s,
	};

	snprintf(d.reason, sizeof(d.reason), "%s", m->site.reason);
	snprintf(d.next, sizeof(d.next), "%s", m->site.next);
	genlink_desire(m->genlink, &d, now_ms);
}

/* As in the original, a stop by file that was obeyed removes the file. */
static void finish_stop(struct schedule *m, int64_t now_ms)
{
	const struct autostart_out *o = &m->site.decision;
	struct engine_truth truth = genview_truth(m->site.generator, now_ms);
	bool obeyed = engine_known(&truth) && !engine_up(truth.phase);
	int rc;

	if (!m->site.manual.stop || o->wish != WISH_STOP || o->reason != AUTO_HELD || !obeyed)
		return;
	rc = manual_stop_done(m->config.manual_dir);
	if (rc < 0)
		log_warn("manual",
		    "%s/pigenny_force_stop cannot be removed (%s): no start "
		    "until somebody removes it",
		    m->config.manual_dir, strerror(-rc));
}

static void decide(struct schedule *m, int64_t now_ms)
{
	struct site *s = &m->site;
	struct civil local = clock_civil();
	struct autostart_in in;

	s->manual = manual_read(m->config.manual_dir);
	in = site_autostart(s, now_ms);
	s->decision = autostart_decide(&m->policy, &in, &local, now_ms);
	reason_text(s->reason, sizeof(s->reason), &s->decision);
	reason_next(s->next, sizeof(s->next), &s->decision, now_ms);
	tell_decision(&m->tell, s, now_ms);
	order(m, now_ms);
	finish_stop(m, now_ms);
}

/* What arrives */

static void on_polled(void *owner, const struct poll_result *r)
{
	struct schedule *m = owner;
	int64_t now_ms = clock_ms();

	m->site.poll_rc = r->rc;
	if (r->rc == 0) {
		m->site.sample = r->sample;
		m->site.sample_ms = now_ms;
	}
	tell_poll(&m->tell, &m->site, r, now_ms);
	if (r->rc == -EINVAL && !r->opened)
		end(m, EXIT_CONFIG);
	else if (r->rc == -EBUSY && r->first)
		end(m, EXIT_DEVICE);
	else
		decide(m, now_ms);
}

static void on_news(void *owner, enum gen_news what)
{
	struct schedule *m = owner;
	const struct gen_view *v = m->site.generator;
	int64_t now_ms = clock_ms();

	if (what == GEN_NEWS_HEALTH)
		tell_health(&m->site.health, &v->health);
	else if (what == GEN_NEWS_LINK && v->state == GEN_UP)
		m->health_ms = now_ms;
	decide(m, now_ms);
}

/* Each second */

static void keep_row(struct schedule *m, int64_t now_ms)
{
	bool ready = m->site.sample_ms || now_ms - m->began_ms >= FIRST_ROW_MS;
	struct csv_row row;

	if (!m->csvlog)
		return;
	csvlog_tick(m->csvlog, now_ms);
	m->site.csv_rc = csvlog_error(m->csvlog);
	if (!ready || now_ms < m->row_ms || csvlog_busy(m->csvlog))
		return;
	m->row_ms = now_ms + m->config.csv_s * INT64_C(1000);
	row = site_row(&m->site, m->config.autostart.stale_s * INT64_C(1000), now_ms);
	csvlog_add(m->csvlog, &row, now_ms);
}

static void ask_health(struct schedule *m, int64_t now_ms)
{
	if (m->site.generator->state != GEN_UP || now_ms < m->health_ms)
		return;
	m->health_ms = now_ms + m->config.health_s * INT64_C(1000);
	genlink_ask_health(m->genlink, now_ms);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct schedule *m = arg;
	int64_t now_ms = clock_ms();

	poller_tick(m->poller, m->config.poll_s * INT64_C(1000), now_ms);
	genlink_tick(m->genlink, m->config.status_s * INT64_C(1000), now_ms);
	decide(m, now_ms);
	ask_health(m, now_ms);
	keep_row(m, now_ms);
}

/* Signals */

static void on_hangup(evutil_socket_t sig, short what, void *arg)
{
	struct schedule *m = arg;
	const struct schedule_start *s = m->start;
	struct monitor_config fresh;
	char *text = NULL;
	size_t size;
	FILE *notes = open_memstream(&text, &size);
	int rc;

	if (!notes)
		return;
	rc = options_reload(s->options, s->argc, s->argv, &fresh, sizeof(fresh), notes);
	if (rc == 0)
		monitor_config_reload(&m->config, &fresh, notes);
	fclose(notes);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		log_warn("config", "%s", line);
	free(text);
	if (rc < 0) {
		log_error("config", "nothing was reloaded; the old values hold");
		return;
	}
	log_set_level((enum log_level)m->config.log_level);
	log_info("config", "reloaded");
	tell_thresholds(&m->config.autostart);
}

static void on_terminate(evutil_socket_t sig, short what, void *arg)
{
	log_info("", "Ending on request; a running engine runs to the deadline it was given");
	end(arg, 0);
}

/* Up and down */

static struct event *add(
    struct event_base *base, int sig, short what, event_callback_fn fn, void *arg)
{
	const struct timeval second = { .tv_sec = 1 };
	struct event *e = event_new(base, sig, what | EV_PERSIST, fn, arg);

	if (!e || event_add(e, what & EV_SIGNAL ? NULL : &second) < 0)
		abort(); /* out of memory, at start */
	return e;
}

static int take_lock(struct schedule *m)
{
	const char *dir = m->config.runtime_dir;
	int rc = status_open(m->base, dir, &m->site, &m->status);

	if (rc == -EBUSY)
		log_error("",
		    "Another monitord runs already (%s/monitord.lock): stop it first, "
		    "or set runtime_dir",
		    dir);
	else if (rc < 0)
		log_error("", "%s cannot be used: %s. Make it writable, or set runtime_dir",
		    dir, strerror(-rc));
	return rc;
}

static void open_parts(struct schedule *m)
{
	const struct monitor_config *c = &m->config;
	struct genlink_config link = {
		.name = "monitord", .command = true, .changed = on_news, .owner = m
	};

	snprintf(link.address, sizeof(link.address), "%s", m->start->generator);
	m->genlink = genlink_new(m->base, &link);
	site_init(&m->site, c->inverter.device, genlink_view(m->genlink));
	m->poller = poller_new(
	    m->base, inverter_drivers[c->inverter_driver], &c->inverter, on_polled, m);
	if (c->csv_dir[0])
		m->csvlog = csvlog_new(m->base, c->csv_dir, (enum csv_layout)c->csv_layout);
	m->tick = add(m->base, -1, 0, on_tick, m);
	m->hangup = add(m->base, SIGHUP, EV_SIGNAL, on_hangup, m);
	m->terminate = add(m->base, SIGTERM, EV_SIGNAL, on_terminate, m);
	m->interrupt = add(m->base, SIGINT, EV_SIGNAL, on_terminate, m);
	event_active(m->tick, EV_TIMEOUT, 0);
}

static void close_parts(struct schedule *m)
{
	/* A poll may take many seconds, and nothing is lost with it: do not wait for it. */
	bool waiting = poller_busy(m->poller) || (m->csvlog && csvlog_busy(m->csvlog));

	status_close(m->status);
	genlink_free(m->genlink);
	if (waiting)
		_exit(m->exit_status);
	event_free(m->tick);
	event_free(m->hangup);
	event_free(m->terminate);
	event_free(m->interrupt);
	poller_free(m->poller);
	csvlog_free(m->csvlog);
}

int schedule_run(const struct schedule_start *start)
{
	static struct schedule m; /* too large for the stack, and there is one */
	struct event_base *base = event_base_new();
	int rc;

	if (!base)
		abort();
	m = (struct schedule){ .start = start, .config = start->config, .base = base };
	m.began_ms = clock_ms();
	(void)signal(SIGXFSZ, SIG_IGN);
	rc = take_lock(&m);
	if (rc == 0) {
		autostart_init(&m.policy, &m.config.autostart, m.began_ms);
		tell_thresholds(&m.config.autostart);
		open_parts(&m);
		event_base_dispatch(base);
		close_parts(&m);
	}
	event_base_free(base);
	return rc < 0 ? EXIT_DEVICE : m.exit_status;
}
