/* Who may start the engine, and until when. */
#include "test/wp/words.h"
#include "node-genctl/lease.h"

/* clang-format off */
#define HELD(l) ((l)->holder && now_ms < (l)->expires_ms)

/*@ requires \valid(l);
    assigns *l; */
void lease_init(struct lease *l, uint64_t boot_id);

/*@ requires \valid_read(l);
    assigns \nothing;
    ensures L1: \result != 0 <==> HELD(l); */
bool lease_held(const struct lease *l, int64_t now_ms);

/*@ requires \valid(l) && is_time(now_ms);
    assigns l->epoch, l->seq, l->stated, l->answer, l->holder, l->expires_ms;
    ensures L1: \result == LEASE_OK ==> l->holder == who &&
	l->expires_ms <= now_ms + LEASE_TTL_MAX_MS;
    ensures L1_taken: \old(l->holder) != 0 && \old(l->holder) != who &&
	now_ms < \old(l->expires_ms) ==> \result != LEASE_OK && l->holder == \old(l->holder);
    ensures L2: \result == LEASE_OK && !(\old(l->holder) != 0 && now_ms < \old(l->expires_ms))
	==> !l->stated && l->seq == 0; */
enum lease_code lease_acquire(struct lease *l, uint64_t who, uint32_t ttl_ms, int64_t now_ms);

/*@ requires \valid(l);
    assigns l->holder;
    ensures L1: l->holder == 0 || l->holder != who; */
void lease_release(struct lease *l, uint64_t who);

/*@ requires \valid(l) && \valid_read(o) && \separated(l, o) && is_time(now_ms);
    requires o->age_ms <= ORDER_AGE_MS;
    assigns l->run, l->stated, l->age_ms, l->run_until_ms;
    ensures M1: l->mode != MODE_AUTO ==> \result != LEASE_OK || !o->run;
    ensures M1_kept: l->mode != MODE_AUTO ==>
	l->run == \old(l->run) && l->stated == \old(l->stated);
    ensures L1: \result == LEASE_OK && o->run ==>
	l->run_until_ms <= now_ms + ORDER_FOR_MAX_S * 1000; */
static enum lease_code judge(struct lease *l, const struct lease_order *o, int64_t now_ms);

/*@ requires \valid(l) && \valid_read(order) && \separated(l, order) && is_time(now_ms);
    requires l->answer == LEASE_OK || l->seq > 0;
    assigns l->seq, l->answer, l->run, l->stated, l->age_ms, l->run_until_ms;
    ensures L2_old: order->age_ms > ORDER_AGE_MS ==> \result == LEASE_STALE;
    ensures L2_boot: order->boot_id != l->boot_id ==> \result == LEASE_STALE;
    ensures L2_epoch: order->epoch != l->epoch ==>
	\result == LEASE_STALE || \result == LEASE_NOT_HOLDER;
    ensures L2_holder: (l->holder != who || !HELD(l)) ==>
	\result == LEASE_STALE || \result == LEASE_NOT_HOLDER;
    ensures L2_once: l->seq == \old(l->seq) ==>
	l->run == \old(l->run) && l->stated == \old(l->stated) &&
	l->run_until_ms == \old(l->run_until_ms);
    ensures L2: l->run != \old(l->run) || l->stated != \old(l->stated) ==>
	l->holder == who && HELD(l) && order->boot_id == l->boot_id &&
	order->epoch == l->epoch && order->age_ms <= ORDER_AGE_MS &&
	order->seq > \old(l->seq) && l->mode == MODE_AUTO; */
enum lease_code lease_order(
    struct lease *l, uint64_t who, const struct lease_order *order, int64_t now_ms);

/*@ requires \valid(l) && is_time(now_ms);
    assigns l->mode, l->run, l->run_until_ms; */
void lease_operator_run(struct lease *l, uint32_t for_s, int64_t now_ms);

/*@ requires \valid(l) && mode <= MODE_ESTOP;
    assigns l->mode, l->run, l->stated;
    ensures R5: l->mode == mode;
    ensures M1: mode != \old(l->mode) && mode != MODE_OPERATOR_RUN ==> !l->run && !l->stated; */
void lease_mode(struct lease *l, enum mode mode);

/*@ requires \valid(l);
    assigns l->run, l->run_until_ms; */
void lease_adopt(struct lease *l, int64_t run_until_ms);

/*@ requires \valid_read(l);
    assigns \nothing;
    ensures L1: \result.run ==> l->run && now_ms < l->run_until_ms &&
	\result.deadline_ms == l->run_until_ms;
    ensures L1_start: \result.may_start ==> \result.run &&
	(l->mode == MODE_OPERATOR_RUN || (l->stated && HELD(l)));
    ensures M1: \result.run ==> l->mode == MODE_AUTO || l->mode == MODE_OPERATOR_RUN; */
struct lease_wish lease_wish(const struct lease *l, int64_t now_ms);
/* clang-format on */

#include "node-genctl/lease.c"
