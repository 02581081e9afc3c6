/* What may be believed of a sample, and since when. */
#include "test/wp/words.h"
#include "node-genctl/inputs.h"

/* clang-format off */
#define NOW(t) (is_time(now_ms) && (t) <= now_ms)
#define SINCE(t) (is_since(t) && (t) <= now_ms)
#define ALONE(in, x) ((in)->config->ign_feedback == FEEDBACK_ABSENT ? \
	((x) & (INPUT_ENGINE | INPUT_STARTER)) == 0 : (x) == INPUT_IGNITION)
#define COUNTED(n) (0 <= (n) <= SAMPLES_MAX)
#define INPUTS(in) (\valid(in) && is_config((in)->config) && \separated(in, (in)->config) && \
	is_time(now_ms) && SINCE((in)->valid_ms) && SINCE((in)->high_ms) && \
	SINCE((in)->low_ms) && SINCE((in)->still_ms) && SINCE((in)->proved_ms) && \
	is_past((in)->ignition_ms) && COUNTED((in)->view.low_samples) && \
	COUNTED((in)->view.alone_samples) && COUNTED((in)->in3_low))
#define SINCES(in) (SINCE((in)->valid_ms) && SINCE((in)->high_ms) && SINCE((in)->low_ms) && \
	SINCE((in)->still_ms) && SINCE((in)->proved_ms))
#define COUNTS(in) (COUNTED((in)->view.low_samples) && COUNTED((in)->view.alone_samples) && \
	COUNTED((in)->in3_low))

/*@ requires is_since(since_ms) && is_time(now_ms) && since_ms <= now_ms;
    assigns \nothing;
    ensures bounded: 0 <= \result < INT32_MAX;
    ensures since_ms == INT64_MIN ==> \result == 0;
    ensures since_ms != INT64_MIN && now_ms - since_ms < INT32_MAX ==>
	\result == now_ms - since_ms; */
static int32_t age_ms(int64_t since_ms, int64_t now_ms);

/*@ requires COUNTED(n);
    assigns \nothing;
    ensures COUNTED(\result) && (!more ==> \result == 0) && \result <= n + 1; */
static int32_t count(int32_t n, bool more);

/*@ requires \valid(since_ms) && is_since(*since_ms) && *since_ms <= now_ms && is_time(now_ms);
    assigns *since_ms;
    ensures !so ==> *since_ms == INT64_MIN;
    ensures so ==> *since_ms == (\old(*since_ms) == INT64_MIN ? now_ms : \old(*since_ms)); */
static void hold(int64_t *since_ms, bool so, int64_t now_ms);

/*@ requires \valid_read(in) && \valid_read(in->config) && is_past(in->ignition_ms);
    requires is_time(now_ms) && fault <= SAMPLE_ZERO;
    assigns \nothing;
    ensures I2: \result == SAMPLE_OK ==> fault == SAMPLE_OK && (raw & 0xf0) == 0;
    ensures I2_zero: \result == SAMPLE_OK && ON(in->relays, RELAY_IGNITION) &&
	now_ms - in->ignition_ms >= FEEDBACK_MS && in->config->ign_feedback == FEEDBACK_PRESENT
	==> (uint8_t)(raw & (INPUT_ENGINE | INPUT_IGNITION | INPUT_STARTER)) != 0;
    ensures \result <= SAMPLE_ZERO; */
static enum sample_fault judge(
    const struct inputs *in, uint8_t raw, enum sample_fault fault, int64_t now_ms);

/*@ requires \valid_read(in) && is_config(in->config);
    assigns \nothing;
    ensures S2: \result != 0 <==> ALONE(in, x); */
static bool is_alone(const struct inputs *in, uint8_t x);

/*@ requires \valid_read(in) && is_config(in->config);
    assigns \nothing;
    ensures C1: \result ==> ON(x, INPUT_ENGINE) && OFF(x, INPUT_STARTER); */
static bool is_turning_by_itself(const struct inputs *in, uint8_t x);

/*@ requires INPUTS(in);
    assigns in->view.x, in->view.run, in->view.low_samples, in->view.alone_samples,
	in->high_ms, in->low_ms, in->still_ms, in->proved_ms, in->in3_low, in->valid_ms;
    ensures SINCES(in);
    ensures COUNTS(in);
    ensures in->valid_ms == now_ms;
    ensures S3: in->view.run != 0 <==> ON(in->view.x, INPUT_ENGINE);
    ensures S2: in->view.run ==> in->still_ms == INT64_MIN;
    ensures R1: in->view.run ==> in->low_ms == INT64_MIN;
    ensures C3: in->view.run ==> in->view.low_samples == 0;
    ensures C1: !in->view.run ==> in->high_ms == INT64_MIN && in->proved_ms == INT64_MIN; */
static void see_valid(struct inputs *in, uint8_t raw, int64_t now_ms);

/*@ requires INPUTS(in);
    assigns in->view.run, in->view.alone_samples, in->still_ms, in->valid_ms;
    ensures SINCES(in);
    ensures in->valid_ms != INT64_MIN;
    ensures I2: !in->view.run && in->view.alone_samples == 0 && in->still_ms == INT64_MIN; */
static void see_bad(struct inputs *in, int64_t now_ms);

/*@ requires \valid(in);
    assigns *in; */
void inputs_init(struct inputs *in, const struct engine_config *config, int64_t now_ms);

/*@ requires INPUTS(in) && fault <= SAMPLE_ZERO;
    assigns *in;
    ensures SINCES(in);
    ensures I2: \result.fault != SAMPLE_OK ==>
	!\result.run && \result.alone_samples == 0 && \result.still_ms == 0 && \result.bad_ms >= 1;
    ensures I2_valid: \result.fault == SAMPLE_OK ==> \result.bad_ms == 0;
    ensures S2: \result.run ==> \result.still_ms == 0;
    ensures S3: \result.fault == SAMPLE_OK && ON(\result.x, INPUT_ENGINE) ==> \result.run;
    ensures S3_run: \result.run ==> \result.fault == SAMPLE_OK && ON(\result.x, INPUT_ENGINE);
    ensures R1: \result.lost ==> \result.fault == SAMPLE_OK && !\result.run;
    ensures C3: \result.run ==> \result.low_samples == 0;
    ensures C1: \result.run_ms > 0 ==> \result.bad_ms <= RUN_GAP_MS; */
struct inputs_view inputs_step(
    struct inputs *in, uint8_t raw, enum sample_fault fault, uint8_t relays, int64_t now_ms);

/*@ requires \valid(in) && is_time(now_ms) && run_ms >= 0;
    assigns in->high_ms, in->valid_ms, in->low_ms;
    ensures in->high_ms == now_ms - run_ms && in->low_ms == INT64_MIN; */
void inputs_credit(struct inputs *in, int32_t run_ms, int64_t now_ms);
/* clang-format on */

#include "node-genctl/inputs.c"
