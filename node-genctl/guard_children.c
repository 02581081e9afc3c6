#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "node-genctl/deadman.h"
#include "node-genctl/guard_parts.h"

enum { RESPAWN_MS = 1000, RESPAWN_SLOW_MS = 5000, DISMISS_MS = 2000, EXIT_CONFIG = 2 };

void guard_spawn(struct guard *g, enum child_kind kind, int64_t now_ms)
{
	struct child *c = &g->children[kind];
	int pair[2];
	pid_t pid;

	c->spawned_ms = c->heard_ms = now_ms;
	c->owes_ms = NEVER;
	c->killed = false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		log_error("guard", "%s: %s", child_name(kind), strerror(errno));
		return;
	}
	pid = child_start(g->config, kind, g->pid, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		log_error("guard", "%s: %s", child_name(kind), strerror(-pid));
		close(pair[0]);
		return;
	}
	c->pid = pid;
	c->fd = pair[0];
	if (kind == CHILD_CONTROL)
		g->answered = 0; /* its serials begin anew */
	g->push = true;
	if (kind == CHILD_DEADMAN)
		guard_beat(g, false, now_ms);
}

static bool restarts_too_often(struct guard *g, int64_t now_ms)
{
	int64_t *d = g->control_deaths;

	memmove(d + 1, d, sizeof(g->control_deaths) - sizeof(*d));
	d[0] = now_ms;
	return d[CONTROL_RESTARTS - 1] != NEVER &&
	       now_ms - d[CONTROL_RESTARTS - 1] < CONTROL_WINDOW_MS;
}

/* The starter opens now; the engine is held by the interlock's own timers. */
static void control_fails(struct guard *g, int64_t now_ms)
{
	if (g->k.orphan_ms != NEVER)
		return;
	guard_begun(g, -ECANCELED);
	g->retry.serial = 0;
	interlock_orphan(&g->k, true, now_ms);
	guard_note(g, RECORD_ORPHAN, 0, 0, now_ms);
	interlock_raise(&g->k, ALARM_CONTROL_LOST);
	if (g->k.relays & RELAY_STARTER)
		guard_sample(g, now_ms);
}

static void condemn(struct guard *g, enum child_kind kind, const char *why, int64_t now_ms)
{
	struct child *c = &g->children[kind];

	if (!c->pid || c->killed)
		return;
	log_error("guard", "%s %s: it is replaced", child_name(kind), why);
	c->killed = true;
	kill(c->pid, SIGKILL);
	if (kind == CHILD_CONTROL)
		control_fails(g, now_ms);
}

static void buried(struct guard *g, enum child_kind kind, int64_t now_ms)
{
	struct child *c = &g->children[kind];

	if (!c->killed)
		log_error("guard", "%s ended: it is replaced", child_name(kind));
	close(c->fd);
	c->pid = 0;
	c->fd = -1;
	if (kind == CHILD_CONTROL && g->offered)
		return;
	c->restarts++;
	if (kind == CHILD_CONTROL) {
		control_fails(g, now_ms);
		if (restarts_too_often(g, now_ms))
			interlock_descend(&g->k, ALARM_CONTROL_LOST, now_ms);
	}
	if (kind == CHILD_SAVER && g->saved != g->saves) {
		g->saved = g->saves;
		g->k.dirty = true;
	}
}

/* It may have been given up before its end is seen. */
static void heir_ended(struct guard *g, pid_t pid, int status)
{
	if (pid == g->heir)
		g->heir = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG)
		interlock_raise(&g->k, ALARM_CONFIG_REJECTED);
}

static enum child_kind kind_of(const struct guard *g, pid_t pid)
{
	enum child_kind kind = 0;

	while (kind < CHILDREN && g->children[kind].pid != pid)
		kind++;
	return kind;
}

void guard_reap(struct guard *g, int64_t now_ms)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		enum child_kind kind = kind_of(g, pid);

		if (kind < CHILDREN && WIFSTOPPED(status))
			condemn(g, kind, "was stopped", now_ms);
		else if (kind < CHILDREN)
			buried(g, kind, now_ms);
		else if (!WIFSTOPPED(status))
			heir_ended(g, pid, status);
	}
}

void guard_respawn(struct guard *g, int64_t now_ms)
{
	const int64_t *d = g->control_deaths;
	bool often = d[CONTROL_RESTARTS - 1] != NEVER &&
		     now_ms - d[CONTROL_RESTARTS - 1] < CONTROL_WINDOW_MS;

	for (int i = 0; i < CHILDREN; i++) {
		const struct child *c = &g->children[i];
		int64_t pause_ms = i == CHILD_CONTROL && often ? RESPAWN_SLOW_MS : RESPAWN_MS;

		if (i == CHILD_CONTROL && g->offered)
			continue;
		if (!c->pid && now_ms - c->spawned_ms >= pause_ms)
			guard_spawn(g, i, now_ms);
	}
}

/* Its port is free when this returns; the engine is held by the interlock's timers. */
void guard_release_control(struct guard *g, int64_t now_ms)
{
	struct child *c = &g->children[CHILD_CONTROL];

	interlock_orphan(&g->k, true, now_ms);
	guard_note(g, RECORD_ORPHAN, 0, 0, now_ms);
	if (!c->pid)
		return;
	c->killed = true;
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	close(c->fd);
	c->pid = 0;
	c->fd = -1;
}

static bool owes(const struct child *c, int64_t limit_ms, int64_t now_ms)
{
	return c->pid && c->owes_ms != NEVER && now_ms - c->owes_ms >= limit_ms;
}

static bool control_is_silent(const struct guard *g, int64_t now_ms)
{
	const struct child *c = &g->children[CHILD_CONTROL];
	int64_t since_ms = c->heard_ms;

	if (!(g->k.relays & RELAY_STARTER))
		return c->pid && now_ms - since_ms >= CONTROL_SILENT_MS;
	if (g->k.starter_on_ms > since_ms)
		since_ms = g->k.starter_on_ms;
	return c->pid && now_ms - since_ms >= CONTROL_CRANK_MS;
}

static bool stands_behind_us(const struct guard *g, int64_t now_ms)
{
	const struct child *d = &g->children[CHILD_DEADMAN], *s = &g->children[CHILD_SAVER];

	return d->pid && !d->killed && d->heard_ms > d->spawned_ms &&
	       !owes(d, DEADMAN_READY_MS, now_ms) && s->pid && !s->killed &&
	       !(g->k.alarms >> ALARM_JOURNAL_UNWRITABLE & 1);
}

void guard_supervise(struct guard *g, int64_t now_ms)
{
	struct interlock *k = &g->k;
	const struct child *d = &g->children[CHILD_DEADMAN];
	bool was_ready = k->ready;

	if (control_is_silent(g, now_ms))
		condemn(g, CHILD_CONTROL, "is silent", now_ms);
	if (owes(d, DEADMAN_DEAD_MS, now_ms))
		condemn(g, CHILD_DEADMAN, "does not answer", now_ms);
	if (owes(&g->children[CHILD_SAVER], SAVE_LIMIT_MS, now_ms)) {
		condemn(g, CHILD_SAVER, "does not answer", now_ms);
		guard_save_lost(g, -ETIMEDOUT, now_ms);
	}
	if (g->begin_serial && now_ms - g->begin_ms >= SAVE_LIMIT_MS)
		guard_save_lost(g, -ETIMEDOUT, now_ms);
	if (clock_unix_ms() == 0)
		interlock_raise(k, ALARM_CLOCK_UNSET);
	else
		interlock_lower(k, ALARM_CLOCK_UNSET);
	k->ready = stands_behind_us(g, now_ms);
	if (was_ready && !k->ready && (k->relays & RELAY_STARTER))
		g->sample_ms = now_ms; /* the interlock opens it */
	if (owes(d, DEADMAN_READY_MS, now_ms) || (!d->pid && d->restarts))
		interlock_raise(k, ALARM_DEADMAN_LOST);
	else if (d->heard_ms > d->spawned_ms)
		interlock_lower(k, ALARM_DEADMAN_LOST);
}

void guard_beat(struct guard *g, bool orderly, int64_t now_ms)
{
	struct child *c = &g->children[CHILD_DEADMAN];
	struct deadman_beat beat = { .serial = ++g->beat,
		.relays = g->may_be_closed,
		.proved = g->stage < STAGE_LIVE || g->k.proved,
		.orderly = orderly };

	if (!c->pid || c->killed)
		return;
	(void)!send(c->fd, &beat, sizeof(beat), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (c->owes_ms == NEVER)
		c->owes_ms = now_ms;
}

void guard_echoes(struct guard *g, int64_t now_ms)
{
	struct child *c = &g->children[CHILD_DEADMAN];
	uint32_t serial;

	while (c->pid &&
	       recv(c->fd, &serial, sizeof(serial), MSG_DONTWAIT) == (ssize_t)sizeof(serial)) {
		c->heard_ms = now_ms > c->spawned_ms ? now_ms : c->spawned_ms + 1;
		c->owes_ms = serial == g->beat ? NEVER : now_ms;
	}
}

/* Control and saver end by the end of their sockets, the deadman by the orderly word. */
void guard_dismiss(struct guard *g)
{
	int64_t end_ms = clock_ms() + DISMISS_MS;
	int left = 0;

	guard_beat(g, true, end_ms);
	for (int i = 0; i < CHILDREN; i++) {
		left += g->children[i].pid != 0;
		if (i != CHILD_DEADMAN && g->children[i].pid)
			shutdown(g->children[i].fd, SHUT_WR);
	}
	while (left > 0 && clock_ms() < end_ms) {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			left--;
		else
			poll(NULL, 0, 5);
	}
	for (int i = 0; left > 0 && i < CHILDREN; i++) {
		if (g->children[i].pid)
			kill(g->children[i].pid, SIGKILL);
	}
}
