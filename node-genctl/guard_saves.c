#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/log.h"
#include "node-genctl/guard_parts.h"
#include "node-genctl/saver.h"

enum { SAVE_AGAIN_MS = 5000 };

/* The record on its way, if any, counts as lost and the ledger is sent once more. */
void guard_save_lost(struct guard *g, int rc, int64_t now_ms)
{
	g->saved = g->saves;
	g->children[CHILD_SAVER].owes_ms = NEVER;
	g->k.dirty = true;
	g->save_at_ms = now_ms + SAVE_AGAIN_MS;
	if (!(g->k.alarms >> ALARM_JOURNAL_UNWRITABLE & 1))
		log_error("guard", "the ledger could not be saved: %s", strerror(-rc));
	interlock_raise(&g->k, ALARM_JOURNAL_UNWRITABLE);
	guard_begun(g, rc);
}

void guard_save(struct guard *g, int64_t now_ms)
{
	struct child *c = &g->children[CHILD_SAVER];
	struct saver_record r;

	if (!g->k.dirty || g->stage == STAGE_HEIR || !c->pid || c->killed ||
	    g->saved != g->saves || now_ms < g->save_at_ms)
		return;
	r = (struct saver_record){ .number = g->saves + 1, .ledger = g->k.ledger };
	if (send(c->fd, &r, sizeof(r), MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)sizeof(r))
		return;
	g->saves++;
	g->k.dirty = false;
	c->owes_ms = now_ms;
}

static void settled(struct guard *g, const struct saver_ack *ack, int64_t now_ms)
{
	struct child *c = &g->children[CHILD_SAVER];

	if (ack->number != g->saves || g->saved == g->saves)
		return;
	c->owes_ms = NEVER;
	if (ack->error) {
		guard_save_lost(g, ack->error, now_ms);
		return;
	}
	g->saved = ack->number;
	if (g->k.alarms >> ALARM_JOURNAL_UNWRITABLE & 1)
		log_info("guard", "the ledger is saved again");
	interlock_lower(&g->k, ALARM_JOURNAL_UNWRITABLE);
	if (g->begin_serial && (int32_t)(g->saved - g->begin_save) >= 0)
		guard_begun(g, 0);
}

void guard_acks(struct guard *g, int64_t now_ms)
{
	struct child *c = &g->children[CHILD_SAVER];
	struct saver_ack ack;

	while (c->pid && recv(c->fd, &ack, sizeof(ack), MSG_DONTWAIT) == (ssize_t)sizeof(ack))
		settled(g, &ack, now_ms);
}
