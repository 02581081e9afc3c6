#include "node-genctl/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "node-genctl/guard_parts.h"
#include "node-genctl/handover.h"
#include "node-genctl/harden.h"
#include "node-genctl/saver.h"

enum { LAST_TRY_MS = 10000 };

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static struct ledger load_ledger(const struct genctl_config *config, int64_t now_ms)
{
	struct ledger l;
	uint32_t seq;
	int rc;

	ledger_init(&l);
	rc = saver_load(config->state_dir, now_ms, &l, &seq);
	if (rc == -EBADMSG)
		log_warn("guard",
		    "%s/genctl.ledger holds no valid record: all rests begin anew",
		    config->state_dir);
	return l;
}

/* SIGTERM: the starter opens now; control then has LEAVE_MS to begin the cool-down. */
static void leave(struct guard *g, int64_t now_ms)
{
	if (g->stage == STAGE_LEAVING || g->stage == STAGE_HEIR)
		return;
	log_info("guard", "asked to end%s", g->k.relays ? ": the engine comes down first" : "");
	watchdog_stopping(&g->watchdog);
	handover_abort(g, now_ms);
	if (g->stage == STAGE_AUDIT)
		guard_begin_open(g, now_ms);
	guard_begun(g, -ECANCELED);
	g->stage = STAGE_LEAVING;
	g->leave_ms = now_ms;
	g->push = true;
	if (g->config->on_exit == ON_EXIT_STOP)
		guard_write(g, 0, true, 0, now_ms);
	else if (g->k.relays && !g->k.proved)
		interlock_descend(&g->k, ALARM_N, now_ms);
	if (g->k.descending)
		guard_sample(g, now_ms);
}

static bool board_will_not_answer(const struct guard *g, int64_t now_ms)
{
	return !g->k.known && (!g->acked_ever || now_ms - g->leave_ms >= LAST_TRY_MS);
}

static void leaving(struct guard *g, int64_t now_ms)
{
	bool cooling = g->phase == PHASE_COOLDOWN || g->phase == PHASE_STOPPING;

	if (now_ms - g->leave_ms >= LEAVE_MS && !cooling)
		interlock_descend(&g->k, ALARM_N, now_ms);
	if ((g->k.known && !g->k.relays) || board_will_not_answer(g, now_ms))
		g->stage = STAGE_GONE;
}

static void take_signals(struct guard *g, int64_t now_ms)
{
	struct signalfd_siginfo info;

	while (read(g->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			guard_reap(g, now_ms);
		else if (info.ssi_signo == SIGUSR2 || info.ssi_signo == SIGHUP)
			handover_begin(g, now_ms);
		else
			leave(g, now_ms);
	}
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

/* The next sample is never more than a second away; limits of the children need no more. */
static void wait_for_work(struct guard *g, int64_t now_ms)
{
	struct pollfd p[] = {
		{ .fd = g->signals, .events = POLLIN },
		{ .fd = g->children[CHILD_CONTROL].fd, .events = POLLIN },
		{ .fd = g->children[CHILD_SAVER].fd, .events = POLLIN },
		{ .fd = g->children[CHILD_DEADMAN].fd, .events = POLLIN },
		{ .fd = g->client >= 0 ? g->client : g->door, .events = POLLIN },
		{ .fd = g->handover, .events = POLLIN },
	};
	int64_t at_ms = earlier(g->sample_ms, guard_retry_ms(g));

	/* A dead child's socket reads as ended until SIGCHLD is taken: not a reason to spin. */
	for (int i = 0; i < CHILDREN; i++)
		if (g->children[i].killed)
			p[1 + i].fd = -1;
	poll(p, sizeof(p) / sizeof(p[0]), at_ms > now_ms ? (int)(at_ms - now_ms) : 0);
}

static void turn(struct guard *g)
{
	int64_t now_ms = clock_ms();

	wait_for_work(g, now_ms);
	now_ms = clock_ms();
	take_signals(g, now_ms);
	guard_orders(g, now_ms);
	guard_acks(g, now_ms);
	guard_echoes(g, now_ms);
	guard_operator(g, now_ms);
	handover_step(g, now_ms);
	now_ms = clock_ms();
	guard_supervise(g, now_ms);
	if (g->sample_ms <= now_ms)
		guard_sample(g, now_ms);
	if (guard_retry_ms(g) <= now_ms)
		guard_retry(g, clock_ms());
	if (g->stage == STAGE_LEAVING)
		leaving(g, now_ms);
	guard_push(g, now_ms);
	guard_save(g, now_ms);
	guard_respawn(g, now_ms); /* last: a fork takes time that the starter has not */
}

static void init(struct guard *g, const struct genctl_config *config, int64_t now_ms)
{
	struct ledger l = load_ledger(config, now_ms);

	*g = (struct guard){ .config = config,
		.pid = getpid(),
		.signals = -1,
		.door = -1,
		.client = -1,
		.lock = -1,
		.handover = -1,
		.watchdog = { .device = -1, .notify = -1 },
		.started_ms = now_ms,
		.sample_ms = now_ms,
		.told_alarm = ALARM_N,
		.may_be_closed = l.held ? RELAY_IGNITION | RELAY_CHARGER : 0,
		.push = true };
	alarm_init(&g->alarms);
	for (int i = 0; i < CHILDREN; i++) {
		g->children[i].fd = -1;
		g->children[i].spawned_ms = NEVER / 2;
	}
	for (int i = 0; i < CONTROL_RESTARTS; i++)
		g->control_deaths[i] = NEVER;
	inputs_init(&g->inputs, &config->engine, now_ms);
	interlock_init(&g->k, &config->engine, &l, now_ms);
	if (l.held)
		interlock_raise(&g->k, ALARM_RESTARTED);
	g->k.dirty = true;
}

static int open_parts(struct guard *g)
{
	g->signals = open_signals();
	if (g->signals < 0 ||
	    board_kinds[g->config->board.kind]->open(&g->board, &g->config->board) < 0)
		return -EIO;
	return 0;
}

static int begin(struct guard *g)
{
	int rc = guard_operator_open(g);

	watchdog_open(&g->watchdog, g->config->watchdog);
	if (rc == 0)
		guard_trace_open(g, RECORD_BOOT, clock_ms());
	return rc;
}

static int run(struct guard *g, int handover)
{
	if (open_parts(g) < 0)
		return 3;
	if (handover < 0 ? begin(g) < 0 : handover_receive(g, handover) < 0)
		return 3;
	harden();
	while (g->stage != STAGE_GONE)
		turn(g);
	guard_dismiss(g);
	watchdog_disarm(&g->watchdog);
	log_info("guard", "ended");
	return 0;
}

int guard_run(const struct genctl_config *config, int lock, int handover, char *const *argv)
{
	struct guard g;
	int status;

	init(&g, config, clock_ms());
	g.lock = lock;
	g.argv = argv;
	status = run(&g, handover);
	if (g.board)
		g.board->ops->close(g.board);
	recorder_close(&g.tracing.recorder);
	return status;
}
