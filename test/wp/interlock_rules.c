/* What each rule's check at the gate lets through, and what it asks of a new attempt. Here a
 * rule's name stands for: the check says no, unless ... */
#include "test/wp/interlock.h"

/* clang-format off */
#define BY_HAND(k) ((k)->ledger.mode == MODE_MAINTENANCE)
#define ASKED(k) ((k)->permit || BY_HAND(k))
#define WARM(k) ((k)->in.run_ms >= (k)->config->warmup_ms + (k)->config->stabilise_ms)
#define RISING(k) (((want) & ~(k)->relays & RELAY_ALL) != 0)
#define PASSED(k, relay) (\result == 0 && RISES((k)->relays, want, relay))

/*@ predicate has_pulses(struct interlock *k) =
	\forall integer i; 0 <= i < LEDGER_PULSES ==> is_since(k->ledger.pulses[i].from_ms); */

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures \result != 0 <==> (want & ~k->relays & relay) != 0; */
static bool rises(const struct interlock *k, uint8_t want, uint8_t relay);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures \result != 0 <==> BY_HAND(k); */
static bool by_hand(const struct interlock *k);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures \result != 0 <==>
	k->ledger.mode == MODE_AUTO || k->ledger.mode == MODE_OPERATOR_RUN; */
static bool enabled(const struct interlock *k);

/*@ requires is_since(since_ms) && 0 <= window_ms <= DAY_MS;
    assigns \nothing;
    ensures \result >= a_ms && (since_ms != NEVER ==> \result >= since_ms + window_ms);
    ensures \result == a_ms || \result <= 3 * LATEST; */
static int64_t later(int64_t a_ms, int64_t since_ms, int64_t window_ms);

/*@ requires \valid_read(k) && is_config(k->config) && has_pulses(k);
    requires 0 <= now_ms <= INT64_MAX / 8;
    assigns \nothing; */
static bool budget_spent(const struct interlock *k, int64_t now_ms);

/*@ requires \valid_read(k) && is_config(k->config) && has_pulses(k);
    requires 0 <= at_ms <= 3 * LATEST;
    assigns \nothing;
    ensures \result >= at_ms; */
static int64_t budget_ready_ms(const struct interlock *k, int64_t at_ms);

/*@ requires \valid_read(k) && is_config(k->config) && has_pulses(k);
    requires is_since(k->ledger.stopped_ms) && is_since(k->ledger.inhibit_ms);
    requires \forall integer i; 0 <= i < LEDGER_STARTS ==> is_since(k->ledger.starts[i]);
    assigns \nothing;
    ensures R4: k->ledger.inhibit_ms != NEVER ==> \result >= k->ledger.inhibit_ms;
    ensures S6: k->ledger.starts[k->config->starts_per_hour - 1] != NEVER ==>
	\result >= k->ledger.starts[k->config->starts_per_hour - 1] + HOUR_MS; */
int64_t interlock_ready_ms(const struct interlock *k);

/*@ assigns \nothing;
    ensures S1: \result == 0 && ON(want, RELAY_STARTER) ==>
	(want & (RELAY_IGNITION | RELAY_CHARGER)) == RELAY_IGNITION; */
static bool gate_s1(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k) && is_config(k->config);
    assigns \nothing;
    ensures S2: PASSED(k, RELAY_STARTER) ==>
	k->in.alone_samples >= ALONE_SAMPLES && k->in.still_ms >= k->config->at_rest_ms; */
static bool gate_s2(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k) && is_config(k->config) && has_pulses(k);
    requires is_since(k->starter_off_ms) && is_time(now_ms);
    assigns \nothing;
    ensures S5: PASSED(k, RELAY_STARTER) ==>
	!WITHIN(k->starter_off_ms, k->config->crank_rest_ms, now_ms); */
static bool gate_s5(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures S6: PASSED(k, RELAY_STARTER) ==> ASKED(k); */
static bool gate_s6(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures S9: PASSED(k, RELAY_STARTER) ==> k->ready; */
static bool gate_s9(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures F1: PASSED(k, RELAY_IGNITION) ==> ASKED(k); */
static bool gate_f1(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures G1: PASSED(k, RELAY_GLOW) ==> !k->in.run && !k->proved && ASKED(k);
    ensures G1_ignition: \result == 0 && ON(want, RELAY_GLOW) ==> ON(want, RELAY_IGNITION); */
static bool gate_g1(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k) && is_config(k->config);
    assigns \nothing;
    ensures C1: PASSED(k, RELAY_CHARGER) ==>
	k->proved && k->in.run && ON(k->relays, RELAY_IGNITION) && WARM(k);
    ensures C1_ignition: \result == 0 && ON(want, RELAY_CHARGER) ==>
	ON(want, RELAY_IGNITION); */
static bool gate_c1(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k) && is_config(k->config);
    requires is_since(k->charger_off_ms) && is_time(now_ms);
    assigns \nothing;
    ensures C2: \result == 0 && FALLS(k->relays, want, RELAY_IGNITION) && k->proved &&
	k->ledger.charged && !k->in.lost && !k->ledger.latches &&
	k->ledger.mode != MODE_ESTOP ==> OFF(k->relays, RELAY_CHARGER) &&
	!WITHIN(k->charger_off_ms, k->config->cooldown_ms, now_ms); */
static bool gate_c2(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k) && is_since(k->charger_off_ms) && is_time(now_ms);
    assigns \nothing;
    ensures C4: PASSED(k, RELAY_CHARGER) && k->sagged ==>
	!WITHIN(k->charger_off_ms, RECLOSE_MS, now_ms); */
static bool gate_c4(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures R3: PASSED(k, RELAY_IGNITION) ==> !k->in.run; */
static bool gate_r3(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures R5: \result == 0 && RISING(k) ==> k->ledger.latches == 0 && !k->descending; */
static bool gate_r5(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures P1: \result == 0 && !k->live ==> want == 0 || (want == RELAY_IGNITION &&
	k->ledger.held && k->in.running && k->in.bad_ms == 0 && k->ledger.latches == 0); */
static bool gate_p1(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ assigns \nothing;
    ensures P2: \result == 0 ==> (want & 0xf0) == 0; */
static bool gate_p2(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures L3: PASSED(k, RELAY_CHARGER) ==> !BY_HAND(k); */
static bool gate_l3(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures T1: \result == 0 ==> now_ms >= k->in.at_ms; */
static bool gate_t1(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures M1: \result == 0 && RISING(k) ==>
	k->ledger.mode == MODE_AUTO || k->ledger.mode == MODE_OPERATOR_RUN || BY_HAND(k); */
static bool gate_m1(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures I1: \result == 0 && RISING(k) && k->live ==> k->known; */
static bool gate_i1(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures I2: \result == 0 && (want & ~k->relays &
	(RELAY_IGNITION | RELAY_STARTER | RELAY_CHARGER)) != 0 ==> k->in.bad_ms == 0; */
static bool gate_i2(const struct interlock *k, uint8_t want, int64_t now_ms);

/*@ requires \valid_read(k) && \valid_read(s) && is_config(k->config) && has_pulses(k);
    requires is_since(k->ledger.stopped_ms) && is_since(k->ledger.inhibit_ms);
    requires \forall integer i; 0 <= i < LEDGER_STARTS ==> is_since(k->ledger.starts[i]);
    requires is_time(now_ms);
    assigns \nothing;
    ensures R4: \result == BEGIN_OK && s->first && k->ledger.inhibit_ms != NEVER ==>
	now_ms >= k->ledger.inhibit_ms;
    ensures S6: \result == BEGIN_OK && s->first &&
	k->ledger.starts[k->config->starts_per_hour - 1] != NEVER ==>
	now_ms >= k->ledger.starts[k->config->starts_per_hour - 1] + HOUR_MS; */
static enum begin begin_s5(const struct interlock *k, const struct start *s, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures S6: \result == BEGIN_OK ==> k->ledger.latches == 0; */
static enum begin begin_s6(const struct interlock *k, const struct start *s, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures S9: \result == BEGIN_OK ==> k->ready; */
static enum begin begin_s9(const struct interlock *k, const struct start *s, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures R3: \result == BEGIN_OK ==> k->in.x == 0; */
static enum begin begin_r3(const struct interlock *k, const struct start *s, int64_t now_ms);

/*@ requires \valid_read(s);
    assigns \nothing;
    ensures P2: \result == BEGIN_OK ==> s->by == BY_OPERATOR || s->by == BY_MONITOR; */
static enum begin begin_p2(const struct interlock *k, const struct start *s, int64_t now_ms);

/*@ requires \valid_read(s);
    assigns \nothing;
    ensures L2: \result == BEGIN_OK ==> 0 <= s->age_ms <= 5000; */
static enum begin begin_l2(const struct interlock *k, const struct start *s, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures L3: \result == BEGIN_OK ==> k->relays == 0 && !k->permit && !k->descending; */
static enum begin begin_l3(const struct interlock *k, const struct start *s, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures M1: \result == BEGIN_OK ==>
	k->ledger.mode == MODE_AUTO || k->ledger.mode == MODE_OPERATOR_RUN; */
static enum begin begin_m1(const struct interlock *k, const struct start *s, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures I2: \result == BEGIN_OK ==> k->in.bad_ms == 0; */
static enum begin begin_i2(const struct interlock *k, const struct start *s, int64_t now_ms);

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures I4: \result == BEGIN_OK ==> k->known; */
static enum begin begin_i4(const struct interlock *k, const struct start *s, int64_t now_ms);
/* clang-format on */

#include "node-genctl/interlock_rules.c"
