/* What each rule's check demands of standing relays, and what a sample leaves behind.
 * Left out: interlock_watch, which asks the checks through the table. */
#include "test/wp/interlock.h"

/* clang-format off */
#define CRANKS(k) ON((k)->relays, RELAY_STARTER)
#define FUELLED(k) ON((k)->relays, RELAY_IGNITION)
#define WRITES(byte) (\result.write && \result.relays == (byte))
#define QUIET (!\result.write)
#define LOCK(k) (\valid(k) && is_config((k)->config) && \separated(k, (k)->config) && is_time(now_ms))
#define ALARMS(k) (k)->alarms, (k)->ledger.latches, (k)->dirty
#define WAY_DOWN(k) (k)->descending, (k)->descend_ms, (k)->permit, ALARMS(k)

#include "node-genctl/rules.h"

/*@ assigns \nothing;
    ensures \result.write && \result.relays == relays && \result.rule == rule;
    ensures G1: OFF(relays, RELAY_GLOW) ==> OFF(\result.relays, RELAY_GLOW);
    ensures \result.alarm == ALARM_N; */
static struct verdict force(uint8_t relays, enum rule rule);

/*@ requires \valid(k) && alarm < ALARM_N;
    assigns ALARMS(k);
    ensures \result.write && \result.relays == relays && \result.rule == rule;
    ensures \result.alarm == alarm;
    ensures R1: ON(\old(k->ledger.latches), 1 << ALARM_UNEXPECTED_STOP) ==>
	ON(k->ledger.latches, 1 << ALARM_UNEXPECTED_STOP); */
static struct verdict force_alarm(
    struct interlock *k, uint8_t relays, enum rule rule, enum alarm alarm);

/*@ requires \valid(k) && alarm < ALARM_N;
    assigns ALARMS(k);
    ensures QUIET && \result.rule == rule; */
static struct verdict tell(struct interlock *k, enum rule rule, enum alarm alarm);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures \result != 0 <==> CRANKS(k); */
static bool cranks(const struct interlock *k);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures \result != 0 <==> FUELLED(k); */
static bool fuelled(const struct interlock *k);

/*@ requires \valid_read(k) && is_past(k->starter_on_ms) && is_time(now_ms);
    assigns \nothing;
    ensures \result == now_ms - k->starter_on_ms; */
static int64_t pulse_ms(const struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k);
    assigns \nothing;
    ensures S3: CRANKS(k) && k->in.run ==> WRITES(RELAY_IGNITION);
    ensures QUIET || WRITES(RELAY_IGNITION); */
struct verdict watch_s3(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_past(k->starter_on_ms);
    assigns \nothing;
    ensures S4: CRANKS(k) && now_ms - k->starter_on_ms >= crank_total(k->config) +
	STARTER_SLACK_MS ==> WRITES(RELAY_IGNITION);
    ensures QUIET || WRITES(RELAY_IGNITION); */
struct verdict watch_s4(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_past(k->starter_on_ms);
    assigns ALARMS(k);
    ensures S7: CRANKS(k) && !k->starter_seen && now_ms - k->starter_on_ms >= NO_FEEDBACK_MS
	==> WRITES(0);
    ensures QUIET || WRITES(0); */
struct verdict watch_s7(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->stuck_ms) && is_since(k->starter_off_ms);
    assigns ALARMS(k);
    ensures S8: !CRANKS(k) && ELAPSED(k->stuck_ms, STUCK_MS, now_ms) &&
	ELAPSED(k->starter_off_ms, STUCK_MS, now_ms) && \old(k->ledger.latches) == 0
	==> WRITES(0);
    ensures QUIET || WRITES(0); */
struct verdict watch_s8(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k);
    assigns \nothing;
    ensures S9: CRANKS(k) && (k->orphan_ms != NEVER || k->descending || !k->ready)
	==> WRITES(RELAY_IGNITION);
    ensures QUIET || WRITES(RELAY_IGNITION); */
struct verdict watch_s9(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k);
    assigns ALARMS(k);
    ensures I3: CRANKS(k) && k->starter_seen && k->absent >= ABSENT_SAMPLES ==> WRITES(0);
    ensures QUIET || WRITES(0); */
struct verdict watch_i3(struct interlock *k, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures \result != 0 <==> FUELLED(k) && !k->proved && k->ledger.mode != MODE_MAINTENANCE; */
static bool starts(const struct interlock *k);

/*@ requires is_config(c);
    assigns \nothing;
    ensures \result == c->ignition_ms + (c->glow_mode == GLOW_PREHEAT ? c->preheat_ms : 0);
    ensures 0 <= \result <= 25000; */
static int32_t lead_ms(const struct engine_config *c);

/*@ requires LOCK(k) && is_since(k->ignition_on_ms);
    assigns \nothing;
    ensures F2: FUELLED(k) && !k->proved && k->ledger.mode != MODE_MAINTENANCE &&
	ELAPSED(k->ignition_on_ms, k->config->ignition_ms +
	(k->config->glow_mode == GLOW_PREHEAT ? k->config->preheat_ms : 0) +
	crank_total(k->config) + k->config->coast_ms + k->config->lost_ms, now_ms)
	==> WRITES(0);
    ensures QUIET || WRITES(0); */
struct verdict watch_f2(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->ignition_on_ms);
    assigns ALARMS(k);
    ensures F3: FUELLED(k) && k->proved && k->in.fault == SAMPLE_ZERO &&
	k->in.bad_ms >= k->config->lost_ms ==> WRITES(0);
    ensures QUIET || WRITES(0); */
struct verdict watch_f3(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->glow_on_ms);
    assigns \nothing;
    ensures G1: ON(k->relays, RELAY_GLOW) && (k->in.running ||
	ELAPSED(k->glow_on_ms, GLOW_MAX_MS, now_ms)) ==>
	\result.write && OFF(\result.relays, RELAY_GLOW);
    ensures S3: \result.write && ON(\result.relays, RELAY_STARTER) ==> CRANKS(k);
    ensures C1: \result.write && ON(\result.relays, RELAY_CHARGER) ==>
	ON(k->relays, RELAY_CHARGER); */
struct verdict watch_g1(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k);
    assigns k->sagged;
    ensures C3: ON(k->relays, RELAY_CHARGER) && (k->in.low_samples >= SAG_SAMPLES ||
	k->in.bad_ms >= BAD_MS) ==> WRITES(RELAY_IGNITION);
    ensures C4: \result.write ==> k->sagged;
    ensures QUIET || WRITES(RELAY_IGNITION); */
struct verdict watch_c3(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->ledger.unexpected_ms);
    assigns ALARMS(k), k->ledger.unexpected_ms;
    ensures R1: FUELLED(k) && k->proved && k->in.lost ==> WRITES(0);
    ensures R1_twice: FUELLED(k) && k->proved && k->in.lost &&
	WITHIN(\old(k->ledger.unexpected_ms), HOUR_MS, now_ms) ==>
	ON(k->ledger.latches, 1 << ALARM_UNEXPECTED_STOP);
    ensures QUIET || WRITES(0); */
struct verdict watch_r1(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->orphan_ms) && k->ledger.deadline_ms <= 3 * LATEST;
    assigns WAY_DOWN(k);
    ensures L1: k->proved && k->relays &&
	now_ms >= k->ledger.deadline_ms + DEADLINE_GRACE_MS ==> k->descending;
    ensures S9: k->proved && k->relays && ELAPSED(k->orphan_ms, ORPHAN_MS, now_ms)
	==> k->descending;
    ensures QUIET; */
struct verdict watch_l1(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->ledger.run_from_ms) && is_since(k->descend_ms);
    assigns WAY_DOWN(k), k->ledger.inhibit_ms;
    ensures R4: FUELLED(k) && k->proved &&
	ELAPSED(k->ledger.run_from_ms, k->config->max_run_ms, now_ms) ==> k->descending;
    ensures R4_byte: FUELLED(k) && k->proved && k->descending &&
	k->relays != RELAY_IGNITION ==> WRITES(RELAY_IGNITION);
    ensures C2: WRITES(0) ==> \old(k->descending) || k->config->cooldown_ms == 0;
    ensures QUIET || WRITES(RELAY_IGNITION) || WRITES(0); */
struct verdict watch_r4(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k);
    assigns \nothing;
    ensures R5: k->relays && (k->ledger.latches || k->ledger.mode == MODE_ESTOP ||
	(k->descending && !k->proved)) ==> WRITES(0);
    ensures QUIET || WRITES(0); */
struct verdict watch_r5(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->raw_ms);
    assigns \nothing;
    ensures L3: k->relays && k->ledger.mode == MODE_MAINTENANCE &&
	ELAPSED(k->raw_ms, RAW_MAX_MS, now_ms) ==> WRITES(0);
    ensures M1: k->relays && k->ledger.mode == MODE_OFF && !k->proved ==> WRITES(0);
    ensures L3_after: k->relays && k->ledger.mode != MODE_MAINTENANCE && k->raw_ms != NEVER
	==> WRITES(0);
    ensures QUIET || WRITES(0); */
struct verdict watch_l3(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->ignition_off_ms);
    assigns ALARMS(k);
    ensures QUIET;
    ensures R2: !FUELLED(k) && !k->in.bad_ms && k->stopping &&
	ELAPSED(k->ignition_off_ms, k->config->fail_to_stop_ms, now_ms) ==>
	\result.rule == RULE_R2; */
struct verdict watch_r2(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->ignition_off_ms);
    assigns ALARMS(k);
    ensures QUIET;
    ensures R3: !FUELLED(k) && !k->in.bad_ms && !k->stopping &&
	k->in.run_ms >= RUN_DEBOUNCE_MS ==> \result.rule == RULE_R3; */
struct verdict watch_r3(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->ledger.lockout_ms);
    requires \forall integer i; 0 <= i < LEDGER_RETRIES ==> is_since(k->ledger.retries[i]);
    assigns k->ledger.retries[0 .. LEDGER_RETRIES - 1], k->ledger.latches, k->ledger.failed,
	k->alarms, k->dirty;
    ensures QUIET;
    ensures S6: \result.alarm != ALARM_N ==> k->config->lockout_retries > 0 &&
	ELAPSED(k->ledger.lockout_ms, k->config->lockout_ms, now_ms) &&
	k->ledger.retries[0] == now_ms; */
struct verdict watch_s6(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->mode_ms);
    assigns ALARMS(k);
    ensures QUIET; */
struct verdict watch_m1(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k);
    assigns \nothing;
    ensures QUIET || WRITES(k->relays);
    ensures I2: \result.write ==> k->in.bad_ms == 0; */
struct verdict watch_i1(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k);
    assigns ALARMS(k);
    ensures I2: CRANKS(k) && k->in.bad_ms >= BAD_MS ==> WRITES(0);
    ensures QUIET || WRITES(0); */
struct verdict watch_i2(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k);
    assigns k->starter_seen, k->absent;
    ensures I3: k->in.fault == SAMPLE_ZERO ==>
	k->absent == (\old(k->absent) < ABSENT_SAMPLES ? \old(k->absent) + 1 : \old(k->absent));
    ensures S7: k->starter_seen ==> \old(k->starter_seen) ||
	(k->in.fault == SAMPLE_OK && ON(k->in.x, INPUT_STARTER)); */
static void see_starter(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->stuck_ms);
    assigns k->stuck_ms;
    ensures is_since(k->stuck_ms);
    ensures S8: !k->in.bad_ms && ON(k->in.x, INPUT_STARTER) ==> k->stuck_ms != NEVER; */
static void see_stuck(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->starter_off_ms);
    assigns k->proved, k->alarms, k->dirty, k->ledger.held, k->ledger.failed, k->ledger.warm,
	k->ledger.run_from_ms, k->ledger.deadline_ms, k->ledger.total_starts;
    ensures C1: k->proved ==> \old(k->proved) || k->in.running;
    ensures R4: !\old(k->proved) && k->proved ==> k->ledger.run_from_ms == now_ms &&
	k->ledger.deadline_ms == now_ms + k->config->max_run_ms; */
static void see_run(struct interlock *k, int64_t now_ms);

/*@ requires LOCK(k) && is_since(k->stuck_ms) && is_since(k->starter_off_ms);
    assigns k->alarms, k->ledger, k->permit, k->dirty, k->seen_mode, k->mode_ms,
	k->starter_seen, k->absent, k->stuck_ms, k->proved, k->stopping;
    ensures R5: k->in.estop ==> k->ledger.mode == MODE_ESTOP;
    ensures I1: !k->known ==> k->proved == \old(k->proved); */
static void see(struct interlock *k, int64_t now_ms);
/* clang-format on */

#include "node-genctl/interlock_watch.c"
