/*
 * interlock - contracts of what the interlock's files call of each other: proved in one of
 * them, relied on in the others.
 */
#ifndef WP_INTERLOCK_H
#define WP_INTERLOCK_H

#include "test/wp/words.h"
#include "node-genctl/interlock.h"

/* clang-format off */
/*@ requires is_since(since_ms) && 0 <= now_ms <= INT64_MAX / 8;
    assigns \nothing;
    ensures \result != 0 <==> WITHIN(since_ms, window_ms, now_ms); */
static inline bool within(int64_t since_ms, int64_t window_ms, int64_t now_ms);

/*@ requires is_since(since_ms) && 0 <= now_ms <= INT64_MAX / 8;
    assigns \nothing;
    ensures \result != 0 <==> ELAPSED(since_ms, span_ms, now_ms); */
static inline bool elapsed(int64_t since_ms, int64_t span_ms, int64_t now_ms);

/*@ requires \valid(k) && alarm < ALARM_N;
    assigns k->alarms, k->ledger.latches, k->dirty;
    ensures R5: \old(k->ledger.latches) != 0 ==> k->ledger.latches != 0;
    ensures R1: ON(\old(k->ledger.latches), 1 << ALARM_UNEXPECTED_STOP) ==>
	ON(k->ledger.latches, 1 << ALARM_UNEXPECTED_STOP); */
void interlock_raise(struct interlock *k, enum alarm alarm);

/*@ requires \valid(k) && alarm < ALARM_N;
    assigns k->alarms; */
void interlock_lower(struct interlock *k, enum alarm alarm);

/*@ requires \valid(k) && is_time(now_ms);
    assigns k->descending, k->descend_ms, k->permit, k->alarms, k->ledger.latches, k->dirty;
    ensures R5: k->relays ==> k->descending;
    ensures R4: !\old(k->descending) && k->relays ==> k->descend_ms == now_ms && !k->permit;
    ensures since: is_since(\old(k->descend_ms)) ==> is_since(k->descend_ms); */
void interlock_descend(struct interlock *k, enum alarm why, int64_t now_ms);

/*@ requires \valid(k);
    assigns k->alarms, k->ledger.latches, k->ledger.mode, k->permit, k->dirty;
    ensures R5: k->ledger.mode == MODE_ESTOP && !k->permit; */
void interlock_estop(struct interlock *k);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures P1: \result ==> k->ledger.held && k->ledger.latches == 0;
    ensures M1: \result ==> k->ledger.mode != MODE_MAINTENANCE &&
	k->ledger.mode != MODE_ESTOP && k->ledger.mode != MODE_OFF; */
bool interlock_had_run(const struct interlock *k);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures P1: \result ==> k->ledger.held && k->ledger.latches == 0 && k->in.running &&
	k->in.bad_ms == 0 && k->in.x == (INPUT_ENGINE | INPUT_IGNITION);
    ensures M1: \result ==> k->ledger.mode != MODE_MAINTENANCE &&
	k->ledger.mode != MODE_ESTOP && k->ledger.mode != MODE_OFF; */
bool interlock_may_adopt(const struct interlock *k);
/* clang-format on */

#endif
