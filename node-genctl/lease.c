#include "node-genctl/lease.h"

void lease_init(struct lease *l, uint64_t boot_id)
{
	*l = (struct lease){ .boot_id = boot_id, .run_until_ms = INT64_MIN };
}

bool lease_held(const struct lease *l, int64_t now_ms)
{
	return l->holder && now_ms < l->expires_ms;
}

enum lease_code lease_acquire(struct lease *l, uint64_t who, uint32_t ttl_ms, int64_t now_ms)
{
	if (ttl_ms == 0)
		ttl_ms = LEASE_TTL_MS;
	if (ttl_ms > LEASE_TTL_MAX_MS)
		return LEASE_BAD_VALUE;
	if (lease_held(l, now_ms) && l->holder != who)
		return LEASE_TAKEN;
	if (!lease_held(l, now_ms)) { /* a new epoch: nothing sent before counts any more */
		l->epoch++;
		l->seq = 0;
		l->stated = false;
		l->answer = LEASE_OK;
	}
	l->holder = who;
	l->expires_ms = now_ms + ttl_ms;
	return LEASE_OK;
}

void lease_release(struct lease *l, uint64_t who)
{
	if (l->holder == who)
		l->holder = 0;
}

static enum lease_code judge(struct lease *l, const struct lease_order *o, int64_t now_ms)
{
	if (o->run && (o->for_s == 0 || o->for_s > ORDER_FOR_MAX_S))
		return LEASE_BAD_VALUE;
	if (l->mode != MODE_AUTO)
		return o->run ? LEASE_MODE : LEASE_OK;
	l->run = o->run;
	l->stated = true;
	l->age_ms = (int32_t)o->age_ms;
	l->run_until_ms = o->run ? now_ms - o->age_ms + (int64_t)o->for_s * 1000 : now_ms;
	return LEASE_OK;
}

enum lease_code lease_order(
    struct lease *l, uint64_t who, const struct lease_order *order, int64_t now_ms)
{
	if (order->boot_id != l->boot_id || order->age_ms > ORDER_AGE_MS)
		return LEASE_STALE;
	if (!lease_held(l, now_ms) || l->holder != who)
		return LEASE_NOT_HOLDER;
	if (order->epoch != l->epoch || order->seq < l->seq || order->seq == 0)
		return LEASE_STALE;
	if (order->seq == l->seq)
		return l->answer;
	l->seq = order->seq;
	l->answer = judge(l, order, now_ms);
	return l->answer;
}

void lease_operator_run(struct lease *l, uint32_t for_s, int64_t now_ms)
{
	l->mode = MODE_OPERATOR_RUN;
	l->run = true;
	l->run_until_ms = for_s ? now_ms + (int64_t)for_s * 1000 : INT64_MAX;
}

void lease_mode(struct lease *l, enum mode mode)
{
	if (mode == l->mode)
		return;
	if (mode != MODE_OPERATOR_RUN)
		l->run = l->stated = false;
	l->mode = mode;
}

void lease_adopt(struct lease *l, int64_t run_until_ms)
{
	l->run = true;
	l->run_until_ms = run_until_ms;
}

struct lease_wish lease_wish(const struct lease *l, int64_t now_ms)
{
	bool by_hand = l->mode == MODE_OPERATOR_RUN;
	struct lease_wish w = { .deadline_ms = INT64_MAX };

	if (l->mode != MODE_AUTO && !by_hand)
		return w;
	w.run = l->run && now_ms < l->run_until_ms;
	w.may_start = w.run && (by_hand || (l->stated && lease_held(l, now_ms)));
	if (w.run)
		w.deadline_ms = l->run_until_ms;
	return w;
}
