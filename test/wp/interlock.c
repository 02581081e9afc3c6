/* What the interlock keeps of acknowledged bytes, orders and modes.
 * Left out: interlock_gate and interlock_begin, which ask the checks through the table,
 * and interlock_init. */
#include "test/wp/interlock.h"

/* clang-format off */
#define BY_HAND(k) ((k)->ledger.mode == MODE_MAINTENANCE)
#define LOCK(k) (\valid(k) && is_config((k)->config) && \separated(k, (k)->config))
#define FELL(relay) FALLS(\old(k->relays), relays, relay)
#define ROSE(relay) RISES(\old(k->relays), relays, relay)

/*@ requires 1 <= n <= 8 && \valid(list + (0 .. n - 1));
    assigns list[0 .. n - 1];
    ensures list[0] == now_ms; */
static void push_time(int64_t *list, size_t n, int64_t now_ms);

/*@ requires \valid(l);
    assigns l->pulses[0 .. LEDGER_PULSES - 1];
    ensures S5: l->pulses[0].from_ms == now_ms && l->pulses[0].ms == ms; */
static void charge_pulse(struct ledger *l, int32_t ms, int64_t now_ms);

/*@ requires \valid(k);
    assigns k->permit; */
void interlock_permit(struct interlock *k);

/*@ requires \valid(k);
    assigns k->permit;
    ensures S6: !k->permit; */
void interlock_drop_permit(struct interlock *k);

/*@ requires \valid(k) && is_past(k->starter_on_ms) && is_time(now_ms);
    assigns k->starter_off_ms, k->ledger.crank_ms, k->ledger.pulses[0].ms, k->permit, k->dirty;
    ensures S5: k->starter_off_ms == now_ms;
    ensures S6: !k->permit; */
static void end_of_pulse(struct interlock *k, int64_t now_ms);

/*@ requires \valid(k) && \valid_read(k->config) && \separated(k, k->config);
    requires is_past(k->ledger.run_from_ms) && is_time(now_ms);
    assigns k->ignition_off_ms, k->stopping, k->descending, k->permit, k->proved, k->dirty,
	k->alarms, k->ledger.stopped_ms, k->ledger.total_run_s, k->ledger.lockout_ms,
	k->ledger.latches, k->ledger.held, k->ledger.warm, k->ledger.charged;
    ensures F1: !k->permit && !k->proved;
    ensures R5: \old(k->ledger.latches) != 0 ==> k->ledger.latches != 0;
    ensures S6: k->ledger.failed >= k->config->attempts && !BY_HAND(k)
	==> k->ledger.lockout_ms == now_ms; */
static void end_of_run(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_time(now_ms);
    assigns k->starter_on_ms, k->starter_seen, k->absent, k->dirty,
	k->ledger.pulses[0 .. LEDGER_PULSES - 1];
    ensures S4: k->starter_on_ms == now_ms && !k->starter_seen && k->absent == 0;
    ensures S5: k->ledger.pulses[0].from_ms == now_ms;
    ensures S5_raw: !k->permit ==> k->ledger.pulses[0].ms == crank_total(k->config); */
static void begin_of_pulse(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_time(now_ms);
    assigns k->starter_on_ms, k->starter_seen, k->absent, k->dirty, k->glow_on_ms,
	k->ignition_on_ms, k->proved, k->ledger.charged, k->sagged,
	k->ledger.pulses[0 .. LEDGER_PULSES - 1];
    ensures S4: ON(rose, RELAY_STARTER) ==> k->starter_on_ms == now_ms;
    ensures C1: ON(rose, RELAY_IGNITION) ==> !k->proved;
    ensures C1_kept: k->proved ==> \old(k->proved);
    ensures C2: ON(rose, RELAY_CHARGER) ==> k->ledger.charged == 1; */
static void note_risen(struct interlock *k, uint8_t rose, int64_t now_ms);

/*@ requires LOCK(k) && is_past(k->ledger.run_from_ms) && is_time(now_ms);
    requires ON(k->relays, RELAY_STARTER) ==> is_past(k->starter_on_ms);
    assigns *k;
    ensures S5: k->known && FELL(RELAY_STARTER) ==>
	k->starter_off_ms == now_ms && !k->permit;
    ensures S4: k->known && ROSE(RELAY_STARTER) ==> k->starter_on_ms == now_ms;
    ensures C2: k->known && FELL(RELAY_CHARGER) ==>
	k->charger_off_ms == now_ms && k->descend_ms == now_ms;
    ensures F1: k->known && FELL(RELAY_IGNITION) ==> !k->permit && !k->proved;
    ensures I1: k->known ==> k->relays == relays;
    ensures I1_stuck: \old(k->in.fault) == SAMPLE_STUCK &&
	(!\old(k->known) || ON(\old(k->relays), RELAY_STARTER)) ==> !k->known; */
void interlock_acked(struct interlock *k, uint8_t relays, int64_t now_ms);

/*@ requires \valid(k);
    assigns k->known, k->permit, k->alarms, k->ledger.latches, k->dirty;
    ensures I1: !k->known && !k->permit; */
void interlock_unacked(struct interlock *k);

/*@ requires \valid(k);
    assigns k->orphan_ms, k->permit;
    ensures S9: gone && now_ms != NEVER ==> k->orphan_ms != NEVER && !k->permit; */
void interlock_orphan(struct interlock *k, bool gone, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->ledger.run_from_ms);
    assigns k->ledger.deadline_ms;
    ensures R4: k->proved ==>
	k->ledger.deadline_ms <= k->ledger.run_from_ms + k->config->max_run_ms;
    ensures L1: k->proved && deadline_ms >= 0 ==> k->ledger.deadline_ms <= deadline_ms; */
void interlock_deadline(struct interlock *k, int64_t deadline_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures M1: \result == 0 ==> k->ledger.mode != MODE_ESTOP;
    ensures M1_maintenance: \result == 0 && BY_HAND(k) ==>
	mode == MODE_OFF || mode == MODE_MAINTENANCE;
    ensures L3: \result == 0 && mode == MODE_MAINTENANCE && !BY_HAND(k) ==>
	k->known && k->relays == 0 && !k->in.run;
    ensures \result <= 0; */
static int may_change_mode(const struct interlock *k, enum mode mode);

/*@ requires \valid(k) && mode <= MODE_ESTOP;
    assigns k->dirty, k->ledger.mode;
    ensures M1: \old(k->ledger.mode) == MODE_ESTOP ==> k->ledger.mode == MODE_ESTOP;
    ensures \result == 0 ==> k->ledger.mode == mode; */
int interlock_mode(struct interlock *k, enum mode mode);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures \result ==> alarm > 0; */
static bool cause_stands(const struct interlock *k, enum alarm alarm);

/*@ requires \valid(k);
    assigns k->alarms, k->ledger.latches, k->ledger.failed, k->ledger.mode, k->dirty;
    ensures R5: \result == 0 ==> k->ledger.latches == 0 && k->ledger.mode != MODE_ESTOP;
    ensures M1: \result == 0 && (\old(k->ledger.latches) || \old(k->ledger.mode) == MODE_ESTOP)
	==> k->ledger.mode == MODE_OFF; */
int interlock_clear(struct interlock *k);

/*@ requires \valid(k);
    assigns k->proved, k->charger_off_ms, k->sagged;
    ensures C2: k->charger_off_ms == now_ms; */
void interlock_adopt(struct interlock *k, int64_t now_ms);
/* clang-format on */

#include "node-genctl/interlock.c"
